//! Whether a worker has become slower: what canaries take, against what they took first.

/// So many readings of a worker's start are what it usually takes.
pub(crate) const FIRST: usize = 5;
/// So many in a row must be slow.
pub(crate) const LATEST: usize = 3;
/// Below that, a difference is noise: CPU time is counted in steps of up to 4 ms.
const LEAST_DIFFERENCE_MS: u64 = 15;

/// A canary that takes longer than it used to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Drift {
    /// What it took first.
    pub(crate) usual_ms: u64,
    /// What it takes now, at the least.
    pub(crate) latest_ms: u64,
}

/// What a canary usually takes: the median of its first readings. Unknown until
/// there are [`FIRST`] of them.
pub(crate) fn usual_ms(first: &[u64]) -> Option<u64> {
    let mut sorted = first.to_vec();
    sorted.sort_unstable();
    (sorted.len() >= FIRST).then(|| sorted[sorted.len() / 2])
}

/// A drift, if each of the latest readings is so many percent above the usual one.
/// One or two that are slow were disturbed by something else.
pub(crate) fn drift(first: &[u64], latest: &[u64], percent: u32) -> Option<Drift> {
    let usual_ms = usual_ms(first)?;
    if latest.len() < LATEST {
        return None;
    }
    let latest_ms = *latest.iter().min()?;
    let tolerated = (usual_ms.saturating_mul(percent.into()) / 100).max(LEAST_DIFFERENCE_MS);
    (latest_ms > usual_ms.saturating_add(tolerated)).then_some(Drift {
        usual_ms,
        latest_ms,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST_READINGS: [u64; 5] = [130, 100, 99, 101, 100];

    #[test]
    fn the_usual_time_is_the_median_of_the_first_ones() {
        assert_eq!(usual_ms(&FIRST_READINGS), Some(100));
        assert_eq!(usual_ms(&FIRST_READINGS[..4]), None);
    }

    #[test]
    fn a_worker_drifts_when_all_of_the_latest_are_slow() {
        let of = |latest: &[u64]| drift(&FIRST_READINGS, latest, 30);
        assert_eq!(of(&[100, 101, 99]), None);
        assert_eq!(of(&[130, 130, 130]), None, "just tolerated");
        assert_eq!(of(&[500, 129, 500]), None, "once as usual");
        assert_eq!(of(&[500, 500]), None, "not often enough");
        assert_eq!(of(&[50, 50, 50]), None, "faster is no harm");
        let found = Drift {
            usual_ms: 100,
            latest_ms: 131,
        };
        assert_eq!(of(&[140, 131, 200]), Some(found));
        assert_eq!(drift(&FIRST_READINGS[..4], &[500; 3], 30), None);
        assert_eq!(drift(&[u64::MAX; 5], &[u64::MAX; 3], 30), None);
    }

    #[test]
    fn short_programs_may_vary_by_more() {
        assert_eq!(drift(&[4; 5], &[12, 12, 12], 30), None);
        assert!(drift(&[4; 5], &[20, 20, 20], 30).is_some());
    }
}
