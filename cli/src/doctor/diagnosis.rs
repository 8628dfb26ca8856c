//! What was found, for scripts and for people.

use std::fmt;
use std::path::PathBuf;

use assize_worker::sandbox::{Finding, Grade};
use comfy_table::{ContentArrangement, presets};
use serde::Serialize;

use super::languages::LanguageState;

/// All that was found: the object that `--json` prints.
#[derive(Debug, Serialize)]
pub struct Diagnosis {
    /// Whether jails can be had here.
    pub fit: bool,
    /// What was looked at of the host.
    pub findings: Vec<Finding>,
    /// Empty when no jail can be had to try them in.
    pub languages: Vec<LanguageState>,
    /// What `assize up` starts beside our own daemons.
    pub services: Vec<Service>,
}

/// A server that `assize up` needs.
#[derive(Debug, Serialize)]
pub struct Service {
    /// Such as `postgres`.
    pub name: &'static str,
    /// Where it is installed.
    pub path: Option<PathBuf>,
    /// Why it can't be used.
    pub problem: Option<String>,
}

impl fmt::Display for Diagnosis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let findings = self.findings.iter().map(|finding| {
            let mut text = finding.detail.clone();
            if !finding.cost.is_empty() {
                text = format!("{text}\ncosts: {}", finding.cost);
            }
            if !finding.fix.is_empty() {
                text = format!("{text}\n→ {}", finding.fix);
            }
            [grade(finding.grade), finding.name, &text].map(str::to_owned)
        });
        section(f, "This host", findings)?;
        let languages = self.languages.iter().map(|language| {
            let text = language.version.as_ref().or(language.problem.as_ref());
            let text = text.map_or("", String::as_str);
            [mark(language.works), &language.id, text].map(str::to_owned)
        });
        section(f, "Languages", languages)?;
        let services = self.services.iter().map(|service| {
            let path = service.path.as_ref().map(|path| path.display().to_string());
            let text = path.or_else(|| service.problem.clone()).unwrap_or_default();
            [mark(service.path.is_some()), service.name, &text].map(str::to_owned)
        });
        section(f, "Services for assize up", services)?;
        f.write_str(if self.fit {
            "This host can judge."
        } else {
            "This host can't judge: mend what is marked unfit."
        })
    }
}

/// On a terminal of fewer columns, lines are left to be broken by it.
const COLUMNS_MIN: u16 = 60;

fn section(
    f: &mut fmt::Formatter<'_>,
    title: &str,
    rows: impl Iterator<Item = [String; 3]>,
) -> fmt::Result {
    let mut table = comfy_table::Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Dynamic);
    // A serial console says that it has no columns at all.
    if table.width().is_some_and(|columns| columns < COLUMNS_MIN) {
        table.set_content_arrangement(ContentArrangement::Disabled);
    }
    table.add_rows(rows);
    if table.is_empty() {
        return Ok(());
    }
    writeln!(f, "{title}\n{}\n", table.trim_fmt())
}

const fn grade(grade: Grade) -> &'static str {
    match grade {
        Grade::Good => "good",
        Grade::Warning => "warning",
        Grade::Unfit => "UNFIT",
    }
}

const fn mark(works: bool) -> &'static str {
    if works { "works" } else { "no" }
}
