//! Refusals about rejudgings, in words for admins.

use assize_common::api::TakenSubmissions;
use assize_common::id::RejudgingId;

use super::error::{ApiError, ErrorKind};
use crate::filter::InvalidFilter;
use crate::store::{PackageProblem, SwitchRefusal};

impl From<InvalidFilter> for ApiError {
    fn from(error: InvalidFilter) -> Self {
        Self::new(ErrorKind::InvalidField, format!("filter: {error}")).in_field("filter")
    }
}

/// A selection that means nothing.
pub(super) fn nothing_selected() -> ApiError {
    ApiError::new(
        ErrorKind::NothingSelected,
        "no submission is selected, or all of them are in other open rejudgings",
    )
}

/// A package version that can't be used.
pub(super) fn of_package(problem: PackageProblem) -> ApiError {
    let detail = match problem {
        PackageProblem::NoSuchVersion => "package: the problem has no such version",
        PackageProblem::SeveralProblems => {
            "package: a version's number is for submissions to one problem, and several are selected: \
             select by problem, or choose current or as-judged"
        }
    };
    ApiError::new(ErrorKind::InvalidField, detail).in_field("package")
}

/// Submissions that other open rejudgings have.
pub(super) fn taken(taken: &[TakenSubmissions]) -> ApiError {
    ApiError::new(
        ErrorKind::SubmissionsTaken,
        format!(
            "other open rejudgings have some of these submissions: {}; apply or cancel them first, \
             or leave out what they have with skip_taken",
            listed(taken)
        ),
    )
}

/// Why a rejudging was not applied, cancelled or undone.
pub(super) fn refused(id: RejudgingId, refusal: &SwitchRefusal) -> ApiError {
    match refusal {
        SwitchRefusal::NotFound => ApiError::not_found("rejudging", id),
        SwitchRefusal::Closed(state) => ApiError::new(
            ErrorKind::RejudgingClosed,
            format!("rejudging {id} is {state}: that can't be done to it any more"),
        ),
        SwitchRefusal::Unfinished(submissions) => ApiError::new(
            ErrorKind::RejudgingUnfinished,
            format!(
                "{submissions} of its submissions are not judged, or their judging failed: wait for them, \
                 or apply the others with finished_only"
            ),
        ),
        SwitchRefusal::Nothing => ApiError::new(
            ErrorKind::NothingSelected,
            "none of its open submissions is both meant and judged",
        ),
        SwitchRefusal::Superseded(others) => ApiError::new(
            ErrorKind::RejudgingSuperseded,
            format!(
                "other rejudgings build on its results: {}; undo or cancel them first",
                listed(others)
            ),
        ),
    }
}

fn listed(taken: &[TakenSubmissions]) -> String {
    let one = |taken: &TakenSubmissions| {
        format!(
            "{} ({}: {} submissions)",
            taken.rejudging_id, taken.reason, taken.submissions
        )
    };
    let all: Vec<String> = taken.iter().map(one).collect();
    all.join(", ")
}
