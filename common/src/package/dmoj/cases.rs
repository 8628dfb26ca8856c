//! The test cases that init.yml lists, or describes by patterns of names.

use super::super::error::PackageError;
use super::super::yaml::{Section, as_score};
use super::super::yaml_value::Value;
use super::data::Data;
use super::{FILE, pattern, refuse};
use crate::Score;

/// One entry of the list.
#[derive(Debug, PartialEq)]
pub(super) struct Item {
    pub(super) points: Score,
    pub(super) is_pretest: bool,
    pub(super) content: Content,
}

/// What an entry is.
#[derive(Debug, PartialEq)]
pub(super) enum Content {
    Case(Case),
    Batch {
        cases: Vec<Case>,
        /// Batches that must be accepted before, counted from 1.
        dependencies: Vec<usize>,
    },
}

/// The files of a test case; one that is not named is empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Case {
    pub(super) input: Option<String>,
    pub(super) output: Option<String>,
    /// Whether the files are taken as they are.
    pub(super) is_binary: bool,
}

/// Settings that hold where an entry states none.
#[derive(Debug, Clone)]
struct Inherited {
    points: Score,
    is_binary: bool,
}

/// Pretests first, then the test cases.
pub(super) fn read(
    yaml: &mut Section,
    data: &Data<'_>,
    warnings: &mut Vec<String>,
) -> Result<Vec<Item>, PackageError> {
    let inherited = Inherited {
        points: yaml.score("points")?.unwrap_or(Score::from(1)),
        is_binary: yaml.boolean("binary_data")?.unwrap_or(false),
    };
    let mut items = match yaml.take("pretest_test_cases") {
        None => Vec::new(),
        Some(Value::List(list)) => {
            let key = "pretest_test_cases";
            let mut pretests = listed(yaml, key, list, &inherited, warnings)?;
            for pretest in &mut pretests {
                pretest.is_pretest = true;
                pretest.points = Score::zero();
                if let Content::Batch { dependencies, .. } = &pretest.content
                    && !dependencies.is_empty()
                {
                    return Err(yaml.unsupported(key, "a pretest with dependencies"));
                }
            }
            pretests
        }
        Some(_) => {
            let feature = "describing pretests by patterns";
            return Err(yaml.unsupported("pretest_test_cases", feature));
        }
    };
    let key = "test_cases";
    items.extend(match yaml.take(key) {
        Some(Value::List(list)) => listed(yaml, key, list, &inherited, warnings)?,
        described => {
            let mut section = match described {
                None => yaml.section(key)?,
                Some(value) => yaml.nested(key, value)?,
            };
            let found = described_by(&mut section, data, &inherited)?;
            section.finish(warnings);
            found
        }
    });
    if items.iter().all(|item| item.is_pretest) {
        return Err(PackageError::invalid(FILE, key, "there are no test cases"));
    }
    Ok(items)
}

fn listed(
    yaml: &Section,
    key: &str,
    list: Vec<Value>,
    inherited: &Inherited,
    warnings: &mut Vec<String>,
) -> Result<Vec<Item>, PackageError> {
    let mut items = Vec::with_capacity(list.len());
    let mut batches = 0;
    for (at, value) in list.into_iter().enumerate() {
        let key = format!("{key}[{at}]");
        let mut section = yaml.nested(&key, value)?;
        let points = section
            .score("points")?
            .unwrap_or_else(|| inherited.points.clone());
        if points.is_negative() {
            return Err(section.invalid("points", "less than nothing"));
        }
        let content = match section.take("batched") {
            None => Content::Case(case(&mut section, inherited)?),
            Some(Value::List(list)) if !list.is_empty() => {
                batches += 1;
                batch(&mut section, list, batches, inherited, warnings)?
            }
            Some(_) => return Err(section.invalid("batched", "expected a list of test cases")),
        };
        section.finish(warnings);
        items.push(Item {
            points,
            is_pretest: false,
            content,
        });
    }
    Ok(items)
}

fn batch(
    section: &mut Section,
    list: Vec<Value>,
    number: usize,
    inherited: &Inherited,
    warnings: &mut Vec<String>,
) -> Result<Content, PackageError> {
    const DEPENDENCIES: &str = "dependencies";
    let inherited = Inherited {
        is_binary: section
            .boolean("binary_data")?
            .unwrap_or(inherited.is_binary),
        ..inherited.clone()
    };
    let mut cases = Vec::with_capacity(list.len());
    for (at, value) in list.into_iter().enumerate() {
        let mut inner = section.nested(&format!("batched[{at}]"), value)?;
        if inner.take("batched").is_some() {
            return Err(inner.invalid("batched", "batches do not nest"));
        }
        if inner.take("points").is_some() {
            warnings.push(inner.ignored("points", "the batch gives points as a whole"));
        }
        cases.push(case(&mut inner, &inherited)?);
        inner.finish(warnings);
    }
    refuse(section)?;
    refuse_own_checker(section)?;
    let mut dependencies = Vec::new();
    for value in match section.take(DEPENDENCIES) {
        None => Vec::new(),
        Some(Value::List(list)) => list,
        Some(_) => return Err(section.invalid(DEPENDENCIES, "expected a list of numbers")),
    } {
        let earlier = value.as_u64().and_then(|batch| usize::try_from(batch).ok());
        match earlier.filter(|batch| (1..number).contains(batch)) {
            Some(batch) => dependencies.push(batch),
            None => {
                let stated = value.text().unwrap_or("what is no number");
                let problem =
                    format!("batch {number} can't depend on {stated}: expected an earlier batch");
                return Err(section.invalid(DEPENDENCIES, problem));
            }
        }
    }
    Ok(Content::Batch {
        cases,
        dependencies,
    })
}

fn case(section: &mut Section, inherited: &Inherited) -> Result<Case, PackageError> {
    refuse(section)?;
    refuse_own_checker(section)?;
    section.skip(&["output_prefix_length"]);
    Ok(Case {
        input: section.string("in")?,
        output: section.string("out")?,
        is_binary: section
            .boolean("binary_data")?
            .unwrap_or(inherited.is_binary),
    })
}

fn refuse_own_checker(section: &mut Section) -> Result<(), PackageError> {
    if section.take("checker").is_some() {
        let feature = "another checker than that of the problem";
        return Err(section.unsupported("checker", feature));
    }
    Ok(())
}

/// Test cases found by the names of the archive's files.
fn described_by(
    section: &mut Section,
    data: &Data<'_>,
    inherited: &Inherited,
) -> Result<Vec<Item>, PackageError> {
    let points = match section.take("case_points") {
        None => None,
        Some(Value::List(list)) => {
            let scores: Option<Vec<Score>> = list.iter().map(as_score).collect();
            let scores = scores.filter(|scores| !scores.iter().any(Score::is_negative));
            let problem = "expected a list of numbers that are not negative";
            Some(scores.ok_or_else(|| section.invalid("case_points", problem))?)
        }
        Some(_) => return Err(section.invalid("case_points", "expected a list of numbers")),
    };
    let names = data.archived().ok_or_else(|| {
        section.invalid(
            "",
            "only the files of an archive can be found by patterns: name it as `archive`, or list the test cases",
        )
    })?;
    let input = section.string("input_format")?;
    let output = section.string("output_format")?;
    let found = pattern::find(names, input.as_deref(), output.as_deref())
        .map_err(|(key, problem)| section.invalid(key, problem))?;
    let mut given = points.map(Vec::into_iter);
    let mut items = Vec::with_capacity(found.len());
    for group in found {
        let points = match &mut given {
            None => inherited.points.clone(),
            Some(given) => given
                .next()
                .ok_or_else(|| section.invalid("case_points", "fewer than test cases"))?,
        };
        let mut cases = group.cases.into_iter().map(|files| Case {
            input: files.input,
            output: files.output,
            is_binary: inherited.is_binary,
        });
        let content = match (group.is_batch, cases.next()) {
            (false, Some(case)) => Content::Case(case),
            (_, first) => Content::Batch {
                cases: first.into_iter().chain(cases).collect(),
                dependencies: Vec::new(),
            },
        };
        items.push(Item {
            points,
            is_pretest: false,
            content,
        });
    }
    Ok(items)
}
