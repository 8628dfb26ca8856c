//! Judging several submissions at once, told in the order they were given.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, mpsc};

use assize_common::package::Package;
use assize_common::{SandboxMode, Stop, Verdict};
use assize_worker::cancel::Cancel;
use assize_worker::judge::{Judge, Judged, Progress, Request};
use assize_worker::judging_error::JudgingError;
use assize_worker::look::USUAL;
use assize_worker::runs::{Helpers, Lender};
use assize_worker::slot::Slot;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::selection::Selected;
use crate::host;

/// What holds for all submissions.
#[derive(Debug)]
pub struct Session<'a> {
    /// The judge.
    pub judge: &'a Judge,
    /// The problem.
    pub package: &'a Package,
    /// What to judge.
    pub selected: &'a [Selected],
    /// How runs are controlled.
    pub sandbox: SandboxMode,
    /// Whether to go on after a test case that is not accepted.
    pub all: bool,
    /// How many to judge at once.
    pub jobs: u16,
    /// How many test cases of each to run at once.
    pub tests_at_once: u16,
    /// Whether to show people how far it is.
    pub show_progress: bool,
}

impl Session<'_> {
    /// Judges all, and tells each as soon as those before it are told.
    ///
    /// # Errors
    /// What `tell` returns, or the error that would befall every submission;
    /// nothing more is judged then.
    pub fn run(
        &self,
        cancel: &Cancel,
        mut tell: impl FnMut(&Selected, Result<Judged, JudgingError>) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let bar = self.progress_bar();
        let next = AtomicUsize::new(0);
        let stop = || next.store(self.selected.len(), Ordering::Relaxed);
        let (sender, receiver) = mpsc::channel();
        let ended = std::thread::scope(|scope| {
            for number in 0..self.jobs {
                let (sender, bar, next) = (sender.clone(), bar.clone(), &next);
                scope.spawn(move || {
                    let first = number * self.tests_at_once;
                    let mut slot = self.judge.slot(first, None);
                    let others = first + 1..first + self.tests_at_once;
                    let others = others.map(|number| self.judge.slot(number, None));
                    let others = Others(Mutex::new(others.collect()));
                    loop {
                        let index = next.fetch_add(1, Ordering::Relaxed);
                        let Some(selected) = self.selected.get(index) else {
                            break;
                        };
                        let mut shown =
                            Shown::new(&bar, self.package.testcases.len(), &selected.name);
                        let request = self.request(selected);
                        let result = self.judge.judge_on(
                            &mut slot,
                            others.lend(),
                            request,
                            &mut |progress| shown.update(progress),
                            cancel,
                        );
                        // Nobody listens any more after an error.
                        if sender.send((index, result)).is_err() {
                            break;
                        }
                    }
                });
            }
            drop(sender);
            let mut waiting = BTreeMap::new();
            let mut due = 0;
            for (index, result) in &receiver {
                waiting.insert(index, result);
                while let Some(result) = waiting.remove(&due) {
                    let told = match (result, self.selected.get(due)) {
                        // Cut short, or bound to befall all others as well.
                        (Err(error), _) if cancel.is_cancelled() || host::is_unfit(&error) => {
                            Err(error.into())
                        }
                        (result, Some(selected)) => bar.suspend(|| tell(selected, result)),
                        (_, None) => Ok(()),
                    };
                    told.inspect_err(|_| stop())?;
                    due += 1;
                }
            }
            Ok(())
        });
        bar.finish_and_clear();
        ended
    }

    fn request<'a>(&'a self, selected: &'a Selected) -> Request<'a> {
        let settled = selected.expectation.is_settled_by_first_failure();
        Request {
            package: self.package,
            program: &selected.program,
            language: selected.language.as_ref(),
            sandbox: self.sandbox,
            look: &USUAL,
            earlier: None,
            stop: if self.all || !settled {
                Stop::End
            } else {
                self.package.stop()
            },
        }
    }

    /// Drawn on standard error, and only if that is a terminal.
    fn progress_bar(&self) -> ProgressBar {
        let steps = self.selected.len() * self.package.testcases.len();
        let target = if self.show_progress {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        let bar = ProgressBar::with_draw_target(u64::try_from(steps).ok(), target);
        match ProgressStyle::with_template("{bar:30} {pos}/{len} test cases, {elapsed}  {wide_msg}")
        {
            Ok(style) => bar.with_style(style),
            Err(_) => bar,
        }
    }
}

/// The slots beside a job's own, while no test case runs on them.
#[derive(Debug)]
struct Others(Mutex<Vec<Slot>>);

impl Others {
    fn lend(&self) -> Option<Helpers<'_>> {
        let slots = std::mem::take(&mut *self.slots());
        (!slots.is_empty()).then_some(Helpers {
            slots,
            lender: self,
        })
    }

    fn slots(&self) -> MutexGuard<'_, Vec<Slot>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lender for Others {
    fn is_wanted(&self) -> bool {
        false
    }

    fn give_back(&self, slot: Slot) {
        self.slots().push(slot);
    }
}

/// One submission's part of the progress bar. What it does not run counts as
/// done when it ends.
struct Shown<'a> {
    bar: &'a ProgressBar,
    name: &'a str,
    left: usize,
}

impl<'a> Shown<'a> {
    fn new(bar: &'a ProgressBar, testcases: usize, name: &'a str) -> Self {
        Self {
            bar,
            name,
            left: testcases,
        }
    }

    fn update(&mut self, progress: Progress<'_>) {
        match progress {
            Progress::Compiling => self.bar.set_message(format!("{}: compiling", self.name)),
            Progress::Compiled(_) => self.bar.set_message(self.name.to_owned()),
            Progress::Validated => {}
            Progress::Ran { run, .. } => {
                self.left = self.left.saturating_sub(1);
                self.bar.inc(1);
                if run.verdict != Verdict::Ac {
                    let message = format!("{}: {} on {}", self.name, run.verdict, run.testcase);
                    self.bar.set_message(message);
                }
            }
        }
    }
}

impl Drop for Shown<'_> {
    fn drop(&mut self) {
        self.bar.inc(u64::try_from(self.left).unwrap_or(0));
    }
}
