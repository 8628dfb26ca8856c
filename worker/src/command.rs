//! From the language table's commands to argument lists.

use assize_common::language::Language;
use bytesize::ByteSize;

/// What the placeholders of a command stand for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Placeholders<'a> {
    pub(crate) sources: &'a [String],
    pub(crate) entry: &'a str,
    /// The source file of the entry point.
    pub(crate) main: &'a str,
    /// The problem's memory limit.
    pub(crate) memory: ByteSize,
}

/// Replaces the placeholders of a command.
pub(crate) fn expand(command: &[String], placeholders: Placeholders<'_>) -> Vec<String> {
    let memory_mib = (placeholders.memory.as_u64() >> 20).to_string();
    let mut expanded = Vec::with_capacity(command.len() + placeholders.sources.len());
    for arg in command {
        if arg == "{sources}" {
            expanded.extend(placeholders.sources.iter().cloned());
        } else {
            expanded.push(
                arg.replace("{entry}", placeholders.entry)
                    .replace("{main}", placeholders.main)
                    .replace("{memory_mib}", &memory_mib),
            );
        }
    }
    expanded
}

/// Several commands as one, because a run leaves nothing for the next: a shell
/// script made of quoted arguments only, which ends at the first failure.
pub(crate) fn join(mut commands: Vec<Vec<String>>) -> Vec<String> {
    if commands.len() == 1 {
        return commands.remove(0);
    }
    let lines: Vec<String> = commands
        .iter()
        .map(|command| {
            command
                .iter()
                .map(|arg| quoted(arg))
                .collect::<Vec<_>>()
                .join(" ")
        })
        .collect();
    vec!["/bin/sh".to_owned(), "-ec".to_owned(), lines.join("\n")]
}

/// Within single quotes only the quote itself is special to a POSIX shell.
fn quoted(arg: &str) -> String {
    format!("'{}'", arg.replace('\'', "'\\''"))
}

/// The whole environment of a program.
pub(crate) fn environment(language: &Language) -> Vec<(String, String)> {
    let own = [
        ("HOME", "/tmp"),
        ("LANG", "C.UTF-8"),
        ("PATH", "/usr/bin:/bin"),
    ]
    .into_iter()
    .filter(|(name, _)| !language.env.contains_key(*name))
    .map(|(name, value)| (name.to_owned(), value.to_owned()));
    own.chain(language.env.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strings(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    #[test]
    fn placeholders() {
        let sources = strings(&["a.cpp", "b.cpp"]);
        let placeholders = Placeholders {
            sources: &sources,
            entry: "a",
            main: "a.cpp",
            memory: ByteSize::mib(64),
        };
        let command = strings(&[
            "cc",
            "{sources}",
            "{entry}.x",
            "./{main}",
            "-Xmx{memory_mib}m",
            "{other}",
        ]);
        assert_eq!(
            expand(&command, placeholders),
            [
                "cc", "a.cpp", "b.cpp", "a.x", "./a.cpp", "-Xmx64m", "{other}"
            ]
        );
    }

    #[test]
    fn joined_commands_keep_their_arguments() {
        let one = vec![strings(&["printf", "%s"])];
        assert_eq!(join(one), ["printf", "%s"]);
        let nasty = "it's $(odd) \"; exit 1 \n#";
        let script = join(vec![
            strings(&["printf", "%s|", nasty, ""]),
            strings(&["false"]),
            strings(&["echo", "no"]),
        ]);
        let output = std::process::Command::new(&script[0])
            .args(&script[1..])
            .output()
            .unwrap();
        assert_eq!(
            String::from_utf8(output.stdout).unwrap(),
            format!("{nasty}||")
        );
        assert_eq!(output.status.code(), Some(1));
    }
}
