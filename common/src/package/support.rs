//! What packages may ask for and judging does not do yet. Such packages are
//! refused when they are read, rather than judged wrongly.

use super::error::PackageError;
use super::grading::Grading;
use super::model::{Kind, Package};
use super::problem_yaml;

/// Refuses what can't be honoured, by file and key.
pub(super) fn check(package: &Package) -> Result<(), PackageError> {
    let refuse = |file: &str, key, feature| Err(PackageError::unsupported(file, key, feature));
    let of_problem = |key, feature| refuse(problem_yaml::FILE, key, feature);
    match package.grading {
        Grading::PassFail => {}
        Grading::Scoring(_) => return of_problem("type", "a scoring problem"),
        Grading::Grader(ref grader) if grader.scoring.is_some() => {
            return of_problem("type", "a scoring problem");
        }
        Grading::Grader(_) => {
            let feature = "judging on after a failure, or a grader that accepts in spite of one";
            return refuse("data/testdata.yaml", "grader_flags", feature);
        }
    }
    if package.kind == Kind::SubmitAnswer {
        return of_problem("type", "a submit-answer problem");
    }
    if package.passes > 1 {
        return of_problem("type", "a multi-pass problem");
    }
    if package.allows_file_writing {
        return of_problem("allow_file_writing", "a submission that writes files");
    }
    if !package.constants.is_empty() {
        return of_problem("constants", "replacing constants in programs");
    }
    if package.static_validator.is_some() {
        return refuse("static_validator/", "", "a static validator");
    }
    let with_files = |testcase: &&super::model::Testcase| !testcase.files.is_empty();
    if let Some(testcase) = package.testcases.iter().find(with_files) {
        let file = format!("data/{}.files", testcase.name);
        return refuse(&file, "", "a test case with input files");
    }
    Ok(())
}
