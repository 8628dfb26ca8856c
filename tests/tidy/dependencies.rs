//! What deny.toml allows, checked without cargo-deny: that tool takes longer to
//! build than all of Assize, and is not on every machine. It remains the better
//! reader for those who have it (`make check`).

use std::collections::BTreeSet;

use assize_tests::tree::text;
use cargo_metadata::Package;
use serde::Deserialize;
use spdx::{Expression, ParseMode};

use super::arrows::metadata;
use super::assert_none;

/// The part of deny.toml that these tests apply.
#[derive(Deserialize)]
struct Deny {
    licenses: Licenses,
    bans: Bans,
}

#[derive(Deserialize)]
struct Licenses {
    allow: Vec<String>,
}

#[derive(Deserialize)]
struct Bans {
    deny: Vec<Ban>,
}

#[derive(Deserialize)]
struct Ban {
    #[serde(rename = "crate")]
    name: String,
    reason: String,
}

fn deny() -> Deny {
    toml::from_str(text("deny.toml")).expect("deny.toml is readable")
}

/// All packages that are built on this platform, ours included.
fn built() -> impl Iterator<Item = &'static Package> {
    let resolve = metadata()
        .resolve
        .as_ref()
        .expect("dependencies are resolved");
    let nodes: BTreeSet<_> = resolve.nodes.iter().map(|node| &node.id).collect();
    metadata()
        .packages
        .iter()
        .filter(move |package| nodes.contains(&package.id))
}

#[test]
fn licences_are_allowed_ones() {
    let allowed = deny().licenses.allow;
    let is_allowed = |text: &str| {
        let expression =
            Expression::parse_mode(text, ParseMode::LAX).map_err(|error| error.to_string())?;
        let met = expression.evaluate(|required| allowed.contains(&required.to_string()));
        if met {
            Ok(())
        } else {
            Err("not in deny.toml".to_owned())
        }
    };
    let mut findings = Vec::new();
    for package in built() {
        let licence = package.license.as_deref().unwrap_or_default();
        if let Err(reason) = is_allowed(licence) {
            findings.push(format!(
                "{} {}: {licence:?}: {reason}",
                package.name, package.version
            ));
        }
    }
    assert_none("licences", &findings);
}

#[test]
fn an_unknown_licence_would_be_refused() {
    let expression = Expression::parse_mode("MIT OR GPL-3.0-only", ParseMode::LAX).unwrap();
    let allowed = deny().licenses.allow;
    assert!(expression.evaluate(|required| allowed.contains(&required.to_string())));
    let expression = Expression::parse_mode("MIT AND GPL-3.0-only", ParseMode::LAX).unwrap();
    assert!(!expression.evaluate(|required| allowed.contains(&required.to_string())));
}

#[test]
fn banned_crates_are_absent() {
    let mut findings = Vec::new();
    for ban in deny().bans.deny {
        if built().any(|package| package.name == ban.name) {
            findings.push(format!("{}: {}", ban.name, ban.reason));
        }
    }
    assert_none("banned by deny.toml", &findings);
}

#[test]
fn dependencies_come_from_the_registry() {
    let findings: Vec<String> = built()
        .filter(|package| {
            package
                .source
                .as_ref()
                .is_some_and(|source| !source.is_crates_io())
        })
        .map(|package| package.id.to_string())
        .collect();
    assert_none("not from crates.io", &findings);
}

#[test]
fn versions_are_chosen_in_the_workspace() {
    let mut findings = Vec::new();
    for file in assize_tests::tree::text_files()
        .iter()
        .filter(|file| file.path.ends_with("/Cargo.toml"))
    {
        let manifest: toml::Table = toml::from_str(&file.text).expect("manifests are readable");
        for section in ["dependencies", "dev-dependencies", "build-dependencies"] {
            let Some(dependencies) = manifest.get(section).and_then(toml::Value::as_table) else {
                continue;
            };
            for (name, value) in dependencies {
                if value.get("workspace").and_then(toml::Value::as_bool) != Some(true) {
                    findings.push(format!("{}: {name}", file.path));
                }
            }
        }
    }
    assert_none(
        "write NAME.workspace = true and choose version and features in Cargo.toml",
        &findings,
    );
}
