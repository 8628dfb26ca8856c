//! What the compiler does not check about the shape of the project. Each test
//! lists all that is wrong, with the file and the line.

mod arrows;
mod commands;
mod dependencies;
mod documentation;
mod example_contest;
mod layout;
mod migrations;
mod wording;

/// Fails with all findings, if there are any.
#[track_caller]
fn assert_none(rule: &str, findings: &[String]) {
    assert!(findings.is_empty(), "{rule}:\n  {}", findings.join("\n  "));
}
