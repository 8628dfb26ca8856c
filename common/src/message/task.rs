//! The task: asks a worker for one attempt at a judgement.

use serde::{Deserialize, Serialize};

use super::Ticket;
use crate::id::{JudgementId, SubmissionId};
use crate::{ContentHash, Lane, SandboxChoice};

/// Asks for one attempt. Carries references only: packages and sources are
/// fetched by hash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    /// The judgement.
    pub judgement_id: JudgementId,
    /// The attempt, counted from 1. A report of another attempt than the
    /// current one moves nothing.
    pub attempt: u32,
    /// The submission that is judged.
    pub submission_id: SubmissionId,
    /// The lane the task travels in.
    pub lane: Lane,
    /// The content hash of the problem package's zip.
    pub package: ContentHash,
    /// The id of the language table's entry.
    pub language: String,
    /// The source files.
    pub files: Vec<SourceFile>,
    /// The entry point the team named, for languages that have one.
    pub entry_point: Option<String>,
    /// The sandbox and why.
    pub sandbox: SandboxChoice,
    /// What reports on the attempt must show. Schedulers of before 0.2 give none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket: Option<Ticket>,
}

/// One source file of a submission.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceFile {
    /// The file name, without directories.
    pub name: String,
    /// The hash of the content.
    pub sha256: ContentHash,
    /// The size of the content.
    pub size_bytes: u64,
}
