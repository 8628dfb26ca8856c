//! How far verifying is, for people who wait.

use assize_worker::verify::Step;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A line on standard error, only if that is a terminal; gone when dropped.
#[derive(Debug)]
pub struct Progress(ProgressBar);

impl Progress {
    /// Draws it.
    #[must_use]
    pub fn start() -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        Self(
            match ProgressStyle::with_template("{spinner} {elapsed}  {wide_msg}") {
                Ok(style) => bar.with_style(style),
                Err(_) => bar,
            },
        )
    }

    /// Says what is done now.
    pub fn show(&self, step: Step<'_>) {
        self.0.set_message(match step {
            Step::Input(name) => format!("input of {name}"),
            Step::Output(name) => format!("output of {name}"),
            Step::Submission(name) => name.to_owned(),
        });
        self.0.tick();
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
