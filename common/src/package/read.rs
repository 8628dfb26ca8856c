//! Reading a package directory into the model.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use bytesize::ByteSize;

use super::error::PackageError;
use super::file_tree::FileTree;
use super::model::{File, Kind, Limits, Package, Timing};
use super::problem_yaml::{self, ProblemYaml, StatedLimits};
use super::{
    advice, dmoj, endings, foreign, jury_programs, policy, polygon, submissions, testdata,
    time_limit, validator_tests, validators,
};

impl Package {
    /// Reads the package in the directory `root`.
    ///
    /// # Errors
    /// When it is broken, or asks for something that is not supported; the
    /// error names file and key.
    pub fn read(root: &Path) -> Result<Self, PackageError> {
        let package = read(root, None)?;
        jury_programs::check(&package)?;
        Ok(package)
    }

    /// Reads a package that was imported, maybe by a release that refused less: what has been
    /// judged so far must not fail in the middle of a contest.
    ///
    /// # Errors
    /// When it is broken.
    pub fn read_imported(root: &Path) -> Result<Self, PackageError> {
        read(root, None)
    }

    /// Reads a package that may lack a time limit, which is to be found by
    /// running its submissions; until then, `provisional` is the limit, and
    /// [`Timing::time_limit_is_stated`] says so.
    ///
    /// # Errors
    /// As for [`Package::read`].
    pub fn read_unfinished(root: &Path, provisional: Duration) -> Result<Self, PackageError> {
        let package = read(root, Some(provisional))?;
        jury_programs::check(&package)?;
        Ok(package)
    }
}

fn read(root: &Path, provisional: Option<Duration>) -> Result<Package, PackageError> {
    let tree = FileTree::read(root)?;
    let package = if tree.get(problem_yaml::FILE).is_some() {
        read_icpc(root, &tree, provisional)
    } else if tree.get(polygon::FILE).is_some() {
        polygon::read(&tree)
    } else if tree.get(dmoj::FILE).is_some() {
        dmoj::read(root, &tree, provisional)
    } else {
        Err(PackageError::NotAPackage {
            path: root.to_owned(),
        })
    }?;
    Ok(Package {
        policy: policy::read(&tree)?,
        ..package
    })
}

/// Reads a package of the ICPC/Kattis format.
fn read_icpc(
    root: &Path,
    tree: &FileTree,
    provisional: Option<Duration>,
) -> Result<Package, PackageError> {
    let mut warnings: Vec<String> = tree
        .ignored
        .iter()
        // Hidden files are hidden on purpose.
        .filter(|path| !path.split('/').any(|name| name.starts_with('.')))
        .map(|path| format!("{path}: ignored, its name is not allowed by the format"))
        .collect();
    let problem = ProblemYaml::read(tree, &mut warnings)?;
    // Where outputs are submitted nothing runs, and any limit will do.
    let needless = (problem.kind == Kind::SubmitAnswer).then_some(Duration::from_secs(1));
    let stated = time_limit::find(tree, problem.limits.time_limit, &mut warnings)?.or(needless);
    let time_limit = stated.or(provisional).ok_or(PackageError::NoTimeLimit)?;
    let limits = limits(time_limit, &problem.limits);
    foreign::refuse(tree, problem.format.is_legacy())?;
    let output_validator = validators::output_validator(tree, &problem, &mut warnings)?;
    let data = testdata::read(tree, &problem, &output_validator, &mut warnings)?;
    let static_validator =
        validators::static_validator(tree, &problem, data.static_tests, &mut warnings)?;
    let validator_tests = validator_tests::read(tree, &problem, &output_validator, &mut warnings)?;
    let (input_validators, unsupported_input_validators) =
        validators::input_validators(tree, &mut warnings);
    let mut package = Package {
        content_hash: tree.content_hash()?,
        submissions: submissions::read(
            tree,
            problem.format.is_legacy(),
            &data.grading,
            &mut warnings,
        )?,
        input_validators,
        unsupported_input_validators,
        advice: advice::find(tree, &problem),
        include: include(tree, &problem, &mut warnings),
        attachments: attachments(tree, &problem, &mut warnings),
        name: problem.name.unwrap_or_else(|| directory_name(root)),
        uuid: problem.uuid,
        format: problem.format,
        timing: Timing {
            time_limit_is_stated: stated.is_some(),
            ..problem.timing
        },
        kind: problem.kind,
        passes: problem.passes,
        allows_file_writing: problem.allows_file_writing,
        policy: None,
        languages: problem.languages,
        constants: problem.constants,
        limits,
        testcases: data.testcases,
        grading: data.grading,
        output_validator,
        static_validator,
        validator_tests,
        warnings,
        unpacked: None,
    };
    endings::settle(&mut package)?;
    validators::find_arguments_for_nobody(&mut package);
    Ok(package)
}

pub(super) fn directory_name(root: &Path) -> String {
    let canonical = root.canonicalize().unwrap_or_else(|_| root.to_owned());
    canonical.file_name().map_or_else(
        || "problem".to_owned(),
        |name| name.to_string_lossy().into_owned(),
    )
}

/// The format's typical system defaults.
const DEFAULT_TIME: Duration = Duration::from_secs(60);
const DEFAULT_MEMORY: ByteSize = ByteSize(2048 * bytesize::MIB);
const DEFAULT_OUTPUT: ByteSize = ByteSize(8 * bytesize::MIB);

/// Where a limit is not stated, the default holds.
pub(super) fn limits(time_limit: Duration, stated: &StatedLimits) -> Limits {
    Limits {
        time_limit,
        memory: stated.memory.unwrap_or(DEFAULT_MEMORY),
        output: stated.output.unwrap_or(DEFAULT_OUTPUT),
        code: stated.code.unwrap_or(ByteSize::kib(128)),
        compilation_time: stated.compilation_time.unwrap_or(DEFAULT_TIME),
        compilation_memory: stated.compilation_memory.unwrap_or(DEFAULT_MEMORY),
        validation_time: stated.validation_time.unwrap_or(DEFAULT_TIME),
        validation_memory: stated.validation_memory.unwrap_or(DEFAULT_MEMORY),
        validation_output: stated.validation_output.unwrap_or(DEFAULT_OUTPUT),
    }
}

impl Limits {
    /// The same for input validators: what a package states of validation is about
    /// its output validator, which is asked far more often.
    #[must_use]
    pub fn for_input_validators(self) -> Self {
        Self {
            validation_time: self.validation_time.max(DEFAULT_TIME),
            validation_memory: self.validation_memory.max(DEFAULT_MEMORY),
            validation_output: self.validation_output.max(DEFAULT_OUTPUT),
            ..self
        }
    }
}

fn include(
    tree: &FileTree,
    problem: &ProblemYaml,
    warnings: &mut Vec<String>,
) -> BTreeMap<String, Vec<File>> {
    let mut include = BTreeMap::new();
    for language in tree.children("include") {
        let path = format!("include/{language}");
        if tree.get(&path).is_some() {
            warnings.push(format!(
                "{path}: ignored, put it into include/ and the code of its language"
            ));
            continue;
        }
        let allowed = problem
            .languages
            .as_ref()
            .is_none_or(|languages| languages.iter().any(|allowed| allowed == language));
        if !allowed && language != "default" {
            warnings.push(format!(
                "{path}/: unused, problem.yaml does not allow {language}"
            ));
        }
        include.insert(language.to_owned(), tree.program_files(&path));
    }
    if problem.kind == Kind::SubmitAnswer && !include.is_empty() {
        warnings.push("include/: unused, a submit-answer problem compiles nothing".to_owned());
    }
    include
}

fn attachments(tree: &FileTree, problem: &ProblemYaml, warnings: &mut Vec<String>) -> Vec<File> {
    let files = tree.program_files("attachments");
    let strict = !problem.format.is_legacy();
    for file in &files {
        if strict && file.name.contains('/') && !file.name.starts_with("templates/") {
            warnings.push(format!(
                "attachments/{}: the only directory there may be is templates/",
                file.name
            ));
        }
    }
    files
}
