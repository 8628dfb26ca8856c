//! Values measured the same way, and what to say of all of them.

use std::time::{Duration, Instant};

#[derive(Debug, Default)]
pub(crate) struct Sample(Vec<f64>);

impl Sample {
    /// Adds the time that some work takes, in microseconds.
    pub(crate) fn time(&mut self, work: impl FnOnce()) {
        let began = Instant::now();
        work();
        self.add(began.elapsed());
    }

    /// In microseconds.
    pub(crate) fn add(&mut self, duration: Duration) {
        self.0.push(duration.as_secs_f64() * 1e6);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn median(&self) -> f64 {
        self.quantile(50)
    }

    /// The value that so many percent of all do not exceed.
    pub(crate) fn quantile(&self, percent: usize) -> f64 {
        let mut values = self.0.clone();
        values.sort_by(f64::total_cmp);
        let last = values.len().saturating_sub(1);
        values
            .get(last * percent / 100)
            .copied()
            .unwrap_or_default()
    }

    pub(crate) fn mean(&self) -> f64 {
        self.0.iter().sum::<f64>() / self.0.len() as f64
    }

    /// The standard deviation.
    pub(crate) fn deviation(&self) -> f64 {
        let mean = self.mean();
        let squares: f64 = self.0.iter().map(|value| (value - mean).powi(2)).sum();
        (squares / (self.0.len() - 1) as f64).sqrt()
    }
}
