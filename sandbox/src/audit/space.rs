//! The memory that the tracer records in: shared with the host, so that what
//! was seen is there however the run ends.
//!
//! Everything is words of 64 bits. First numbers at fixed places, then room
//! for refused calls, then a ring of segments: when the last one is full, the
//! oldest is written anew.

use super::entry::Entry;
use super::names::NUMBER_END;
use super::{AuditLevel, Decision};
use crate::sys::shared::Shared;
use std::io;
use std::os::fd::BorrowedFd;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

/// Where a number is.
pub(super) const STOPS: usize = 0;
pub(super) const REFUSED_USED: usize = 1;
pub(super) const REFUSED_DROPPED: usize = 2;
/// Nanoseconds that a stop costs the program.
pub(super) const CHARGE: usize = 4;
/// Segments begun so far, less one.
pub(super) const SEGMENT: usize = 3;
/// Per segment: words used, entries.
pub(super) const SEGMENT_STATES: usize = 16;
pub(super) const SEGMENT_STATE: usize = 2;
/// Per system call: five numbers, as in [`super::CallSummary`].
pub(super) const CALLS: usize = 64;
pub(super) const CALL: usize = 5;
/// Calls of the machine's own, then all that are none.
pub(super) const CALLS_END: usize = NUMBER_END + 1;

pub(super) const REFUSED: usize = 4096;
pub(super) const REFUSED_END: usize = REFUSED + 64 * 1024;
pub(super) const SEGMENTS: usize = 8;

/// How large the parts are at a level.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Area {
    pub(super) segment_words: usize,
}

impl Area {
    pub(crate) const fn of(level: AuditLevel) -> Self {
        // 4 MiB of decisions, 32 MiB of everything; 40 bytes are typical.
        let segment_words = match level {
            AuditLevel::Summary => 0,
            AuditLevel::Decisions => 64 * 1024,
            AuditLevel::Full => 512 * 1024,
        };
        Self { segment_words }
    }

    pub(crate) const fn bytes(self) -> usize {
        (REFUSED_END + SEGMENTS * self.segment_words) * size_of::<u64>()
    }

    pub(super) const fn segment(self, index: usize) -> usize {
        REFUSED_END + index * self.segment_words
    }
}

/// The tracer's end of it.
#[derive(Debug)]
pub(crate) struct Space {
    memory: Shared,
    area: Area,
    buffer: Vec<u8>,
}

impl Space {
    pub(crate) fn map(file: BorrowedFd<'_>, level: AuditLevel) -> io::Result<Self> {
        let area = Area::of(level);
        Ok(Self {
            memory: Shared::map(file, area.bytes())?,
            area,
            buffer: Vec::new(),
        })
    }

    /// Says what a stop costs the program.
    pub(crate) fn set_charge(&self, per_stop: Duration) {
        self.set(CHARGE, u64::try_from(per_stop.as_nanos()).unwrap_or(0));
    }

    /// Counts a stop; how many there were before.
    pub(crate) fn count_stop(&self) -> u64 {
        self.add(STOPS, 1)
    }

    /// Counts a call that has been decided.
    pub(crate) fn count_call(&self, number: Option<usize>, time_ns: u64, decision: Decision) {
        let at = CALLS + number.unwrap_or(NUMBER_END) * CALL;
        if self.add(at, 1) == 0 {
            self.set(at + 3, time_ns);
        }
        self.set(at + 4, time_ns);
        if decision != Decision::Allow {
            self.add(at + 1, 1);
        }
    }

    pub(crate) fn count_failure(&self, number: Option<usize>) {
        self.add(CALLS + number.unwrap_or(NUMBER_END) * CALL + 2, 1);
    }

    /// Records a refused call, unless there are too many.
    pub(crate) fn record_refused(&mut self, entry: &Entry) {
        let words = self.encode(entry);
        let used = self.get(REFUSED_USED);
        if REFUSED + used + words > REFUSED_END {
            self.add(REFUSED_DROPPED, 1);
            return;
        }
        self.put(REFUSED + used);
        self.add(REFUSED_USED, words as u64);
    }

    /// Records any call.
    pub(crate) fn record(&mut self, entry: &Entry) {
        let words = self.encode(entry);
        let mut sequence = self.get(SEGMENT);
        let mut state = SEGMENT_STATES + sequence % SEGMENTS * SEGMENT_STATE;
        if self.get(state) + words > self.area.segment_words {
            sequence += 1;
            state = SEGMENT_STATES + sequence % SEGMENTS * SEGMENT_STATE;
            self.set(SEGMENT, sequence as u64);
            self.set(state, 0);
            // Not the entries: from them follows how many are lost.
        }
        let used = self.get(state);
        self.put(self.area.segment(sequence % SEGMENTS) + used);
        self.add(state, words as u64);
        self.add(state + 1, 1);
    }

    /// Leaves the entry in the buffer, its length before it; returns its size.
    fn encode(&mut self, entry: &Entry) -> usize {
        self.buffer.clear();
        self.buffer.extend([0; 8]);
        entry.encode(&mut self.buffer);
        let length = self.buffer.len() as u64 - 8;
        if let Some(start) = self.buffer.first_chunk_mut() {
            *start = length.to_ne_bytes();
        }
        let whole = self.buffer.len().next_multiple_of(8);
        self.buffer.resize(whole, 0);
        whole / 8
    }

    fn put(&self, at: usize) {
        let words = self.memory.words().get(at..).unwrap_or_default();
        for (word, bytes) in words.iter().zip(self.buffer.as_chunks().0) {
            word.store(u64::from_ne_bytes(*bytes), Relaxed);
        }
    }

    fn get(&self, at: usize) -> usize {
        let word = self.memory.words().get(at);
        word.map_or(0, |word| word.load(Relaxed))
            .try_into()
            .unwrap_or(usize::MAX)
    }

    fn set(&self, at: usize, value: u64) {
        if let Some(word) = self.memory.words().get(at) {
            word.store(value, Relaxed);
        }
    }

    fn add(&self, at: usize, more: u64) -> u64 {
        let word = self.memory.words().get(at);
        word.map_or(0, |word| word.fetch_add(more, Relaxed))
    }
}
