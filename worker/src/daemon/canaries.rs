//! When a slot runs canaries: from time to time while no task waits, one slot after
//! the other, since two at once would disturb each other.

use std::sync::Arc;
use std::time::Duration;

use assize_common::message::{self, Report};
use assize_common::telemetry::error_chain;
use chrono::Utc;
use tokio::time::Instant;

use super::runner::Shared;
use crate::cancel::Cancel;
use crate::slot::Slot;

/// The first few come sooner: what is usual should be known soon after the start.
const FIRST: u32 = 5;
const SOONER: u32 = 20;
/// How long to wait for another slot's canaries.
const TURN: Duration = Duration::from_secs(1);
/// They take less than a second or two; a host on which they take longer has other troubles.
const LONGEST: Duration = Duration::from_secs(30);

/// When the next ones of a slot are due.
#[derive(Debug)]
pub(super) struct Canaries {
    every: Option<Duration>,
    due: Option<Instant>,
    ran: u32,
}

impl Canaries {
    /// Due at once, and then `every` so often; never without it.
    pub(super) fn new(every: Option<Duration>) -> Self {
        Self {
            every,
            due: every.map(|_| Instant::now()),
            ran: 0,
        }
    }

    /// When they are due, if ever.
    pub(super) const fn due(&self) -> Option<Instant> {
        self.due
    }

    /// Runs and reports them, unless another slot's are running.
    pub(super) async fn run(&mut self, shared: &Arc<Shared>, slot: &mut Slot) {
        let Some(every) = self.every else { return };
        let Ok(_turn) = shared.canary_turn.try_lock() else {
            self.due = Some(Instant::now() + TURN);
            return;
        };
        run(shared, slot).await;
        self.ran = self.ran.saturating_add(1);
        let pause = if self.ran < FIRST {
            every / SOONER
        } else {
            every
        };
        self.due = Some(Instant::now() + pause);
    }
}

async fn run(shared: &Arc<Shared>, slot: &mut Slot) {
    let number = slot.number();
    let mut lent = shared.take_slot(slot);
    let cancel = Cancel::default();
    let mut running = {
        let (shared, cancel) = (Arc::clone(shared), cancel.clone());
        tokio::task::spawn_blocking(move || {
            let readings = shared.judge.canaries(&mut lent, &cancel);
            (lent, readings)
        })
    };
    let enough = async {
        tokio::select! {
            () = shared.stop.draining() => {}
            () = tokio::time::sleep(LONGEST) => {}
        }
    };
    let joined = tokio::select! {
        joined = &mut running => joined,
        () = enough => {
            cancel.cancel();
            running.await
        }
    };
    let Ok((lent, readings)) = joined else {
        tracing::error!(slot = number, "canaries panicked");
        return;
    };
    *slot = lent;
    let readings = match readings {
        Ok(readings) => readings,
        Err(_) if shared.stop.is_draining() => return,
        Err(error) => {
            tracing::warn!(slot = number, error = %error_chain(&error), "canaries failed");
            metrics::counter!("assize_canary_failures_total").increment(1);
            return;
        }
    };
    if readings.is_empty() {
        return;
    }
    for reading in &readings {
        let labels = [
            ("program", reading.program.clone()),
            ("slot", number.to_string()),
        ];
        let seconds = Duration::from_millis(reading.cpu_time_ms).as_secs_f64();
        metrics::gauge!("assize_canary_cpu_seconds", &labels).set(seconds);
    }
    let report = Report::Canaries(message::Canaries {
        slot: number.into(),
        at: Utc::now(),
        readings,
    });
    shared.reporter.send(report, Vec::new()).await;
}
