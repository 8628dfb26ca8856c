//! The rules of migrations/README.md.

use assize_tests::tree::{TextFile, text_files};
use regex::Regex;

use super::assert_none;

fn migrations() -> impl Iterator<Item = &'static TextFile> {
    text_files()
        .iter()
        .filter(|file| file.path.starts_with("migrations/") && file.name() != "README.md")
}

#[test]
fn names_have_a_time_and_say_what_changes() {
    let form = Regex::new(r"^\d{14}_[a-z0-9_]+\.sql$").unwrap();
    let findings: Vec<String> = migrations()
        .filter(|file| !form.is_match(file.name()))
        .map(|file| file.path.clone())
        .collect();
    assert_none(
        "not YYYYMMDDhhmmss_what_changes.sql (there is no way back: no .up and .down)",
        &findings,
    );
    let times: Vec<&str> = migrations()
        .filter_map(|file| file.name().get(..14))
        .collect();
    let mut unique = times.clone();
    unique.dedup();
    assert_eq!(times, unique, "two migrations of one second");
}

/// A file is one transaction: what exchanges a constraint locks everybody out, and
/// must not do so while every row is looked at.
#[test]
fn constraints_are_validated_in_a_file_of_their_own() {
    // Those before were applied on empty tables, and never change.
    let first = "20261128190000";
    let validates = Regex::new(r"(?i)\bvalidate\s+constraint\b").unwrap();
    let statement = Regex::new(r"(?m)^\s*[A-Z]+\b[^;]*;").unwrap();
    let mut findings = Vec::new();
    for file in migrations().filter(|file| file.name() >= first) {
        let validating = |statement: &regex::Match<'_>| validates.is_match(statement.as_str());
        let (validations, others): (Vec<_>, Vec<_>) =
            statement.find_iter(&file.text).partition(validating);
        if !validations.is_empty() && !others.is_empty() {
            findings.push(file.path.clone());
        }
    }
    assert_none("VALIDATE CONSTRAINT beside other statements", &findings);
}

#[test]
fn nothing_that_an_older_scheduler_uses_goes_away() {
    let removal = Regex::new(r"(?i)\b(drop\s+(table|column|type)|rename\s+(column|to))\b").unwrap();
    let mut findings = Vec::new();
    for file in migrations() {
        for (at, line) in file.numbered_lines() {
            let contracts = file.name().contains("contract");
            if !contracts && removal.is_match(line.split("--").next().unwrap_or(line)) {
                findings.push(format!("{}:{at}: {}", file.path, line.trim()));
            }
        }
    }
    assert_none(
        "expand in this release, contract in a later one (in a file called …_contract_….sql)",
        &findings,
    );
}
