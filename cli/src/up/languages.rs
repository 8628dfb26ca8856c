//! Which languages can be judged on this host: those whose compiler answers.

use std::process::{Child, Command, Stdio};

use anyhow::bail;
use assize_common::language::{Language, LanguageTable};

/// The languages of a table, told apart by whether this host has them.
#[derive(Debug)]
pub(super) struct Availability {
    here: Vec<Language>,
    missing: Vec<Language>,
}

/// Finds the languages to enable: those that are `wanted`, or all that this host
/// has when none is.
///
/// # Errors
/// When a wanted one is unknown or not installed, or none is installed.
pub(super) fn find(table: &LanguageTable, wanted: &[String]) -> anyhow::Result<Availability> {
    let table = if wanted.is_empty() {
        table.clone()
    } else {
        table.restricted_to(wanted)?
    };
    // All at once: some compilers take a second to say who they are.
    let asked: Vec<_> = table
        .iter()
        .map(|language| (language, ask(language)))
        .collect();
    let (here, missing) = asked
        .into_iter()
        .map(|(language, asked)| (language.clone(), asked.is_some_and(answers)))
        .partition::<Vec<_>, _>(|(_, answers)| *answers);
    let languages = |found: Vec<(Language, bool)>| found.into_iter().map(|(language, _)| language);
    let found = Availability {
        here: languages(here).collect(),
        missing: languages(missing).collect(),
    };
    if found.here.is_empty() || !(wanted.is_empty() || found.missing.is_empty()) {
        bail!(
            "no compiler for {}: install the Debian packages {}",
            ids(&found.missing).join(", "),
            found.missing_packages().join(" ")
        );
    }
    Ok(found)
}

impl Availability {
    /// The ids of the languages to enable.
    pub(super) fn ids(&self) -> Vec<String> {
        ids(&self.here).into_iter().map(str::to_owned).collect()
    }

    /// One or two lines for people: what is enabled, and how to get the rest.
    pub(super) fn describe(&self) -> String {
        let here = ids(&self.here).join(", ");
        if self.missing.is_empty() {
            return format!("languages   {here}");
        }
        format!(
            "languages   {here}\n            not installed: {} (Debian packages {})",
            ids(&self.missing).join(", "),
            self.missing_packages().join(" ")
        )
    }

    fn missing_packages(&self) -> Vec<&str> {
        let packages = self.missing.iter().flat_map(|language| &language.packages);
        let mut packages: Vec<&str> = packages.map(String::as_str).collect();
        packages.sort_unstable();
        packages.dedup();
        packages
    }
}

fn ids(languages: &[Language]) -> Vec<&str> {
    languages
        .iter()
        .map(|language| language.id.as_str())
        .collect()
}

/// Starts the version command. It is written for jails, which show a toolchain
/// at `/opt/<id>`; here it is where the toolchain command says.
fn ask(language: &Language) -> Option<Child> {
    let toolchain = match &language.toolchain {
        Some(command) => printed_line(command)?,
        None => String::new(),
    };
    let in_jail = format!("/opt/{}/", language.id);
    let mut arguments = language.version.iter().map(|argument| {
        let within = argument.strip_prefix(&in_jail);
        within.map_or_else(
            || argument.clone(),
            |within| format!("{toolchain}/{within}"),
        )
    });
    let mut command = Command::new(arguments.next()?);
    command
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command.spawn().ok()
}

fn printed_line(command: &[String]) -> Option<String> {
    let (program, arguments) = command.split_first()?;
    let mut command = Command::new(program);
    let answer = command.args(arguments).stdin(Stdio::null()).output().ok()?;
    let line = String::from_utf8(answer.stdout).ok()?;
    Some(line.trim_end().to_owned()).filter(|_| answer.status.success())
}

fn answers(mut asked: Child) -> bool {
    asked.wait().is_ok_and(|status| status.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(version: &str) -> LanguageTable {
        LanguageTable::parse(&format!(
            r#"
            [[language]]
            id = "here"
            name = "Here"
            code = "here"
            extensions = ["h"]
            default = true
            artifacts = ["program"]
            run = ["/box/program"]
            version = ["true"]
            self_test = ""
            self_test_file = "main.h"

            [[language]]
            id = "gone"
            name = "Gone"
            code = "gone"
            extensions = ["g"]
            default = true
            artifacts = ["program"]
            run = ["/box/program"]
            version = ["{version}"]
            packages = ["gone-compiler"]
            self_test = ""
            self_test_file = "main.g"
            "#
        ))
        .unwrap()
    }

    #[test]
    fn what_is_missing_is_left_out_and_named() {
        for version in ["false", "/nonexistent/compiler"] {
            let found = find(&table(version), &[]).unwrap();
            assert_eq!(found.ids(), ["here"]);
            assert!(
                found
                    .describe()
                    .contains("gone (Debian packages gone-compiler)")
            );
        }
    }

    #[test]
    fn toolchains_are_looked_for_where_they_are() {
        let root = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink("/bin/true", root.path().join("compiler")).unwrap();
        let place = root.path().display();
        let table = |printed: &str| {
            LanguageTable::parse(&format!(
                r#"
                [[language]]
                id = "far"
                name = "Far"
                code = "far"
                extensions = ["f"]
                default = true
                toolchain = ["echo", "{printed}"]
                artifacts = ["program"]
                run = ["/box/program"]
                version = ["/opt/far/compiler"]
                self_test = ""
                self_test_file = "main.f"
                "#
            ))
            .unwrap()
        };
        let found = find(&table(&place.to_string()), &[]).unwrap();
        assert_eq!(found.ids(), ["far"]);
        assert!(find(&table("/nonexistent"), &[]).is_err());
    }

    #[test]
    fn what_is_wanted_must_be_there() {
        let found = find(&table("false"), &["here".to_owned()]).unwrap();
        assert_eq!(found.ids(), ["here"]);
        for wanted in ["gone", "cobol"] {
            let error = find(&table("false"), &[wanted.to_owned()]).unwrap_err();
            assert!(error.to_string().contains(wanted), "{error}");
        }
    }
}
