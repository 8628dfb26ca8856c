//! The test cases of one submission: on one slot one after the other, or on
//! several at once. The result is the same.

mod history;
mod schedule;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::fmt::Debug;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use assize_common::message::{CompileReport, Provenance, RunReport};

use self::schedule::Schedule;
use crate::answer_files::AnswerRun;
use crate::audits::{AuditWriter, Audits};
use crate::cancel::Cancel;
use crate::executable::Executable;
use crate::grading::{Grading, Test, TestResult};
use crate::judge::{Judge, Judged, Progress, Request};
use crate::judging_error::JudgingError;
use crate::output_validator::feedback::Meaning;
use crate::output_validator::{JuryValidator, Submitted};
use crate::outputs::{OutputKeeper, Outputs};
use crate::reuse::Reuse;
use crate::slot::Slot;
use crate::static_test::StaticTestRun;
use crate::testcase_run::{Ran, TestcaseRun};
use crate::transcripts::Room;
use crate::validation::Validation;

pub(crate) use history::History;

/// How often to look whether somebody cancelled while others run.
const LOOK: Duration = Duration::from_millis(20);

/// Whom slots belong to that help with a judgement.
pub trait Lender: Debug + Sync {
    /// Whether a slot should come back as soon as its test case has ended.
    fn is_wanted(&self) -> bool;

    /// Takes a slot back.
    fn give_back(&self, slot: Slot);
}

/// Slots beside one's own, so that several test cases run at once.
#[derive(Debug)]
pub struct Helpers<'a> {
    /// The slots; each comes back when it has nothing more to do.
    pub slots: Vec<Slot>,
    /// Whom they go back to.
    pub lender: &'a dyn Lender,
}

/// A slot that comes back to its lender, whatever happens.
struct Lent<'a> {
    slot: Option<Slot>,
    lender: &'a dyn Lender,
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        if let Some(slot) = self.slot.take() {
            self.lender.give_back(slot);
        }
    }
}

impl<'a> Helpers<'a> {
    fn lent(self) -> impl Iterator<Item = Lent<'a>> {
        let lender = self.lender;
        self.slots.into_iter().map(move |slot| Lent {
            slot: Some(slot),
            lender,
        })
    }
}

/// Runs what was compiled on the test cases.
pub(crate) struct Runner<'a> {
    pub(crate) judge: &'a Judge,
    pub(crate) request: Request<'a>,
    /// The submission; none where it consists of outputs.
    pub(crate) executable: Option<&'a Executable>,
    /// What its validator has of it.
    pub(crate) submitted: Submitted<'a>,
    pub(crate) validator: Option<JuryValidator>,
    pub(crate) static_validator: Option<JuryValidator>,
    /// What need not be run.
    pub(crate) reuse: Reuse<'a>,
    /// What was validated again already, by the indexes of test cases.
    pub(crate) validated: HashMap<usize, Ran>,
    pub(crate) cancel: &'a Cancel,
}

type Outcome = Result<Ran, JudgingError>;

/// What the slots share while they run.
struct Shared<'a> {
    schedule: Mutex<Schedule<'a, Outcome>>,
    /// Rung when a helper has run a test case.
    news: Condvar,
    /// Ends what helpers run when nobody needs it any more.
    abandoned: Cancel,
    audits: AuditWriter<'a>,
    outputs: OutputKeeper,
}

impl<'a> Shared<'a> {
    fn schedule(&self) -> MutexGuard<'_, Schedule<'a, Outcome>> {
        // Every change is complete before anything can panic.
        self.schedule.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What was judged so far, in order.
#[derive(Default)]
struct Record {
    runs: Vec<RunReport>,
    audits: Audits,
    room: Room,
}

impl Record {
    /// Tells of the runs from the one with this index on.
    fn tell_since(&self, first: usize, total: usize, progress: &mut dyn FnMut(Progress<'_>)) {
        for (index, run) in self.runs.iter().enumerate().skip(first) {
            let done = index + 1;
            progress(Progress::Ran { run, done, total });
        }
    }
}

impl Runner<'_> {
    /// Runs them and grades.
    pub(crate) fn all(
        &self,
        slot: &mut Slot,
        helpers: Option<Helpers<'_>>,
        compile: CompileReport,
        provenance: Provenance,
        progress: &mut dyn FnMut(Progress<'_>),
    ) -> Result<Judged, JudgingError> {
        let package = self.request.package;
        let grading = Grading::of(package);
        let helpers: Vec<Lent<'_>> = helpers.into_iter().flat_map(Helpers::lent).collect();
        let weights = if helpers.is_empty() {
            Vec::new()
        } else {
            self.judge.history().of(package)
        };
        let schedule = Schedule::new(grading, package, self.request.stop, weights);
        let shared = Shared {
            schedule: Mutex::new(schedule),
            news: Condvar::new(),
            abandoned: Cancel::default(),
            audits: AuditWriter::new(self.judge.scratch()),
            outputs: OutputKeeper::new(self.judge.settings().kept_outputs),
        };
        let mut record = Record::default();
        std::thread::scope(|scope| {
            for mut helper in helpers {
                let (shared, span) = (&shared, tracing::Span::current());
                scope.spawn(move || {
                    let _entered = span.entered();
                    while let Some(slot) = helper.slot.as_mut()
                        && !helper.lender.is_wanted()
                        && self.run_next(shared, slot, &shared.abandoned)
                    {
                        shared.news.notify_all();
                    }
                });
            }
            let told = self.lead(&shared, slot, &mut record, progress);
            shared.schedule().close();
            shared.abandoned.cancel();
            told
        })?;
        let schedule = shared
            .schedule
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        let kept = Kept {
            audits: shared.audits.into_audits(record.audits),
            outputs: shared.outputs.into_outputs(),
        };
        conclude(&schedule, record.runs, kept, compile, provenance)
    }

    /// The result without the program, if all of it can be taken over or validated again.
    pub(crate) fn all_without_program(
        &mut self,
        slot: &mut Slot,
        compile: CompileReport,
        provenance: Provenance,
        progress: &mut dyn FnMut(Progress<'_>),
    ) -> Result<Option<Judged>, JudgingError> {
        let package = self.request.package;
        let grading = Grading::of(package);
        let mut schedule = Schedule::new(grading, package, self.request.stop, Vec::new());
        let mut record = Record::default();
        while !schedule.is_complete() {
            if let Some((index, test, _)) = schedule.start() {
                let Test::Testcase(testcase) = test else {
                    return Ok(None);
                };
                let Some(ran) = self.without_program(slot, testcase, self.cancel)? else {
                    return Ok(None);
                };
                if ran.report.validated_again.is_some() {
                    self.validated.insert(testcase, ran.clone());
                    progress(Progress::Validated);
                }
                schedule.end(index, Ok(ran));
            }
            while let Some((test, outcome)) = schedule.take_due() {
                self.record(&mut schedule, test, outcome?, &mut record);
            }
        }
        conclude(&schedule, record.runs, Kept::default(), compile, provenance).map(Some)
    }

    /// The result on one test case, if it can be taken over or validated again.
    fn without_program(
        &self,
        slot: &mut Slot,
        index: usize,
        cancel: &Cancel,
    ) -> Result<Option<Ran>, JudgingError> {
        let known = self.validated.get(&index).cloned();
        if let Some(ran) = known.or_else(|| self.reuse.run(index)) {
            return Ok(Some(ran));
        }
        let Some(output) = self.reuse.output(index) else {
            return Ok(None);
        };
        let sees = self.validator.as_ref().is_some_and(|it| it.sees_submission);
        if sees && self.executable.is_none() {
            return Ok(None);
        }
        let validation = Validation {
            package: self.request.package,
            testcase: &self.request.package.testcases[index],
            validator: self.validator.as_ref(),
            submitted: self.submitted,
            scratch: self.judge.scratch(),
            cancel,
        };
        let mut ran = validation.again(slot, output.bytes, output.run, output.why)?;
        self.reuse.mark(index, &mut ran);
        Ok(Some(ran))
    }

    /// Runs test cases, and records what is due until all is.
    fn lead(
        &self,
        shared: &Shared<'_>,
        slot: &mut Slot,
        record: &mut Record,
        progress: &mut dyn FnMut(Progress<'_>),
    ) -> Result<(), JudgingError> {
        loop {
            let has_run = self.run_next(shared, slot, self.cancel);
            let told = record.runs.len();
            let mut schedule = shared.schedule();
            while let Some((test, outcome)) = schedule.take_due() {
                self.record(&mut schedule, test, outcome?, record);
            }
            let (is_complete, total) = (schedule.is_complete(), schedule.len());
            let schedule = Some(schedule).filter(|_| record.runs.len() == told);
            // Whoever is told may take long, and helpers need the schedule to end.
            record.tell_since(told, total, progress);
            if is_complete {
                return Ok(());
            }
            if self.cancel.is_cancelled() {
                return Err(JudgingError::Cancelled);
            }
            if let Some(schedule) = schedule
                && !has_run
            {
                drop(shared.news.wait_timeout(schedule, LOOK));
            }
        }
    }

    fn record(
        &self,
        schedule: &mut Schedule<'_, Outcome>,
        test: Test,
        ran: Ran,
        record: &mut Record,
    ) {
        let Ran {
            mut report,
            audits,
            award,
        } = ran;
        let result = TestResult {
            verdict: report.verdict,
            award,
        };
        schedule.set(test, result);
        let history = self.judge.history();
        history.note(self.request.package, test, report.wall_time_ms);
        record.room.keep(&mut report.transcripts);
        record.audits.add(&report.testcase, audits);
        record.runs.push(report);
    }

    /// Runs the test case that is best run now; false if there is none.
    fn run_next(&self, shared: &Shared<'_>, slot: &mut Slot, cancel: &Cancel) -> bool {
        let Some((index, test, name)) = shared.schedule().start() else {
            return false;
        };
        let outcome = self.one(slot, test, &name, shared, cancel);
        shared.schedule().end(index, outcome);
        true
    }

    fn one(
        &self,
        slot: &mut Slot,
        test: Test,
        name: &str,
        shared: &Shared<'_>,
        cancel: &Cancel,
    ) -> Outcome {
        let package = self.request.package;
        let lacking = |what: &str| JudgingError::Package {
            problem: format!("{name} needs {what}"),
        };
        let index = match test {
            Test::Testcase(index) => index,
            Test::Static(index) => {
                let described = package.static_validator.as_ref();
                let test = described
                    .and_then(|validator| validator.tests.get(index))
                    .ok_or_else(|| lacking("a static validator"))?;
                let run = StaticTestRun {
                    test,
                    name,
                    executable: self.executable.ok_or_else(|| lacking("a program"))?,
                    validator: self
                        .static_validator
                        .as_ref()
                        .ok_or_else(|| lacking("a static validator"))?,
                    meaning: Meaning::on_static(package, test.group == "sample"),
                    scratch: self.judge.scratch(),
                    cancel,
                };
                return run.execute(slot);
            }
        };
        if let Some(ran) = self.without_program(slot, index, cancel)? {
            return Ok(ran);
        }
        let testcase = &package.testcases[index];
        let validator = self.validator.as_ref();
        let mut ran = match self.executable {
            None => AnswerRun {
                package,
                testcase,
                files: &self.request.program.files,
                validator,
                submitted: self.submitted,
                scratch: self.judge.scratch(),
                cancel,
            }
            .execute(slot),
            Some(executable) => TestcaseRun {
                package,
                testcase,
                executable,
                validator,
                sandbox: self.request.sandbox,
                audit: self.judge.audit_level(),
                look: self.request.look,
                audits: &shared.audits,
                keep: self
                    .reuse
                    .output_key(index)
                    .map(|key| (&shared.outputs, key)),
                settings: self.judge.settings(),
                scratch: self.judge.scratch(),
                cancel,
            }
            .execute(slot),
        }?;
        self.reuse.mark(index, &mut ran);
        Ok(ran)
    }
}

/// What of runs is kept beside their reports.
#[derive(Default)]
struct Kept {
    audits: Audits,
    outputs: Outputs,
}

/// Grades what was judged.
fn conclude(
    schedule: &Schedule<'_, Outcome>,
    runs: Vec<RunReport>,
    kept: Kept,
    compile: CompileReport,
    provenance: Provenance,
) -> Result<Judged, JudgingError> {
    let graded = schedule.grade().map_err(JudgingError::Grading)?;
    Ok(Judged {
        verdict: graded.verdict,
        score: graded.score,
        groups: graded.groups,
        compile,
        runs,
        audits: kept.audits,
        outputs: kept.outputs,
        provenance,
    })
}
