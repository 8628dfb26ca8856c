//! The task: asks a worker for one attempt at a judgement.

use std::time::Duration;

use bytesize::ByteSize;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Ticket;
use crate::id::{JudgementId, SubmissionId, WorkerId};
use crate::package::Limits;
use crate::{ContentHash, Lane, SandboxChoice, Scrutiny, Stop};

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
    /// Limits other than the package's.
    #[serde(default, skip_serializing_if = "LimitOverrides::is_none")]
    pub limits: LimitOverrides,
    /// When judging ends; as the package's format has it if `None`. A worker of the
    /// release before does not know of it and ends as early as it can.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop: Option<Stop>,
    /// What a flag asks for besides. A worker of the release before does not know
    /// of it and judges without.
    #[serde(default, skip_serializing_if = "Scrutiny::is_none")]
    pub scrutiny: Scrutiny,
    /// A judgement of the submission whose results may be taken over where nothing
    /// that determines them has changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub earlier: Option<JudgementId>,
    /// Workers that give it back, since others can judge it: an attempt of theirs has
    /// failed, or it is theirs that is to be confirmed. A worker of the release before does not know of
    /// it and judges.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub avoid: Vec<WorkerId>,
    /// Workers that were lost at earlier attempts. One of the release before does not know of it.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub losses: u32,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
const fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// Limits to judge by instead of the package's; those that are not there stay. A
/// worker that does not know one of them must not judge without it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LimitOverrides {
    /// CPU time of a run, before the language stretches it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1)]
    pub time_ms: Option<u64>,
    /// Memory of a run, without what the language adds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1)]
    pub memory_bytes: Option<u64>,
}

impl LimitOverrides {
    /// Whether nothing is overridden.
    #[must_use]
    pub const fn is_none(&self) -> bool {
        self.time_ms.is_none() && self.memory_bytes.is_none()
    }

    /// The limits with these in their place.
    #[must_use]
    pub fn over(&self, limits: &Limits) -> Limits {
        let mut limits = limits.clone();
        if let Some(time) = self.time_ms {
            limits.time_limit = Duration::from_millis(time);
        }
        if let Some(memory) = self.memory_bytes {
            limits.memory = ByteSize(memory);
        }
        limits
    }
}

/// One source file of a submission.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SourceFile {
    /// The file name, without directories.
    pub name: String,
    /// The hash of the content.
    pub sha256: ContentHash,
    /// The size of the content.
    pub size_bytes: u64,
}
