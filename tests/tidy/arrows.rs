//! Which crate may know which.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use assize_tests::tree::{root, rust_files, text_files};
use cargo_metadata::{Metadata, MetadataCommand, Package};

use super::assert_none;

/// Every crate and those of ours that it may use. Anything else is a bug.
const ARROWS: [(&str, &[&str]); 7] = [
    ("assize-policy", &[]),
    ("assize-common", &["assize-policy"]),
    ("assize-sandbox", &["assize-policy"]),
    ("assize-worker", &["assize-common", "assize-sandbox"]),
    ("assize-scheduler", &["assize-common"]),
    ("assize", &["assize-common", "assize-worker"]),
    (
        "assize-tests",
        &[
            "assize",
            "assize-common",
            "assize-sandbox",
            "assize-scheduler",
            "assize-worker",
        ],
    ),
];

/// Crates of others that only some of ours may use, and why.
const FENCES: [(&str, &[&str], &str); 9] = [
    ("sqlx", &["assize-scheduler", "assize-tests"], SQL),
    ("axum", &["assize-scheduler", "assize-tests"], HTTP),
    ("tower-http", &["assize-scheduler"], HTTP),
    ("utoipa-axum", &["assize-scheduler"], HTTP),
    ("nix", &["assize-sandbox"], KERNEL),
    ("libc", &["assize-sandbox"], KERNEL),
    ("libseccomp", &["assize-sandbox"], KERNEL),
    ("syscalls", &["assize-policy"], NAMES),
    ("lapin", &["assize-common", "assize-tests"], BROKER),
];

const SQL: &str =
    "a host that runs hostile code holds no database credential, so only the scheduler speaks SQL";
const HTTP: &str = "the scheduler is the only HTTP server";
const NAMES: &str = "of that crate only the names of system calls are wanted";
const KERNEL: &str = "raw kernel interfaces stay inside the sandbox's fence";
const BROKER: &str = "common/src/amqp is the only place that knows the broker's library";

/// What cargo knows of the workspace and all that it builds with.
pub(super) fn metadata() -> &'static Metadata {
    static METADATA: LazyLock<Metadata> = LazyLock::new(|| {
        // Cargo has fetched what this platform needs, and nothing else.
        let platform = format!(
            "--filter-platform={}-unknown-linux-gnu",
            std::env::consts::ARCH
        );
        MetadataCommand::new()
            .manifest_path(root().join("Cargo.toml"))
            .other_options(["--locked".into(), "--offline".into(), platform])
            .exec()
            .expect("cargo metadata answers")
    });
    &METADATA
}

fn member(name: &str) -> &'static Package {
    let members = metadata().workspace_packages();
    let found = members.into_iter().find(|package| package.name == name);
    found.unwrap_or_else(|| panic!("{name} is not a member of the workspace"))
}

#[test]
fn crates_know_only_those_below_them() {
    let mut findings = Vec::new();
    for (name, allowed) in ARROWS {
        for dependency in &member(name).dependencies {
            let ours = dependency.path.is_some();
            if ours && !allowed.contains(&dependency.name.as_str()) {
                findings.push(format!("{name} must not depend on {}", dependency.name));
            }
        }
    }
    assert_none(
        "cli → worker → sandbox → policy; cli, scheduler, worker → common → policy",
        &findings,
    );
}

#[test]
fn the_workspace_has_these_members_and_no_others() {
    let members: BTreeSet<&str> = metadata()
        .workspace_packages()
        .into_iter()
        .map(|package| package.name.as_str())
        .collect();
    assert_eq!(members, ARROWS.map(|(name, _)| name).into());
}

#[test]
fn what_is_fenced_stays_behind_its_fence() {
    let mut findings = Vec::new();
    for package in metadata().workspace_packages() {
        for (fenced, allowed, why) in FENCES {
            let uses = package.dependencies.iter().any(|it| it.name == fenced);
            if uses && !allowed.contains(&package.name.as_str()) {
                findings.push(format!("{} must not use {fenced}: {why}", package.name));
            }
        }
    }
    assert_none("fenced dependencies", &findings);
}

#[test]
fn the_brokers_library_is_used_behind_its_seam_only() {
    let outside = rust_files().filter(|file| {
        !file.path.starts_with("common/src/amqp/") && !file.path.starts_with("tests/")
    });
    let findings: Vec<String> = outside
        .filter(|file| file.text.contains("lapin::"))
        .map(|file| file.path.clone())
        .collect();
    assert_none(BROKER, &findings);
}

#[test]
fn unsafe_code_is_inside_the_fence() {
    let outside = rust_files().filter(|file| !file.path.starts_with("sandbox/src/sys/"));
    let mut findings = Vec::new();
    for file in outside {
        for (at, line) in file.numbered_lines() {
            let code = line.split("//").next().unwrap_or(line);
            let mut words = code.split(|c: char| !c.is_alphanumeric() && c != '_');
            if words.any(|word| word == "unsafe") && !code.contains('"') {
                findings.push(format!("{}:{at}: {}", file.path, line.trim()));
            }
        }
    }
    assert_none("unsafe code belongs to sandbox/src/sys", &findings);
}

#[test]
fn crates_without_unsafe_code_forbid_it() {
    let libraries = rust_files()
        .filter(|file| file.path.ends_with("/src/lib.rs") && !file.path.starts_with("sandbox/"));
    let findings: Vec<String> = libraries
        .filter(|file| !file.text.contains("#![forbid(unsafe_code)]"))
        .map(|file| file.path.clone())
        .collect();
    assert_none("#![forbid(unsafe_code)] is missing", &findings);
}

#[test]
fn every_crate_has_the_lints_of_the_workspace() {
    let findings: Vec<String> = text_files()
        .iter()
        .filter(|file| file.path.ends_with("/Cargo.toml"))
        .filter(|file| !file.text.contains("[lints]\nworkspace = true"))
        .map(|file| file.path.clone())
        .collect();
    assert_none("[lints] workspace = true is missing", &findings);
}
