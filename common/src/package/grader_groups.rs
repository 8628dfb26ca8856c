//! testdata.yaml: the groups of legacy packages and how their results are graded.

use std::collections::BTreeMap;

use super::error::PackageError;
use super::file_tree::FileTree;
use super::grading::{
    Grader, GraderGroup, GraderMember, Grading, OnReject, ScoreMode, ScoreRange, VerdictMode,
};
use super::model::{OutputValidator, Testcase};
use super::problem_yaml::ProblemYaml;
use super::test_config::TestConfig;
use super::yaml::Section;
use crate::Score;

const FILE: &str = "testdata.yaml";

/// A testdata.yaml; what is `None` is inherited.
#[derive(Debug)]
pub(super) struct GraderYaml {
    pub(super) config: TestConfig,
    on_reject: Option<OnReject>,
    flags: Option<GraderFlags>,
    accept_score: Option<Score>,
    reject_score: Option<Score>,
    range: Option<ScoreRange>,
}

/// The flags of the default grader.
#[derive(Debug, Clone)]
struct GraderFlags {
    verdict_mode: VerdictMode,
    score_mode: ScoreMode,
    ignore_sample: bool,
    accept_if_any_accepted: bool,
}

/// All testdata.yaml files below `data/`, by directory.
pub(super) fn read(
    tree: &FileTree,
    problem: &ProblemYaml,
    validator: &OutputValidator,
    warnings: &mut Vec<String>,
) -> Result<BTreeMap<String, GraderYaml>, PackageError> {
    let programs = validator.programs();
    let validator = match programs.as_slice() {
        [only] => Some(only.name.as_str()),
        _ => None,
    };
    let mut groups = BTreeMap::new();
    let files = tree
        .below("data")
        .filter(|(path, _)| path.rsplit('/').next() == Some(FILE));
    for (path, _) in files {
        let file = format!("data/{path}");
        let mut yaml = Section::read(tree, &file)?;
        let config = TestConfig::take_legacy(&mut yaml, validator)?;
        let group = grader_yaml(&mut yaml, config, problem.scoring.is_some())?;
        yaml.finish(warnings);
        let directory = file.trim_end_matches(FILE).trim_end_matches('/');
        if directory != "data"
            && group
                .flags
                .as_ref()
                .is_some_and(|flags| flags.ignore_sample)
        {
            let problem = "`ignore_sample` is for data/testdata.yaml only";
            return Err(PackageError::invalid(&file, "grader_flags", problem));
        }
        groups.insert(directory.to_owned(), group);
    }
    Ok(groups)
}

fn grader_yaml(
    yaml: &mut Section,
    config: TestConfig,
    scoring: bool,
) -> Result<GraderYaml, PackageError> {
    let on_reject = match yaml.string("on_reject")?.as_deref() {
        None => None,
        Some("break") => Some(OnReject::Break),
        Some("continue") => Some(OnReject::Continue),
        Some(_) => return Err(yaml.invalid("on_reject", "expected `break` or `continue`")),
    };
    match yaml.string("grading")?.as_deref() {
        None | Some("default") => {}
        Some("custom") => return Err(yaml.unsupported("grading", "a custom grader")),
        Some(_) => return Err(yaml.invalid("grading", "expected `default`")),
    }
    let flags = match yaml.string("grader_flags")? {
        None => None,
        Some(text) => Some(grader_flags(yaml, &text)?),
    };
    if !scoring {
        for key in ["accept_score", "reject_score", "range"] {
            if yaml.take(key).is_some() {
                return Err(yaml.invalid(key, "only for problems of the type scoring"));
            }
        }
    }
    Ok(GraderYaml {
        config,
        on_reject,
        flags,
        accept_score: yaml.score("accept_score")?,
        reject_score: yaml.score("reject_score")?,
        range: range(yaml)?,
    })
}

fn grader_flags(yaml: &Section, text: &str) -> Result<GraderFlags, PackageError> {
    let mut flags = GraderFlags {
        verdict_mode: VerdictMode::WorstError,
        score_mode: ScoreMode::Sum,
        ignore_sample: false,
        accept_if_any_accepted: false,
    };
    for word in text.split_whitespace() {
        match word {
            "worst_error" => flags.verdict_mode = VerdictMode::WorstError,
            "first_error" => flags.verdict_mode = VerdictMode::FirstError,
            "always_accept" => flags.verdict_mode = VerdictMode::AlwaysAccept,
            "sum" => flags.score_mode = ScoreMode::Sum,
            "avg" => flags.score_mode = ScoreMode::Average,
            "min" => flags.score_mode = ScoreMode::Min,
            "max" => flags.score_mode = ScoreMode::Max,
            "ignore_sample" => flags.ignore_sample = true,
            "accept_if_any_accepted" => flags.accept_if_any_accepted = true,
            unknown => {
                let problem = format!("the default grader has no flag {unknown:?}");
                return Err(yaml.invalid("grader_flags", problem));
            }
        }
    }
    Ok(flags)
}

fn range(yaml: &mut Section) -> Result<Option<ScoreRange>, PackageError> {
    let Some(text) = yaml.string("range")? else {
        return Ok(None);
    };
    let bound = |word: &str, infinite: &[&str]| {
        if infinite.contains(&word) {
            return Some(None);
        }
        word.parse::<Score>().ok().map(Some)
    };
    let range = match *text.split_whitespace().collect::<Vec<_>>() {
        [min, max] => bound(min, &["-inf"])
            .zip(bound(max, &["inf", "+inf"]))
            .map(|(min, max)| ScoreRange { min, max }),
        _ => None,
    };
    let ordered = |range: &ScoreRange| match (&range.min, &range.max) {
        (Some(min), Some(max)) => min <= max,
        _ => true,
    };
    range
        .filter(ordered)
        .map(Some)
        .ok_or_else(|| yaml.invalid("range", "expected two numbers in order, such as `0 100`"))
}

/// How results combine.
pub(super) fn grading(
    files: &BTreeMap<String, GraderYaml>,
    problem: &ProblemYaml,
    testcases: &[Testcase],
) -> Result<Grading, PackageError> {
    let defaults = GraderGroup {
        name: String::new(),
        members: Vec::new(),
        on_reject: OnReject::Break,
        verdict_mode: VerdictMode::WorstError,
        accept_if_any_accepted: false,
        ignore_sample: false,
        score_mode: ScoreMode::Sum,
        accept_score: Score::from(1),
        reject_score: Score::zero(),
        range: ScoreRange::default(),
    };
    let names: Vec<(usize, Vec<&str>)> = testcases
        .iter()
        .enumerate()
        .map(|(index, testcase)| (index, testcase.name.split('/').collect()))
        .collect();
    let root = group(files, "data", &names, &defaults);
    let has_samples = testcases.iter().any(Testcase::is_sample);
    if root.ignore_sample && !has_samples {
        let problem = "`ignore_sample` without a sample would ignore the secret test cases";
        return Err(PackageError::invalid(
            "data/testdata.yaml",
            "grader_flags",
            problem,
        ));
    }
    if problem.scoring.is_none() && is_plain(&root) {
        return Ok(Grading::PassFail);
    }
    Ok(Grading::Grader(Grader {
        root,
        scoring: problem.scoring,
    }))
}

/// The group in `directory` of the test cases whose names, from there on, are
/// given in order.
fn group(
    files: &BTreeMap<String, GraderYaml>,
    directory: &str,
    names: &[(usize, Vec<&str>)],
    inherited: &GraderGroup,
) -> GraderGroup {
    let mut group = GraderGroup {
        name: directory.to_owned(),
        members: Vec::new(),
        ..inherited.clone()
    };
    if let Some(file) = files.get(directory) {
        group.on_reject = file.on_reject.unwrap_or(group.on_reject);
        if let Some(flags) = file.flags.clone() {
            group.verdict_mode = flags.verdict_mode;
            group.score_mode = flags.score_mode;
            group.accept_if_any_accepted = flags.accept_if_any_accepted;
            group.ignore_sample = flags.ignore_sample;
        }
        if let Some(score) = file.accept_score.clone() {
            group.accept_score = score;
        }
        if let Some(score) = file.reject_score.clone() {
            group.reject_score = score;
        }
        if let Some(range) = file.range.clone() {
            group.range = range;
        }
    }
    // The one flag that only makes sense where it stands.
    let inherited = GraderGroup {
        ignore_sample: false,
        members: Vec::new(),
        ..group.clone()
    };
    let same_part = |(_, one): &(usize, Vec<&str>), (_, other): &(usize, Vec<&str>)| {
        one.len() > 1 && other.len() > 1 && one[0] == other[0]
    };
    group.members = names
        .chunk_by(same_part)
        .map(|part| match part {
            [(index, name)] if name.len() == 1 => GraderMember::Testcase(*index),
            _ => {
                let inner: Vec<_> = part
                    .iter()
                    .map(|(index, name)| (*index, name[1..].to_vec()))
                    .collect();
                let name = format!("{directory}/{}", part[0].1[0]);
                GraderMember::Group(Box::new(self::group(files, &name, &inner, &inherited)))
            }
        })
        .collect();
    group
}

/// Whether the first test case that is not accepted decides, as without graders.
fn is_plain(group: &GraderGroup) -> bool {
    let first_decides = match group.verdict_mode {
        VerdictMode::FirstError => true,
        VerdictMode::WorstError => group.on_reject == OnReject::Break,
        VerdictMode::AlwaysAccept => false,
    };
    let plain = first_decides && !group.accept_if_any_accepted && !group.ignore_sample;
    plain
        && group.members.iter().all(|member| match member {
            GraderMember::Testcase(_) => true,
            GraderMember::Group(inner) => is_plain(inner),
        })
}
