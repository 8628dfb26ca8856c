//! What compilers rejected a moment ago, for whoever waited to compile the same: one
//! program that takes all the time a compiler has must not hold one slot after the other.

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use assize_common::ContentHash;
use assize_common::message::CompileReport;

use crate::compile::CompileLimits;

/// More than there are slots that could wait.
const KEPT: usize = 256;

/// The latest ones.
#[derive(Debug, Default)]
pub(crate) struct Rejections(Mutex<Vec<Rejection>>);

#[derive(Debug)]
struct Rejection {
    key: ContentHash,
    limits: CompileLimits,
    at: Instant,
    report: CompileReport,
}

impl Rejections {
    /// Remembers one.
    pub(crate) fn add(&self, key: ContentHash, limits: CompileLimits, report: CompileReport) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|other| (other.key, other.limits) != (key, limits));
        if kept.len() == KEPT {
            kept.remove(0);
        }
        kept.push(Rejection {
            key,
            limits,
            at: Instant::now(),
            report,
        });
    }

    /// The report, if the same was rejected under the same limits after `since`. What
    /// was rejected before that is tried again: the host may have been busy.
    pub(crate) fn since(
        &self,
        since: Instant,
        key: ContentHash,
        limits: CompileLimits,
    ) -> Option<CompileReport> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.iter()
            .find(|other| (other.key, other.limits) == (key, limits) && other.at > since)
            .map(|found| found.report.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compile::rejected;
    use bytesize::ByteSize;
    use std::time::Duration;

    #[test]
    fn who_waited_is_told_and_who_comes_later_is_not() {
        let rejections = Rejections::default();
        let limits = CompileLimits {
            time: Duration::from_secs(1),
            memory: ByteSize::mib(1),
        };
        let key = |name: &str| ContentHash::of(name.as_bytes());
        let waits = Instant::now();
        rejections.add(key("a"), limits, rejected("too long".to_owned()));
        let told = |since, name, limits| {
            let report = rejections.since(since, key(name), limits);
            report.map(|report| report.output)
        };
        assert_eq!(told(waits, "a", limits).as_deref(), Some("too long"));
        assert_eq!(told(waits, "b", limits), None);
        assert_eq!(told(Instant::now(), "a", limits), None);
        let larger = CompileLimits {
            time: Duration::from_secs(2),
            ..limits
        };
        assert_eq!(told(waits, "a", larger), None);
    }
}
