//! What of a run's CPU time is the program's own, and what tracing has added.

use crate::audit::charged;
use crate::cgroup::{Group, Usage};
use crate::protocol::Failure;
use std::fs::File;
use std::time::Duration;

/// The longest time between two looks of the kernel at what runs (`CONFIG_HZ=100`).
const LONGEST_TICK: Duration = Duration::from_millis(10);

/// What tracing has added to what the program has used so far: what it was charged
/// for, by `audit`, unless that is more than it can be.
pub(super) fn tracing_time(usage: &Usage, audit: Option<&File>) -> Result<Duration, Failure> {
    let Some(audit) = audit else {
        return Ok(Duration::ZERO);
    };
    let charged = charged(audit).map_err(Failure::step("read what tracing costs"))?;
    Ok(charged.min(most(usage)))
}

/// CPU time that the program has used itself so far.
pub(super) fn own_time(group: &Group, audit: Option<&File>) -> Result<Duration, Failure> {
    if audit.is_none() {
        return group.cpu_time();
    }
    let usage = group.usage()?;
    Ok(usage.cpu.saturating_sub(tracing_time(&usage, audit)?))
}

/// Stops are the kernel's time, never the user's. How time divides among these two
/// the kernel knows from samples only, one per tick; of `n` samples the count of
/// one kind deviates by the root of `n` / 4 at most, and we allow for twice that.
fn most(usage: &Usage) -> Duration {
    let deviation = (usage.cpu.as_secs_f64() * LONGEST_TICK.as_secs_f64()).sqrt();
    let user = usage
        .user
        .saturating_sub(Duration::from_secs_f64(deviation));
    usage.cpu.saturating_sub(user)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tracing_takes_no_time_of_the_user() {
        let most = |cpu, user| {
            let [cpu, user] = [cpu, user].map(Duration::from_millis);
            let usage = Usage {
                cpu,
                user,
                system: cpu.saturating_sub(user),
                ..Usage::default()
            };
            most(&usage).as_millis()
        };
        // Of few samples nothing follows.
        assert_eq!(most(10, 10), 10);
        assert_eq!(most(4000, 2500), 1700);
        assert_eq!(most(4000, 0), 4000);
        // User time may be told later than the sum was.
        assert_eq!(most(1000, 1001), 99);
    }
}
