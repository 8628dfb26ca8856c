//! Progress for people, on standard error: bars on a terminal, elsewhere a line
//! for each submission that ends.

use std::collections::HashMap;
use std::io::{IsTerminal as _, stderr};
use std::time::Duration;

use assize_common::api::{JudgementState, Submission};
use assize_common::id::SubmissionId;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::Tracked;
use crate::columns;
use crate::output;
use crate::up::Announce;

/// Bars of running submissions that are shown at once.
const MOST_BARS: usize = 12;
const OVERALL: &str = "{bar:30} {pos}/{len} judged, {elapsed}";
const SUBMISSION: &str = "  {prefix}: {msg} {pos}/{len}";

/// Where progress shows. Clones show at the same place.
#[derive(Debug, Clone)]
pub enum Display {
    /// On a terminal.
    Bars(MultiProgress),
    /// In a file or a pipe.
    Lines,
    /// Nowhere.
    Hidden,
}

impl Display {
    /// The one that suits standard error.
    #[must_use]
    pub fn of_stderr() -> Self {
        if stderr().is_terminal() {
            Self::Bars(MultiProgress::new())
        } else {
            Self::Lines
        }
    }

    /// Takes news beside the progress.
    #[must_use]
    pub fn announce(&self) -> Announce {
        let display = self.clone();
        Announce::to(move |line| display.line(line))
    }

    /// Shows one line.
    pub fn line(&self, text: &str) {
        match self {
            // A terminal that is gone is no reason to fail.
            Self::Bars(bars) => drop(bars.println(text)),
            Self::Lines => output::note(text),
            Self::Hidden => {}
        }
    }

    /// Starts to show the progress of `total` submissions.
    pub(super) fn start(&self, total: usize) -> Progress {
        let overall = match self {
            Self::Bars(bars) if total > 1 => Some(bars.add(overall_bar(total))),
            _ => None,
        };
        Progress {
            display: self.clone(),
            overall,
            bars: HashMap::new(),
            total,
            ended: 0,
        }
    }
}

/// The progress of some submissions.
#[derive(Debug)]
pub(super) struct Progress {
    display: Display,
    overall: Option<ProgressBar>,
    bars: HashMap<SubmissionId, ProgressBar>,
    total: usize,
    ended: usize,
}

impl Progress {
    /// Shows how far a submission is.
    pub(super) fn update(&mut self, tracked: &Tracked, submission: &Submission) {
        let judgement = &submission.judgement;
        if judgement.state.is_final() {
            return self.end(tracked, submission);
        }
        let Display::Bars(bars) = &self.display else {
            return;
        };
        let shown = self.bars.get(&tracked.id);
        if judgement.state == JudgementState::Queued && self.total > 1 {
            // One that goes back to its queue makes room for others.
            if let Some(bar) = self.bars.remove(&tracked.id) {
                bar.finish_and_clear();
            }
            return;
        }
        let bar = match shown {
            Some(bar) => bar.clone(),
            None if self.bars.len() < MOST_BARS => {
                let bar = bars.add(submission_bar(tracked));
                self.bars.insert(tracked.id, bar.clone());
                bar
            }
            None => return,
        };
        bar.set_length(judgement.testcases_total.into());
        bar.set_position(judgement.testcases_done.into());
        bar.set_message(judgement.state.to_string());
    }

    fn end(&mut self, tracked: &Tracked, submission: &Submission) {
        self.ended += 1;
        if let Some(bar) = self.bars.remove(&tracked.id) {
            bar.finish_and_clear();
        }
        if let Some(bar) = &self.overall {
            bar.set_position(self.ended as u64);
        }
        if matches!(self.display, Display::Lines) {
            let verdict = columns::verdict(&submission.judgement);
            let (ended, total) = (self.ended, self.total);
            self.display
                .line(&format!("{ended}/{total} {verdict:3} {}", tracked.label));
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        for bar in self.bars.values().chain(&self.overall) {
            bar.finish_and_clear();
        }
    }
}

fn overall_bar(total: usize) -> ProgressBar {
    let bar = ProgressBar::new(total as u64);
    bar.set_style(style(OVERALL));
    bar.enable_steady_tick(Duration::from_millis(250));
    bar
}

fn submission_bar(tracked: &Tracked) -> ProgressBar {
    let bar = ProgressBar::new(0).with_prefix(tracked.label.clone());
    bar.set_style(style(SUBMISSION));
    bar
}

fn style(template: &str) -> ProgressStyle {
    // Without its template a bar looks odd, and counts all the same.
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_are_valid() {
        for template in [OVERALL, SUBMISSION] {
            ProgressStyle::with_template(template).unwrap();
        }
    }
}
