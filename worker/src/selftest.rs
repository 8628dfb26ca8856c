//! Testing a language: does its self-test compile, run and add 3 and 4?

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use assize_common::Verdict;
use assize_common::language::Language;
use assize_common::package::{File, Limits, Package, Program, Testcase};
use assize_common::{SandboxMode, Stop};
use bytesize::ByteSize;

use crate::cancel::Cancel;
use crate::judge::{Judge, Request};
use crate::judging_error::JudgingError;
use crate::look::USUAL;
use crate::slot::Slot;

impl Judge {
    /// Compiles and runs the language's self-test, judged like any submission,
    /// also by the language's policies if it has some; the compiler's version if
    /// it adds 3 and 4.
    ///
    /// # Errors
    /// [`JudgingError::LanguageUnavailable`] with what went wrong, or another one
    /// when the host can't judge at all.
    pub fn selftest(
        &self,
        slot: &mut Slot,
        language: &Language,
        cancel: &Cancel,
    ) -> Result<String, JudgingError> {
        let version = self.toolchains().get(slot, language, cancel)?.version;
        let directory = tempfile::tempdir_in(self.scratch())
            .map_err(JudgingError::disk("create a directory in", self.scratch()))?;
        let source = write(
            directory.path(),
            &language.self_test_file,
            &language.self_test,
        )?;
        let package = addition(
            "sum",
            write(directory.path(), "sum.in", "3 4\n")?,
            write(directory.path(), "sum.ans", "7\n")?,
        );
        let program = Program {
            name: format!("the self-test of {}", language.id),
            files: vec![File {
                name: language.self_test_file.clone(),
                path: source,
            }],
            language: None,
            entry_point: None,
        };
        let policies = (!language.layers.is_empty()).then_some(SandboxMode::Ptrace);
        for sandbox in [SandboxMode::Unshare].into_iter().chain(policies) {
            let request = Request {
                package: &package,
                program: &program,
                language: Some(language),
                sandbox,
                look: &USUAL,
                earlier: None,
                stop: Stop::FirstFailure,
            };
            let judged = self.judge(slot, request, &mut |_| (), cancel)?;
            if judged.verdict == Verdict::Ac {
                continue;
            }
            let message = judged
                .runs
                .into_iter()
                .find_map(|run| run.message)
                .unwrap_or(judged.compile.output);
            return Err(JudgingError::LanguageUnavailable {
                id: language.id.clone(),
                reason: format!(
                    "its self-test gets {} under {sandbox}: {message}",
                    judged.verdict
                ),
            });
        }
        Ok(version)
    }
}

pub(crate) fn write(
    directory: &Path,
    name: &str,
    content: &str,
) -> Result<std::path::PathBuf, JudgingError> {
    let path = directory.join(name);
    fs::File::create(&path)
        .and_then(|mut file| file.write_all(content.as_bytes()))
        .map_err(JudgingError::disk("write", &path))?;
    Ok(path)
}

/// A problem with one test case, of that name.
pub(crate) fn addition(
    name: &str,
    input: std::path::PathBuf,
    answer: std::path::PathBuf,
) -> Package {
    let testcase = Testcase::new(name.to_owned(), input, answer);
    Package::plain("Addition".to_owned(), limits(), vec![testcase])
}

/// More than any program of ours takes.
pub(crate) fn limits() -> Limits {
    let limit = Duration::from_secs(10);
    let memory = ByteSize::mib(1024);
    Limits {
        time_limit: limit,
        memory,
        output: ByteSize::mib(1),
        code: ByteSize::mib(1),
        compilation_time: Duration::from_secs(60),
        compilation_memory: ByteSize::mib(2048),
        validation_time: limit,
        validation_memory: memory,
        validation_output: ByteSize::mib(1),
    }
}
