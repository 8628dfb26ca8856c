//! The time limit where problem.yaml does not state it: DOMjudge's files.

use std::time::Duration;

use super::error::PackageError;
use super::file_tree::{FileTree, TIME_LIMIT_FILE};
use super::yaml::checked_seconds;

const INI_FILE: &str = "domjudge-problem.ini";

/// The time limit, from problem.yaml (`stated`), else domjudge-problem.ini, else
/// `.timelimit`, if any of them states it; a warning when they disagree.
pub(super) fn find(
    tree: &FileTree,
    stated: Option<Duration>,
    warnings: &mut Vec<String>,
) -> Result<Option<Duration>, PackageError> {
    let ini = match tree.text(INI_FILE)? {
        Some(text) => from_ini(&text, warnings)?,
        None => None,
    };
    let hidden = match tree.text(TIME_LIMIT_FILE)? {
        Some(text) => Some(seconds(TIME_LIMIT_FILE, "", text.trim())?),
        None => None,
    };
    let found = [
        ("problem.yaml", stated),
        (INI_FILE, ini),
        (TIME_LIMIT_FILE, hidden),
    ];
    let mut found = found
        .into_iter()
        .filter_map(|(file, limit)| limit.map(|limit| (file, limit)));
    let Some((used_file, used)) = found.next() else {
        return Ok(None);
    };
    for (file, other) in found.filter(|(_, other)| *other != used) {
        warnings.push(format!(
            "{file}: the time limit of {} s is ignored, {used_file} says {} s",
            other.as_secs_f64(),
            used.as_secs_f64()
        ));
    }
    Ok(Some(used))
}

fn from_ini(text: &str, warnings: &mut Vec<String>) -> Result<Option<Duration>, PackageError> {
    let mut limit = None;
    for line in text.lines().map(str::trim) {
        if line.is_empty() || line.starts_with([';', '#', '[']) {
            continue;
        }
        let Some((key, value)) = line.split_once('=') else {
            return Err(PackageError::invalid(
                INI_FILE,
                "",
                format!("expected KEY = VALUE, not {line:?}"),
            ));
        };
        let (key, value) = (key.trim(), value.trim().trim_matches(['"', '\'']));
        match key {
            "timelimit" => limit = Some(seconds(INI_FILE, key, value)?),
            "special_run" | "special_compare" | "special_compare_args" if !value.is_empty() => {
                return Err(PackageError::unsupported(
                    INI_FILE,
                    key,
                    "a DOMjudge executable for running or comparing",
                ));
            }
            "name"
            | "allow_submit"
            | "allow_judge"
            | "points"
            | "color"
            | "colour"
            | "externalid"
            | "short-name"
            | "probid"
            | "cid"
            | "problemset"
            | "special_run"
            | "special_compare"
            | "special_compare_args" => {}
            unknown => warnings.push(format!("{INI_FILE}: unknown key `{unknown}` is ignored")),
        }
    }
    Ok(limit)
}

fn seconds(file: &str, key: &str, text: &str) -> Result<Duration, PackageError> {
    text.parse().ok().and_then(checked_seconds).ok_or_else(|| {
        PackageError::invalid(
            file,
            key,
            format!("expected a number of seconds greater than zero, not {text:?}"),
        )
    })
}
