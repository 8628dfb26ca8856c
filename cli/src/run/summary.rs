//! Many runs in a few numbers.

use std::fmt;
use std::time::Duration;

use serde::Serialize;

use super::facts::{Measured, micros};

/// The last object of `--repeat --json`: part of the interface.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    runs: usize,
    runs_per_second: f64,
    total_us: Spread,
    cpu_time_us: Spread,
}

/// How a time is distributed, in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
struct Spread {
    min: u64,
    median: u64,
    p90: u64,
    max: u64,
}

impl Summary {
    /// The summary of runs that took `elapsed` together; none of no runs.
    #[must_use]
    pub fn of(runs: &[Measured], elapsed: Duration) -> Option<Self> {
        #[expect(clippy::cast_precision_loss, reason = "nobody waits for 2^52 runs")]
        let runs_per_second = runs.len() as f64 / elapsed.as_secs_f64();
        Some(Self {
            runs: runs.len(),
            runs_per_second: (runs_per_second * 10.0).round() / 10.0,
            total_us: Spread::of(runs.iter().map(|run| run.total))?,
            cpu_time_us: Spread::of(runs.iter().map(|run| run.facts.cpu_time))?,
        })
    }
}

impl Spread {
    /// By nearest rank: each number is one that was measured.
    fn of(times: impl Iterator<Item = Duration>) -> Option<Self> {
        let mut times: Vec<u64> = times.map(micros).collect();
        times.sort_unstable();
        let rank = |percent: usize| {
            let rank = (times.len() * percent).div_ceil(100);
            times.get(rank.saturating_sub(1)).copied()
        };
        Some(Self {
            min: rank(0)?,
            median: rank(50)?,
            p90: rank(90)?,
            max: rank(100)?,
        })
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} runs, {} in a second",
            self.runs, self.runs_per_second
        )?;
        writeln!(f, "request to facts: {}", self.total_us)?;
        write!(f, "cpu time:         {}", self.cpu_time_us)
    }
}

impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "min {} µs, median {} µs, p90 {} µs, max {} µs",
            self.min, self.median, self.p90, self.max
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spread(times: &[u64]) -> Option<(u64, u64, u64, u64)> {
        let times = times.iter().map(|time| Duration::from_micros(*time));
        Spread::of(times).map(|spread| (spread.min, spread.median, spread.p90, spread.max))
    }

    #[test]
    fn nearest_ranks() {
        assert_eq!(spread(&[]), None);
        assert_eq!(spread(&[7]), Some((7, 7, 7, 7)));
        assert_eq!(spread(&[3, 1, 2]), Some((1, 2, 3, 3)));
        let ten: Vec<u64> = (1..=10).rev().collect();
        assert_eq!(spread(&ten), Some((1, 5, 9, 10)));
    }
}
