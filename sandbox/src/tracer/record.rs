//! What is kept of the calls that stopped.

use super::calls;
use crate::audit::{Audit, Refused};
use crate::sys::ptrace::StoppedCall;
use std::collections::BTreeMap;

/// Refused calls kept whole; a program can make them for ever.
const REFUSED_MAX: usize = 1000;

#[derive(Debug, Default)]
pub(super) struct Record {
    /// By number. Numbers that no call has are counted together, or a program
    /// could fill our memory with them.
    counts: BTreeMap<Option<i64>, (StoppedCall, u64)>,
    refused: Vec<Refused>,
    refused_dropped: u64,
}

impl Record {
    pub(super) fn count(&mut self, call: &StoppedCall) {
        let key = calls::native_number(call);
        self.counts.entry(key).or_insert((*call, 0)).1 += 1;
    }

    pub(super) fn refused(&mut self, refused: Refused) {
        if self.refused.len() < REFUSED_MAX {
            self.refused.push(refused);
        } else {
            self.refused_dropped += 1;
        }
    }

    pub(super) fn into_audit(self) -> Audit {
        Audit {
            counts: self
                .counts
                .into_iter()
                .map(|(number, (call, times))| {
                    let name = match number {
                        Some(_) => calls::name(&call),
                        None => "unknown".to_owned(),
                    };
                    (name, times)
                })
                .collect(),
            refused: self.refused,
            refused_dropped: self.refused_dropped,
        }
    }
}
