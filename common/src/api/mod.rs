//! Types of the HTTP API under `/api/v1`, shared by the scheduler that serves
//! it and the clients that call it.

mod audit;
mod dead_letter;
mod error;
mod feedback;
mod flag;
mod judgement;
mod lane;
mod pause;
mod problem;
mod provenance;
mod rejudging;
mod review;
mod stop_rule;
mod submission;
mod token;
mod worker;

pub use audit::{AuditHit, AuditHitList, JudgementAudit, Unusual, UnusualCall};
pub use dead_letter::{
    DeadLetter, DeadLetterInfo, DeadLetterList, DeadLetterState, UnknownDeadLetterState,
};
pub use error::ProblemDetails;
pub use feedback::{Feedback, FeedbackPart, TestcaseFeedback, UnknownFeedbackPart};
pub use flag::{
    Escalation, EscalationList, Flag, FlagList, FlagScope, Flagged, NewFlag, UnknownFlagScope,
};
pub use judgement::{Judgement, JudgementState, JudgementSummary};
pub use lane::{LaneInfo, LaneList, PauseLane, PausedLane};
pub use pause::{Pause, PauseList};
pub use problem::{ImportedPackage, Problem, ProblemList, ProblemVersion, ProblemVersionList};
pub use provenance::{JudgementProvenance, JudgementStep, ReusableJudgement};
pub use rejudging::{
    AdminAction, AdminActionList, ApplyRejudging, InvalidPackageChoice, NewRejudging, Overrides,
    PackageChoice, Rejudging, RejudgingList, RejudgingOutcome, RejudgingPreview, RejudgingProgress,
    RejudgingState, ResultChange, ResultChangeList, SelectedGroup, Selection, TakenSubmissions,
    UnknownRejudgingState,
};
pub use review::{
    ContestEffect, FirstSolve, MatrixCell, MemberJudgement, RejudgingMember, RejudgingMemberList,
    RejudgingReview, RepeatedRun, Solve, Standing, TeamEffect, WorkerTimes,
};
pub use stop_rule::{StopRule, StopRuleList, StopRuleScope, UnknownStopRuleScope};
pub use submission::{CancelSubmission, NewFile, NewSubmission, Submission, SubmissionList};
pub use token::{InvalidToken, Scope, Token, UnknownScope};
pub use worker::{
    CanaryInfo, LanguageInfo, LanguageList, Readiness, SetWorkerMode, WorkerInfo, WorkerList,
};
