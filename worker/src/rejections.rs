//! What compilers rejected a moment ago, for whoever waited to compile the same: one
//! program that takes all the time a compiler has must not hold one slot after the other.

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use assize_common::ContentHash;
use assize_common::message::CompileReport;

/// More than there are slots that could wait.
const KEPT: usize = 256;

/// The latest ones.
#[derive(Debug, Default)]
pub(crate) struct Rejections(Mutex<Vec<Rejection>>);

#[derive(Debug)]
struct Rejection {
    key: ContentHash,
    at: Instant,
    report: CompileReport,
}

impl Rejections {
    /// Remembers one.
    pub(crate) fn add(&self, key: ContentHash, report: CompileReport) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|other| other.key != key);
        if kept.len() == KEPT {
            kept.remove(0);
        }
        kept.push(Rejection {
            key,
            at: Instant::now(),
            report,
        });
    }

    /// The report, if the same was rejected after `since`. What
    /// was rejected before that is tried again: the host may have been busy.
    pub(crate) fn since(&self, since: Instant, key: ContentHash) -> Option<CompileReport> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.iter()
            .find(|other| other.key == key && other.at > since)
            .map(|found| found.report.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compile::rejected;

    #[test]
    fn who_waited_is_told_and_who_comes_later_is_not() {
        let rejections = Rejections::default();
        let key = |name: &str| ContentHash::of(name.as_bytes());
        let waits = Instant::now();
        rejections.add(key("a"), rejected("too long".to_owned()));
        let told = |since, name| {
            let report = rejections.since(since, key(name));
            report.map(|report| report.output)
        };
        assert_eq!(told(waits, "a").as_deref(), Some("too long"));
        assert_eq!(told(waits, "b"), None);
        assert_eq!(told(Instant::now(), "a"), None);
    }
}
