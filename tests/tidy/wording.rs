//! Words that must not be in the tree.

use assize_tests::tree::{TextFile, rust_files, text_files};
use regex::Regex;

use super::assert_none;

/// All files but this one, which quotes what it looks for.
fn others(file: &&TextFile) -> bool {
    !file!().ends_with(file.name())
}

fn lines_with(
    files: impl Iterator<Item = &'static TextFile>,
    is_found: impl Fn(&str) -> bool,
) -> Vec<String> {
    let mut findings = Vec::new();
    for file in files {
        for (at, line) in file.numbered_lines() {
            if is_found(line) {
                findings.push(format!("{}:{at}: {}", file.path, line.trim()));
            }
        }
    }
    findings
}

#[test]
fn no_hosts_of_registries_and_no_paths_of_one_machine() {
    let words = [
        r"(static|index)\.crates\.io",
        r"pypi\.org",
        r"registry\.npmjs\.org",
        r"deb\.debian\.org",
        r"(^|[^\w.])/work/",
        r"/home/\w",
        // As a home; processes have a directory of that name in /proc.
        r"(^|[^\w/])/root/",
    ];
    let words = Regex::new(&words.join("|")).unwrap();
    let files = text_files().iter().filter(others);
    let findings = lines_with(files, |line| words.is_match(line));
    assert_none("hosts and paths that only some machines know", &findings);
}

#[test]
fn nothing_is_left_for_later() {
    let words = Regex::new(r"\b(TODO|FIXME)\b|\b(todo|unimplemented|dbg)!").unwrap();
    let files = text_files().iter().filter(others);
    let findings = lines_with(files, |line| words.is_match(line));
    assert_none("unfinished", &findings);
}

/// `tests/run` runs those that need something, and gives it to them.
#[test]
fn tests_are_left_out_for_a_reason_only() {
    let reason = Regex::new(r#"#\[ignore = "(needs .*|started by another test)"\]"#).unwrap();
    let findings = lines_with(rust_files().filter(others), |line| {
        line.contains("#[ignore") && !reason.is_match(line)
    });
    assert_none("tests that never run", &findings);
}

#[test]
fn exceptions_from_lints_are_expected() {
    let words = Regex::new(r"^\s*#!?\[(cfg_attr\(.*)?allow\(").unwrap();
    let findings = lines_with(rust_files(), |line| words.is_match(line));
    assert_none("write #[expect(…, reason = \"…\")]", &findings);
}

#[test]
fn exceptions_from_lints_have_a_reason() {
    let start = Regex::new(r"#!?\[expect\(").unwrap();
    let mut findings = Vec::new();
    for file in rust_files().filter(others) {
        for found in start.find_iter(&file.text) {
            let attribute = file.text[found.end()..].split(")]").next();
            if !attribute.is_some_and(|attribute| attribute.contains("reason = ")) {
                let line = file.text[..found.end()].lines().count();
                findings.push(format!("{}:{line}", file.path));
            }
        }
    }
    assert_none("#[expect] without a reason", &findings);
}
