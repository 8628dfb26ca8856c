//! Whose limit was enforced. The kernel counts a kill or a refusal in the group that it
//! has hit, be the limit its own or that of a group above, or the host out of memory.

use crate::protocol::Failure;

/// Cores keep batches of pages for what comes next, and an allocation may need several
/// pages at once: a group at its limit has at least all but this much.
const BATCHES: u64 = 1 << 20;

/// Processes killed for want of memory, if a run that had used `peak` bytes was at its
/// limit. Otherwise somebody else has used up what it was promised.
pub(super) fn own_kills(kills: u64, peak: u64, limit: u64) -> Result<u64, Failure> {
    if kills > 0 && peak.saturating_add(BATCHES) < limit {
        return Err(Failure::Step {
            step: format!(
                "give the run its {limit} bytes of memory: the host, or a control group above, \
                 had none left when it had {peak}"
            ),
            errno: libc::ENOMEM,
        });
    }
    Ok(kills)
}

/// Processes refused, if a run that had `peak` of them was at its limit. Kernels that do
/// not tell the peak are believed.
pub(super) fn own_refusals(refused: u64, peak: Option<u32>, limit: u32) -> Result<u64, Failure> {
    match peak {
        Some(peak) if refused > 0 && peak < limit => Err(Failure::Step {
            step: format!(
                "give the run its {limit} processes: a control group above allowed no more than \
                 the {peak} that it had"
            ),
            errno: libc::EAGAIN,
        }),
        _ => Ok(refused),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: u64 = 64 << 20;

    #[test]
    fn only_a_run_at_its_own_limit_is_killed_for_memory() {
        assert_eq!(own_kills(1, LIMIT, LIMIT).unwrap(), 1);
        assert_eq!(own_kills(1, LIMIT - BATCHES, LIMIT).unwrap(), 1);
        assert_eq!(own_kills(0, 0, LIMIT).unwrap(), 0);
        let error = own_kills(2, LIMIT / 2, LIMIT).unwrap_err();
        assert!(format!("{error:?}").contains("control group above"));
    }

    #[test]
    fn only_a_run_at_its_own_limit_is_refused_processes() {
        assert_eq!(own_refusals(3, Some(16), 16).unwrap(), 3);
        assert_eq!(own_refusals(3, None, 16).unwrap(), 3);
        assert_eq!(own_refusals(0, Some(2), 16).unwrap(), 0);
        assert!(own_refusals(1, Some(3), 16).is_err());
    }
}
