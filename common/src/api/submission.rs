//! Submissions.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::JudgementSummary;
use crate::SandboxMode;
use crate::base64_content;
use crate::id::SubmissionId;
use crate::language::NO_LANGUAGE;

/// A new submission.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSubmission {
    /// The problem's short name.
    pub problem: String,
    /// The id of an enabled language, such as `cpp20`; left out where outputs are submitted.
    #[serde(default = "no_language")]
    pub language: String,
    /// The source files or outputs, at least one.
    pub files: Vec<NewFile>,
    /// The entry point, for languages that have one; without it the language's rule applies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entry_point: Option<String>,
    /// The contest it belongs to, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contest: Option<String>,
    /// Who sent it, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
    /// A sandbox asked for explicitly (admins only).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sandbox: Option<SandboxMode>,
    /// Why the submission is suspicious, which sends it to ptrace (admins only).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flag: Option<String>,
}

fn no_language() -> String {
    NO_LANGUAGE.to_owned()
}

/// A source file or output of a new submission.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewFile {
    /// The file name; of a source file without directories.
    pub name: String,
    /// The content, base64.
    #[serde(rename = "content_base64", with = "base64_content")]
    #[schema(value_type = String, format = Byte)]
    pub content: Vec<u8>,
}

/// Ends the judging of a submission.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CancelSubmission {
    /// Why, for other admins.
    pub reason: String,
}

/// A stored submission.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Submission {
    /// The submission's id.
    pub id: SubmissionId,
    /// The problem's short name.
    pub problem: String,
    /// The language's id; `none` for outputs.
    pub language: String,
    /// The contest it belongs to, if any.
    pub contest: Option<String>,
    /// Who sent it, if known.
    pub team: Option<String>,
    /// Why it is flagged, if it is.
    pub flag: Option<String>,
    /// The names of its source files.
    pub files: Vec<String>,
    /// When it was stored.
    pub submitted_at: DateTime<Utc>,
    /// The judgement that counts.
    pub judgement: JudgementSummary,
}

/// A page of submissions, the newest first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SubmissionList {
    /// The submissions.
    pub submissions: Vec<Submission>,
    /// Pass this as `cursor` for the next page; absent on the last one.
    pub next: Option<String>,
}
