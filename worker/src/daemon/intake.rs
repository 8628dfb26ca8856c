//! Taking tasks: the most urgent first, and never one that would have to wait
//! here while another worker is idle.
//!
//! A slot looks into the queues of its lanes one after another, every eighth time into
//! a less urgent one first, or these would starve as long as there is live work. When all are
//! empty it consumes them all, takes the first task that comes and stops
//! consuming before it sets to work. So nothing is delivered ahead: what a slot
//! holds is what it works on.

use assize_common::amqp::{AmqpError, Consumer, Delivery};
use assize_common::telemetry::error_chain;
use futures_util::future::{select_all, try_join_all};
use tokio::sync::watch;
use tokio::time::Instant;

use super::session::{Session, Sessions};
use super::stop::Stop;

/// One message of the queue of a lane is enough for one slot.
const PREFETCH: u16 = 1;

/// Of so many tasks, one is looked for in a less urgent queue first.
pub(super) const SHARE: usize = 8;

/// Why a slot stops waiting.
#[derive(Debug)]
pub(super) enum Woken {
    /// There is a task.
    Task(Box<Delivery>),
    /// There is none, and something else is due.
    Due,
}

/// Where tasks come from; each slot has one.
#[derive(Debug, Clone)]
pub(super) struct Intake {
    /// The queues of the lanes, the most urgent first.
    pub(super) queues: Vec<String>,
    /// Those among them that contestants wait for.
    pub(super) urgent: Vec<String>,
    /// How many tasks it took.
    pub(super) taken: usize,
    pub(super) sessions: Sessions,
    /// Whether no tasks may be taken for now.
    pub(super) cordoned: watch::Receiver<bool>,
    pub(super) stop: Stop,
}

impl Intake {
    /// The next task, or the moment when something else is `due` and no task waits;
    /// none once the worker stops.
    pub(super) async fn next(&mut self, due: Option<Instant>) -> Option<Woken> {
        while !self.stop.is_draining() {
            tokio::select! {
                biased;
                // The sender lives as long as the worker.
                _ = self.cordoned.wait_for(|cordoned| !cordoned) => {}
                () = self.stop.draining() => return None,
                () = reached(due) => return Some(Woken::Due),
            }
            let session = self.session().await?;
            match self.take(&session, due).await {
                Ok(Some(delivery)) => {
                    self.taken = self.taken.wrapping_add(1);
                    return Some(Woken::Task(Box::new(delivery)));
                }
                Ok(None) if due.is_some_and(|due| due <= Instant::now()) => {
                    return Some(Woken::Due);
                }
                Ok(None) => {}
                Err(error) => {
                    if !session.connection.is_lost() {
                        tracing::warn!(error = %error_chain(&error), "taking tasks failed: connecting anew");
                    }
                    session.give_up();
                    session.over().await;
                }
            }
        }
        None
    }

    /// A task that a contestant waits for, if there is one and it may be taken now.
    pub(super) async fn next_urgent(&mut self) -> Option<Delivery> {
        if self.stop.is_draining() || *self.cordoned.borrow() {
            return None;
        }
        let session = self.sessions.borrow().clone();
        // A broker that takes nothing does not answer either.
        let session =
            session.filter(|session| !session.is_over() && !session.connection.is_blocked())?;
        for queue in &self.urgent {
            match session.puller.pull(queue).await {
                Ok(Some(delivery)) => {
                    // So that less urgent ones have their share all the same.
                    self.taken = self.taken.wrapping_add(1);
                    return Some(delivery);
                }
                Ok(None) => {}
                Err(error) => {
                    tracing::debug!(error = %error_chain(&error), "cannot look for urgent tasks");
                    session.give_up();
                    return None;
                }
            }
        }
        None
    }

    /// The session at hand, or the next one; none once the worker stops.
    async fn session(&mut self) -> Option<Session> {
        let current = async {
            let found = self
                .sessions
                .wait_for(|session| session.as_ref().is_some_and(|session| !session.is_over()));
            found.await.ok().and_then(|session| session.clone())
        };
        tokio::select! {
            session = current => session,
            () = self.stop.draining() => None,
        }
    }

    /// One task, or none when the session is over, something else is due, or the worker
    /// stops or is cordoned.
    async fn take(
        &mut self,
        session: &Session,
        due: Option<Instant>,
    ) -> Result<Option<Delivery>, AmqpError> {
        let first = first_look(self.taken, self.queues.len());
        for queue in self.queues.get(first).into_iter().chain(&self.queues) {
            if let Some(delivery) = session.puller.pull(queue).await? {
                return Ok(Some(delivery));
            }
        }
        let consuming = self
            .queues
            .iter()
            .map(|queue| session.connection.consume(queue, PREFETCH));
        let mut consumers = try_join_all(consuming).await?;
        let first = tokio::select! {
            () = self.stop.draining() => None,
            _ = self.cordoned.wait_for(|cordoned| *cordoned) => None,
            // Until then it could not be told to stop delivering.
            () = async { reached(due).await; session.connection.unblocked().await } => None,
            first = first_of(&mut consumers) => first,
        };
        // This hands back what came in at the same moment.
        try_join_all(consumers.into_iter().map(Consumer::stop)).await?;
        Ok(first)
    }
}

/// Never, if nothing is due.
async fn reached(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due).await,
        None => std::future::pending().await,
    }
}

/// Which of so many queues to look into first, after so many tasks.
const fn first_look(taken: usize, queues: usize) -> usize {
    if taken % SHARE < SHARE - 1 || queues < 2 {
        0
    } else {
        // The less urgent ones take turns.
        1 + taken / SHARE % (queues - 1)
    }
}

/// The first message, of the most urgent queue if several have one. None when a
/// consumer is gone.
async fn first_of(consumers: &mut [Consumer]) -> Option<Delivery> {
    let waiting = consumers
        .iter_mut()
        .map(|consumer| Box::pin(consumer.next()));
    let (first, ..) = select_all(waiting).await;
    first
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_queue_has_its_share() {
        let mut first = [0; 5];
        for taken in 0..64 {
            first[first_look(taken, 5)] += 1;
        }
        assert_eq!(first, [56, 2, 2, 2, 2]);
        assert!((0..64).all(|taken| first_look(taken, 1) == 0));
    }
}
