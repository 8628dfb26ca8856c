//! One test case: the submission's run and what the validator says of it.

use std::fs::File;
use std::io;
use std::path::Path;
use std::time::Duration;

use assize_common::language::Language;
use assize_common::message::{Exit, RunReport, VALIDATOR_SAID, VALIDATOR_SAID_BEFORE};
use assize_common::package::{self, Kind, Package, Testcase};
use assize_common::{Award, ContentHash, SandboxMode, Verdict};
use assize_sandbox::{
    AuditLevel, Facts, Input, Limits, Mode, Outcome, PolicyName, Sink, Spec, nameless,
};
use bytesize::ByteSize;

use crate::audits::{AuditWriter, KeptAudit};
use crate::cancel::Cancel;
use crate::command::environment;
use crate::executable::Executable;
use crate::failure;
use crate::judge::RunSettings;
use crate::judging_error::JudgingError;
use crate::look::Look;
use crate::output_validator::feedback::{Meaning, NextPass};
use crate::output_validator::interactive::Conversation;
use crate::output_validator::{Call, Feedback, JuryValidator, Submitted, interactive};
use crate::outputs::OutputKeeper;
use crate::report::{explanation, run_report, tail};
use crate::slot::{Role, Slot};
use crate::toolchain::read_start;
use crate::transcripts::{self, Room};
use crate::validation::Validation;
use crate::verdict::{Evidence, Undecided, run_verdict};

/// Added to the CPU limit handed to the jail, so that a program which uses its
/// time to the last tick, or little more, still ends by itself and is measured: a close
/// call is told from a hopeless one. The verdict is made from the measured time, so this
/// never turns a TLE into an AC. The larger one counts.
const CPU_KILL_MARGIN: Duration = Duration::from_millis(20);
const CPU_KILL_MARGIN_SHARE: u32 = 20;
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
    pub(crate) audit: AuditLevel,
    pub(crate) look: &'a Look,
    pub(crate) audits: &'a AuditWriter<'a>,
    /// Where an output is kept that is validated, and by which key.
    pub(crate) keep: Option<(&'a OutputKeeper, ContentHash)>,
    pub(crate) settings: RunSettings,
    pub(crate) scratch: &'a Path,
    pub(crate) cancel: &'a Cancel,
}

/// What came of it.
#[derive(Debug, Clone)]
pub(crate) struct Ran {
    pub(crate) report: RunReport,
    /// What the tracer saw, one for each pass; only under ptrace.
    pub(crate) audits: Vec<KeptAudit>,
    pub(crate) award: Option<Award>,
}

/// One of several runs on the same test case; most have only one.
#[derive(Debug)]
struct Pass<'a> {
    number: u32,
    input: &'a File,
    /// The same as the submission is given it, unless it is given that one.
    given: Option<File>,
    state: Option<File>,
}

impl TestcaseRun<'_> {
    /// Runs the submission, in as many passes as the validator wants, and decides.
    pub(crate) fn execute(self, slot: &mut Slot) -> Result<Ran, JudgingError> {
        let path = &self.testcase.input;
        let mut input = File::open(path).map_err(JudgingError::disk("open", path))?;
        // The name of a test case may tell what is in it. Jury programs are shown
        // the file with its name: a nameless one can't be mounted.
        let mut given = Some(nameless(&input).map_err(JudgingError::disk("open", path))?);
        let (mut state, mut earlier, mut audits) = (None, None, Vec::new());
        for number in 1..=self.package.passes {
            let pass = Pass {
                number,
                input: &input,
                given: given.take(),
                state: state.take(),
            };
            let passed = match (self.package.kind, self.validator) {
                (Kind::Interactive, Some(validator)) => self.interactive(slot, validator, pass),
                _ => self.pass_fail(slot, pass),
            };
            let (mut ran, next) = match passed {
                Err(JudgingError::NotExecutable { program, source }) => {
                    (self.not_executed(&program, &source)?, None)
                }
                passed => passed?,
            };
            if let Some(earlier) = earlier {
                ran.report = slower(ran.report, earlier);
            }
            audits.append(&mut ran.audits);
            let Some(next) = next else {
                if ran.report.verdict == Verdict::Ac && !self.settings.all_transcripts {
                    ran.report.transcripts.clear();
                }
                return Ok(Ran { audits, ..ran });
            };
            (input, state, earlier) = (next.input, Some(next.state), Some(ran.report));
        }
        let validator = self.validator.map(|validator| validator.name.as_str());
        Err(JudgingError::jury(
            validator.unwrap_or_default(),
            Some(&self.testcase.name),
            format!(
                "asks for more than {} passes (validation_passes)",
                self.package.passes
            ),
        ))
    }

    fn pass_fail(
        self,
        slot: &mut Slot,
        mut pass: Pass<'_>,
    ) -> Result<(Ran, Option<NextPass>), JudgingError> {
        let share = |file: &File| {
            file.try_clone()
                .map_err(JudgingError::disk("share a file in", self.scratch))
        };
        let (output, stderr) = (self.temporary_file()?, self.temporary_file()?);
        let spec = self.spec(
            Input::Fd(match pass.given.take() {
                Some(given) => given.into(),
                None => share(pass.input)?.into(),
            }),
            Sink::Capture {
                to: share(&output)?.into(),
                keep: self.package.limits.output,
            },
            &stderr,
        )?;
        let activity = format!("running the submission on {}", self.testcase.name);
        let facts = slot
            .run(Role::Contestant, spec, &activity, self.cancel)
            .map_err(JudgingError::of_submission)?;
        let evidence = Evidence::of(&facts, self.cpu_limit());
        let (verdict, feedback) = match run_verdict(evidence) {
            Ok(verdict) => (verdict, Feedback::default()),
            Err(Undecided::Cancelled) => return Err(JudgingError::Cancelled),
            Err(Undecided::NeedsValidator) => {
                if let Some((outputs, key)) = self.keep {
                    outputs
                        .keep(key, &output)
                        .map_err(JudgingError::disk("read an output in", self.scratch))?;
                }
                let validation = Validation {
                    package: self.package,
                    testcase: self.testcase,
                    validator: self.validator,
                    submitted: Submitted::Program(self.executable),
                    scratch: self.scratch,
                    cancel: self.cancel,
                };
                let validated = validation.of(slot, output, pass.input, pass.state)?;
                let verdict = run_verdict(Evidence {
                    answer: Some(validated.answer),
                    ..evidence
                });
                let verdict = verdict.map_err(|_| JudgingError::Cancelled)?;
                (verdict, validated.feedback)
            }
        };
        self.decided(verdict, facts, feedback, stderr, None)
    }

    fn interactive(
        self,
        slot: &mut Slot,
        validator: &JuryValidator,
        pass: Pass<'_>,
    ) -> Result<(Ran, Option<NextPass>), JudgingError> {
        let number = pass.number;
        let call = self.call(pass);
        let (mut talk, mut stderr) = self.talk(slot, validator, &call, Duration::ZERO)?;
        if talk.held_up {
            let time = validator.wall_limit();
            (talk, stderr) = self.talk(slot, validator, &call, time)?;
        }
        let evidence = Evidence {
            answer: talk.validated.as_ref().map(|validated| validated.answer),
            validator_ended_first: talk.validator_ended_first,
            ..Evidence::of(&talk.facts, self.cpu_limit())
        };
        let verdict = run_verdict(evidence).map_err(|_| JudgingError::Cancelled)?;
        let feedback = talk.validated.map(|validated| validated.feedback);
        let feedback = feedback.unwrap_or_default();
        let (mut ran, next) = self.decided(verdict, talk.facts, feedback, stderr, talk.waiting)?;
        ran.report.transcripts = vec![transcripts::of_pass(number, talk.transcript)];
        Ok((ran, next))
    }

    /// One conversation, in which the submission may wait for `extra_time` more.
    fn talk(
        self,
        slot: &mut Slot,
        validator: &JuryValidator,
        call: &Call<'_>,
        extra_time: Duration,
    ) -> Result<(Conversation, File), JudgingError> {
        let stderr = self.temporary_file()?;
        let mut spec = self.spec(Input::Null, Sink::Null, &stderr)?;
        spec.limits.wall_time += extra_time;
        spec.limits.idle_time = spec.limits.idle_time.map(|idle| idle + extra_time);
        let talk = interactive::converse(validator, slot, call, spec, self.scratch, self.cancel)?;
        Ok((talk, stderr))
    }

    /// What a program comes to that never ran: it ends as a shell says that it has.
    fn not_executed(self, program: &str, source: &io::Error) -> Result<Ran, JudgingError> {
        const CODE: i32 = 126;
        let evidence = Evidence {
            outcome: &Outcome::Exited { code: CODE },
            cpu_time: Duration::ZERO,
            cpu_limit: self.cpu_limit(),
            answer: None,
            validator_ended_first: false,
        };
        let verdict = run_verdict(evidence).map_err(|_| JudgingError::Cancelled)?;
        Ok(Ran {
            report: RunReport {
                testcase: self.testcase.name.clone(),
                verdict,
                cpu_time_ms: 0,
                wall_time_ms: 0,
                memory_bytes: 0,
                exit: Exit::Exited { code: CODE },
                kill_cause: None,
                message: Some(format!("could not execute {program}: {source}")),
                team_message: None,
                award: None,
                failure: None,
                difference: None,
                transcripts: Vec::new(),
                key: None,
                reused_from: None,
                key_parts: None,
                validated_again: None,
            },
            audits: Vec::new(),
            award: None,
        })
    }

    /// Awards and words to the team count where the verdict is the validator's own;
    /// its words to the jury are kept in any case.
    fn decided(
        self,
        verdict: Verdict,
        facts: Facts,
        feedback: Feedback,
        stderr: File,
        waiting: Option<&str>,
    ) -> Result<(Ran, Option<NextPass>), JudgingError> {
        let by_validator = matches!(verdict, Verdict::Ac | Verdict::Wa | Verdict::Pe);
        let (message, failure) = if by_validator {
            (feedback.judge_message, None)
        } else {
            let printed = read_start(stderr, STDERR_KEPT).unwrap_or_default();
            let failure = failure::find(&self.executable.language.code, &facts.outcome, &printed);
            let mut message = self.failure_message(&facts, &printed);
            if let Some(waiting) = waiting {
                message = format!("{waiting}: {message}");
            }
            if let Some(words) = feedback.judge_message {
                message = format!("{message}{VALIDATOR_SAID}{words}");
            }
            (Some(message), failure)
        };
        let accepted = verdict == Verdict::Ac;
        let award = feedback.award.filter(|_| by_validator);
        let ran = Ran {
            report: RunReport {
                team_message: feedback.team_message.filter(|_| by_validator),
                award: award.as_ref().map(Award::rounded),
                failure,
                difference: feedback.difference.filter(|_| by_validator),
                ..run_report(&self.testcase.name, verdict, &facts, message)
            },
            audits: facts
                .audit
                .map(|audit| self.audits.keep(audit))
                .transpose()?
                .into_iter()
                .collect(),
            award,
        };
        Ok((ran, feedback.next_pass.filter(|_| accepted)))
    }

    fn call<'a>(&'a self, pass: Pass<'a>) -> Call<'a> {
        Call {
            testcase: self.testcase,
            submitted: Submitted::Program(self.executable),
            input: pass.input,
            state: pass.state,
            meaning: Meaning::on(self.package, self.testcase),
        }
    }

    fn cpu_limit(self) -> Duration {
        cpu_limit(&self.package.limits, &self.executable.language)
    }

    fn spec(self, stdin: Input, stdout: Sink, stderr: &File) -> Result<Spec, JudgingError> {
        let language = &self.executable.language;
        let limits = &self.package.limits;
        let to = stderr
            .try_clone()
            .map_err(JudgingError::disk("share a file in", self.scratch))?;
        let memory = memory_limit(limits, language);
        let cpu_limit = self.cpu_limit();
        let mut spec = Spec {
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
            mounts: Vec::new(),
            scratch: Vec::new(),
            files: Vec::new(),
            collect: Vec::new(),
            limits: Limits {
                cpu_time: cpu_limit + CPU_KILL_MARGIN.max(cpu_limit / CPU_KILL_MARGIN_SHARE),
                wall_time: cpu_limit * WALL_FACTOR + WALL_EXTRA,
                idle_time: self.settings.idle_limit,
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
            // They need a tracer to be seen to be refused.
            layers: match self.sandbox {
                SandboxMode::Unshare => Vec::new(),
                SandboxMode::Ptrace => {
                    let language = self.executable.layers.iter();
                    let others = self.package.policy.iter().chain(&self.look.layers);
                    language.chain(others).cloned().collect()
                }
            },
            audit: self.look.audit.unwrap_or(self.audit),
            observe: self.look.observe,
            fixed_layout: self.settings.fixed_layout,
        };
        // Mounted where that is enough: copying costs time on every run.
        if self.package.allows_file_writing {
            let files = &self.testcase.files;
            self.executable
                .copy(&mut spec, Path::new("/box"), files, limits.output)?;
        } else if self.testcase.files.is_empty() {
            self.executable.mount(&mut spec, Path::new("/box"))?;
        } else {
            let files = &self.testcase.files;
            self.executable
                .copy(&mut spec, Path::new("/box"), files, ByteSize(0))?;
        }
        Ok(spec)
    }

    fn temporary_file(self) -> Result<File, JudgingError> {
        tempfile::tempfile_in(self.scratch)
            .map_err(JudgingError::disk("create a file in", self.scratch))
    }

    fn failure_message(self, facts: &Facts, printed: &str) -> String {
        let explanation = explanation(facts, self.cpu_limit());
        match tail(printed, STDERR_SHOWN) {
            "" => explanation,
            last_words => format!("{explanation}; it printed: {last_words}"),
        }
    }
}

/// The CPU limit of a run: the problem's, as the language stretches it.
pub(crate) fn cpu_limit(limits: &package::Limits, language: &Language) -> Duration {
    limits.time_limit.mul_f64(language.time_factor)
}

/// The memory limit of a run: the problem's, and what the runtime needs itself.
pub(crate) const fn memory_limit(limits: &package::Limits, language: &Language) -> ByteSize {
    ByteSize(limits.memory.as_u64() + language.memory_overhead.as_u64())
}

/// The report of the last pass with what the most costly one used, since limits hold for
/// each pass by itself, and with all that was said. Where the validator did not see the last pass, what it said
/// of the one before is kept.
fn slower(last: RunReport, mut earlier: RunReport) -> RunReport {
    let by_validator = matches!(last.verdict, Verdict::Ac | Verdict::Wa | Verdict::Pe);
    let message = match (&last.message, &earlier.message) {
        (Some(message), Some(words)) if !by_validator && !message.contains(words.as_str()) => {
            Some(format!("{message}{VALIDATOR_SAID_BEFORE}{words}"))
        }
        _ => last.message,
    };
    earlier.transcripts.extend(last.transcripts);
    // However many passes there are.
    Room::default().keep(&mut earlier.transcripts);
    RunReport {
        message,
        transcripts: earlier.transcripts,
        cpu_time_ms: last.cpu_time_ms.max(earlier.cpu_time_ms),
        wall_time_ms: last.wall_time_ms.max(earlier.wall_time_ms),
        memory_bytes: last.memory_bytes.max(earlier.memory_bytes),
        ..last
    }
}
