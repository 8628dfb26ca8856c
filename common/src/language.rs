//! The language table: how each language is compiled and run.
//!
//! One TOML file serves every daemon and the command line. Commands are argument
//! lists, never shell text; four placeholders are replaced in them: `{sources}`,
//! `{entry}`, `{main}` and, in `run` only, `{memory_mib}`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use bytesize::ByteSize;
use serde::{Deserialize, Serialize};

use crate::SandboxMode;

/// What stands for the language of a submission of outputs, which is in none. No
/// entry of a table has this id.
pub const NO_LANGUAGE: &str = "none";

/// One way to compile and run programs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Language {
    /// The stable id used by the API and the command line, such as `cpp20`.
    pub id: String,
    /// The name for people.
    pub name: String,
    /// The language code of the problem package format, such as `cpp`; several
    /// entries may share one.
    pub code: String,
    /// Endings of file names that are source code of this language, without the dot.
    pub extensions: Vec<String>,
    /// Whether this entry is taken when only the code or an ending is known.
    #[serde(default)]
    pub default: bool,
    /// Commands run in order in a writable directory that holds the sources.
    #[serde(default)]
    pub compile: Vec<Vec<String>>,
    /// Regular files kept after compiling; `{sources}` keeps the sources.
    pub artifacts: Vec<String>,
    /// What makes programs compile sooner.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prepare: Option<Preparation>,
    /// The command that runs the program, in a read-only directory of the artifacts.
    pub run: Vec<String>,
    /// The command whose first line of output is the compiler's version.
    pub version: Vec<String>,
    /// What `{entry}` stands for; the stem of the first source without it.
    #[serde(default)]
    pub entry_point: Option<String>,
    /// A command run on the host that prints a directory, mounted read-only at
    /// `/opt/<id>` in the jail.
    #[serde(default)]
    pub toolchain: Option<Vec<String>>,
    /// Processes and threads a run may have at once.
    #[serde(default = "default_processes")]
    pub processes: u32,
    /// Memory of the runtime itself, added to the problem's limit.
    #[serde(default)]
    pub memory_overhead: ByteSize,
    /// Multiplies the problem's time limit.
    #[serde(default = "default_time_factor")]
    pub time_factor: f64,
    /// The sandbox of its submissions where nothing else decides; unshare without it.
    #[serde(default)]
    pub sandbox: Option<SandboxMode>,
    /// Names of policies of the table that its submissions have besides, where a
    /// tracer enforces them: the first one lowest.
    #[serde(default)]
    pub policies: Vec<String>,
    /// The rules of these policies, each in TOML.
    #[serde(skip)]
    pub layers: Vec<String>,
    /// Environment of compiling and running, beside the jail's own.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// Debian packages that bring the compiler, named when it is missing.
    #[serde(default)]
    pub packages: Vec<String>,
    /// A program that reads two integers and prints their sum.
    pub self_test: String,
    /// The file name of `self_test`.
    pub self_test_file: String,
}

/// What is made once on a host for all programs of a language, by its compiler and
/// from nothing else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Preparation {
    /// Programs whose sources have this text get it, and only they have it made.
    pub used_by: String,
    /// Commands run in order in an empty writable directory.
    pub commands: Vec<Vec<String>>,
    /// Regular files kept of it, at `/prepared` of whoever compiles.
    pub artifacts: Vec<String>,
}

const fn default_processes() -> u32 {
    64
}

const fn default_time_factor() -> f64 {
    1.0
}

/// All languages of an installation.
#[derive(Debug, Clone, PartialEq)]
pub struct LanguageTable {
    languages: Vec<Language>,
}

/// Why a language table can't be used.
#[derive(Debug, thiserror::Error)]
pub enum LanguageTableError {
    /// The file can't be read.
    #[error("cannot read the language table {path}")]
    Read {
        /// The file.
        path: String,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// The text is not TOML of the expected shape.
    #[error("the language table is not valid TOML of the expected shape")]
    Parse(#[source] Box<toml::de::Error>),
    /// An entry contradicts itself or another one.
    #[error("language {id:?}: {problem}")]
    Entry {
        /// The entry.
        id: String,
        /// What is wrong and how to mend it.
        problem: String,
    },
    /// A language was asked for that the table lacks.
    #[error("unknown language {id:?}: the table has {known}")]
    Unknown {
        /// What was asked for.
        id: String,
        /// All ids, comma separated.
        known: String,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    language: Vec<Language>,
    /// Rules over those of all contestants' programs; the sandbox knows their form.
    #[serde(default)]
    policy: BTreeMap<String, toml::Table>,
}

impl LanguageTable {
    /// The table that is compiled into the program: `deploy/languages.toml`.
    ///
    /// # Errors
    /// None in a tested build: a test parses the embedded text.
    pub fn embedded() -> Result<Self, LanguageTableError> {
        Self::parse(include_str!("../../deploy/languages.toml"))
    }

    /// Reads the table from `path`, or takes the embedded one without a path.
    ///
    /// # Errors
    /// When the file can't be read or is not a valid table.
    pub fn load(path: Option<&Path>) -> Result<Self, LanguageTableError> {
        let Some(path) = path else {
            return Self::embedded();
        };
        let text = std::fs::read_to_string(path).map_err(|source| LanguageTableError::Read {
            path: path.display().to_string(),
            source,
        })?;
        Self::parse(&text)
    }

    /// Parses and validates the text of a table.
    ///
    /// # Errors
    /// When it is not TOML of the expected shape, or entries contradict each other.
    pub fn parse(text: &str) -> Result<Self, LanguageTableError> {
        let File {
            language: mut languages,
            policy: policies,
        } = toml::from_str(text).map_err(|error| LanguageTableError::Parse(Box::new(error)))?;
        let mut ids = BTreeSet::new();
        let mut defaults = BTreeSet::new();
        for language in &mut languages {
            language.validate()?;
            language.layers = language.layers_from(&policies)?;
            if language.id == NO_LANGUAGE {
                return Err(language.problem("the id is reserved for submissions of outputs"));
            }
            if !ids.insert(language.id.clone()) {
                return Err(language.problem("the id is used twice"));
            }
            if language.default && !defaults.insert(language.code.clone()) {
                return Err(
                    language.problem(&format!("a second default for code {:?}", language.code))
                );
            }
        }
        if let Some(orphan) = languages
            .iter()
            .find(|language| !defaults.contains(&language.code))
        {
            return Err(orphan.problem(&format!(
                "no entry of code {:?} is the default: set `default = true` on one",
                orphan.code
            )));
        }
        Ok(Self { languages })
    }

    /// The table reduced to the given ids, in the table's order.
    ///
    /// # Errors
    /// When an id is not in the table.
    pub fn restricted_to<S: AsRef<str>>(&self, ids: &[S]) -> Result<Self, LanguageTableError> {
        for id in ids {
            self.get(id.as_ref())?;
        }
        let wanted: BTreeSet<&str> = ids.iter().map(AsRef::as_ref).collect();
        let languages = self
            .iter()
            .filter(|language| wanted.contains(language.id.as_str()));
        Ok(Self {
            languages: languages.cloned().collect(),
        })
    }

    /// All entries, in the order of the file.
    pub fn iter(&self) -> impl Iterator<Item = &Language> {
        self.languages.iter()
    }

    /// The entry with this id.
    ///
    /// # Errors
    /// When there is none; the error lists all ids.
    pub fn get(&self, id: &str) -> Result<&Language, LanguageTableError> {
        self.iter()
            .find(|language| language.id == id)
            .ok_or_else(|| LanguageTableError::Unknown {
                id: id.chars().take(64).collect(),
                known: self
                    .iter()
                    .map(|language| language.id.as_str())
                    .collect::<Vec<_>>()
                    .join(", "),
            })
    }

    /// The default entry for a language code of the problem package format; when
    /// the table was restricted, the first entry left for that code.
    #[must_use]
    pub fn by_code(&self, code: &str) -> Option<&Language> {
        let of_code = || self.iter().filter(|language| language.code == code);
        of_code()
            .find(|language| language.default)
            .or_else(|| of_code().next())
    }

    /// The default entry for a file name, by its ending.
    #[must_use]
    pub fn by_file_name(&self, name: &str) -> Option<&Language> {
        let (_, ending) = name.rsplit_once('.')?;
        let matching = || {
            self.iter()
                .filter(|language| language.extensions.iter().any(|known| known == ending))
        };
        matching()
            .find(|language| language.default)
            .or_else(|| matching().next())
    }
}

impl Language {
    /// Whether the file of this name is source code of the language.
    #[must_use]
    pub fn is_source(&self, name: &str) -> bool {
        name.rsplit_once('.')
            .is_some_and(|(_, ending)| self.extensions.iter().any(|known| known == ending))
    }

    fn problem(&self, problem: &str) -> LanguageTableError {
        LanguageTableError::Entry {
            id: self.id.clone(),
            problem: problem.to_owned(),
        }
    }

    fn layers_from(
        &self,
        policies: &BTreeMap<String, toml::Table>,
    ) -> Result<Vec<String>, LanguageTableError> {
        let layer = |name: &String| match policies.get(name) {
            Some(rules) => Ok(rules.to_string()),
            None => Err(self.problem(&format!(
                "`policies`: the table has no [policy.{name}], but {}",
                policies.keys().cloned().collect::<Vec<_>>().join(", ")
            ))),
        };
        self.policies.iter().map(layer).collect()
    }

    fn validate(&self) -> Result<(), LanguageTableError> {
        let plain = |text: &str| {
            !text.is_empty()
                && text
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
        };
        if !plain(&self.id) {
            return Err(self.problem("`id` must be lower-case letters and digits"));
        }
        let preparing = self.prepare.iter().flat_map(|prepare| &prepare.commands);
        let commands = self.compile.iter().chain(preparing);
        let commands = commands.chain([&self.run, &self.version]);
        if commands.chain(&self.toolchain).any(Vec::is_empty) {
            return Err(self.problem("an empty command: give at least the program"));
        }
        if self
            .prepare
            .as_ref()
            .is_some_and(|prepare| prepare.used_by.is_empty())
        {
            return Err(self.problem(
                "`prepare.used_by` is empty: name the text that programs have which use it",
            ));
        }
        if self.artifacts.is_empty() {
            return Err(
                self.problem("`artifacts` is empty: name what compiling leaves, or \"{sources}\"")
            );
        }
        let prepared = self.prepare.iter().flat_map(|prepare| &prepare.artifacts);
        if self
            .artifacts
            .iter()
            .chain(prepared)
            .any(|path| path.starts_with('/') || path.split('/').any(|part| part == ".."))
        {
            return Err(self.problem("`artifacts` must be relative paths without `..`"));
        }
        if !(self.time_factor.is_finite() && self.time_factor > 0.0) {
            return Err(self.problem("`time_factor` must be a positive number"));
        }
        if self.processes == 0 {
            return Err(self.problem("`processes` must be at least 1"));
        }
        if !self.is_source(&self.self_test_file) {
            return Err(self.problem("`self_test_file` has none of the `extensions`"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENTRY: &str = r#"
        [[language]]
        id = "cpp20"
        name = "C++20"
        code = "cpp"
        extensions = ["cpp"]
        default = true
        artifacts = ["program"]
        run = ["/box/program"]
        version = ["g++", "--version"]
        self_test = ""
        self_test_file = "main.cpp"
    "#;

    fn error_of(text: &str) -> String {
        LanguageTable::parse(text).unwrap_err().to_string()
    }

    #[test]
    fn the_embedded_table_is_valid() {
        let table = LanguageTable::embedded().unwrap();
        assert_eq!(table.by_file_name("a.b.cpp").unwrap().code, "cpp");
        assert_eq!(table.by_code("python3").unwrap().code, "python3");
    }

    #[test]
    fn lookups() {
        let second = ENTRY
            .replace("cpp20", "cpp17")
            .replace("default = true", "");
        let table = LanguageTable::parse(&format!("{ENTRY}{second}")).unwrap();
        assert_eq!(table.by_code("cpp").unwrap().id, "cpp20");
        assert!(table.by_file_name("Makefile").is_none());
        let only17 = table.restricted_to(&["cpp17"]).unwrap();
        assert_eq!(only17.by_code("cpp").unwrap().id, "cpp17");
        let error = table.get("cobol").unwrap_err().to_string();
        assert!(error.contains("cpp20, cpp17"), "{error}");
    }

    #[test]
    fn contradictions_are_named() {
        assert!(error_of(&format!("{ENTRY}{ENTRY}")).contains("used twice"));
        assert!(error_of(&ENTRY.replace("default = true", "")).contains("default"));
        assert!(
            error_of(&ENTRY.replace("[\"program\"]", "[\"../program\"]")).contains("artifacts")
        );
        assert!(error_of(&ENTRY.replace("main.cpp", "main.c")).contains("self_test_file"));
        assert!(error_of(&ENTRY.replace("cpp20", NO_LANGUAGE)).contains("reserved"));
        assert!(error_of(&ENTRY.replace("[\"/box/program\"]", "[]")).contains("empty command"));
    }

    #[test]
    fn policies_are_found_by_name() {
        let policy = "[[policy.alone.rule]]\nid = 'x'\n";
        let entry = format!("{ENTRY}\npolicies = ['alone']\n{policy}");
        let table = LanguageTable::parse(&entry).unwrap();
        let layers = &table.get("cpp20").unwrap().layers;
        assert!(
            matches!(&layers[..], [layer] if layer.contains("id = \"x\"")),
            "{layers:?}"
        );
        let error = error_of(&entry.replace("['alone']", "['lone']"));
        assert!(error.contains("[policy.lone], but alone"), "{error}");
    }

    #[test]
    fn unknown_keys_are_refused() {
        let error = LanguageTable::parse(&format!("{ENTRY}\nrunn = []")).unwrap_err();
        let cause = std::error::Error::source(&error).unwrap().to_string();
        assert!(cause.contains("runn"), "{cause}");
    }
}
