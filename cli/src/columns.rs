//! How things look in tables for people.

use assize_common::api::JudgementSummary;
use assize_common::message::RunReport;
use assize_common::{Award, GroupScore, SandboxChoice, Score, Verdict};
use bytesize::ByteSize;
use chrono::{DateTime, Local, Utc};
use comfy_table::{CellAlignment, ColumnConstraint, ContentArrangement, Table, presets};

/// An empty table with this header.
pub(crate) fn table<const N: usize>(header: [&str; N]) -> Table {
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Disabled)
        .set_header(header);
    table
}

/// Aligns the columns of numbers.
pub(crate) fn align_right<const N: usize>(table: &mut Table, columns: [usize; N]) {
    for index in columns {
        if let Some(column) = table.column_mut(index) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
}

/// Milliseconds.
pub(crate) fn time(milliseconds: Option<u64>) -> String {
    milliseconds.map_or_else(String::new, |time| format!("{time} ms"))
}

/// Bytes.
pub(crate) fn memory(bytes: Option<u64>) -> String {
    bytes.map_or_else(String::new, |bytes| {
        ByteSize(bytes).display().iec().to_string()
    })
}

/// When, in the time of this host.
pub(crate) fn moment(at: DateTime<Utc>) -> String {
    at.with_timezone(&Local)
        .format("%Y-%m-%d %H:%M:%S")
        .to_string()
}

/// The sandbox and why.
pub(crate) fn sandbox(choice: &SandboxChoice) -> String {
    format!("{} ({})", choice.mode, choice.reason)
}

/// The verdict, or where the judgement is.
pub(crate) fn verdict(judgement: &JudgementSummary) -> String {
    if let Some(verdict) = judgement.verdict {
        return verdict.id().to_owned();
    }
    if judgement.error.is_some() {
        return "JE".to_owned();
    }
    judgement.state.to_string()
}

/// The score, where there is one.
pub(crate) fn score(score: Option<&Score>) -> String {
    score.map_or_else(String::new, ToString::to_string)
}

/// What a validator gave.
pub(crate) fn award(award: &Award) -> String {
    match award {
        Award::Points(points) => points.to_string(),
        Award::Multiplier(part) => format!("× {part}"),
    }
}

/// The scores of groups in one line; none if there are no groups.
pub(crate) fn groups(groups: &[GroupScore]) -> Option<String> {
    let groups: Vec<_> = groups
        .iter()
        .map(|group| format!("{} {}", group.name, group.score))
        .collect();
    (!groups.is_empty()).then(|| groups.join(", "))
}

/// In which earlier judgement a run was made, if in one, and what of it was made anew.
pub(crate) fn taken_over(run: &RunReport) -> String {
    match (run.reused_from, run.validated_again) {
        (Some(judgement), _) => judgement.to_string(),
        (None, Some(again)) => format!(
            "{}, validated again: {} has changed",
            again.output_from,
            again.changed.name()
        ),
        (None, None) => String::new(),
    }
}

/// Leaves a column out whose cells are all empty.
pub(crate) fn hide_if_empty(table: &mut Table, index: usize) {
    let is_empty = table
        .column_cells_iter(index)
        .flatten()
        .all(|cell| cell.content().is_empty());
    if is_empty && let Some(column) = table.column_mut(index) {
        column.set_constraint(ColumnConstraint::Hidden);
    }
}

/// Any of these verdicts.
pub(crate) fn verdicts(verdicts: impl IntoIterator<Item = Verdict>) -> String {
    let ids: Vec<&str> = verdicts.into_iter().map(Verdict::id).collect();
    ids.join("/")
}
