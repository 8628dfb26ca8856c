//! Command lines in documents are ones that the programs understand.

use std::collections::BTreeSet;
use std::process::Command;

use assize_tests::program;
use assize_tests::tree::{TextFile, root, text, text_files};

use super::assert_none;

/// Programs of others that documents may use.
const FOREIGN: [&str; 8] = [
    "cargo",
    "for",
    "git",
    "pg_dump",
    "pg_restore",
    "psql",
    "sudo",
    "tar",
];

fn documents() -> impl Iterator<Item = &'static TextFile> {
    text_files()
        .iter()
        .filter(|file| file.path.ends_with(".md"))
}

/// The lines of all shell blocks, as `place: line`.
fn shell_lines() -> Vec<(String, &'static str)> {
    let mut lines = Vec::new();
    for file in documents() {
        let mut inside = false;
        for (at, line) in file.numbered_lines() {
            match line {
                "```sh" => inside = true,
                "```" => inside = false,
                line if inside && !line.trim().is_empty() => {
                    lines.push((format!("{}:{at}", file.path), line));
                }
                _ => {}
            }
        }
    }
    lines
}

/// The words of a command up to what the shell or another program reads.
fn words(line: &str) -> Vec<&str> {
    let line = line.split(" #").next().unwrap_or(line);
    let ends = ["|", "<", ">", "&&", "&", ";", "--"];
    let words = line.split_whitespace();
    let assigns = |word: &&str| word.contains('=') && !word.starts_with('-');
    words
        .skip_while(assigns)
        .take_while(|word| !ends.contains(word))
        .collect()
}

/// Why our program would not take these arguments, if it would not.
fn misunderstood(program: &str, arguments: &[&str]) -> Option<String> {
    let program = program.rsplit('/').next().unwrap_or(program);
    // Arguments are read in order, so that wrong ones are told before help is given.
    let output = Command::new(program::path(program))
        .args(arguments)
        .arg("--help")
        .output();
    match output {
        Ok(output) if output.status.success() => None,
        Ok(output) => Some(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
        Err(error) => Some(error.to_string()),
    }
}

fn make_targets() -> BTreeSet<&'static str> {
    let lines = text("Makefile").lines();
    let targets = lines.filter_map(|line| line.split_once(':'));
    targets.map(|(target, _)| target).collect()
}

/// What is wrong with a line, if anything is.
fn fault(line: &str) -> Option<String> {
    let words = words(line);
    let (program, arguments) = words.split_first()?;
    let name = program.rsplit('/').next().unwrap_or(program);
    if *program == "make" {
        let mut targets = arguments.iter().filter(|word| !word.contains('='));
        let unknown = targets.find(|target| !make_targets().contains(*target));
        unknown.map(|target| format!("no target {target}"))
    } else if name == "assize" || name.starts_with("assize-") {
        misunderstood(name, arguments)
    } else if program.contains('/') {
        (!root().join(program).exists()).then(|| format!("{program} does not exist"))
    } else {
        (!FOREIGN.contains(program)).then(|| format!("{program} is not among the known programs"))
    }
}

#[test]
#[ignore = "needs the programs, which tests/run builds"]
fn commands_in_shell_blocks_are_understood() {
    let lines = shell_lines();
    assert!(lines.iter().any(|(_, line)| *line == "make demo"));
    let faults = lines
        .iter()
        .filter_map(|(place, line)| Some(format!("{place}: {line}: {}", fault(line)?)));
    assert_none("commands that do not work", &faults.collect::<Vec<_>>());
}

#[test]
#[ignore = "needs the programs, which tests/run builds"]
fn commands_in_sentences_are_understood() {
    let mut faults = Vec::new();
    for file in documents() {
        for (at, line) in file.numbered_lines() {
            // Between backticks is every second part.
            let spans = line.split('`').skip(1).step_by(2);
            let commands = spans.filter(|span| {
                span.starts_with("make ")
                    || span.starts_with("assize ")
                    || span.starts_with("assize-scheduler ")
                    || span.starts_with("assize-worker ")
            });
            // Forms with alternatives or omissions are no commands.
            for command in commands.filter(|span| !span.contains(['…', '[', '|', '{'])) {
                if let Some(fault) = fault(command) {
                    faults.push(format!("{}:{at}: {command}: {fault}", file.path));
                }
            }
        }
    }
    assert_none("commands that do not work", &faults);
}

#[test]
fn what_is_wrong_is_seen() {
    assert_eq!(
        fault("make nothing-of-the-kind").unwrap(),
        "no target nothing-of-the-kind"
    );
    assert!(
        fault("tests/nowhere --flag")
            .unwrap()
            .contains("does not exist")
    );
    assert_eq!(fault("FOO=bar make test"), None);
}
