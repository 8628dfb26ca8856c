//! How things look in tables for people.

use assize_common::api::JudgementSummary;
use assize_common::{SandboxChoice, Verdict};
use bytesize::ByteSize;
use chrono::{DateTime, Local, Utc};
use comfy_table::{CellAlignment, ContentArrangement, Table, presets};

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

/// Any of these verdicts.
pub(crate) fn verdicts(verdicts: impl IntoIterator<Item = Verdict>) -> String {
    let ids: Vec<&str> = verdicts.into_iter().map(Verdict::id).collect();
    ids.join("/")
}
