//! The boundaries between the test cases of background work, at which work for those who wait comes first: a slot takes
//! it up there and goes on afterwards, so that whoever waits for a verdict waits for one test case and not for a whole
//! rejudgement.

use std::time::{Duration, Instant};

use assize_common::Lane;
use tokio::sync::{mpsc, oneshot};

use super::intake::SHARE;
use super::runner::Runner;

/// How often a slot looks for what comes first: test cases that take less than asking the broker would be slowed down.
const EVERY: Duration = Duration::from_millis(50);
/// Tasks at one boundary, at most: however many there are, background work goes on, as it does among
/// the tasks that a slot takes up one after the other.
const MOST: usize = SHARE - 1;
/// How long others may hold up one judgement in all, but for the end of the last one. Schedulers give half an
/// hour, beside what its test cases may take, before they take it from its worker as overdue.
const LONGEST: Duration = Duration::from_mins(15);

/// Where the thread that judges passes boundaries.
#[derive(Debug)]
pub(super) struct Boundaries {
    asks: mpsc::Sender<Ask>,
    next: Instant,
    left: Duration,
}

/// A boundary: the thread that judges waits there until this is dropped.
#[derive(Debug)]
pub(super) struct Ask {
    /// Nothing more may be taken up after this.
    until: Instant,
    /// Nothing is ever sent: that it is dropped is the sign, however that comes about.
    _go_on: oneshot::Sender<()>,
}

/// Where the slot's task hears of boundaries.
pub(super) type Asks = mpsc::Receiver<Ask>;

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
            left: LONGEST,
        });
        (boundaries, asked)
    }

    /// Blocks while something more urgent is judged in between.
    pub(super) fn pass(&mut self) {
        let arrived = Instant::now();
        if arrived < self.next || self.left.is_zero() {
            return;
        }
        let until = arrived + self.left;
        let (go_on, told) = oneshot::channel();
        let ask = Ask {
            until,
            _go_on: go_on,
        };
        if self.asks.blocking_send(ask).is_ok() {
            drop(told.blocking_recv());
        }
        let now = Instant::now();
        self.left = until.saturating_duration_since(now);
        self.next = now + EVERY;
    }
}

impl Runner {
    /// Judges those who wait, while background work waits at a boundary. Its slot is
    /// taken away: they have another one on the same core. Whether this host failed.
    pub(super) async fn make_way(&mut self, ask: Ask) -> bool {
        for _ in 0..MOST {
            if Instant::now() >= ask.until {
                break;
            }
            let Some(delivery) = self.intake.next_urgent().await else {
                break;
            };
            tracing::info!("somebody waits: the judgement goes on afterwards");
            metrics::counter!("assize_worker_precedences_total").increment(1);
            if self.take_up(delivery).await == Some(true) {
                self.host_failed_between = true;
                break;
            }
        }
        drop(ask);
        self.host_failed_between
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn background_work_makes_way_for_a_limited_time_in_all() {
        let (boundaries, mut asks) = Boundaries::of(Lane::Rejudge);
        let mut boundaries = boundaries.unwrap();
        boundaries.left = Duration::from_millis(200);
        let judging = tokio::task::spawn_blocking(move || {
            let mut passed = 0;
            while !boundaries.left.is_zero() {
                boundaries.pass();
                passed += 1;
                std::thread::sleep(EVERY);
            }
            passed
        });
        let mut until = None;
        while let Some(ask) = asks.recv().await {
            let before = until.replace(ask.until);
            assert!(
                before.is_none_or(|before| before < ask.until),
                "it judged meanwhile"
            );
            tokio::time::sleep(EVERY).await;
        }
        let passed = judging.await.unwrap();
        assert!((2..=5).contains(&passed), "{passed}");
    }

    #[test]
    fn who_waits_makes_no_way() {
        for lane in Lane::ALL {
            let makes_way = matches!(lane, Lane::Rejudge | Lane::Batch);
            assert_eq!(Boundaries::of(lane).0.is_some(), makes_way, "{lane}");
        }
    }

    #[tokio::test]
    async fn where_nobody_asks_any_more_there_is_no_boundary() {
        let (boundaries, mut asks) = Boundaries::of(Lane::Batch);
        let mut boundaries = boundaries.unwrap();
        asks.close();
        let judging = tokio::task::spawn_blocking(move || {
            std::thread::sleep(EVERY);
            boundaries.pass();
        });
        judging.await.unwrap();
    }
}
