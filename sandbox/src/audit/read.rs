//! Reading what the tracer has left in its memory, after the run.

use super::entry::Entry;
use super::file::{self, named};
use super::names::{NUMBER_END, native_name};
use super::space::{
    Area, CALL, CALLS, CALLS_END, CHARGE, REFUSED, REFUSED_DROPPED, REFUSED_END, REFUSED_USED,
    SEGMENT, SEGMENT_STATE, SEGMENT_STATES, SEGMENTS, STOPS,
};
use super::{Audit, AuditLevel, AuditLog, CallSummary};
use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::time::Duration;

/// CPU time that the program has been charged for tracing so far; also while
/// it runs.
pub(crate) fn charged(space: &File) -> io::Result<Duration> {
    let head = words(space, 0, CHARGE + 1)?;
    let number = |at: usize| head.get(at).copied().unwrap_or_default();
    Ok(Duration::from_nanos(
        number(STOPS).saturating_mul(number(CHARGE)),
    ))
}

/// The audit of a run that is over. `rules` are the policy's ids by index.
pub(crate) fn read(
    space: &File,
    level: AuditLevel,
    observed: bool,
    rules: Vec<String>,
) -> io::Result<Audit> {
    let head = words(space, 0, REFUSED)?;
    let number = |at: usize| head.get(at).copied().unwrap_or_default();
    let size = |at: usize| usize::try_from(number(at)).unwrap_or(usize::MAX);

    let used = size(REFUSED_USED).min(REFUSED_END - REFUSED);
    let mut refused = Vec::new();
    for_each_entry(&words(space, REFUSED, used)?, |bytes| {
        refused.extend(Entry::decode(bytes).map(|(entry, _)| named(entry, &rules)));
    });
    Ok(Audit {
        level,
        observed,
        calls: calls(number),
        refused,
        refused_dropped: number(REFUSED_DROPPED),
        log: log(space, Area::of(level), rules, number)?,
    })
}

fn calls(number: impl Fn(usize) -> u64) -> BTreeMap<String, CallSummary> {
    let mut calls = BTreeMap::new();
    for call in 0..CALLS_END {
        let at = CALLS + call * CALL;
        if number(at) == 0 {
            continue;
        }
        let name = if call == NUMBER_END {
            "unknown".to_owned()
        } else {
            native_name(call)
        };
        let summary = CallSummary {
            count: number(at),
            refused: number(at + 1),
            failed: number(at + 2),
            // As it is stored.
            first: Duration::from_micros(number(at + 3) / 1000),
            last: Duration::from_micros(number(at + 4) / 1000),
        };
        calls.insert(name, summary);
    }
    calls
}

fn log(
    space: &File,
    area: Area,
    rules: Vec<String>,
    number: impl Fn(usize) -> u64,
) -> io::Result<AuditLog> {
    if area.segment_words == 0 {
        return Ok(AuditLog::default());
    }
    let last = usize::try_from(number(SEGMENT)).unwrap_or_default();
    let first = (last + 1).saturating_sub(SEGMENTS);
    let (mut count, mut written) = (0, 0);
    let state = |sequence: usize| SEGMENT_STATES + sequence % SEGMENTS * SEGMENT_STATE;
    let used = |sequence: usize| {
        let used = usize::try_from(number(state(sequence))).unwrap_or_default();
        used.min(area.segment_words)
    };
    let all: usize = (first..=last).map(used).sum();
    let mut compressor = file::Compressor::new(all * size_of::<u64>())?;
    for sequence in first..=last {
        written += number(state(sequence) + 1);
        let words = words(space, area.segment(sequence % SEGMENTS), used(sequence))?;
        for_each_entry(&words, |bytes| {
            count += 1;
            compressor.add(bytes);
        });
    }
    Ok(AuditLog {
        compressed: compressor.finish()?,
        rules,
        count,
        dropped: written - count.min(written),
    })
}

/// Calls with the bytes of each entry; stops at anything malformed.
fn for_each_entry(words: &[u64], mut each: impl FnMut(&[u8])) {
    let mut rest = words;
    while let Some((length, after)) = rest.split_first() {
        let length = usize::try_from(*length).unwrap_or(usize::MAX);
        let Some((entry, after)) = after.split_at_checked(length.div_ceil(8)) else {
            return;
        };
        let bytes: Vec<u8> = entry.iter().flat_map(|word| word.to_ne_bytes()).collect();
        each(bytes.get(..length).unwrap_or_default());
        rest = after;
    }
}

fn words(space: &File, at: usize, count: usize) -> io::Result<Vec<u64>> {
    let mut bytes = vec![0; count * 8];
    space.read_exact_at(&mut bytes, (at * 8) as u64)?;
    let words = bytes.as_chunks().0;
    Ok(words.iter().map(|word| u64::from_ne_bytes(*word)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::{Abi, Decision, Space};
    use std::os::fd::AsFd;

    #[test]
    fn ring_keeps_the_end_and_counts_the_rest() {
        let file = tempfile::tempfile().unwrap();
        file.set_len(Area::of(AuditLevel::Decisions).bytes() as u64)
            .unwrap();
        let mut space = Space::map(file.as_fd(), AuditLevel::Decisions).unwrap();
        let total = 400_000;
        for time in 1..=total {
            let entry = Entry {
                time_ns: time * 1000,
                thread: 2,
                abi: Abi::Native,
                number: 257,
                arguments: [3, 0x7fff_1234_5678, 0, 0, 0, 0],
                decision: Decision::Allow,
                rule: 0,
                result: Some(-2),
                paths: vec![vec![b'a'; usize::try_from(time % 40).unwrap()]],
            };
            space.record(&entry);
        }
        let audit = read(&file, AuditLevel::Decisions, false, vec!["rule".to_owned()]).unwrap();
        assert_eq!(audit.log.len() + audit.log.dropped(), total);
        assert!(audit.log.len() > 50_000 && audit.log.dropped() > 50_000);
        let mut expected = audit.log.dropped();
        for entry in audit.log.entries() {
            expected += 1;
            assert_eq!(entry.time, Duration::from_micros(expected));
            assert_eq!(entry.paths.first().unwrap().len() as u64, expected % 40);
            assert_eq!(
                (entry.syscall.as_str(), entry.rule.as_str()),
                ("openat", "rule")
            );
        }
        assert_eq!(expected, total);
    }
}
