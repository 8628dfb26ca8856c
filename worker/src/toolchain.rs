//! Compilers and runtimes as they are on this host.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{Read as _, Seek as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use assize_common::ContentHash;
use assize_common::language::Language;
use assize_sandbox::{
    AuditLevel, Input, JailError, Limits, Mode, Outcome, PolicyName, Scratch, Sink, Spec, Tree,
};
use bytesize::ByteSize;

use crate::cancel::Cancel;
use crate::command::environment;
use crate::judging_error::JudgingError;
use crate::slot::{Role, Slot};

/// What was found out about languages: each is asked once.
#[derive(Debug)]
pub struct Toolchains {
    trees: Vec<Tree>,
    /// Why a language's toolchain can't be mounted, by id.
    missing: HashMap<String, String>,
    /// What is known of each language asked for, or why it does not work.
    known: Mutex<HashMap<String, Result<Toolchain, String>>>,
    /// Ids of languages whose compilers failed to prepare anything.
    unprepared: Mutex<HashSet<String>>,
}

/// The compiler or interpreter of a language as it is on this host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Toolchain {
    /// The first line that the language's version command prints in a jail.
    pub version: String,
    /// The hash of the program that printed it. What it loads is not in it.
    pub program: ContentHash,
}

impl Toolchains {
    /// Whether the language's compiler failed to prepare anything since this process began.
    pub(crate) fn is_unprepared(&self, id: &str) -> bool {
        self.unprepared().contains(id)
    }

    /// Spares later programs another attempt.
    pub(crate) fn give_up_preparing(&self, id: &str) {
        self.unprepared().insert(id.to_owned());
    }

    fn unprepared(&self) -> MutexGuard<'_, HashSet<String>> {
        self.unprepared
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Finds the directories that jails must show for these languages. A
    /// language whose directory can't be found is unavailable, no error.
    #[must_use]
    pub fn find<'a>(languages: impl IntoIterator<Item = &'a Language>) -> Self {
        let mut found = Self {
            trees: Vec::new(),
            missing: HashMap::new(),
            known: Mutex::new(HashMap::new()),
            unprepared: Mutex::new(HashSet::new()),
        };
        for language in languages {
            let Some(command) = &language.toolchain else {
                continue;
            };
            match printed_directory(command) {
                Ok(source) => {
                    let target = Path::new("/opt").join(&language.id);
                    found.trees.push(Tree { source, target });
                }
                Err(problem) => {
                    found.missing.insert(
                        language.id.clone(),
                        format!("{problem}{}", how_to_install(language)),
                    );
                }
            }
        }
        found
    }

    /// The trees that jails must show.
    #[must_use]
    pub fn trees(&self) -> &[Tree] {
        &self.trees
    }

    /// The toolchain of a language.
    ///
    /// # Errors
    /// [`JudgingError::LanguageUnavailable`] when it does not work in a jail.
    pub fn get(
        &self,
        slot: &mut Slot,
        language: &Language,
        cancel: &Cancel,
    ) -> Result<Toolchain, JudgingError> {
        let known = || {
            self.known
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .get(&language.id)
                .cloned()
        };
        let answer = match known() {
            Some(answer) => answer,
            None => {
                let answer = match self.missing.get(&language.id) {
                    Some(reason) => Err(reason.clone()),
                    None => ask_version(slot, language, cancel)?
                        .and_then(|version| self.identify(language, version)),
                };
                let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
                known.insert(language.id.clone(), answer.clone());
                answer
            }
        };
        answer.map_err(|reason| JudgingError::LanguageUnavailable {
            id: language.id.clone(),
            reason,
        })
    }

    /// Hashes the program that printed `version`, where the host has it.
    fn identify(&self, language: &Language, version: String) -> Result<Toolchain, String> {
        let named = Path::new(language.version.first().map_or("", String::as_str));
        let path = self.trees.iter().find_map(|tree| {
            let within = named.strip_prefix(&tree.target).ok()?;
            Some(tree.source.join(within))
        });
        let path = path.unwrap_or_else(|| named.to_owned());
        let program = File::open(&path).and_then(ContentHash::of_rest);
        let program =
            program.map_err(|error| format!("cannot read {}: {error}", path.display()))?;
        Ok(Toolchain { version, program })
    }
}

fn printed_directory(command: &[String]) -> Result<PathBuf, String> {
    let [program, args @ ..] = command else {
        return Err("its toolchain command is empty".to_owned());
    };
    let shown = command.join(" ");
    let output = Command::new(program)
        .args(args)
        .output()
        .map_err(|error| format!("`{shown}` fails: {error}"))?;
    let printed = String::from_utf8_lossy(&output.stdout);
    let directory = Path::new(printed.trim());
    if !output.status.success() || !directory.is_absolute() || !directory.is_dir() {
        return Err(format!("`{shown}` prints no directory"));
    }
    Ok(directory.to_owned())
}

fn how_to_install(language: &Language) -> String {
    if language.packages.is_empty() {
        String::new()
    } else {
        format!("; Debian has it in: {}", language.packages.join(" "))
    }
}

/// Runs the version command. The outer error is a failure of ours, the inner one
/// says why the language is unavailable.
fn ask_version(
    slot: &mut Slot,
    language: &Language,
    cancel: &Cancel,
) -> Result<Result<String, String>, JudgingError> {
    let directory = std::env::temp_dir();
    let output = tempfile::tempfile_in(&directory)
        .map_err(JudgingError::disk("create a file in", &directory))?;
    let clone = || {
        output
            .try_clone()
            .map_err(JudgingError::disk("share a file in", &directory))
    };
    let capture = |to: File| Sink::Capture {
        to: to.into(),
        keep: ByteSize::kib(4),
    };
    let spec = Spec {
        args: language.version.clone(),
        executable: None,
        env: environment(language),
        directory: "/tmp".into(),
        stdin: Input::Null,
        stdout: capture(clone()?),
        stderr: capture(clone()?),
        mounts: Vec::new(),
        scratch: vec![Scratch {
            target: "/tmp".into(),
            size: ByteSize::gib(2),
            // Some fill a cache when asked for their version.
            counted: false,
        }],
        files: Vec::new(),
        collect: Vec::new(),
        limits: Limits {
            cpu_time: Duration::from_secs(20),
            wall_time: Duration::from_secs(60),
            idle_time: None,
            memory: ByteSize::gib(2),
            output: ByteSize::mib(1),
            stack: ByteSize::mib(64),
            processes: 128,
            open_files: 256,
            file_size: ByteSize::mib(64),
        },
        mode: Mode::Unshare,
        policy: PolicyName::Compiler,
        layers: Vec::new(),
        audit: AuditLevel::Summary,
        observe: false,
        fixed_layout: false,
    };
    let shown = language.version.join(" ");
    let activity = format!("asking for the version of {}", language.id);
    let facts = match slot.run(Role::Contestant, spec, &activity, cancel) {
        Ok(facts) => facts,
        Err(JudgingError::Jail {
            source: JailError::Exec { source, .. },
            ..
        }) => {
            return Ok(Err(format!(
                "`{shown}` can't be started: {source}{}",
                how_to_install(language)
            )));
        }
        Err(error) => return Err(error),
    };
    let text =
        read_start(output, 4096).map_err(JudgingError::disk("read a file in", &directory))?;
    let first_line = text
        .lines()
        .map(str::trim)
        .find(|line| !line.is_empty())
        .unwrap_or_default()
        .to_owned();
    Ok(match facts.outcome {
        Outcome::Exited { code: 0 } => Ok(first_line),
        outcome => Err(format!(
            "`{shown}` ends with {outcome:?}: {first_line}{}",
            how_to_install(language)
        )),
    })
}

/// The first `limit` bytes of a file as text, whatever they are.
pub(crate) fn read_start(mut file: File, limit: u64) -> std::io::Result<String> {
    file.rewind()?;
    let mut bytes = Vec::new();
    file.take(limit).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
