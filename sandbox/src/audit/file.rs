//! An audit as a file: a line that says so, the summary as compressed JSON, the
//! entries compressed.

use super::entry::Entry;
use super::names::Call;
use super::{Audit, AuditEntry, AuditLevel, AuditLog, CallSummary};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::time::Duration;
use zstd::stream::{read::Decoder, write::Encoder};

const MARK: &[u8] = b"assize audit 1\n";
/// Fast enough for the end of a run, and half the size of level 1.
const LEVEL: i32 = 3;
/// How far back this level looks for what repeats, and the least that is possible, each
/// as a power of two.
const WINDOW_USUAL: u32 = 21;
const WINDOW_MIN: u32 = 10;
/// No summary is larger, whatever a file says.
const SUMMARY_MAX: u64 = 64 << 20;

/// An audit file can't be read.
#[derive(Debug, thiserror::Error)]
#[error("not an audit of this version, or a damaged one")]
pub struct AuditFileError {
    #[source]
    source: io::Error,
}

/// All but the entries.
#[derive(Serialize, Deserialize)]
struct Summary {
    level: AuditLevel,
    observed: bool,
    calls: BTreeMap<String, CallSummary>,
    refused: Vec<AuditEntry>,
    refused_dropped: u64,
    rules: Vec<String>,
    count: u64,
    dropped: u64,
}

impl Audit {
    /// The audit in the form to be stored.
    ///
    /// # Errors
    /// When compressing fails, for want of memory.
    pub fn encode(&self) -> io::Result<Vec<u8>> {
        let summary = Summary {
            level: self.level,
            observed: self.observed,
            calls: self.calls.clone(),
            refused: self.refused.clone(),
            refused_dropped: self.refused_dropped,
            rules: self.log.rules.clone(),
            count: self.log.count,
            dropped: self.log.dropped,
        };
        let summary = zstd::bulk::compress(&serde_json::to_vec(&summary)?, LEVEL)?;
        let length = u32::try_from(summary.len()).map_err(io::Error::other)?;
        Ok([MARK, &length.to_le_bytes(), &summary, &self.log.compressed].concat())
    }

    /// Reads what [`Audit::encode`] has written.
    ///
    /// # Errors
    /// When it is anything else.
    pub fn decode(bytes: &[u8]) -> Result<Self, AuditFileError> {
        decode(bytes).map_err(|source| AuditFileError { source })
    }
}

fn decode(bytes: &[u8]) -> io::Result<Audit> {
    let short = || io::Error::from(io::ErrorKind::UnexpectedEof);
    let rest = bytes.strip_prefix(MARK).ok_or(io::ErrorKind::InvalidData)?;
    let (length, rest) = rest.split_first_chunk().ok_or_else(short)?;
    let length = usize::try_from(u32::from_le_bytes(*length)).map_err(io::Error::other)?;
    let (summary, compressed) = rest.split_at_checked(length).ok_or_else(short)?;
    let mut text = Vec::new();
    Decoder::new(summary)?
        .take(SUMMARY_MAX)
        .read_to_end(&mut text)?;
    let summary: Summary = serde_json::from_slice(&text)?;
    Ok(Audit {
        level: summary.level,
        observed: summary.observed,
        calls: summary.calls,
        refused: summary.refused,
        refused_dropped: summary.refused_dropped,
        log: AuditLog {
            compressed: compressed.to_vec(),
            rules: summary.rules,
            count: summary.count,
            dropped: summary.dropped,
        },
    })
}

/// Takes entries, gives a log.
pub(super) struct Compressor(Encoder<'static, Vec<u8>>, io::Result<()>);

impl Compressor {
    /// For no more than about so many bytes. To clear tables that a long log needs takes
    /// longer than a short run.
    pub(super) fn new(bytes: usize) -> io::Result<Self> {
        let mut encoder = Encoder::new(Vec::new(), LEVEL)?;
        let window = bytes.next_power_of_two().ilog2();
        if window < WINDOW_USUAL {
            encoder.window_log(window.max(WINDOW_MIN))?;
        }
        Ok(Self(encoder, Ok(())))
    }

    pub(super) fn add(&mut self, entry: &[u8]) {
        if self.1.is_ok() {
            self.1 = self.0.write_all(entry);
        }
    }

    pub(super) fn finish(self) -> io::Result<Vec<u8>> {
        self.1?;
        self.0.finish()
    }
}

/// Decompresses bit by bit, so that a log need not be in memory whole.
pub(super) struct Entries<'a> {
    from: Option<Decoder<'static, io::BufReader<&'a [u8]>>>,
    rules: &'a [String],
    waiting: Vec<u8>,
    begun: usize,
}

impl<'a> Entries<'a> {
    pub(super) fn new(compressed: &'a [u8], rules: &'a [String]) -> Self {
        Self {
            from: Decoder::new(compressed).ok(),
            rules,
            waiting: Vec::new(),
            begun: 0,
        }
    }

    fn more(&mut self) -> bool {
        self.waiting.drain(..self.begun);
        self.begun = 0;
        let Some(from) = &mut self.from else {
            return false;
        };
        let chunk = from.by_ref().take(64 * 1024).read_to_end(&mut self.waiting);
        chunk.is_ok_and(|read| read > 0)
    }
}

impl Iterator for Entries<'_> {
    type Item = AuditEntry;

    fn next(&mut self) -> Option<AuditEntry> {
        loop {
            let rest = self.waiting.get(self.begun..).unwrap_or_default();
            if let Some((entry, after)) = Entry::decode(rest) {
                self.begun = self.waiting.len() - after.len();
                return Some(named(entry, self.rules));
            }
            if !self.more() {
                return None;
            }
        }
    }
}

/// An entry with names instead of numbers.
pub(super) fn named(entry: Entry, rules: &[String]) -> AuditEntry {
    let call = Call {
        abi: entry.abi,
        number: entry.number,
    };
    AuditEntry {
        time: Duration::from_micros(entry.time_ns / 1000),
        thread: entry.thread,
        syscall: call.name(),
        arguments: entry.arguments,
        paths: entry
            .paths
            .iter()
            .map(|path| String::from_utf8_lossy(path).into_owned())
            .collect(),
        decision: entry.decision,
        rule: rules
            .get(usize::from(entry.rule))
            .cloned()
            .unwrap_or_default(),
        result: entry.result,
    }
}
