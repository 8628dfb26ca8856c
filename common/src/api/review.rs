//! What a rejudging would change, or changed.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::id::{JudgementId, SubmissionId};
use crate::{Score, Verdict};

/// What a rejudging would change, or changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RejudgingReview {
    /// Submissions it is about.
    pub submissions: u64,
    /// Those whose result or score is another one.
    pub changed: u64,
    /// How many have which result before and after, the largest number first.
    pub matrix: Vec<MatrixCell>,
    /// What it means for contests.
    pub contests: Vec<ContestEffect>,
    /// How long its judgements took by worker, beside those before. Only those with the same verdict count.
    pub workers: Vec<WorkerTimes>,
    /// Test cases whose verdict differs between repetitions, at most 1000.
    pub flaky: Vec<RepeatedRun>,
    /// The ten test cases whose CPU time differs most between repetitions.
    pub spread: Vec<RepeatedRun>,
}

/// Submissions with the same results before and after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MatrixCell {
    /// A verdict, `JE`, or `open` while there is none.
    pub old_result: String,
    /// The same, of the new judgement.
    pub new_result: String,
    /// How many they are.
    pub submissions: u64,
}

/// What a rejudging means for a contest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ContestEffect {
    /// The contest.
    pub contest: String,
    /// From when on penalties count.
    pub starts_at: DateTime<Utc>,
    /// Teams whose standing is another one, by their new rank.
    pub teams: Vec<TeamEffect>,
    /// Problems that another team solved first.
    pub first_solves: Vec<FirstSolve>,
}

/// What a rejudging means for a team.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TeamEffect {
    /// The team.
    pub team: String,
    /// How it stands without the rejudging.
    pub before: Standing,
    /// How it stands with it.
    pub after: Standing,
    /// Its own submissions whose result changes; with none, only its rank does.
    pub changed: u64,
}

/// How a team stands, by the rules of the ICPC.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Standing {
    /// Counted from 1; teams that are alike share it.
    pub rank: u64,
    /// Problems solved.
    pub solved: u64,
    /// Minutes until each solved problem, and 20 for each rejected submission before.
    pub penalty_minutes: u64,
    /// The sum of its best scores by problem, where problems give scores.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<Score>,
}

/// Who solved a problem first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FirstSolve {
    /// The problem's short name.
    pub problem: String,
    /// Without the rejudging.
    pub before: Option<Solve>,
    /// With it.
    pub after: Option<Solve>,
}

/// An accepted submission.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Solve {
    /// Who sent it.
    pub team: String,
    /// The submission.
    pub submission_id: SubmissionId,
    /// When.
    pub submitted_at: DateTime<Utc>,
}

/// How long judgements took at a worker.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct WorkerTimes {
    /// The worker's name.
    pub worker: String,
    /// New judgements that have the same verdict as before.
    pub judgements: u64,
    /// The mean of their largest CPU times before.
    pub old_mean_ms: f64,
    /// The same now.
    pub new_mean_ms: f64,
}

/// A test case of a submission that was judged several times.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RepeatedRun {
    /// The submission.
    pub submission_id: SubmissionId,
    /// The test case's name.
    pub testcase: String,
    /// Its verdicts, one for each repetition that came so far.
    pub verdicts: Vec<Verdict>,
    /// The smallest CPU time.
    pub min_cpu_time_ms: u64,
    /// The largest CPU time.
    pub max_cpu_time_ms: u64,
}

/// A submission of a rejudging, before and after.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RejudgingMember {
    /// The submission.
    pub submission_id: SubmissionId,
    /// The contest it belongs to, if any.
    pub contest: Option<String>,
    /// Who sent it, if known.
    pub team: Option<String>,
    /// The problem's short name.
    pub problem: String,
    /// The language's id.
    pub language: String,
    /// When it was submitted.
    pub submitted_at: DateTime<Utc>,
    /// The judgement that counted when the rejudging was made.
    pub old: MemberJudgement,
    /// The new one; absent until it is asked for.
    pub new: Option<MemberJudgement>,
}

/// A judgement of a rejudging's submission.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct MemberJudgement {
    /// The judgement's id, which leads to its runs.
    pub id: JudgementId,
    /// A verdict, `JE`, or `open` while there is none.
    pub result: String,
    /// The score, in problems that give one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<Score>,
    /// The largest CPU time of its runs.
    pub max_cpu_time_ms: Option<u64>,
    /// The largest memory peak of its runs.
    pub max_memory_bytes: Option<u64>,
}

/// A page of a rejudging's submissions, in the order in which they came.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RejudgingMemberList {
    /// The submissions.
    pub members: Vec<RejudgingMember>,
    /// Pass this as `cursor` for the next page; absent on the last one.
    pub next: Option<SubmissionId>,
}
