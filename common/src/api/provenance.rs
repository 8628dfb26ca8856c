//! Where a judgement comes from: all that its verdict depends on, to explain it or
//! to have it again.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::JudgementState;
use crate::id::{JudgementId, SubmissionId, WorkerId};
use crate::message::{CompileReport, LimitOverrides, Provenance, RunReport, SourceFile};
use crate::{ContentHash, Lane, SandboxChoice, Scrutiny};

/// Where a judgement comes from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct JudgementProvenance {
    /// The judgement.
    pub judgement_id: JudgementId,
    /// The submission that is judged.
    pub submission_id: SubmissionId,
    /// The problem's short name.
    pub problem: String,
    /// The version of the problem's package.
    pub package_version: u32,
    /// The blob with that version.
    pub package_archive: ContentHash,
    /// The source files, each a blob.
    pub files: Vec<SourceFile>,
    /// The entry point the team named.
    pub entry_point: Option<String>,
    /// The id of the language that it was asked to be judged as.
    pub language: String,
    /// The limits that it was asked to be judged by instead of the package's.
    pub limits: LimitOverrides,
    /// The sandbox and why.
    pub sandbox: SandboxChoice,
    /// What a flag asked for besides ptrace.
    #[serde(default, skip_serializing_if = "Scrutiny::is_none")]
    pub scrutiny: Scrutiny,
    /// The name of the worker of the current attempt.
    pub worker: Option<String>,
    /// What the worker said once it was done; none of judgements before release 0.2.
    pub reported: Option<Provenance>,
    /// What became of it, step by step.
    pub steps: Vec<JudgementStep>,
}

/// What of a judgement may be taken over by a later one of its submission.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ReusableJudgement {
    /// How compiling went, once done.
    pub compile: Option<CompileReport>,
    /// What the worker said it comes from.
    pub provenance: Option<Provenance>,
    /// The runs, in the order of the test cases.
    pub runs: Vec<RunReport>,
    /// The blobs with outputs of them, as far as they are kept.
    #[serde(default)]
    pub outputs: Vec<ContentHash>,
}

/// A step in the life of a judgement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct JudgementStep {
    /// When.
    pub at: DateTime<Utc>,
    /// The attempt it is about.
    pub attempt: u32,
    /// What the judgement became.
    pub state: JudgementState,
    /// The lane it was in then.
    pub lane: Lane,
    /// The worker that had it then.
    pub worker_id: Option<WorkerId>,
    /// Why, where something went wrong.
    pub reason: Option<String>,
}
