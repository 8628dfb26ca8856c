//! The audits of a judgement. Each is written to a file when its run ends, so that only
//! those of programs that run are in memory, however many test cases there are.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use assize_sandbox::Audit;

use crate::judging_error::JudgingError;

/// Bytes of whole audits that are kept of one judgement, compressed; a program that does
/// little is at some kilobytes for each run. After so many they are cut short.
const WHOLE_MAX: u64 = 64 << 20;
/// Refused calls that are left of one then: the last ones, because one of them may have
/// ended the run.
const REFUSED_KEPT: usize = 64;

/// What the tracer saw of one run.
#[derive(Debug, Clone)]
pub struct AuditedRun {
    /// The test case.
    pub testcase: String,
    /// Counted from 1: the validator may have wanted several passes.
    pub pass: u32,
    /// What it saw.
    pub audit: Audit,
}

/// The same, as it is stored.
#[derive(Debug, Clone)]
pub struct EncodedAudit {
    /// The test case.
    pub testcase: String,
    /// Counted from 1.
    pub pass: u32,
    /// What [`Audit::encode`] has made of it.
    pub bytes: Vec<u8>,
}

impl EncodedAudit {
    /// In the form to be looked at.
    ///
    /// # Errors
    /// When the bytes are not those that were written.
    pub fn decode(&self) -> io::Result<AuditedRun> {
        Ok(AuditedRun {
            testcase: self.testcase.clone(),
            pass: self.pass,
            audit: Audit::decode(&self.bytes).map_err(io::Error::other)?,
        })
    }
}

/// The audits of all runs, in the order of the runs; none but under ptrace.
#[derive(Debug, Clone, Default)]
pub struct Audits {
    file: Option<Arc<File>>,
    runs: Vec<Run>,
}

#[derive(Debug, Clone)]
struct Run {
    testcase: String,
    pass: u32,
    kept: KeptAudit,
}

impl Audits {
    /// Runs that have one.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.runs.len()
    }

    /// Whether no run has one.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// Reads them, one after the other. An error is the disk's.
    pub fn iter(&self) -> impl Iterator<Item = io::Result<EncodedAudit>> {
        self.runs.iter().map(|run| {
            let mut bytes = vec![0; run.kept.size];
            let file = self.file.as_ref().ok_or(io::ErrorKind::NotFound)?;
            file.read_exact_at(&mut bytes, run.kept.at)?;
            Ok(EncodedAudit {
                testcase: run.testcase.clone(),
                pass: run.pass,
                bytes,
            })
        })
    }

    pub(crate) fn add(&mut self, testcase: &str, kept: impl IntoIterator<Item = KeptAudit>) {
        let runs = (1..).zip(kept).map(|(pass, kept)| Run {
            testcase: testcase.to_owned(),
            pass,
            kept,
        });
        self.runs.extend(runs);
    }
}

/// Where an audit is in the file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct KeptAudit {
    at: u64,
    size: usize,
}

/// Writes the audits of one judgement, also from several threads.
#[derive(Debug)]
pub(crate) struct AuditWriter<'a> {
    scratch: &'a Path,
    written: Mutex<Written>,
    whole_max: u64,
}

#[derive(Debug, Default)]
struct Written {
    file: Option<File>,
    end: u64,
}

impl<'a> AuditWriter<'a> {
    /// The file is made in `scratch`, when there is something to write.
    pub(crate) fn new(scratch: &'a Path) -> Self {
        Self {
            scratch,
            written: Mutex::default(),
            whole_max: WHOLE_MAX,
        }
    }

    pub(crate) fn keep(&self, mut audit: Audit) -> Result<KeptAudit, JudgingError> {
        if self.written().end >= self.whole_max {
            audit.shorten(REFUSED_KEPT);
        }
        let encoded = audit.encode();
        encoded
            .and_then(|bytes| self.written().append(&bytes, self.scratch))
            .map_err(JudgingError::disk("write an audit in", self.scratch))
    }

    /// With what was kept in it, the file is read by this.
    pub(crate) fn into_audits(self, mut audits: Audits) -> Audits {
        let written = self.written.into_inner();
        let written = written.unwrap_or_else(PoisonError::into_inner);
        audits.file = written.file.map(Arc::new);
        audits
    }

    fn written(&self) -> std::sync::MutexGuard<'_, Written> {
        // What was written half is not known to anybody.
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Written {
    fn append(&mut self, bytes: &[u8], scratch: &Path) -> io::Result<KeptAudit> {
        let file = match &self.file {
            Some(file) => file,
            None => self.file.insert(tempfile::tempfile_in(scratch)?),
        };
        file.write_all_at(bytes, self.end)?;
        let kept = KeptAudit {
            at: self.end,
            size: bytes.len(),
        };
        self.end += bytes.len() as u64;
        Ok(kept)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use assize_sandbox::{AuditEntry, AuditLevel, AuditLog, Decision};
    use std::collections::BTreeMap;
    use std::time::Duration;

    fn audit(refused: usize) -> Audit {
        let entry = |number: usize| AuditEntry {
            time: Duration::from_micros(number as u64),
            thread: 2,
            syscall: "openat".to_owned(),
            arguments: [0; 6],
            paths: vec![format!("/no/{number}")],
            decision: Decision::Deny { errno: 13 },
            rule: "look-around".to_owned(),
            result: None,
        };
        Audit {
            level: AuditLevel::Summary,
            observed: false,
            calls: BTreeMap::default(),
            refused: (0..refused).map(entry).collect(),
            refused_dropped: 0,
            log: AuditLog::default(),
        }
    }

    #[test]
    fn what_is_kept_is_read_again_in_the_order_of_the_runs() {
        let scratch = tempfile::tempdir().unwrap();
        let writer = AuditWriter::new(scratch.path());
        let kept: Vec<_> = (1..4)
            .map(|refused| writer.keep(audit(refused)).unwrap())
            .collect();
        let mut audits = Audits::default();
        audits.add("secret/1", [kept[2], kept[0]]);
        audits.add("secret/2", [kept[1]]);
        let audits = writer.into_audits(audits);
        let read: Vec<_> = audits
            .iter()
            .map(|run| {
                let run = run.unwrap().decode().unwrap();
                (run.testcase, run.pass, run.audit.refused.len())
            })
            .collect();
        let first = "secret/1".to_owned();
        assert_eq!(
            read,
            [
                (first.clone(), 1, 3),
                (first, 2, 1),
                ("secret/2".to_owned(), 1, 2)
            ]
        );
    }

    #[test]
    fn after_too_many_only_the_ends_are_kept() {
        let scratch = tempfile::tempdir().unwrap();
        let mut writer = AuditWriter::new(scratch.path());
        writer.whole_max = 1;
        let kept = [writer.keep(audit(200)), writer.keep(audit(200))].map(Result::unwrap);
        let mut audits = Audits::default();
        audits.add("secret/1", kept);
        let audits: Vec<_> = writer
            .into_audits(audits)
            .iter()
            .map(|run| run.unwrap().decode().unwrap().audit)
            .collect();
        assert_eq!(
            (audits[0].refused.len(), audits[0].refused_dropped),
            (200, 0)
        );
        assert_eq!(audits[1].refused.len(), REFUSED_KEPT);
        assert_eq!(audits[1].refused_dropped, 200 - REFUSED_KEPT as u64);
        assert_eq!(audits[1].refused.last(), audits[0].refused.last());
    }
}
