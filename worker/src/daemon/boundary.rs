//! The boundaries between the test cases of background work, at which live tasks come first: a slot takes one up there
//! and goes on afterwards, so that whoever waits for a verdict waits for one test case and not for a whole rejudgement.

use std::time::{Duration, Instant};

use assize_common::Lane;
use tokio::sync::{mpsc, oneshot};

/// How often a slot looks for live tasks: test cases that take less than asking the broker would be slowed down.
const EVERY: Duration = Duration::from_millis(50);
/// Live tasks at one boundary, at most: however many there are, background work goes on, as it does among
/// the tasks that a slot takes up one after the other.
pub(super) const MOST_LIVE: usize = 7;
/// How long live tasks may hold up one judgement in all. Schedulers give half an hour, beside what its test cases
/// may take, before they take it from its worker as overdue.
const LONGEST: Duration = Duration::from_mins(15);

/// Where the thread that judges passes boundaries.
#[derive(Debug)]
pub(super) struct Boundaries {
    asks: mpsc::Sender<oneshot::Sender<()>>,
    next: Instant,
    held_up: Duration,
}

/// Where the slot's task is asked at boundaries: the judging thread waits until what is received is dropped.
pub(super) type Asks = mpsc::Receiver<oneshot::Sender<()>>;

impl Boundaries {
    /// Those of a judgement in `lane`, if it makes way, and where they are to be heard of.
    pub(super) fn of(lane: Lane) -> (Option<Self>, Asks) {
        let (asks, asked) = mpsc::channel(1);
        let makes_way = match lane {
            Lane::Rejudge | Lane::Batch => true,
            Lane::Live | Lane::Flagged | Lane::Quarantine => false,
        };
        let boundaries = makes_way.then(|| Self {
            asks,
            next: Instant::now() + EVERY,
            held_up: Duration::ZERO,
        });
        (boundaries, asked)
    }

    /// Blocks while something more urgent is judged in between.
    pub(super) fn pass(&mut self) {
        let arrived = Instant::now();
        if arrived < self.next || self.held_up > LONGEST {
            return;
        }
        let (go_on, told) = oneshot::channel();
        if self.asks.blocking_send(go_on).is_ok() {
            // Nothing is ever sent: that it is dropped is the sign, however that comes about.
            drop(told.blocking_recv());
        }
        let left = Instant::now();
        self.held_up += left - arrived;
        self.next = left + EVERY;
    }
}
