//! Where the news of services goes: to standard error, to a progress display,
//! or to a test.

use std::fmt;
use std::io::Write as _;
use std::sync::{Arc, Mutex};

/// Takes lines for people. Clones go to the same place.
#[derive(Clone)]
pub struct Announce(Arc<dyn Fn(&str) + Send + Sync>);

impl Announce {
    /// Sends lines wherever `sink` takes them.
    pub fn to(sink: impl Fn(&str) + Send + Sync + 'static) -> Self {
        Self(Arc::new(sink))
    }

    /// Sends lines to standard error.
    #[must_use]
    pub fn stderr() -> Self {
        // News that nobody can read is no reason to fail.
        Self::to(|line| drop(writeln!(std::io::stderr(), "{line}")))
    }

    /// Collects lines, for tests.
    #[must_use]
    pub fn collect() -> (Self, Arc<Mutex<Vec<String>>>) {
        let lines = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&lines);
        let announce = Self::to(move |line| {
            if let Ok(mut lines) = sink.lock() {
                lines.push(line.to_owned());
            }
        });
        (announce, lines)
    }

    /// Takes one line.
    pub fn line(&self, line: &str) {
        (self.0)(line);
    }
}

impl fmt::Debug for Announce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Announce")
    }
}
