//! What came of every fault, as the table of docs/reliability.md.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use super::fault::Fault;

/// What came of a fault, all its times together.
#[derive(Debug, Default)]
struct Row {
    runs: usize,
    /// Submissions that were waiting or running when it came.
    under_way: usize,
    lost: usize,
    doubled: usize,
    /// From the end of the fault until all that was accepted before had its verdict.
    alone: Vec<Duration>,
    /// The same while other faults came.
    mixed: Vec<Duration>,
}

/// A table of all faults.
#[derive(Debug, Default)]
pub(super) struct Matrix(BTreeMap<Fault, Row>);

/// What came of one fault.
#[derive(Debug, Clone, Copy)]
pub(super) struct Outcome {
    pub(super) under_way: usize,
    pub(super) lost: usize,
    pub(super) doubled: usize,
    pub(super) recovery: Duration,
    pub(super) alone: bool,
}

impl Matrix {
    pub(super) fn add(&mut self, fault: Fault, outcome: Outcome) {
        let row = self.0.entry(fault).or_default();
        row.runs += 1;
        row.under_way += outcome.under_way;
        row.lost += outcome.lost;
        row.doubled += outcome.doubled;
        if outcome.alone {
            row.alone.push(outcome.recovery);
        } else {
            row.mixed.push(outcome.recovery);
        }
    }

    /// How many faults there were.
    pub(super) fn runs(&self) -> usize {
        self.0.values().map(|row| row.runs).sum()
    }

    pub(super) fn lost(&self) -> usize {
        self.0.values().map(|row| row.lost).sum()
    }
}

impl fmt::Display for Matrix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "| fault | runs | under way | lost | doubled | recovery alone | in a mix, median | at most |"
        )?;
        writeln!(f, "|---|---|---|---|---|---|---|---|")?;
        for (fault, row) in &self.0 {
            let [(_, alone), (median, most)] =
                [&row.alone, &row.mixed].map(|times| median_and_most(times));
            let Row {
                runs,
                under_way,
                lost,
                doubled,
                ..
            } = row;
            writeln!(
                f,
                "| {fault} | {runs} | {under_way} | {lost} | {doubled} | {alone} | {median} | {most} |"
            )?;
        }
        Ok(())
    }
}

/// In words; empty without any.
fn median_and_most(times: &[Duration]) -> (String, String) {
    let mut times = times.to_vec();
    times.sort_unstable();
    let words = |time: Option<&Duration>| {
        time.map_or_else(String::new, |time| format!("{:.1} s", time.as_secs_f64()))
    };
    (words(times.get(times.len() / 2)), words(times.last()))
}
