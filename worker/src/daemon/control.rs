//! What schedulers tell this worker: to leave an attempt, to take no tasks for
//! now, to end.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use assize_common::amqp::Consumer;
use assize_common::id::WorkerId;
use assize_common::message::{self, Control, HeldJudgement, WorkerMode};
use assize_common::telemetry::error_chain;
use tokio::sync::watch;

use super::session::Session;
use super::stop::Stop;
use crate::cancel::Cancel;

/// What can be controlled.
#[derive(Debug)]
pub(super) struct Controls {
    worker_id: WorkerId,
    stop: Stop,
    cordoned: watch::Sender<bool>,
    running: Mutex<HashMap<HeldJudgement, Cancel>>,
}

impl Controls {
    pub(super) fn new(worker_id: WorkerId, stop: Stop) -> Self {
        Self {
            worker_id,
            stop,
            cordoned: watch::channel(false).0,
            running: Mutex::default(),
        }
    }

    /// Whether tasks may not be taken at the moment.
    pub(super) fn cordoned(&self) -> watch::Receiver<bool> {
        self.cordoned.subscribe()
    }

    /// Lets an attempt be cancelled until it is over.
    pub(super) fn begin(&self, judgement: HeldJudgement, cancel: Cancel) {
        self.running().insert(judgement, cancel);
    }

    /// An attempt is over.
    pub(super) fn end(&self, judgement: HeldJudgement) {
        self.running().remove(&judgement);
    }

    /// Does what it is told, until the consumer or the session ends.
    pub(super) async fn obey_all(self: Arc<Self>, mut told: Consumer, session: Session) {
        while let Some(delivery) = told.next().await {
            match message::decode::<Control>(delivery.body()) {
                Ok(control) => self.obey(control),
                // A newer scheduler may know more than we do.
                Err(error) => {
                    tracing::debug!(error = %error_chain(&error), "told something that this worker does not know");
                }
            }
            if delivery.ack().await.is_err() {
                break;
            }
        }
        session.give_up();
    }

    fn obey(&self, control: Control) {
        match control {
            Control::Cancel(judgement) => {
                let running = self.running().remove(&judgement);
                if let Some(cancel) = running {
                    tracing::info!(judgement.id = %judgement.judgement_id, attempt = judgement.attempt, "cancelled: nobody wants it any more");
                    cancel.cancel();
                }
            }
            Control::Mode { worker_id, mode } if worker_id == self.worker_id => {
                let cordoned = mode != WorkerMode::Run;
                if self.cordoned.send_replace(cordoned) != cordoned {
                    tracing::warn!(%mode, "told how to work");
                }
                if mode == WorkerMode::Drain && !self.stop.is_draining() {
                    self.stop.drain();
                }
            }
            Control::Mode { .. } => {}
        }
    }

    fn running(&self) -> MutexGuard<'_, HashMap<HeldJudgement, Cancel>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
