//! Canaries: small programs that do the same each time. What they take tells whether
//! the host is still as fast as it was.

use std::path::PathBuf;

use assize_common::language::Language;
use assize_common::message::CanaryReading;
use assize_common::package::{File, Package, Program, Testcase};
use assize_common::{SandboxMode, Stop, Verdict};

use crate::cancel::Cancel;
use crate::judge::{Judge, Request};
use crate::judging_error::JudgingError;
use crate::look::USUAL;
use crate::selftest::{addition, limits, write};
use crate::slot::Slot;

/// Reads which of them it is; C and C++ alike.
const SOURCE: &str = include_str!("canary.c");
/// What [`SOURCE`] knows: computing, memory, system calls.
const NATIVE: [&str; 3] = ["cpu", "memory", "syscalls"];
/// Languages that [`SOURCE`] is written in: the first that is enabled compiles it.
const COMPILERS: [&str; 4] = ["c", "cpp17", "cpp20", "cpp23"];
/// The language whose runtime takes longest to start.
const RUNTIME: &str = "java";

impl Judge {
    /// Runs all canaries on a slot, each like a test case of a submission. Those whose
    /// language is not enabled are left out.
    ///
    /// # Errors
    /// When one does not come to its right end, or the host can't judge.
    pub(crate) fn canaries(
        &self,
        slot: &mut Slot,
        cancel: &Cancel,
    ) -> Result<Vec<CanaryReading>, JudgingError> {
        let directory = tempfile::tempdir_in(self.scratch())
            .map_err(JudgingError::disk("create a directory in", self.scratch()))?;
        let directory = directory.path();
        let mut readings = Vec::new();
        let languages = self.languages();
        if let Some(language) = COMPILERS.iter().find_map(|id| languages.get(id).ok()) {
            let name = format!("canary.{}", language.extensions[0]);
            let source = write(directory, &name, SOURCE)?;
            let answer = write(directory, "canary.ans", "done\n")?;
            let mut testcases = Vec::new();
            for name in NATIVE {
                let input = write(directory, &format!("{name}.in"), &format!("{name}\n"))?;
                testcases.push(Testcase::new(name.to_owned(), input, answer.clone()));
            }
            let package = Package::plain("Canaries".to_owned(), limits(), testcases);
            let run = self.run_canary(slot, language, &package, (&name, source), cancel)?;
            readings.extend(run);
        }
        if let Ok(language) = languages.get(RUNTIME) {
            let package = addition(
                RUNTIME,
                write(directory, "sum.in", "3 4\n")?,
                write(directory, "sum.ans", "7\n")?,
            );
            let name = &language.self_test_file;
            let source = write(directory, name, &language.self_test)?;
            let run = self.run_canary(slot, language, &package, (name, source), cancel)?;
            readings.extend(run);
        }
        Ok(readings)
    }

    fn run_canary(
        &self,
        slot: &mut Slot,
        language: &Language,
        package: &Package,
        (name, path): (&str, PathBuf),
        cancel: &Cancel,
    ) -> Result<Vec<CanaryReading>, JudgingError> {
        let program = Program {
            name: "a canary".to_owned(),
            files: vec![File {
                name: name.to_owned(),
                path,
            }],
            language: None,
            entry_point: None,
        };
        let request = Request {
            package,
            program: &program,
            language: Some(language),
            sandbox: SandboxMode::Unshare,
            look: &USUAL,
            stop: Stop::FirstFailure,
            earlier: None,
        };
        let judged = self.judge(slot, request, &mut |_| (), cancel)?;
        if judged.verdict != Verdict::Ac {
            let message = judged.runs.into_iter().find_map(|run| run.message);
            return Err(JudgingError::LanguageUnavailable {
                id: language.id.clone(),
                reason: format!(
                    "a canary gets {}: {}",
                    judged.verdict,
                    message.unwrap_or(judged.compile.output)
                ),
            });
        }
        let readings = judged.runs.into_iter().map(|run| CanaryReading {
            program: run.testcase,
            cpu_time_ms: run.cpu_time_ms,
        });
        Ok(readings.collect())
    }
}
