//! The protocol of `docs/messages.md` as states and steps.

/// Which parts of the protocol are there.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Protocol {
    /// The relay removes an outbox row only after the broker's confirm.
    pub(crate) confirms: bool,
    /// A report moves a judgement only while that is open.
    pub(crate) guard: bool,
    /// A report moves a judgement only at the same attempt.
    pub(crate) fence: bool,
    /// A worker acknowledges a task only after its report is confirmed.
    pub(crate) report_before_ack: bool,
    /// A scheduler acknowledges a report only after its commit.
    pub(crate) commit_before_ack: bool,
    /// A judgement and its outbox row are one transaction.
    pub(crate) row_with_judgement: bool,
    /// A running judgement whose worker is silent gets a new attempt.
    pub(crate) lease: bool,
    /// A queued judgement whose task the broker lost gets a new attempt.
    pub(crate) lost_tasks: bool,
}

/// What may go wrong, and how often in all.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Faults {
    /// At most two: see [`ATTEMPTS`].
    pub(crate) number: u8,
    /// Whether the broker may forget what it has confirmed.
    pub(crate) purges: bool,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Model {
    pub(crate) protocol: Protocol,
    pub(crate) faults: Faults,
}

/// A judgement's state, and that of a request that is not yet stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Phase {
    /// The client waits for its answer.
    Unanswered,
    /// Stored without an outbox row, which only a broken protocol does.
    HalfStored,
    Queued,
    Running,
    /// It has its verdict.
    Over,
}

/// An attempt, or the messages about it.
type Attempt = u8;

/// Only faults make another attempt necessary: one for each, and the first.
const ATTEMPTS: Attempt = 3;
const WORKERS: usize = 2;

/// How far a worker is with a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Work {
    Idle,
    /// It has the task and said so, if that report got through.
    Judging {
        attempt: Attempt,
        task_held: bool,
    },
    /// Its verdict is confirmed by the broker.
    Reported {
        attempt: Attempt,
        task_held: bool,
    },
}

/// What the relay is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Relay {
    Idle,
    /// The task is sent, and whether the broker has it not known.
    Sent(Attempt),
    /// The broker confirmed, the row is still there.
    Confirmed(Attempt),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Report {
    Started(Attempt),
    Finished(Attempt),
}

/// What the report consumer is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Consumer {
    Idle,
    /// It has the report and has not committed.
    Holds(Report),
    /// It has committed and not acknowledged.
    Committed(Report),
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct State {
    pub(crate) phase: Phase,
    pub(crate) attempt: Attempt,
    /// How many reports stored a result.
    pub(crate) results: u8,
    /// Whose result it was.
    pub(crate) decided_by: Option<Attempt>,
    /// Attempts with an outbox row.
    outbox: [bool; ATTEMPTS as usize],
    relay: Relay,
    /// Tasks in the broker that no worker holds, for each attempt.
    tasks: [u8; ATTEMPTS as usize],
    workers: [Work; WORKERS],
    /// Reports in the broker, in no order: they overtake each other.
    reports: Vec<Report>,
    consumer: Consumer,
    faults: u8,
    purged: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    Store,
    StoreRow,
    Send(Attempt),
    Confirm,
    RemoveRow,
    RemoveUnconfirmedRow,
    Take(usize, Attempt),
    SayStarted(usize),
    Finish(usize),
    AcknowledgeTask(usize),
    AcknowledgeTaskEarly(usize),
    Receive(Report),
    Commit,
    AcknowledgeReport,
    ExpireLease,
    AskAgain,
    /// The message never reached the broker, or its confirm never the relay.
    LoseMessage,
    LoseConfirm,
    KillScheduler,
    KillWorker(usize),
    /// The connection breaks: the broker gives the task to others, the worker goes on.
    CutOff(usize),
    /// The worker seems dead and is only slow.
    ExpireLeaseWrongly,
    /// The task seems lost and is only late.
    AskAgainWrongly,
    DuplicateReport,
    Purge,
}

impl Step {
    pub(crate) const fn is_fault(self) -> bool {
        matches!(
            self,
            Self::LoseMessage
                | Self::LoseConfirm
                | Self::KillScheduler
                | Self::KillWorker(_)
                | Self::CutOff(_)
                | Self::ExpireLeaseWrongly
                | Self::AskAgainWrongly
                | Self::DuplicateReport
                | Self::Purge
        )
    }
}

impl State {
    pub(crate) const fn new() -> Self {
        Self {
            phase: Phase::Unanswered,
            attempt: 0,
            results: 0,
            decided_by: None,
            outbox: [false; ATTEMPTS as usize],
            relay: Relay::Idle,
            tasks: [0; ATTEMPTS as usize],
            workers: [Work::Idle; WORKERS],
            reports: Vec::new(),
            consumer: Consumer::Idle,
            faults: 0,
            purged: false,
        }
    }

    fn put_report(&mut self, report: Report) {
        self.reports.push(report);
        self.reports.sort_unstable();
    }

    /// Whether anybody still works on the current attempt, or will say so.
    fn is_silent(&self) -> bool {
        let attempt = self.attempt;
        let worked_on = self.workers.iter().any(|work| {
            matches!(work, Work::Judging { attempt: a, .. } | Work::Reported { attempt: a, .. } if *a == attempt)
        });
        !worked_on && !self.is_spoken_of()
    }

    /// Whether a report of the current attempt is under way.
    fn is_spoken_of(&self) -> bool {
        let about = |report: &Report| matches!(report, Report::Started(a) | Report::Finished(a) if *a == self.attempt);
        self.reports.iter().any(about)
            || matches!(&self.consumer, Consumer::Holds(report) if about(report))
    }

    fn requeue(&mut self) {
        self.phase = Phase::Queued;
        self.attempt += 1;
        self.outbox[usize::from(self.attempt)] = true;
    }
}

/// Takes a step that may come next, with what it changes.
type Collect<'s> = dyn FnMut(Step, &dyn Fn(&mut State)) + 's;

impl Model {
    /// Every step that may come next.
    pub(crate) fn steps(&self, state: &State) -> Vec<(Step, State)> {
        let mut steps = Vec::new();
        let mut step = |name: Step, change: &dyn Fn(&mut State)| {
            let mut next = state.clone();
            if name.is_fault() {
                if next.faults == self.faults.number {
                    return;
                }
                next.faults += 1;
            }
            change(&mut next);
            steps.push((name, next));
        };
        self.store(state, &mut step);
        self.relay(state, &mut step);
        for number in 0..WORKERS {
            self.worker(state, number, &mut step);
        }
        self.consumer(state, &mut step);
        self.reconciler(state, &mut step);
        if self.faults.purges && !state.purged {
            step(Step::Purge, &|next| {
                next.tasks = [0; ATTEMPTS as usize];
                next.reports.clear();
                next.purged = true;
            });
        }
        steps
    }

    fn store(&self, state: &State, step: &mut Collect<'_>) {
        match state.phase {
            Phase::Unanswered if self.protocol.row_with_judgement => {
                step(Step::Store, &|next| {
                    next.phase = Phase::Queued;
                    next.outbox[0] = true;
                });
            }
            Phase::Unanswered => step(Step::Store, &|next| next.phase = Phase::HalfStored),
            Phase::HalfStored => step(Step::StoreRow, &|next| {
                next.phase = Phase::Queued;
                next.outbox[0] = true;
            }),
            _ => {}
        }
        // Kills whatever schedulers are doing; connections break with them.
        step(Step::KillScheduler, &|next| {
            if next.phase == Phase::HalfStored {
                // Nobody knows any more that a row is missing.
                next.phase = Phase::Queued;
            }
            next.relay = Relay::Idle;
            match next.consumer {
                Consumer::Idle => {}
                Consumer::Holds(report) | Consumer::Committed(report) => {
                    if self.protocol.commit_before_ack {
                        next.put_report(report);
                    }
                }
            }
            next.consumer = Consumer::Idle;
        });
    }

    fn relay(&self, state: &State, step: &mut Collect<'_>) {
        match state.relay {
            Relay::Idle => {
                for attempt in (0..ATTEMPTS).filter(|a| state.outbox[usize::from(*a)]) {
                    step(Step::Send(attempt), &|next| {
                        next.relay = Relay::Sent(attempt)
                    });
                }
            }
            Relay::Sent(attempt) => {
                let place = usize::from(attempt);
                step(Step::Confirm, &|next| {
                    next.tasks[place] += 1;
                    next.relay = Relay::Confirmed(attempt);
                });
                // Neither comes a confirm; it is sent again later.
                step(Step::LoseMessage, &|next| next.relay = Relay::Idle);
                step(Step::LoseConfirm, &|next| {
                    next.tasks[place] += 1;
                    next.relay = Relay::Idle;
                });
                if !self.protocol.confirms {
                    // The row goes while the message may still be lost.
                    step(Step::RemoveUnconfirmedRow, &|next| {
                        next.outbox[place] = false
                    });
                }
            }
            Relay::Confirmed(attempt) => step(Step::RemoveRow, &|next| {
                next.outbox[usize::from(attempt)] = false;
                next.relay = Relay::Idle;
            }),
        }
    }

    fn worker(&self, state: &State, number: usize, step: &mut Collect<'_>) {
        match state.workers[number] {
            Work::Idle => {
                for attempt in (0..ATTEMPTS).filter(|a| state.tasks[usize::from(*a)] > 0) {
                    step(Step::Take(number, attempt), &|next| {
                        next.tasks[usize::from(attempt)] -= 1;
                        next.workers[number] = Work::Judging {
                            attempt,
                            task_held: true,
                        };
                    });
                }
                return;
            }
            Work::Judging { attempt, task_held } => {
                // It may get lost, so that it is a step that need not be taken.
                if !state.reports.contains(&Report::Started(attempt)) {
                    step(Step::SayStarted(number), &|next| {
                        next.put_report(Report::Started(attempt))
                    });
                }
                step(Step::Finish(number), &|next| {
                    next.put_report(Report::Finished(attempt));
                    next.workers[number] = Work::Reported { attempt, task_held };
                });
                if !self.protocol.report_before_ack && task_held {
                    step(Step::AcknowledgeTaskEarly(number), &|next| {
                        next.workers[number] = Work::Judging {
                            attempt,
                            task_held: false,
                        };
                    });
                }
            }
            Work::Reported { .. } => {
                step(Step::AcknowledgeTask(number), &|next| {
                    next.workers[number] = Work::Idle
                });
            }
        }
        let (attempt, task_held) = match state.workers[number] {
            Work::Judging { attempt, task_held } | Work::Reported { attempt, task_held } => {
                (attempt, task_held)
            }
            Work::Idle => return,
        };
        step(Step::KillWorker(number), &|next| {
            next.workers[number] = Work::Idle;
            next.tasks[usize::from(attempt)] += u8::from(task_held);
        });
        if task_held {
            step(Step::CutOff(number), &|next| {
                next.tasks[usize::from(attempt)] += 1;
                match &mut next.workers[number] {
                    Work::Judging { task_held, .. } | Work::Reported { task_held, .. } => {
                        *task_held = false;
                    }
                    Work::Idle => {}
                }
            });
        }
    }

    fn consumer(&self, state: &State, step: &mut Collect<'_>) {
        match state.consumer {
            Consumer::Idle => {
                let mut reports = state.reports.clone();
                reports.dedup();
                for report in reports {
                    step(Step::Receive(report), &|next| {
                        let place = next.reports.iter().position(|other| *other == report);
                        place.map(|place| next.reports.remove(place));
                        next.consumer = Consumer::Holds(report);
                    });
                    if state.reports.len() < 3 {
                        step(Step::DuplicateReport, &|next| next.put_report(report));
                    }
                }
            }
            Consumer::Holds(report) => step(Step::Commit, &|next| {
                self.apply(next, report);
                next.consumer = Consumer::Committed(report);
            }),
            Consumer::Committed(_) => {
                step(Step::AcknowledgeReport, &|next| {
                    next.consumer = Consumer::Idle
                });
            }
        }
    }

    /// The guarded write.
    fn apply(&self, next: &mut State, report: Report) {
        let open = matches!(next.phase, Phase::Queued | Phase::Running);
        let (Report::Started(attempt) | Report::Finished(attempt)) = report;
        if (self.protocol.guard && !open) || (self.protocol.fence && attempt != next.attempt) {
            return;
        }
        match report {
            Report::Started(_) if open => next.phase = Phase::Running,
            Report::Started(_) => {}
            Report::Finished(_) => {
                next.phase = Phase::Over;
                next.results += 1;
                next.decided_by = Some(attempt);
            }
        }
    }

    fn reconciler(&self, state: &State, step: &mut Collect<'_>) {
        if state.attempt + 1 == ATTEMPTS {
            return;
        }
        let waits = state.outbox[usize::from(state.attempt)]
            || state.tasks[usize::from(state.attempt)] > 0
            || matches!(state.relay, Relay::Sent(a) | Relay::Confirmed(a) if a == state.attempt);
        if state.phase == Phase::Running && self.protocol.lease {
            if state.is_silent() {
                step(Step::ExpireLease, &|next| next.requeue());
            } else {
                step(Step::ExpireLeaseWrongly, &|next| next.requeue());
            }
        }
        if state.phase == Phase::Queued && self.protocol.lost_tasks {
            if !waits && state.is_silent() {
                step(Step::AskAgain, &|next| next.requeue());
            } else {
                step(Step::AskAgainWrongly, &|next| next.requeue());
            }
        }
    }
}
