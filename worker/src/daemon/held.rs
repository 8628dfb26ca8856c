//! What this worker has taken up, so that a task that is delivered again is not
//! judged twice here.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use assize_common::message::{HeldJudgement, Ticket};

/// How many finished judgements are remembered: more than can be redelivered
/// after a lost connection, which is at most the prefetch of every lane.
const REMEMBERED: usize = 1024;

/// The judgements taken up and lately finished, each with the right `D` to
/// acknowledge its task, until that is used.
#[derive(Debug)]
pub(super) struct Held<D> {
    state: Mutex<State<D>>,
}

#[derive(Debug)]
struct State<D> {
    running: HashMap<HeldJudgement, Running<D>>,
    finished: VecDeque<HeldJudgement>,
}

#[derive(Debug)]
struct Running<D> {
    delivery: Option<D>,
    ticket: Option<Ticket>,
}

/// What to do with a delivered task.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Taken<D> {
    /// Judge it.
    New,
    /// It is being judged; its delivery replaces this earlier one, if that is not
    /// acknowledged yet.
    Running(Option<D>),
    /// It was judged and reported; only acknowledge this delivery.
    Finished(D),
}

impl<D> Held<D> {
    pub(super) fn new() -> Self {
        Self {
            state: Mutex::new(State {
                running: HashMap::new(),
                finished: VecDeque::new(),
            }),
        }
    }

    /// Takes up a delivered task.
    pub(super) fn take(
        &self,
        judgement: HeldJudgement,
        ticket: Option<Ticket>,
        delivery: D,
    ) -> Taken<D> {
        let mut state = self.lock();
        if state.finished.contains(&judgement) {
            return Taken::Finished(delivery);
        }
        let running = Running {
            delivery: Some(delivery),
            ticket,
        };
        match state.running.insert(judgement, running) {
            None => Taken::New,
            Some(earlier) => Taken::Running(earlier.delivery),
        }
    }

    /// The right to acknowledge the task of a judgement that goes on.
    pub(super) fn release(&self, judgement: HeldJudgement) -> Option<D> {
        let mut state = self.lock();
        state.running.get_mut(&judgement)?.delivery.take()
    }

    /// Notes that a judgement's report is confirmed; returns the latest right to
    /// acknowledge its task.
    pub(super) fn finish(&self, judgement: HeldJudgement) -> Option<D> {
        let mut state = self.lock();
        if state.finished.len() == REMEMBERED {
            state.finished.pop_front();
        }
        state.finished.push_back(judgement);
        let ended = state.running.remove(&judgement);
        ended.and_then(|running| running.delivery)
    }

    /// The judgements that are being judged, and their tickets.
    pub(super) fn running(&self) -> (Vec<HeldJudgement>, Vec<Ticket>) {
        let state = self.lock();
        let tickets = state.running.values();
        let tickets = tickets.filter_map(|running| running.ticket.clone());
        (state.running.keys().copied().collect(), tickets.collect())
    }

    fn lock(&self) -> MutexGuard<'_, State<D>> {
        // Every change below a lock is complete before it can panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use assize_common::id::JudgementId;

    fn judgement(attempt: u32) -> HeldJudgement {
        HeldJudgement {
            judgement_id: JudgementId::from(uuid::Uuid::nil()),
            attempt,
        }
    }

    #[test]
    fn a_task_is_judged_once_and_its_latest_delivery_acknowledged() {
        let held = Held::new();
        let ticket = Ticket::new([1; 32]);
        assert_eq!(
            held.take(judgement(1), Some(ticket.clone()), "first"),
            Taken::New
        );
        assert_eq!(
            held.take(judgement(1), Some(ticket.clone()), "second"),
            Taken::Running(Some("first"))
        );
        assert_eq!(held.running(), (vec![judgement(1)], vec![ticket]));
        assert_eq!(held.finish(judgement(1)), Some("second"));
        assert_eq!(held.running(), (vec![], vec![]));
        assert_eq!(
            held.take(judgement(1), None, "third"),
            Taken::Finished("third")
        );
    }

    #[test]
    fn another_attempt_is_another_task() {
        let held = Held::new();
        held.take(judgement(1), None, ());
        held.finish(judgement(1));
        assert_eq!(held.take(judgement(2), None, ()), Taken::New);
    }

    #[test]
    fn memory_is_bounded() {
        let held = Held::new();
        for attempt in 0..=u32::try_from(REMEMBERED).unwrap() {
            held.take(judgement(attempt), None, ());
            held.finish(judgement(attempt));
        }
        assert_eq!(held.take(judgement(0), None, ()), Taken::New);
        assert_eq!(held.take(judgement(1), None, ()), Taken::Finished(()));
    }
    #[test]
    fn a_task_that_is_acknowledged_goes_on_and_may_come_again() {
        let held = Held::new();
        held.take(judgement(1), None, "first");
        assert_eq!(held.release(judgement(1)), Some("first"));
        assert_eq!(held.release(judgement(1)), None);
        assert_eq!(held.running().0, [judgement(1)]);
        let again = held.take(judgement(1), None, "second");
        assert_eq!(again, Taken::Running(None));
        assert_eq!(held.finish(judgement(1)), Some("second"));
        assert_eq!(held.release(judgement(1)), None);
    }
}
