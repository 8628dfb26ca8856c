//! What custom and interactive validators share: how the jury's program is
//! started, and how its answer is read.

use std::fs::File;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::time::Duration;

use assize_common::package::{self, CheckerProtocol, Limits as PackageLimits, Testcase};
use assize_sandbox::{
    AuditLevel, Facts, FileIn, Input, KillCause, Limits, Mode, Mount, Outcome, PolicyName, Scratch,
    Sink, Spec,
};
use bytesize::ByteSize;

use super::feedback::{self, Feedback, MESSAGE_KEPT, Meaning};
use super::{Submitted, Validated, checker};
use crate::command::environment;
use crate::executable::Executable;
use crate::judging_error::JudgingError;
use crate::report::tail;
use crate::toolchain::read_start;
use crate::verdict::Answer;

const ACCEPTED: i32 = 42;
const WRONG: i32 = 43;
/// Room for what is written to a directory before it is found to be too much.
pub(super) const WRITING_SPARE: ByteSize = ByteSize::mib(1);

/// A compiled output validator of the jury.
#[derive(Debug)]
pub(crate) struct JuryValidator {
    /// The program's path within the package.
    pub(crate) name: String,
    pub(crate) executable: Executable,
    pub(crate) limits: PackageLimits,
    /// Whether its working directory holds what was submitted, and not its own files.
    pub(crate) sees_submission: bool,
    /// How it is spoken to.
    pub(crate) protocol: Protocol,
    /// The checker of what an interactor wrote, or the next of several validators,
    /// if this one accepts.
    pub(crate) then: Option<Box<Self>>,
}

/// How a validator gets its arguments and gives its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// As the ICPC/Kattis format has it.
    Kattis,
    /// As checkers have it, which compare files, and interactors of the same kind.
    Checker(CheckerProtocol),
}

/// One call of the validator.
#[derive(Debug)]
pub(crate) struct Call<'a> {
    pub(crate) testcase: &'a Testcase,
    /// Whose output it is.
    pub(crate) submitted: Submitted<'a>,
    /// The input of the submission, which is that of the test case but for later
    /// passes.
    pub(crate) input: &'a File,
    /// What the feedback directory held after the last pass.
    pub(crate) state: Option<File>,
    /// What of its feedback counts.
    pub(crate) meaning: Meaning,
}

/// Keeps the feedback directory from pass to pass: unpacks what was there, runs
/// the validator, packs what is there then, and ends as the validator did.
const KEEPING_FEEDBACK: &str = "\
    if [ -s /state/feedback.tar ]; then tar -xmf /state/feedback.tar -C /feedback || exit 1; fi; \
    rm -f /feedback/nextpass.in; \
    \"$@\"; code=$?; \
    tar -cf /state/feedback.tar --exclude=./nextpass.in -C /feedback . >/dev/null 2>&1 || exit 1; \
    exit $code";

impl JuryValidator {
    /// How it is run; `extra_wall_time` is what it may have to wait for somebody
    /// else. Its standard error goes to `stderr`.
    pub(super) fn spec(
        &self,
        call: &Call<'_>,
        stdin: Input,
        stdout: Sink,
        stderr: &File,
        extra_wall_time: Duration,
    ) -> Result<Spec, JudgingError> {
        let testcase = call.testcase;
        let mut args = vec![
            "/data/testcase.in".to_owned(),
            "/data/testcase.ans".to_owned(),
            feedback::DIRECTORY.to_owned(),
        ];
        args.extend(testcase.output_validator_args.iter().cloned());
        let mut spec = self.program_spec(&args, call.meaning, stdin, stdout, stderr)?;
        spec.limits.wall_time += extra_wall_time;
        if self.sees_submission {
            call.submitted.show(&mut spec)?;
        }
        if call.meaning.multi_pass {
            self.keep_feedback(&mut spec, call)?;
        }
        let (input, target) = (share(call.input)?, Path::new(&args[0]));
        if call.state.is_some() {
            // What came out of a jail is mounted nowhere here.
            copy_in(&mut spec, input, target)?;
        } else {
            show(&mut spec, input, target)?;
        }
        show(&mut spec, open(&testcase.answer)?, Path::new(&args[1]))?;
        Ok(spec)
    }

    /// How long it may run by the clock, if it waits for nobody.
    pub(crate) fn wall_limit(&self) -> Duration {
        self.limits.validation_time * 2 + Duration::from_secs(1)
    }

    /// How the program is run with `args`, under the limits of validators.
    pub(crate) fn program_spec(
        &self,
        args: &[String],
        meaning: Meaning,
        stdin: Input,
        stdout: Sink,
        stderr: &File,
    ) -> Result<Spec, JudgingError> {
        let limits = &self.limits;
        let mut spec = Spec {
            args: self.executable.command(limits.validation_memory, args),
            executable: None,
            env: environment(&self.executable.language),
            directory: "/box".into(),
            stdin,
            stdout,
            stderr: capture(stderr, Path::new("validator's standard error"))?,
            mounts: Vec::new(),
            scratch: vec![Scratch {
                target: feedback::DIRECTORY.trim_end_matches('/').into(),
                // Who finds it full before it is counted is told by the kernel alone.
                size: limits.validation_output + WRITING_SPARE,
                counted: true,
            }],
            files: Vec::new(),
            collect: feedback::files(meaning, limits.validation_output),
            limits: Limits {
                cpu_time: limits.validation_time,
                wall_time: self.wall_limit(),
                idle_time: None,
                memory: limits.validation_memory + self.executable.language.memory_overhead,
                output: limits.validation_output,
                stack: limits.validation_memory,
                processes: self.executable.language.processes,
                open_files: 256,
                // Some ignore that a file takes no more; that is to be seen, too.
                file_size: limits.validation_output + WRITING_SPARE,
            },
            mode: Mode::Unshare,
            policy: PolicyName::Contestant,
            layers: Vec::new(),
            audit: AuditLevel::Summary,
            observe: false,
            fixed_layout: false,
        };
        self.executable.mount(&mut spec, Path::new("/box"))?;
        Ok(spec)
    }

    /// Puts `files` into the working directory of a run, beside the program.
    pub(crate) fn add_files(
        &self,
        spec: &mut Spec,
        files: &[package::File],
    ) -> Result<(), JudgingError> {
        let directory = spec.directory.clone();
        spec.mounts.retain(|mount| mount.target != directory);
        self.executable.copy(spec, &directory, files, ByteSize(0))
    }

    fn keep_feedback(&self, spec: &mut Spec, call: &Call<'_>) -> Result<(), JudgingError> {
        let program = std::mem::take(&mut spec.args);
        spec.args = ["/bin/sh", "-c", KEEPING_FEEDBACK, "sh"]
            .map(str::to_owned)
            .into();
        spec.args.extend(program);
        let size = feedback::files(call.meaning, self.limits.validation_output)
            .into_iter()
            .map(|file| file.max_size.as_u64())
            .max();
        let size = ByteSize(size.unwrap_or_default());
        spec.scratch.push(Scratch {
            target: "/state".into(),
            size,
            counted: false,
        });
        spec.limits.file_size = size;
        // The shell and tar come on top of what the validator itself may start.
        spec.limits.processes += 4;
        if let Some(state) = &call.state {
            spec.files.push(FileIn {
                path: feedback::STATE.into(),
                content: share(state)?.into(),
                executable: false,
            });
        }
        Ok(())
    }

    /// Reads the answer out of the facts; anything but a proper one is an error
    /// that names the program.
    pub(crate) fn answer(
        &self,
        testcase: &str,
        meaning: Meaning,
        facts: Facts,
        stderr: File,
    ) -> Result<Validated, JudgingError> {
        let error = |problem: String| JudgingError::jury(&self.name, Some(testcase), problem);
        let answer = match &facts.outcome {
            Outcome::Exited { code: ACCEPTED } => Answer::Accepted,
            Outcome::Exited { code: WRONG } => Answer::Wrong,
            outcome => {
                let printed = read_start(stderr, MESSAGE_KEPT).unwrap_or_default();
                let words = feedback::judge_message(facts.collected);
                return Err(error(format!(
                    "{}{}{}",
                    self.misbehaviour(outcome, "42 (accepted) or 43 (wrong answer)"),
                    quote("it printed", &printed),
                    quote("judgemessage.txt says", &words.unwrap_or_default()),
                )));
            }
        };
        let feedback =
            Feedback::read(facts.collected, &facts.unfit, answer, meaning).map_err(error)?;
        Ok(Validated { answer, feedback })
    }

    /// Whether one that ended so accepts.
    pub(super) const fn accepts(&self, outcome: &Outcome) -> bool {
        match self.protocol {
            Protocol::Kattis => matches!(outcome, Outcome::Exited { code: ACCEPTED }),
            Protocol::Checker(_) => checker::accepts(outcome),
        }
    }

    /// What is wrong with the way it ended.
    pub(super) fn misbehaviour(&self, outcome: &Outcome, expected: &str) -> String {
        let limits = &self.limits;
        match outcome {
            Outcome::Exited { code } => format!("exit code {code}, expected {expected}"),
            Outcome::Signalled { signal } => format!("ended by signal {signal}"),
            Outcome::Killed { cause } => match cause {
                KillCause::CpuTime => format!(
                    "used more than {:?} of CPU time (validation_time)",
                    limits.validation_time
                ),
                KillCause::WallTime => "did not end in time".to_owned(),
                KillCause::Idle => "did nothing any more".to_owned(),
                KillCause::Memory => format!(
                    "used more than {} of memory (validation_memory)",
                    limits.validation_memory
                ),
                KillCause::Output => format!(
                    "wrote more than {} (validation_output)",
                    limits.validation_output
                ),
                KillCause::Processes => "started too many processes".to_owned(),
                KillCause::Policy { syscall } => {
                    format!(
                        "made a forbidden system call: {}",
                        syscall.as_deref().unwrap_or("unknown")
                    )
                }
                KillCause::Cancelled => "was cancelled".to_owned(),
            },
        }
    }
}

fn quote(what: &str, text: &str) -> String {
    let last_words = tail(text, 500);
    if last_words.is_empty() {
        String::new()
    } else {
        format!("; {what}: {last_words}")
    }
}

fn open(path: &Path) -> Result<File, JudgingError> {
    File::open(path).map_err(JudgingError::disk("open", path))
}

fn share(file: &File) -> Result<File, JudgingError> {
    file.try_clone()
        .map_err(JudgingError::disk("share", "a file for the validator"))
}

/// Shows a file of the host to the jury's program. The program is another user,
/// so a file that is not readable by all is copied instead of mounted; and so is one
/// without a name, which can't be mounted.
pub(super) fn show(spec: &mut Spec, file: File, target: &Path) -> Result<(), JudgingError> {
    let metadata = file
        .metadata()
        .map_err(JudgingError::disk("look at a file for", target))?;
    if metadata.mode() & 0o004 != 0 && metadata.nlink() > 0 {
        spec.mounts.push(Mount {
            source: file.into(),
            target: target.to_owned(),
        });
        return Ok(());
    }
    copy_in(spec, file, target)
}

/// Copies a file into a scratch of its own.
pub(super) fn copy_in(spec: &mut Spec, file: File, target: &Path) -> Result<(), JudgingError> {
    let metadata = file
        .metadata()
        .map_err(JudgingError::disk("look at a file for", target))?;
    // Whole pages, and one for the directory.
    let size = metadata.len().next_multiple_of(4096) + 8192;
    let directory = target.parent().unwrap_or(target);
    let known = spec
        .scratch
        .iter_mut()
        .find(|scratch| scratch.target == directory);
    match known {
        Some(scratch) => scratch.size = ByteSize(scratch.size.as_u64() + size),
        None => spec.scratch.push(Scratch {
            target: directory.to_owned(),
            size: ByteSize(size),
            counted: false,
        }),
    }
    spec.files.push(FileIn {
        path: target.to_owned(),
        content: file.into(),
        executable: false,
    });
    Ok(())
}

/// Captures the start of what is written into a temporary file.
pub(crate) fn capture(to: &File, path: &Path) -> Result<Sink, JudgingError> {
    let to = to.try_clone().map_err(JudgingError::disk("share", path))?;
    Ok(Sink::Capture {
        to: to.into(),
        keep: ByteSize(MESSAGE_KEPT),
    })
}
