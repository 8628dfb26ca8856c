//! A static look at what teams send: small rules, as data, that find sources
//! worth a closer look. What they find is judged under ptrace; nothing is forbidden
//! by them.

use std::path::Path;

use regex::RegexSet;
use serde::Deserialize;

const SHIPPED: &str = include_str!("../suspicion.toml");

/// The rules of an installation.
#[derive(Debug, Clone)]
pub struct SuspicionRules {
    rules: Vec<Rule>,
}

#[derive(Debug, Clone)]
struct Rule {
    id: String,
    why: String,
    /// Ids of the language table; all if `None`.
    languages: Option<Vec<String>>,
    patterns: RegexSet,
}

/// Why suspicion rules can't be used.
#[derive(Debug, thiserror::Error)]
pub enum SuspicionRulesError {
    /// The file can't be read.
    #[error("cannot read the suspicion rules {}", path.display())]
    Read {
        /// The file.
        path: std::path::PathBuf,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// The file is not of the form of suspicion rules.
    #[error("the suspicion rules are not valid")]
    Form(#[source] toml::de::Error),
    /// A rule has no id or no reason.
    #[error("a suspicion rule needs `id`, `why` and `patterns`: {id:?} lacks one")]
    Incomplete {
        /// The rule.
        id: String,
    },
    /// A pattern is no regular expression, or too large a one.
    #[error("the suspicion rule {id:?} has a pattern that is no regular expression")]
    Pattern {
        /// The rule.
        id: String,
        /// The cause.
        #[source]
        source: regex::Error,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileForm {
    #[serde(default)]
    rule: Vec<RuleForm>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleForm {
    id: String,
    why: String,
    languages: Option<Vec<String>>,
    patterns: Vec<String>,
}

impl SuspicionRules {
    /// The rules of a file, or those that come with this program.
    ///
    /// # Errors
    /// When the file can't be read or a rule is not valid.
    pub fn load(path: Option<&Path>) -> Result<Self, SuspicionRulesError> {
        let Some(path) = path else {
            return Self::parse(SHIPPED);
        };
        let text = std::fs::read_to_string(path).map_err(|source| SuspicionRulesError::Read {
            path: path.to_owned(),
            source,
        })?;
        Self::parse(&text)
    }

    fn parse(text: &str) -> Result<Self, SuspicionRulesError> {
        let file: FileForm = toml::from_str(text).map_err(SuspicionRulesError::Form)?;
        let rules = file.rule.into_iter().map(|form| {
            let RuleForm {
                id,
                why,
                languages,
                patterns,
            } = form;
            if id.is_empty() || why.is_empty() || patterns.is_empty() {
                return Err(SuspicionRulesError::Incomplete { id });
            }
            match RegexSet::new(patterns) {
                Ok(patterns) => Ok(Rule {
                    id,
                    why,
                    languages,
                    patterns,
                }),
                Err(source) => Err(SuspicionRulesError::Pattern { id, source }),
            }
        });
        rules.collect::<Result<_, _>>().map(|rules| Self { rules })
    }

    /// The first rule that one of these sources matches, as `id: why`.
    #[must_use]
    pub fn find<'s>(
        &self,
        language: &str,
        sources: impl IntoIterator<Item = &'s [u8]>,
    ) -> Option<String> {
        // Whatever is no text is looked at as far as it is.
        let sources: Vec<_> = sources.into_iter().map(String::from_utf8_lossy).collect();
        let of_language = |rule: &&Rule| {
            let languages = rule.languages.as_ref();
            languages.is_none_or(|languages| languages.iter().any(|id| id == language))
        };
        self.rules
            .iter()
            .filter(of_language)
            .find(|rule| sources.iter().any(|source| rule.patterns.is_match(source)))
            .map(|rule| format!("{}: {}", rule.id, rule.why))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use assize_common::language::LanguageTable;

    fn found(language: &str, source: &str) -> Option<String> {
        let rules = SuspicionRules::load(None).unwrap();
        let found = rules.find(language, [source.as_bytes()]);
        found.map(|found| found.split(':').next().unwrap().to_owned())
    }

    #[test]
    fn every_shipped_rule_finds_something() {
        let samples = [
            ("inline-assembly", "cpp20", "asm volatile(\"syscall\");"),
            (
                "inline-assembly",
                "c",
                "__asm__ __volatile__ (\"\" ::: \"memory\");",
            ),
            ("rust-assembly", "rust", "unsafe { asm!(\"nop\") }"),
            ("raw-system-call", "c", "syscall (41, 2, 1, 0);"),
            ("raw-system-call", "go", "syscall.RawSyscall(41, 2, 1, 0)"),
            ("tracing", "c", "ptrace(PTRACE_TRACEME, 0, 0, 0);"),
            ("proc", "python3", "open('/proc/self/maps')"),
            ("socket", "cpp17", "#include <sys/socket.h>"),
            ("socket", "python3", "x = 1\nimport socket, sys\n"),
            ("socket", "java", "import java.net.URL;"),
            ("processes", "python3", "import subprocess"),
            ("processes", "java", "Runtime.getRuntime().exec(\"id\");"),
            ("watching", "c", "fcntl(folder, F_NOTIFY, DN_ACCESS);"),
            (
                "watching",
                "c",
                "inotify_add_watch(fd, \"/usr\", IN_ACCESS);",
            ),
            ("foreign-include", "c", "#include \"/etc/passwd\""),
            ("foreign-include", "rust", "include_bytes!(\"/etc/shadow\")"),
            (
                "executable-memory",
                "c",
                "mmap(0, 4096, PROT_READ | PROT_EXEC, 34, -1, 0);",
            ),
        ];
        for (rule, language, source) in samples {
            assert_eq!(found(language, source).as_deref(), Some(rule), "{source}");
        }
        let blob = format!("s = \"{}\"", "QUJD".repeat(1100));
        assert_eq!(found("python3", &blob).as_deref(), Some("encoded-blob"));
        let rules = SuspicionRules::load(None).unwrap();
        let tested: std::collections::BTreeSet<_> = samples
            .iter()
            .map(|sample| sample.0)
            .chain(["encoded-blob"])
            .collect();
        let ids: std::collections::BTreeSet<_> = rules.rules.iter().map(|rule| &*rule.id).collect();
        assert_eq!(tested, ids);
        let table = LanguageTable::embedded().unwrap();
        for rule in &rules.rules {
            for language in rule.languages.iter().flatten() {
                assert!(table.get(language).is_ok(), "{}: {language}", rule.id);
            }
        }
    }

    /// What is sent to contests every day.
    #[test]
    fn usual_programs_are_not_suspicious() {
        for (language, source) in [
            (
                "cpp20",
                "#include <bits/stdc++.h>\n#pragma GCC optimize(\"O3\")\nint system_size; // asm\n",
            ),
            (
                "cpp20",
                "struct Socket {}; void process(int x); string s = \"procedure\";",
            ),
            ("c", "#include <stdio.h>\nint main(void) { return 0; }"),
            (
                "python3",
                "import sys, threading\nsys.setrecursionlimit(10**6)\n",
            ),
            (
                "java",
                "import java.util.*; import java.io.*; class Main {}",
            ),
            ("rust", "use std::io::Read; use std::collections::HashMap;"),
            ("go", "import (\n\"bufio\"\n\"os\"\n)"),
        ] {
            assert_eq!(found(language, source), None, "{source}");
        }
        let table = "17,42,".repeat(5000);
        assert_eq!(found("cpp20", &format!("int t[] = {{{table}}};")), None);
    }

    /// Neither honest solutions of the example contest, and many of the attacks: bombs do nothing that
    /// looks like one.
    #[test]
    fn example_contest_is_innocent_and_attacks_are_not() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let rules = SuspicionRules::load(None).unwrap();
        let table = LanguageTable::embedded().unwrap();
        let suspicious = |directory: &Path| {
            let mut all = Vec::new();
            let mut directories = vec![directory.to_owned()];
            while let Some(directory) = directories.pop() {
                for entry in std::fs::read_dir(directory).unwrap() {
                    let path = entry.unwrap().path();
                    let extension = path.extension().and_then(|end| end.to_str());
                    let language = table.iter().find(|language| {
                        language.default
                            && language
                                .extensions
                                .iter()
                                .any(|end| Some(&**end) == extension)
                    });
                    if path.is_dir() {
                        directories.push(path);
                    } else if let Some(language) = language {
                        let source = std::fs::read(&path).unwrap();
                        let rule = rules.find(&language.id, [source.as_slice()]);
                        all.push((path, rule));
                    }
                }
            }
            all
        };
        let honest = suspicious(&root.join("tests/packages"));
        assert!(honest.len() > 50, "{}", honest.len());
        let found: std::collections::BTreeSet<_> = honest
            .iter()
            .filter(|(_, rule)| rule.is_some())
            .map(|(path, _)| path.strip_prefix(&root).unwrap())
            .collect();
        // They are there to show what becomes of such.
        let dishonest = [
            "atlas/submissions/rejected/asks_the_way.c",
            "parcels/submissions/mixed/asks_the_office.c",
        ];
        let dishonest = dishonest.map(|path| Path::new("tests/packages").join(path));
        assert_eq!(found, dishonest.iter().map(|path| path.as_path()).collect());
        let attacks = suspicious(&root.join("tests/hostile"));
        let found = attacks.iter().filter(|(_, rule)| rule.is_some()).count();
        assert!(
            5 * found > 2 * attacks.len(),
            "{found} of {}",
            attacks.len()
        );
    }

    #[test]
    fn faulty_rules_are_told() {
        let parse = |text: &str| SuspicionRules::parse(text).unwrap_err().to_string();
        let pattern = parse("[[rule]]\nid = 'a'\nwhy = 'b'\npatterns = ['(']");
        assert!(pattern.contains("\"a\" has a pattern"), "{pattern}");
        let empty = parse("[[rule]]\nid = 'a'\nwhy = ''\npatterns = ['x']");
        assert!(empty.contains("\"a\" lacks one"), "{empty}");
        assert!(parse("rule = 1").contains("not valid"));
        assert!(SuspicionRules::parse("").unwrap().rules.is_empty());
    }
}
