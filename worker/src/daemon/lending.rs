//! Slots that wait for a task help those at work, if that is wanted: test cases of
//! one submission then run at once.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::runs::{Helpers, Lender};
use crate::slot::Slot;

/// The slots that wait, and who waits for one to come back.
#[derive(Debug)]
pub(super) struct Lending {
    /// Test cases of one submission that may run at once.
    tests_at_once: u16,
    idle: Mutex<Vec<Slot>>,
    returned: Notify,
    waiting: AtomicUsize,
}

impl Lending {
    /// Nothing is lent with one test case at once.
    pub(super) const fn new(tests_at_once: u16) -> Self {
        Self {
            tests_at_once,
            idle: Mutex::new(Vec::new()),
            returned: Notify::const_new(),
            waiting: AtomicUsize::new(0),
        }
    }

    /// Whether slots are lent at all.
    pub(super) const fn is_on(&self) -> bool {
        self.tests_at_once > 1
    }

    /// Lets a slot that waits be lent.
    pub(super) fn offer(&self, slot: Slot) {
        self.idle().push(slot);
    }

    /// A slot for a task: one that nobody borrowed, or the first that comes back.
    pub(super) async fn reclaim(&self) -> Slot {
        self.waiting.fetch_add(1, Ordering::Relaxed);
        let slot = loop {
            let returned = self.returned.notified();
            let found = self.idle().pop();
            match found {
                Some(slot) => break slot,
                None => returned.await,
            }
        };
        self.waiting.fetch_sub(1, Ordering::Relaxed);
        slot
    }

    /// The slots that wait, as many as one judgement may have beside its own.
    pub(super) fn borrow(&self) -> Option<Helpers<'_>> {
        if !self.is_on() || self.is_wanted() {
            return None;
        }
        let mut idle = self.idle();
        let kept = idle
            .len()
            .saturating_sub(usize::from(self.tests_at_once - 1));
        let slots = idle.split_off(kept);
        Some(Helpers {
            slots,
            lender: self,
        })
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Slot>> {
        // Every change is complete before anything can panic.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lender for Lending {
    fn is_wanted(&self) -> bool {
        self.waiting.load(Ordering::Relaxed) > 0
    }

    fn give_back(&self, slot: Slot) {
        self.offer(slot);
        self.returned.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slot(number: u16) -> Slot {
        Slot::new(number, None, Vec::new())
    }

    #[tokio::test]
    async fn slots_are_lent_and_come_back_to_who_waits() {
        let lending = Lending::new(3);
        for number in 0..3 {
            lending.offer(slot(number));
        }
        let mut helpers = lending.borrow().unwrap();
        assert_eq!(helpers.slots.len(), 2);
        assert_eq!(lending.reclaim().await.number(), 0);
        assert_eq!(lending.borrow().unwrap().slots.len(), 0);
        assert!(!lending.is_wanted());
        let (found, ()) = tokio::join!(lending.reclaim(), async {
            tokio::task::yield_now().await;
            assert!(lending.is_wanted());
            assert!(lending.borrow().is_none(), "who waits comes first");
            lending.give_back(helpers.slots.remove(0));
        });
        assert_eq!(found.number(), 1);
        assert!(!lending.is_wanted());
        assert!(Lending::new(1).borrow().is_none());
    }
}
