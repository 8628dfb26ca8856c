//! Where a judgement comes from, for people.

use assize_common::ContentHash;
use assize_common::api::JudgementProvenance;
use assize_common::message::{Provenance, RunLimits};
use bytesize::ByteSize;
use serde::Serialize;

use crate::columns;
use crate::command::flag::scrutiny;

/// Something that was another way when it was judged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Difference {
    /// What.
    pub(crate) what: &'static str,
    /// How it was.
    pub(crate) before: String,
    /// How it is here.
    pub(crate) here: String,
}

/// All that a worker told, by name.
fn fields(provenance: &Provenance) -> [(&'static str, String); 15] {
    let Provenance {
        language,
        language_entry,
        compiler_version,
        compiler,
        sources,
        // The others tell it.
        recipe: _,
        executable,
        policy,
        limits,
        stop,
        host,
    } = provenance;
    let limit = |of: fn(&RunLimits) -> String| limits.as_ref().map_or_else(none, of);
    let hash = |hash: &Option<ContentHash>| hash.as_ref().map_or_else(none, short);
    [
        ("language", language.clone()),
        ("entry", hash(language_entry)),
        ("compiler", compiler_version.clone().unwrap_or_else(none)),
        ("its program", hash(compiler)),
        ("sources", short(sources)),
        ("executable", hash(executable)),
        ("policy", hash(policy)),
        (
            "time limit",
            limit(|limits| format!("{} ms", limits.cpu_time_ms)),
        ),
        (
            "memory limit",
            limit(|limits| ByteSize(limits.memory_bytes).to_string()),
        ),
        (
            "output limit",
            limit(|limits| ByteSize(limits.output_bytes).to_string()),
        ),
        ("processes", limit(|limits| limits.processes.to_string())),
        (
            "judging ends",
            stop.map_or_else(none, |stop| stop.to_string()),
        ),
        ("kernel", host.kernel.clone()),
        ("processor", host.cpu.clone()),
        (
            "worker",
            format!(
                "{}{}{}",
                host.worker_version,
                if host.fixed_layout {
                    ", fixed layout"
                } else {
                    ""
                },
                host.idle_limit_ms
                    .map_or_else(String::new, |limit| format!(", idle limit {limit} ms"))
            ),
        ),
    ]
}

fn none() -> String {
    "none".to_owned()
}

/// Enough of a hash to tell it from others.
fn short(hash: &ContentHash) -> String {
    hash.to_string().chars().take(16).collect()
}

/// What was another way.
pub(crate) fn differences(before: &Provenance, here: &Provenance) -> Vec<Difference> {
    let pairs = fields(before).into_iter().zip(fields(here));
    pairs
        .filter(|((_, before), (_, here))| before != here)
        .map(|((what, before), (_, here))| Difference { what, before, here })
        .collect()
}

/// All of it.
pub(crate) fn details(provenance: &JudgementProvenance) -> String {
    let mut lines = vec![
        "where it comes from".to_owned(),
        format!(
            "  package       {} version {} ({})",
            provenance.problem,
            provenance.package_version,
            short(&provenance.package_archive)
        ),
    ];
    if !provenance.scrutiny.is_none() {
        let asked = scrutiny(&provenance.scrutiny);
        lines.push(format!("  {:13} {asked}", "flagged"));
    }
    let worker = provenance.worker.iter().map(|name| ("judged by", name));
    lines.extend(worker.map(|(name, value)| format!("  {name:13} {value}")));
    match &provenance.reported {
        Some(reported) => {
            let fields = fields(reported).into_iter();
            lines.extend(fields.map(|(name, value)| format!("  {name:13} {value}")));
        }
        None => lines.push("  its worker said no more".to_owned()),
    }
    let mut table = columns::table(["when", "attempt", "state", "lane", "worker", "why"]);
    for step in &provenance.steps {
        table.add_row([
            columns::moment(step.at),
            step.attempt.to_string(),
            step.state.to_string(),
            step.lane.to_string(),
            step.worker_id.map_or_else(String::new, |id| id.to_string()),
            step.reason.clone().unwrap_or_default(),
        ]);
    }
    columns::align_right(&mut table, [1]);
    columns::hide_if_empty(&mut table, 5);
    lines.push(String::new());
    lines.push(table.trim_fmt());
    lines.join("\n")
}
