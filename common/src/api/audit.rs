//! Audits: what the tracer saw.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::id::{JudgementId, SubmissionId};
use crate::message::{AuditedCall, RunAudit};
use crate::{Scrutiny, Verdict};

/// The audits of a judgement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct JudgementAudit {
    /// The judgement.
    pub judgement_id: JudgementId,
    /// The submission that was judged.
    pub submission_id: SubmissionId,
    /// The problem's short name.
    pub problem: String,
    /// The language's id.
    pub language: String,
    /// What a flag asked for besides ptrace.
    #[serde(default, skip_serializing_if = "Scrutiny::is_none")]
    pub scrutiny: Scrutiny,
    /// The audits that are stored, in the order of the runs.
    pub runs: Vec<RunAudit>,
    /// The calls of all runs, alike ones once; refused calls first.
    pub calls: Vec<AuditedCall>,
    /// Different calls beyond those.
    pub calls_dropped: u64,
    /// What accepted submissions do not do.
    pub unusual: Unusual,
}

/// What a judgement did that accepted submissions do not do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Unusual {
    /// How many accepted submissions it is compared with: of other teams, audited, in the same language.
    pub baseline: u64,
    /// Whether these are to the same problem; to any, when there are too few.
    pub same_problem: bool,
    /// Calls that none of them made, or not nearly as often.
    pub calls: Vec<UnusualCall>,
}

/// A call that stands out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UnusualCall {
    /// The call.
    #[serde(flatten)]
    pub call: AuditedCall,
    /// The most that an accepted submission made of it; none made it if zero.
    pub most_times: u64,
}

/// What a search of audits found, the newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AuditHitList {
    /// The calls.
    pub hits: Vec<AuditHit>,
    /// Whether there are more than were asked for.
    pub more: bool,
}

/// A call that a search found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AuditHit {
    /// The submission that made it.
    pub submission_id: SubmissionId,
    /// The judgement in which it did.
    pub judgement_id: JudgementId,
    /// The problem's short name.
    pub problem: String,
    /// The language's id.
    pub language: String,
    /// Who sent the submission, if known.
    pub team: Option<String>,
    /// The verdict of the judgement.
    pub verdict: Option<Verdict>,
    /// When the judgement ended.
    pub finished_at: DateTime<Utc>,
    /// The call.
    #[serde(flatten)]
    pub call: AuditedCall,
}
