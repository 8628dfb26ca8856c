//! One test case: the submission's run and what the validator says of it.

use std::fs::File;
use std::io::{BufReader, Seek as _};
use std::path::Path;
use std::time::Duration;

use assize_common::message::RunReport;
use assize_common::package::{DefaultValidatorOptions, Kind, Package, Testcase};
use assize_common::{SandboxMode, Verdict};
use assize_sandbox::{Audit, Facts, Input, Limits, Mode, Mount, PolicyName, Sink, Spec};
use bytesize::ByteSize;

use crate::cancel::Cancel;
use crate::command::environment;
use crate::compile::Executable;
use crate::judging_error::JudgingError;
use crate::output_validator::{JuryValidator, Validated, custom, default, interactive};
use crate::report::{explanation, run_report, tail};
use crate::slot::{Role, Slot};
use crate::toolchain::read_start;
use crate::verdict::{Answer, Evidence, Undecided, run_verdict};

/// Added to the CPU limit handed to the jail, so that a program which uses its
/// time to the last tick still ends by itself and is measured. The verdict is
/// made from the measured time, so this never turns a TLE into an AC.
const CPU_KILL_MARGIN: Duration = Duration::from_millis(20);
/// The wall limit is the CPU limit times this factor, and a constant more: room
/// for a busy machine, yet an end for programs that sleep.
const WALL_FACTOR: u32 = 2;
const WALL_EXTRA: Duration = Duration::from_secs(1);
/// What a program says on standard error is kept up to this size.
const STDERR_KEPT: u64 = 64 << 10;
/// How much of it goes into the message about a failed run.
const STDERR_SHOWN: usize = 500;

/// All that one run depends on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TestcaseRun<'a> {
    pub(crate) package: &'a Package,
    pub(crate) testcase: &'a Testcase,
    pub(crate) executable: &'a Executable,
    pub(crate) validator: Option<&'a JuryValidator>,
    pub(crate) sandbox: SandboxMode,
    pub(crate) scratch: &'a Path,
    pub(crate) cancel: &'a Cancel,
}

impl TestcaseRun<'_> {
    /// Runs the submission and decides.
    pub(crate) fn execute(
        self,
        slot: &mut Slot,
    ) -> Result<(RunReport, Option<Audit>), JudgingError> {
        match (self.package.kind, self.validator) {
            (Kind::Interactive, Some(validator)) => self.interactive(slot, validator),
            _ => self.pass_fail(slot),
        }
    }

    fn pass_fail(self, slot: &mut Slot) -> Result<(RunReport, Option<Audit>), JudgingError> {
        let input = &self.testcase.input;
        let stdin = File::open(input).map_err(JudgingError::disk("open", input))?;
        let (output, stderr) = (self.temporary_file()?, self.temporary_file()?);
        let to = output
            .try_clone()
            .map_err(JudgingError::disk("share a file in", self.scratch))?;
        let spec = self.spec(
            Input::Fd(stdin.into()),
            Sink::Capture {
                to: to.into(),
                keep: self.package.limits.output,
            },
            &stderr,
        )?;
        let activity = format!("running the submission on {}", self.testcase.name);
        let facts = slot.run(Role::Contestant, spec, &activity, self.cancel)?;
        let evidence = Evidence::of(&facts, self.cpu_limit());
        let (verdict, message) = match run_verdict(evidence) {
            Ok(verdict) => (verdict, Some(self.failure_message(&facts, stderr))),
            Err(Undecided::Cancelled) => return Err(JudgingError::Cancelled),
            Err(Undecided::NeedsValidator) => {
                let validated = self.validate(slot, output)?;
                let verdict = run_verdict(Evidence {
                    answer: Some(validated.answer),
                    ..evidence
                });
                (
                    verdict.map_err(|_| JudgingError::Cancelled)?,
                    validated.message,
                )
            }
        };
        Ok((
            run_report(&self.testcase.name, verdict, &facts, message),
            facts.audit,
        ))
    }

    fn interactive(
        self,
        slot: &mut Slot,
        validator: &JuryValidator,
    ) -> Result<(RunReport, Option<Audit>), JudgingError> {
        let stderr = self.temporary_file()?;
        let spec = self.spec(Input::Null, Sink::Null, &stderr)?;
        let talk = interactive::converse(
            validator,
            slot,
            self.testcase,
            spec,
            self.scratch,
            self.cancel,
        )?;
        let evidence = Evidence {
            answer: Some(talk.validated.answer),
            validator_ended_first: talk.validator_ended_first,
            ..Evidence::of(&talk.facts, self.cpu_limit())
        };
        let verdict = run_verdict(evidence).map_err(|_| JudgingError::Cancelled)?;
        let message = match verdict {
            Verdict::Ac | Verdict::Wa | Verdict::Pe => talk.validated.message,
            _ => Some(self.failure_message(&talk.facts, stderr)),
        };
        Ok((
            run_report(&self.testcase.name, verdict, &talk.facts, message),
            talk.facts.audit,
        ))
    }

    fn validate(self, slot: &mut Slot, mut output: File) -> Result<Validated, JudgingError> {
        if let Some(validator) = self.validator {
            return custom::validate(
                validator,
                slot,
                self.testcase,
                output,
                self.scratch,
                self.cancel,
            );
        }
        let options = DefaultValidatorOptions::parse(&self.testcase.output_validator_args)
            .map_err(|problem| JudgingError::Package { problem })?;
        let answer = &self.testcase.answer;
        let answer_file = File::open(answer).map_err(JudgingError::disk("open", answer))?;
        output
            .rewind()
            .map_err(JudgingError::disk("rewind the output in", self.scratch))?;
        let difference = default::compare(output, BufReader::new(answer_file), options)
            .map_err(JudgingError::disk("compare the output with", answer))?;
        Ok(Validated {
            answer: if difference.is_none() {
                Answer::Accepted
            } else {
                Answer::Wrong
            },
            message: difference.map(|difference| difference.to_string()),
        })
    }

    /// The submission's CPU limit: the problem's, as the language stretches it.
    fn cpu_limit(self) -> Duration {
        self.package
            .limits
            .time_limit
            .mul_f64(self.executable.language.time_factor)
    }

    fn spec(self, stdin: Input, stdout: Sink, stderr: &File) -> Result<Spec, JudgingError> {
        let language = &self.executable.language;
        let limits = &self.package.limits;
        let directory = self.executable.directory();
        let artifacts = File::open(&directory).map_err(JudgingError::disk("open", &directory))?;
        let to = stderr
            .try_clone()
            .map_err(JudgingError::disk("share a file in", self.scratch))?;
        let memory = ByteSize(limits.memory.as_u64() + language.memory_overhead.as_u64());
        let cpu_limit = self.cpu_limit();
        Ok(Spec {
            args: self.executable.command(limits.memory, &self.testcase.args),
            executable: None,
            env: environment(language),
            directory: "/box".into(),
            stdin,
            stdout,
            stderr: Sink::Capture {
                to: to.into(),
                keep: ByteSize(STDERR_KEPT),
            },
            mounts: vec![Mount {
                source: artifacts.into(),
                target: "/box".into(),
            }],
            scratch: Vec::new(),
            files: Vec::new(),
            collect: Vec::new(),
            limits: Limits {
                cpu_time: cpu_limit + CPU_KILL_MARGIN,
                wall_time: cpu_limit * WALL_FACTOR + WALL_EXTRA,
                memory,
                output: limits.output,
                // As deep as memory goes: recursion is limited by that alone.
                stack: memory,
                processes: language.processes,
                open_files: 256,
                file_size: limits.output,
            },
            mode: match self.sandbox {
                SandboxMode::Unshare => Mode::Unshare,
                SandboxMode::Ptrace => Mode::Ptrace,
            },
            policy: PolicyName::Contestant,
        })
    }

    fn temporary_file(self) -> Result<File, JudgingError> {
        tempfile::tempfile_in(self.scratch)
            .map_err(JudgingError::disk("create a file in", self.scratch))
    }

    fn failure_message(self, facts: &Facts, stderr: File) -> String {
        let explanation = explanation(facts, self.cpu_limit());
        let printed = read_start(stderr, STDERR_KEPT).unwrap_or_default();
        match tail(&printed, STDERR_SHOWN) {
            "" => explanation,
            last_words => format!("{explanation}; it printed: {last_words}"),
        }
    }
}
