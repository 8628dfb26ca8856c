//! Documents say what the code does, and all of it.

use std::collections::BTreeSet;

use assize_common::language::LanguageTable;
use assize_tests::tree::{TextFile, rust_files, text, text_files};
use regex::Regex;

use super::assert_none;

const OPERATIONS: &str = "docs/operations.md";

/// Code that users run: not tests.
fn product() -> impl Iterator<Item = &'static TextFile> {
    rust_files().filter(|file| !file.path.contains("tests") && file.path.contains("/src/"))
}

fn names(files: impl Iterator<Item = &'static str>, form: &str) -> BTreeSet<&'static str> {
    let form = Regex::new(form).unwrap();
    files
        .flat_map(|text| {
            form.captures_iter(text)
                .map(|found| found.extract::<1>().1[0])
                .collect::<Vec<_>>()
        })
        .collect()
}

#[track_caller]
fn assert_documented(what: &str, code: &BTreeSet<&str>, documents: &BTreeSet<&str>) {
    let missing = code
        .difference(documents)
        .map(|name| format!("{name} is not in {OPERATIONS}"));
    let invented = documents
        .difference(code)
        .map(|name| format!("{name} is documented but not in the code"));
    assert!(!code.is_empty(), "no {what} found in the code");
    assert_none(what, &missing.chain(invented).collect::<Vec<_>>());
}

#[test]
fn every_setting_is_documented() {
    let form = r"\b(ASSIZE_[A-Z_]+)\b";
    let code = names(product().map(|file| file.text.as_str()), form);
    let code = code
        .into_iter()
        .filter(|name| !name.starts_with("ASSIZE_TEST_"))
        .collect();
    assert_documented(
        "settings",
        &code,
        &names([text(OPERATIONS)].into_iter(), form),
    );
}

#[test]
fn every_metric_is_documented() {
    let form = r#"(?:(?:counter|gauge|histogram)!|\bset)\(\s*"(assize_[a-z_]+)""#;
    let code = names(product().map(|file| file.text.as_str()), form);
    let documents = names([text(OPERATIONS)].into_iter(), r"\b(assize_[a-z_]+)\b");
    assert_documented("metrics", &code, &documents);
}

#[test]
fn every_language_is_documented() {
    let table = LanguageTable::embedded().expect("the language table is readable");
    let missing: Vec<String> = table
        .iter()
        .filter(|language| !text(OPERATIONS).contains(&format!("| `{}` |", language.id)))
        .map(|language| format!("{} is not in {OPERATIONS}", language.id))
        .collect();
    assert_none("languages", &missing);
}

#[test]
fn links_between_documents_lead_somewhere() {
    let form = Regex::new(r"\]\(([^)#:\s]+)(#[^)]*)?\)").unwrap();
    let mut findings = Vec::new();
    let documents = text_files()
        .iter()
        .filter(|file| file.path.ends_with(".md") && !file.path.starts_with("tests/packages/"));
    for file in documents {
        let folder = file.path.rsplit_once('/').map_or("", |(folder, _)| folder);
        for found in form.captures_iter(&file.text) {
            if !assize_tests::tree::root()
                .join(folder)
                .join(&found[1])
                .exists()
            {
                findings.push(format!("{}: {}", file.path, &found[1]));
            }
        }
    }
    assert_none("broken links", &findings);
}
