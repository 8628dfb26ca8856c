//! What custom and interactive validators share: how the jury's program is
//! started, and how its answer is read.

use std::fs::File;
use std::io::Read as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::time::Duration;

use assize_common::package::{Limits as PackageLimits, Testcase};
use assize_sandbox::{
    Facts, FileIn, FileOut, Input, KillCause, Limits, Mode, Mount, Outcome, PolicyName, Scratch,
    Sink, Spec,
};
use bytesize::ByteSize;

use super::Validated;
use crate::command::environment;
use crate::compile::Executable;
use crate::judging_error::JudgingError;
use crate::report::tail;
use crate::toolchain::read_start;
use crate::verdict::Answer;

const ACCEPTED: i32 = 42;
const WRONG: i32 = 43;
const FEEDBACK: &str = "/feedback/";
const JUDGE_MESSAGE: &str = "/feedback/judgemessage.txt";
/// A message is for people; what comes after this is cut off.
const MESSAGE_KEPT: u64 = 8 << 10;

/// A compiled output validator of the jury.
#[derive(Debug)]
pub(crate) struct JuryValidator {
    /// The program's path within the package.
    pub(crate) name: String,
    pub(crate) executable: Executable,
    pub(crate) limits: PackageLimits,
}

impl JuryValidator {
    /// How it is run on `testcase`; `extra_wall_time` is what it may have to wait
    /// for somebody else. Its standard error goes to `stderr`.
    pub(super) fn spec(
        &self,
        testcase: &Testcase,
        stdin: Input,
        stdout: Sink,
        stderr: &File,
        extra_wall_time: Duration,
    ) -> Result<Spec, JudgingError> {
        let limits = &self.limits;
        let mut args = vec![
            "/data/testcase.in".to_owned(),
            "/data/testcase.ans".to_owned(),
            FEEDBACK.to_owned(),
        ];
        args.extend(testcase.output_validator_args.iter().cloned());
        let mut spec = Spec {
            args: self.executable.command(limits.validation_memory, &args),
            executable: None,
            env: environment(&self.executable.language),
            directory: "/box".into(),
            stdin,
            stdout,
            stderr: capture(stderr, Path::new("validator's standard error"))?,
            mounts: vec![Mount {
                source: open(&self.executable.directory())?.into(),
                target: "/box".into(),
            }],
            scratch: vec![Scratch {
                target: FEEDBACK.trim_end_matches('/').into(),
                size: limits.validation_output,
            }],
            files: Vec::new(),
            collect: vec![FileOut {
                path: JUDGE_MESSAGE.into(),
                max_size: limits.validation_output,
            }],
            limits: Limits {
                cpu_time: limits.validation_time,
                wall_time: limits.validation_time * 2 + Duration::from_secs(1) + extra_wall_time,
                memory: limits.validation_memory + self.executable.language.memory_overhead,
                output: limits.validation_output,
                stack: limits.validation_memory,
                processes: self.executable.language.processes,
                open_files: 256,
                file_size: limits.validation_output,
            },
            mode: Mode::Unshare,
            policy: PolicyName::Contestant,
        };
        show(&mut spec, &testcase.input, Path::new(&args[0]))?;
        show(&mut spec, &testcase.answer, Path::new(&args[1]))?;
        Ok(spec)
    }

    /// Reads the answer out of the facts; anything but a proper one is an error
    /// that names the program.
    pub(super) fn answer(
        &self,
        testcase: &Testcase,
        facts: Facts,
        stderr: File,
    ) -> Result<Validated, JudgingError> {
        let answer = match &facts.outcome {
            Outcome::Exited { code: ACCEPTED } => Answer::Accepted,
            Outcome::Exited { code: WRONG } => Answer::Wrong,
            outcome => {
                let printed = read_start(stderr, MESSAGE_KEPT).unwrap_or_default();
                let problem = format!("{}{}", self.misbehaviour(outcome), quote(&printed));
                return Err(JudgingError::jury(
                    &self.name,
                    Some(&testcase.name),
                    problem,
                ));
            }
        };
        let mut message = String::new();
        if let Some(file) = facts.collected.into_iter().next() {
            let mut bytes = Vec::new();
            File::from(file.content)
                .take(MESSAGE_KEPT)
                .read_to_end(&mut bytes)
                .map_err(JudgingError::disk("read", JUDGE_MESSAGE))?;
            message = String::from_utf8_lossy(&bytes).trim_end().to_owned();
        }
        Ok(Validated {
            answer,
            message: Some(message).filter(|message| !message.is_empty()),
        })
    }

    fn misbehaviour(&self, outcome: &Outcome) -> String {
        let limits = &self.limits;
        match outcome {
            Outcome::Exited { code } => {
                format!(
                    "exit code {code}, expected {ACCEPTED} (accepted) or {WRONG} (wrong answer)"
                )
            }
            Outcome::Signalled { signal } => format!("ended by signal {signal}"),
            Outcome::Killed { cause } => match cause {
                KillCause::CpuTime => format!(
                    "used more than {:?} of CPU time (validation_time)",
                    limits.validation_time
                ),
                KillCause::WallTime => "did not end in time".to_owned(),
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

fn quote(printed: &str) -> String {
    let last_words = tail(printed, 500);
    if last_words.is_empty() {
        String::new()
    } else {
        format!("; it printed: {last_words}")
    }
}

fn open(path: &Path) -> Result<File, JudgingError> {
    File::open(path).map_err(JudgingError::disk("open", path))
}

/// Shows a file of the host to the jury's program. The program is another user,
/// so a file that is not readable by all is copied instead of mounted.
fn show(spec: &mut Spec, source: &Path, target: &Path) -> Result<(), JudgingError> {
    let file = open(source)?;
    let metadata = file
        .metadata()
        .map_err(JudgingError::disk("look at", source))?;
    if metadata.mode() & 0o004 != 0 {
        spec.mounts.push(Mount {
            source: file.into(),
            target: target.to_owned(),
        });
        return Ok(());
    }
    if !spec
        .scratch
        .iter()
        .any(|scratch| scratch.target == Path::new("/data"))
    {
        spec.scratch.push(Scratch {
            target: "/data".into(),
            size: ByteSize(0),
        });
    }
    for scratch in spec
        .scratch
        .iter_mut()
        .filter(|scratch| scratch.target == Path::new("/data"))
    {
        // Whole pages, and one for the directory.
        scratch.size =
            ByteSize(scratch.size.as_u64() + metadata.len().next_multiple_of(4096) + 8192);
    }
    spec.files.push(FileIn {
        path: target.to_owned(),
        content: file.into(),
        executable: false,
    });
    Ok(())
}

/// Captures the start of what is written into a temporary file.
pub(super) fn capture(to: &File, path: &Path) -> Result<Sink, JudgingError> {
    let to = to.try_clone().map_err(JudgingError::disk("share", path))?;
    Ok(Sink::Capture {
        to: to.into(),
        keep: ByteSize(MESSAGE_KEPT),
    })
}
