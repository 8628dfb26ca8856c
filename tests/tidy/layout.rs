//! Where things are and how large they may get.

use std::collections::BTreeSet;

use assize_tests::tree::{rust_files, text_files};

use super::assert_none;

/// The folders of the root, as ARCHITECTURE.md describes them.
const FOLDERS: [&str; 13] = [
    ".cargo",
    ".ci",
    ".sqlx",
    "cli",
    "common",
    "deploy",
    "docs",
    "migrations",
    "policy",
    "sandbox",
    "scheduler",
    "tests",
    "worker",
];

/// Half of all files must be shorter, in lines.
const TYPICAL: usize = 200;

/// Longer files, in lines, need an entry below.
const LONG: usize = 500;

/// Tests are read one by one, so that a file of them may be longer.
const LONG_TESTS: usize = 800;

/// The longer ones, and why splitting them would not help who reads them.
const LONG_FILES: &[(&str, &str)] = &[];

/// Names that say nothing about what is inside.
const DRAWERS: [&str; 6] = ["util", "utils", "helper", "helpers", "misc", "types"];

#[test]
fn folders_are_those_of_the_architecture() {
    let folders: BTreeSet<&str> = text_files()
        .iter()
        .filter_map(|file| file.path.split_once('/'))
        .map(|(folder, _)| folder)
        .collect();
    assert_eq!(folders, FOLDERS.into());
}

#[test]
fn every_module_says_what_it_is_for() {
    let findings: Vec<String> = rust_files()
        .filter(|file| !file.text.starts_with("//! "))
        .map(|file| file.path.clone())
        .collect();
    assert_none("the first line is not a //! comment", &findings);
}

#[test]
fn names_say_what_is_inside() {
    let mut findings = Vec::new();
    for file in rust_files() {
        let mut parts = file
            .path
            .split('/')
            .map(|part| part.trim_end_matches(".rs"));
        if parts.any(|part| DRAWERS.contains(&part)) {
            findings.push(file.path.clone());
        }
    }
    assert_none("a drawer, not a name", &findings);
}

fn is_tests(path: &str) -> bool {
    path.contains("tests/") || path.ends_with("tests.rs")
}

#[test]
fn files_are_short() {
    let mut lengths: Vec<(usize, &str)> = rust_files()
        .map(|file| (file.text.lines().count(), file.path.as_str()))
        .collect();
    lengths.sort_unstable();
    let (median, _) = lengths[lengths.len() / 2];
    assert!(
        median < TYPICAL,
        "half of all files are longer than {median} lines"
    );

    let long: BTreeSet<&str> = lengths
        .iter()
        .filter(|(length, path)| *length > if is_tests(path) { LONG_TESTS } else { LONG })
        .map(|(_, path)| *path)
        .collect();
    let explained: BTreeSet<&str> = LONG_FILES.iter().map(|(path, _)| *path).collect();
    let mut findings = Vec::new();
    for path in long.difference(&explained) {
        findings.push(format!(
            "{path}: too long: split it, or say in LONG_FILES why not"
        ));
    }
    for path in explained.difference(&long) {
        findings.push(format!("{path}: no longer long: remove it from LONG_FILES"));
    }
    assert_none("long files", &findings);
}
