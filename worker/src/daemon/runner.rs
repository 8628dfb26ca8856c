//! A slot at work: takes a task, has it judged, reports, acknowledges, and so on.

use std::pin::pin;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use assize_common::Lane;
use assize_common::amqp::Delivery;
use assize_common::message::{
    self, HeldJudgement, Judged as Reported, Report, Started, Task, Ticket,
};
use assize_common::telemetry::error_chain;
use chrono::{DateTime, Utc};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use reqwest::StatusCode;
use tokio::sync::{Mutex, watch};
use tracing::Instrument as _;

use super::assignment::{self, AssignmentError, TestcasesDone};
use super::boundary::Boundaries;
use super::canaries::Canaries;
use super::conclusion::{Conclusion, count, hand_back};
use super::control::Controls;
use super::held::{Held, Taken};
use super::intake::{Intake, Woken};
use super::lending::Lending;
use super::library::Library;
use super::reporter::Reporter;
use super::stop::Stop;
use crate::cancel::Cancel;
use crate::judge::Judge;
use crate::slot::Slot;

/// A task that was delivered so often without an answer is not judged but handed
/// back: it is suspected of bringing workers down before they can say so, and goes
/// into quarantine. Schedulers count workers that were lost, and act much earlier;
/// this counts broken connections as well, and tasks that a slot gave back unseen.
const POISON_DELIVERIES: u64 = 10;
/// A task that was delivered so often without an answer, or lost with its worker, may be one that two workers were lost
/// with: before a third one runs anything of it, schedulers are told, and it is given the time to be taken away.
const SUSPECT_LOSSES: u64 = 2;
const HESITATION: Duration = Duration::from_secs(1);
/// The least time between two reports of progress.
const PROGRESS_PAUSE: Duration = Duration::from_millis(300);
/// How long a slot pauses after a failure of this host, at most: longer after
/// each further one, so that a broken host does not use up every submission's attempts.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// What the slots of a worker share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) judge: Judge,
    pub(super) library: Library,
    pub(super) held: Held<Delivery>,
    pub(super) reporter: Reporter,
    pub(super) stop: Stop,
    pub(super) controls: Arc<Controls>,
    /// Why the scheduler does not serve us any more.
    pub(super) refusal: OnceLock<StatusCode>,
    pub(super) lending: Lending,
    /// Whose canaries run.
    pub(super) canary_turn: Mutex<()>,
    /// How long a judgement may take before its task is acknowledged.
    pub(super) acknowledge_after: Duration,
}

/// One slot with what it works with.
#[derive(Debug)]
pub(super) struct Runner {
    pub(super) shared: Arc<Shared>,
    pub(super) intake: Intake,
    pub(super) slot: Slot,
    /// What stood in for the slot at a boundary, with its jails.
    pub(super) spare: Option<Slot>,
    /// Whether this host failed with what was judged at a boundary.
    pub(super) host_failed_between: bool,
    pub(super) canaries: Canaries,
}

impl Runner {
    /// Takes and judges tasks until the worker stops.
    pub(super) async fn run(mut self) {
        let mut failures = 0;
        while let Some(delivery) = self.next_task().await {
            let busy = metrics::gauge!("assize_worker_slots_busy");
            busy.increment(1.0);
            let host_failed = self.take_up(delivery).await;
            busy.decrement(1.0);
            failures = match host_failed {
                Some(true) => failures + 1,
                Some(false) => 0,
                None => failures,
            };
            if host_failed == Some(true) {
                let pause = Duration::from_secs(1)
                    .saturating_mul(1 << failures.min(6))
                    .min(LONGEST_PAUSE);
                tracing::error!(
                    slot = self.slot.number(),
                    pause_s = pause.as_secs(),
                    "this host failed: its slot pauses"
                );
                tokio::select! {
                    () = tokio::time::sleep(pause) => {}
                    () = self.shared.stop.draining() => {}
                }
            }
        }
    }

    /// Judges a task that was delivered. Whether this host failed, if it has judged.
    pub(super) fn take_up(&mut self, delivery: Delivery) -> BoxFuture<'_, Option<bool>> {
        async {
            let accepted = self.shared.accept(delivery).await?;
            let task = &accepted.task;
            let span = tracing::info_span!(
                "judgement",
                judgement.id = %task.judgement_id,
                attempt = task.attempt,
                submission.id = %task.submission_id,
                lane = %task.lane,
                worker.id = %self.shared.reporter.worker_id(),
            );
            self.attempt(accepted).instrument(span).await
        }
        .boxed()
    }

    /// The next task. Canaries run while there is none.
    async fn next_task(&mut self) -> Option<Delivery> {
        loop {
            match self.wait().await? {
                Woken::Task(delivery) => return Some(*delivery),
                Woken::Due => self.canaries.run(&self.shared, &mut self.slot).await,
            }
        }
    }

    /// The slot may help others meanwhile.
    async fn wait(&mut self) -> Option<Woken> {
        let due = self.canaries.due();
        let lending = &self.shared.lending;
        if !lending.is_on() {
            return self.intake.next(due).await;
        }
        lending.offer(self.shared.take_slot(&mut self.slot));
        let woken = self.intake.next(due).await?;
        self.slot = lending.reclaim().await;
        Some(woken)
    }

    /// Takes the slot away, to be put back later. What stood in for it the last time does so again, and
    /// stays if it gets lost.
    fn take_slot(&mut self) -> Slot {
        let number = self.slot.number();
        match self.spare.take() {
            Some(spare) if spare.number() == number => std::mem::replace(&mut self.slot, spare),
            spare => {
                // To end its jails takes a moment.
                tokio::task::spawn_blocking(|| drop(spare));
                self.shared.take_slot(&mut self.slot)
            }
        }
    }

    /// One attempt from the start to the acknowledgement. Whether this host failed, if
    /// it has judged.
    async fn attempt(&mut self, accepted: Accepted) -> Option<bool> {
        let Accepted {
            task,
            earlier_deliveries,
        } = accepted;
        let held = held_by(&task);
        let tickets: Vec<_> = task.ticket.iter().cloned().collect();
        let mut host_failed = None;
        let report = if earlier_deliveries >= POISON_DELIVERIES {
            self.shared.refuse(held, earlier_deliveries)
        } else if task.avoid.contains(&self.shared.reporter.worker_id()) {
            self.shared.pass_on(held, earlier_deliveries)
        } else {
            let started_at = Utc::now();
            let known = match task.lane {
                // There it is run all the same.
                Lane::Quarantine => 0,
                Lane::Live | Lane::Rejudge | Lane::Batch | Lane::Flagged => task.losses,
            };
            let is_suspect = earlier_deliveries + u64::from(known) >= SUSPECT_LOSSES;
            let result = self.judge(task, started_at, is_suspect).await;
            let is_fault_of_host = AssignmentError::is_fault_of_host;
            let failed_between = std::mem::take(&mut self.host_failed_between);
            host_failed = Some(failed_between || result.as_ref().is_err_and(is_fault_of_host));
            match self.shared.conclude(held, started_at, result) {
                Conclusion::Finished(finished) => Report::Finished(finished),
                Conclusion::HandBack(reason) => hand_back(held, reason, earlier_deliveries, false),
                Conclusion::LacksLanguage(reason) => {
                    hand_back(held, reason, earlier_deliveries, true)
                }
            }
        };
        self.shared.reporter.deliver(report, tickets).await;
        if let Some(delivery) = self.shared.held.finish(held) {
            acknowledge(delivery).await;
        }
        host_failed
    }

    /// Judges on a thread of its own and reports on the way.
    async fn judge(
        &mut self,
        task: Task,
        started_at: DateTime<Utc>,
        is_suspect: bool,
    ) -> Result<Reported, AssignmentError> {
        // Known before anybody is told of a start.
        assignment::language(&self.shared.judge, &task)?;
        let judgement = held_by(&task);
        let tickets: Vec<_> = task.ticket.iter().cloned().collect();
        let cancel = Cancel::default();
        let shared = Arc::clone(&self.shared);
        shared.controls.begin(judgement, cancel.clone());
        let at = started_at;
        let started = Report::Started(Started { judgement, at });
        if is_suspect {
            let tickets = tickets.clone();
            shared.reporter.deliver(started.clone(), tickets).await;
            tokio::select! {
                () = cancel.cancelled() => {}
                () = shared.stop.handing_back() => {}
                () = tokio::time::sleep(HESITATION) => {}
            }
        }
        let (progress, progressing) = watch::channel(TestcasesDone::default());
        let (mut boundaries, mut asks) = Boundaries::of(task.lane);
        let mut slot = self.take_slot();
        let mut judging = {
            let (shared, cancel) = (Arc::clone(&self.shared), cancel.clone());
            let span = tracing::Span::current();
            tokio::task::spawn_blocking(move || {
                let _entered = span.entered();
                let note = &mut |done: Option<TestcasesDone>| {
                    done.map(|done| progress.send_replace(done));
                    if let Some(boundaries) = &mut boundaries
                        && done.is_none_or(|done| done.done < done.total)
                    {
                        boundaries.pass();
                    }
                };
                let Shared { judge, library, .. } = &*shared;
                let helpers = shared.lending.borrow();
                let result =
                    assignment::judge(judge, library, &mut slot, helpers, &task, &cancel, note);
                (slot, result)
            })
        };
        let stories = async {
            shared.reporter.send(started, tickets.clone()).await;
            tokio::join!(
                shared.tell_progress(judgement, tickets.clone(), progressing),
                shared.acknowledge_in_time(judgement, tickets),
            );
            std::future::pending::<()>().await;
        };
        let mut stories = pin!(stories);
        let joined = loop {
            tokio::select! {
                joined = &mut judging => break joined,
                () = &mut stories => {}
                () = shared.stop.handing_back(), if !cancel.is_cancelled() => cancel.cancel(),
                Some(ask) = asks.recv() => {
                    let mut between = pin!(self.make_way(ask));
                    let host_failed = loop {
                        tokio::select! {
                            host_failed = &mut between => break host_failed,
                            () = &mut stories => {}
                            () = shared.stop.handing_back(), if !cancel.is_cancelled() => cancel.cancel(),
                        }
                    };
                    if host_failed {
                        // What is under way has its jails already, and goes on without boundaries.
                        asks.close();
                    }
                }
            }
        };
        self.shared.controls.end(judgement);
        match joined {
            Ok((slot, result)) => {
                self.spare = Some(std::mem::replace(&mut self.slot, slot));
                result
            }
            // Its slot went with it; a fresh one is in place already.
            Err(error) => {
                tracing::error!(%error, "judging panicked");
                Err(AssignmentError::Panic)
            }
        }
    }
}

/// A task to be judged.
#[derive(Debug)]
struct Accepted {
    task: Task,
    earlier_deliveries: u64,
}

impl Shared {
    /// Takes a slot away, to be put back later. One without jails stands in for it, and
    /// stays if it gets lost.
    pub(super) fn take_slot(&self, slot: &mut Slot) -> Slot {
        let stand_in = self.judge.slot(slot.number(), slot.core());
        std::mem::replace(slot, stand_in)
    }

    /// Decides whether a delivered message is a task to be judged now.
    async fn accept(&self, delivery: Delivery) -> Option<Accepted> {
        let task: Task = match message::decode(delivery.body()) {
            Ok(task) => task,
            Err(error) => {
                tracing::error!(error = %error_chain(&error), "a task can't be read: to the dead letters with it");
                metrics::counter!("assize_dead_letters_total", "reason" => "unreadable")
                    .increment(1);
                if let Err(error) = delivery.dead_letter().await {
                    tracing::debug!(error = %error_chain(&error), "it will come again");
                }
                return None;
            }
        };
        let earlier_deliveries = delivery.earlier_deliveries();
        match self
            .held
            .take(held_by(&task), task.ticket.clone(), delivery)
        {
            Taken::New => Some(Accepted {
                task,
                earlier_deliveries,
            }),
            Taken::Running(earlier) => {
                tracing::info!(judgement.id = %task.judgement_id, "a task came again that is being judged here");
                // Works if it was published twice, and does nothing if it was
                // delivered again because its channel is gone.
                if let Some(earlier) = earlier {
                    acknowledge(earlier).await;
                }
                None
            }
            Taken::Finished(delivery) => {
                acknowledge(delivery).await;
                None
            }
        }
    }

    /// What to report of a task that is not judged here.
    fn refuse(&self, held: HeldJudgement, earlier_deliveries: u64) -> Report {
        count("handed_back");
        let reason = format!("the task came back to the broker {earlier_deliveries} times");
        tracing::error!(
            reason,
            "handed back: it is suspected of bringing workers down"
        );
        hand_back(held, reason, earlier_deliveries, false)
    }

    /// What to report of a task that another worker is to judge.
    fn pass_on(&self, held: HeldJudgement, earlier_deliveries: u64) -> Report {
        count("handed_back");
        let reason = "another worker is to judge it".to_owned();
        tracing::info!(reason, "handed back");
        hand_back(held, reason, earlier_deliveries, true)
    }

    /// Acknowledges the task of a judgement that takes long: RabbitMQ waits for that no
    /// longer than its `consumer_timeout`, and would give the task to another worker
    /// and close the channel of all slots. The lease holds the judgement from then on,
    /// and a confirmed report is what makes sure that there is one.
    async fn acknowledge_in_time(&self, judgement: HeldJudgement, tickets: Vec<Ticket>) {
        tokio::time::sleep(self.acknowledge_after).await;
        let held = vec![judgement];
        self.reporter
            .deliver(Report::Heartbeat { held }, tickets)
            .await;
        if let Some(delivery) = self.held.release(judgement) {
            tracing::info!("this takes long: its task is acknowledged, and its lease holds it");
            // Not to be given up halfway when the judgement ends.
            tokio::spawn(acknowledge(delivery));
        }
    }

    /// Reports progress as it comes, until judging ends.
    async fn tell_progress(
        &self,
        judgement: HeldJudgement,
        tickets: Vec<Ticket>,
        mut progressing: watch::Receiver<TestcasesDone>,
    ) {
        while progressing.changed().await.is_ok() {
            let TestcasesDone { done, total } = *progressing.borrow_and_update();
            let report = Report::Progress {
                judgement,
                testcases_done: done,
                testcases_total: total,
            };
            self.reporter.send(report, tickets.clone()).await;
            tokio::time::sleep(PROGRESS_PAUSE).await;
        }
    }
}

const fn held_by(task: &Task) -> HeldJudgement {
    HeldJudgement {
        judgement_id: task.judgement_id,
        attempt: task.attempt,
    }
}

async fn acknowledge(delivery: Delivery) {
    if let Err(error) = delivery.ack().await {
        // It is known as finished, or its attempt is over: harmless.
        tracing::debug!(error = %error_chain(&error), "a task was not acknowledged and will come again");
    }
}
