//! Times and counts by which lost work is found and tried again.

use std::time::Duration;

use crate::pressure::Limits;
use crate::store::RetryPolicy;

/// Times and counts by which lost work is found and tried again.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// How long a judgement stays with a worker that is not heard of. Workers
    /// send a heartbeat three times as often.
    pub lease: Duration,
    /// How long a published task may wait unheard of, once nothing explains its
    /// waiting, before it counts as lost by the broker.
    pub lost_task_age: Duration,
    /// What becomes of attempts that fail.
    pub retry: RetryPolicy,
    /// How much may wait, and fill the disk.
    pub limits: Limits,
    /// By how many percent a canary may take longer than at first; by any if `None`.
    pub drift_percent: Option<u32>,
    /// How close to the limit, in percent of it, CPU times are that another worker is to confirm; none if 0.
    pub close_call_percent: u32,
    /// What becomes of a policy kill under unshare.
    pub escalation: Escalation,
    /// How long audits are kept; for good if `None`.
    pub audit_age: Option<Duration>,
    /// How long outputs are kept; for good if `None`.
    pub output_age: Option<Duration>,
    /// Whether reports count that show no ticket at all, as workers of before 0.2 send them.
    pub ticketless_reports: bool,
}

/// What becomes of a judgement under unshare with a run that was killed for a
/// forbidden call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Escalation {
    /// It is not looked at again.
    Never,
    /// It is looked at again under ptrace; its verdict stays.
    Beside,
    /// The same; once that has a verdict, it counts instead.
    Instead,
}

impl Settings {
    /// How often to look for expired leases and, without a bell, for new tasks.
    pub(crate) fn tick(&self) -> Duration {
        (self.lease / 4).clamp(Duration::from_millis(50), Duration::from_secs(1))
    }
}
