//! The example contest has what it is there to show: every verdict and every feature
//! in each generation of the ICPC format that knows it. Whether the verdicts come true
//! is asked by the end-to-end tests.

use std::collections::BTreeSet;

use assize_common::Verdict;
use assize_common::package::grading::Grading;
use assize_common::package::{FormatVersion, Kind, OutputValidator, Package};
use assize_tests::tree::root;

use super::assert_none;

fn packages() -> Vec<(String, Package)> {
    let entries = std::fs::read_dir(root().join("tests/packages")).unwrap();
    let roots = entries.map(|entry| entry.unwrap().path());
    let packages = roots.filter(|path| Package::is_at(path)).map(|path| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        (name, Package::read(&path).unwrap())
    });
    packages.collect()
}

/// The verdicts that some submission is certain to get: finer ones may be meant where
/// the format has no other word.
fn certain_verdicts<'a>(packages: impl Iterator<Item = &'a Package>) -> BTreeSet<Verdict> {
    use Verdict::{Mle, Ole, Pe, Rte, Sv, Wa};
    let mut certain = BTreeSet::new();
    for submission in packages.flat_map(|package| &package.submissions) {
        let expected = submission.expectation.verdicts();
        if expected == BTreeSet::from([Wa, Pe]) {
            certain.insert(Wa);
        } else if expected == BTreeSet::from([Mle, Ole, Rte, Sv]) {
            certain.insert(Rte);
        } else if expected.len() == 1 {
            certain.extend(expected);
        }
    }
    certain
}

#[test]
fn each_verdict_is_reached_in_each_generation() {
    let packages = packages();
    let mut findings = Vec::new();
    for (generation, legacy) in [("legacy", true), ("2025-09", false)] {
        let of_it = packages
            .iter()
            .map(|(_, package)| package)
            .filter(|package| {
                !matches!(package.format, FormatVersion::Polygon | FormatVersion::Dmoj)
                    && package.format.is_legacy() == legacy
            });
        let reached = certain_verdicts(of_it);
        for verdict in Verdict::ALL {
            // The validators of the format have no word for it.
            if verdict != Verdict::Pe && !reached.contains(&verdict) {
                findings.push(format!("{generation}: no submission gets {verdict}"));
            }
        }
    }
    assert_none("verdicts that no example shows", &findings);
}

type Uses<'a> = &'a dyn Fn(&Package) -> bool;

#[test]
fn each_feature_is_used() {
    let legacy = |package: &Package| package.format.is_legacy();
    let later = |package: &Package| package.format == FormatVersion::V2025_09;
    let features: [(&str, Uses<'_>); 19] = [
        ("legacy, interactive", &|p| {
            legacy(p) && p.kind == Kind::Interactive
        }),
        ("legacy, custom validator", &|p| {
            legacy(p) && has_validator(p)
        }),
        ("legacy, grader with scores", &|p| {
            legacy(p) && matches!(&p.grading, Grading::Grader(grader) if grader.scoring.is_some())
        }),
        ("2025-09, interactive", &|p| {
            later(p) && p.kind == Kind::Interactive
        }),
        ("2025-09, custom validator", &|p| {
            later(p) && has_validator(p)
        }),
        ("multi-pass", &|p| p.kind == Kind::PassFail && p.passes > 1),
        ("interactive multi-pass", &|p| {
            p.kind == Kind::Interactive && p.passes > 1
        }),
        ("submit-answer", &|p| p.kind == Kind::SubmitAnswer),
        ("scoring by groups", &|p| {
            later(p) && matches!(p.grading, Grading::Scoring(_))
        }),
        ("static validator", &|p| p.static_validator.is_some()),
        ("allow_file_writing", &|p| p.allows_file_writing),
        ("languages", &|p| p.languages.is_some()),
        ("included files", &|p| !p.include.is_empty()),
        ("attachments", &|p| !p.attachments.is_empty()),
        ("tests of validators", &|p| !p.validator_tests.is_empty()),
        ("files of a test case", &|p| {
            p.testcases.iter().any(|test| !test.files.is_empty())
        }),
        ("arguments", &|p| {
            p.testcases.iter().any(|test| !test.args.is_empty())
        }),
        ("a package of Polygon", &|p| {
            p.format == FormatVersion::Polygon
        }),
        ("a problem of DMOJ", &|p| p.format == FormatVersion::Dmoj),
    ];
    let packages = packages();
    let unused = features
        .iter()
        .filter(|(_, is_used)| !packages.iter().any(|(_, package)| is_used(package)));
    let unused: Vec<String> = unused.map(|(feature, _)| (*feature).to_owned()).collect();
    assert_none("features that no example uses", &unused);
}

fn has_validator(package: &Package) -> bool {
    package.kind == Kind::PassFail && matches!(package.output_validator, OutputValidator::Custom(_))
}

#[test]
fn the_readme_lists_each_package() {
    let readme = std::fs::read_to_string(root().join("tests/packages/README.md")).unwrap();
    let missing: Vec<String> = packages()
        .into_iter()
        .map(|(name, _)| name)
        .filter(|name| !readme.contains(&format!("| `{name}` |")))
        .collect();
    assert_none("packages that the README does not list", &missing);
}
