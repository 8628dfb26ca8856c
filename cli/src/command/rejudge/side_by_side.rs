//! The runs of two judgements of a submission, side by side.

use std::collections::BTreeMap;

use assize_common::api::Judgement;
use assize_common::message::RunReport;

use super::review::arrow;
use crate::columns;

/// A row for each test case that one of the judgements ran.
pub(super) fn runs(old: &Judgement, new: Option<&Judgement>) -> String {
    let of = |judgement: Option<&Judgement>| -> BTreeMap<String, RunReport> {
        let runs = judgement.into_iter().flat_map(|judgement| &judgement.runs);
        runs.map(|run| (run.testcase.clone(), run.clone()))
            .collect()
    };
    let (before, after) = (of(Some(old)), of(new));
    let mut names: Vec<&String> = Vec::new();
    for judgement in std::iter::once(old).chain(new) {
        for run in &judgement.runs {
            if !names.contains(&&run.testcase) {
                names.push(&run.testcase);
            }
        }
    }
    let mut table = columns::table([
        "test case",
        "verdict",
        "time",
        "memory",
        "message before",
        "message after",
        "taken over from",
    ]);
    let message = |run: Option<&RunReport>| {
        let message = run.and_then(|run| run.message.as_deref());
        message.unwrap_or_default().trim_end().to_owned()
    };
    for name in names {
        let (old, new) = (before.get(name), after.get(name));
        let pair = |of: fn(&RunReport) -> String| {
            let text = |run: Option<&RunReport>| run.map_or_else(|| "–".to_owned(), of);
            arrow(&text(old), &text(new))
        };
        table.add_row([
            name.clone(),
            pair(|run| run.verdict.id().to_owned()),
            pair(|run| columns::time(Some(run.cpu_time_ms))),
            pair(|run| columns::memory(Some(run.memory_bytes))),
            message(old),
            message(new),
            new.map(columns::taken_over).unwrap_or_default(),
        ]);
    }
    columns::hide_if_empty(&mut table, 6);
    let head = |judgement: &Judgement| {
        format!(
            "{} by package {} ({})",
            columns::verdict(&judgement.summary),
            short(&judgement.package.to_string()),
            judgement.summary.id
        )
    };
    let new_head = new.map_or_else(|| "not asked for yet".to_owned(), head);
    format!(
        "before  {}\nafter   {new_head}\n\n{}",
        head(old),
        table.trim_fmt()
    )
}

/// Enough of a hash to tell it from others.
fn short(hash: &str) -> String {
    hash.chars().take(12).collect()
}
