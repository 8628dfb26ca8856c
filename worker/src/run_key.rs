//! The keys of runs: the hash of all that determines the result of a run, so that
//! runs with the same key need not be run twice.
//!
//! A key is made of three hashes. What determines how the *program* runs: its recipe, the
//! input and the files beside it, the arguments, the limits, the rules about system calls,
//! the host's kind (its worker, its kernel, its processor) and settings. The output
//! *validator* with its arguments and limits. And the *answer*. While the first is the same
//! the program writes the same, which may have been kept to be validated again: but for
//! interactive and multi-pass problems, where validators determine how programs run. The
//! name of a test case is nothing that a run depends on.

use std::collections::VecDeque;
use std::fs::File;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use assize_common::content_hash::ContentHasher;
use assize_common::message::{KeyParts, Provenance};
use assize_common::package::{Kind, Limits, OutputValidator, Package, Testcase};
use assize_common::{ContentHash, SandboxMode};

use crate::cancel::Cancel;
use crate::compile::Recipe;
use crate::judge::{Judge, Request};
use crate::judging_error::JudgingError;
use crate::jury_program::sees_submission;
use crate::output_validator::feedback::Meaning;
use crate::slot::Slot;

/// Packages whose test data stays hashed.
const PACKAGES_KEPT: usize = 16;

/// The keys of a judgement's runs, in the order of the package's test cases.
#[derive(Debug)]
pub(crate) struct RunKeys(Vec<RunKey>);

/// What later runs are known by.
#[derive(Debug, Clone)]
pub(crate) struct RunKey {
    /// The name of the test case.
    pub(crate) testcase: String,
    pub(crate) key: ContentHash,
    /// What it is made of, where outputs can be validated without the program.
    pub(crate) parts: Option<KeyParts>,
}

impl RunKeys {
    pub(crate) fn get(&self, index: usize) -> Option<&RunKey> {
        self.0.get(index)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &RunKey> {
        self.0.iter()
    }
}

/// The hashes of a test case's files.
#[derive(Debug)]
struct Data {
    /// The input and the files beside it.
    given: ContentHash,
    answer: ContentHash,
}

/// Hashes of test data by package: it is read once.
#[derive(Debug, Default)]
pub(crate) struct TestData(Mutex<VecDeque<(ContentHash, Arc<Vec<Data>>)>>);

impl TestData {
    /// Of each test case.
    fn of(&self, package: &Package) -> Result<Arc<Vec<Data>>, JudgingError> {
        let lock = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = |(package_hash, _): &&(ContentHash, _)| *package_hash == package.content_hash;
        if let Some((_, hashes)) = lock().iter().find(known) {
            return Ok(Arc::clone(hashes));
        }
        let hashes = package.testcases.iter().map(hash_testcase);
        let hashes = Arc::new(hashes.collect::<Result<Vec<_>, _>>()?);
        let mut packages = lock();
        if packages.len() == PACKAGES_KEPT {
            packages.pop_front();
        }
        packages.push_back((package.content_hash, Arc::clone(&hashes)));
        Ok(hashes)
    }
}

impl Judge {
    /// The keys of the runs of a submission with this recipe, if they can have any:
    /// under ptrace each run is to be seen, and is run.
    pub(crate) fn run_keys(
        &self,
        slot: &mut Slot,
        request: Request<'_>,
        recipe: &Recipe,
        provenance: &Provenance,
        cancel: &Cancel,
    ) -> Result<Option<RunKeys>, JudgingError> {
        let package = request.package;
        if request.earlier.is_none() || request.sandbox == SandboxMode::Ptrace {
            return Ok(None);
        }
        let programs = package.output_validator.programs().into_iter();
        let programs = programs.map(|program| {
            let recipe = self.jury_recipe(slot, package, program, cancel);
            recipe.map(|recipe| recipe.hash)
        });
        let Ok(programs) = programs.collect::<Result<Vec<_>, _>>() else {
            // What is wrong with it is told when it is needed.
            return Ok(None);
        };
        let common = Common {
            program: program(package, recipe, provenance),
            validator: validator(package, &programs),
        };
        let data = self.test_data().of(package)?;
        let keys = package.testcases.iter().zip(data.iter());
        let keys = keys.map(|(testcase, data)| common.key(package, testcase, data));
        Ok(Some(RunKeys(keys.collect())))
    }
}

/// What is the same for all test cases.
struct Common {
    program: ContentHash,
    validator: ContentHash,
}

impl Common {
    fn key(&self, package: &Package, testcase: &Testcase, data: &Data) -> RunKey {
        // Plain data, which always has a JSON form.
        let args = |args: &[String]| serde_json::to_vec(args).unwrap_or_default();
        let mut program = ContentHasher::default();
        program.update_framed(self.program.as_bytes());
        program.update_framed(data.given.as_bytes());
        program.update_framed(args(&testcase.args));
        let mut validator = ContentHasher::default();
        validator.update_framed(self.validator.as_bytes());
        validator.update_framed(args(&testcase.output_validator_args));
        validator.update_framed(format!("{:?}", Meaning::on(package, testcase)));
        let parts = KeyParts {
            program: program.finish(),
            validator: validator.finish(),
        };
        let mut key = ContentHasher::default();
        key.update_framed("assize run 2");
        for part in [parts.program, parts.validator, data.answer] {
            key.update_framed(part.as_bytes());
        }
        RunKey {
            testcase: testcase.name.clone(),
            key: key.finish(),
            parts: is_validated_after(package).then_some(parts),
        }
    }
}

/// Whether the program has ended when its output is validated, once and for all.
fn is_validated_after(package: &Package) -> bool {
    package.kind == Kind::PassFail && package.passes == 1
}

/// What determines how the program runs on any test case.
fn program(package: &Package, recipe: &Recipe, provenance: &Provenance) -> ContentHash {
    // Named one by one, so that nobody adds one without a thought. The memory limit is
    // here beside that of the run as runtimes are told it.
    let Limits {
        time_limit,
        memory,
        output,
        code,
        compilation_time,
        compilation_memory,
        validation_time: _,
        validation_memory: _,
        validation_output: _,
    } = &package.limits;
    let mut hash = ContentHasher::default();
    hash.update_framed(recipe.hash.as_bytes());
    hash.update_framed(serde_json::to_vec(&provenance.host).unwrap_or_default());
    hash.update_framed(serde_json::to_vec(&provenance.limits).unwrap_or_default());
    hash.update_framed(serde_json::to_vec(&provenance.policy).unwrap_or_default());
    hash.update_framed(format!("{time_limit:?} {memory:?} {output:?}"));
    hash.update_framed(format!(
        "{code:?} {compilation_time:?} {compilation_memory:?}"
    ));
    hash.update_framed(format!(
        "{:?} {} {}",
        package.kind, package.passes, package.allows_file_writing
    ));
    hash.finish()
}

/// The output validator, with all that is the same for all test cases; `programs` are
/// the hashes of its recipes.
fn validator(package: &Package, programs: &[ContentHash]) -> ContentHash {
    let limits = &package.limits;
    let mut hash = ContentHasher::default();
    hash.update_framed(protocol(package));
    hash.update_framed(format!(
        "{:?} {:?} {:?}",
        limits.validation_time, limits.validation_memory, limits.validation_output
    ));
    for program in programs {
        hash.update_framed(program.as_bytes());
    }
    hash.finish()
}

/// How the validator is spoken to; the default one has other numbers in legacy.
fn protocol(package: &Package) -> String {
    match &package.output_validator {
        OutputValidator::Default => format!("default {}", package.format.is_legacy()),
        // Where it runs differs.
        OutputValidator::Custom(_) if sees_submission(package) => "custom 2".to_owned(),
        OutputValidator::Custom(_) => "custom".to_owned(),
        OutputValidator::Several(_) => "several".to_owned(),
        OutputValidator::Checker { protocol, .. } => format!("checker {protocol:?}"),
        OutputValidator::Interactor {
            protocol, checker, ..
        } => format!("interactor {protocol:?} {}", checker.is_some()),
        OutputValidator::Dmoj(checker) => format!("dmoj {checker:?}"),
    }
}

fn hash_testcase(testcase: &Testcase) -> Result<Data, JudgingError> {
    let mut given = ContentHasher::default();
    given.update_framed(hash_file(&testcase.input)?.as_bytes());
    for file in &testcase.files {
        given.update_framed(&file.name);
        given.update_framed(hash_file(&file.path)?.as_bytes());
    }
    Ok(Data {
        given: given.finish(),
        answer: hash_file(&testcase.answer)?,
    })
}

/// The hash of a file, which may be large.
fn hash_file(path: &Path) -> Result<ContentHash, JudgingError> {
    let file = File::open(path).map_err(JudgingError::disk("open", path))?;
    ContentHash::of_rest(file).map_err(JudgingError::disk("read", path))
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::time::Duration;

    use assize_common::package::FormatVersion;
    use bytesize::ByteSize;

    use super::*;

    fn package() -> Package {
        let (second, size) = (Duration::from_secs(1), ByteSize::mib(1));
        let limits = Limits {
            time_limit: second,
            memory: size,
            output: size,
            code: size,
            compilation_time: second,
            compilation_memory: size,
            validation_time: second,
            validation_memory: size,
            validation_output: size,
        };
        let testcase = Testcase::new("secret/1".to_owned(), PathBuf::new(), PathBuf::new());
        Package::plain("p".to_owned(), limits, vec![testcase])
    }

    fn key(package: &Package, answer: &str) -> RunKey {
        let common = Common {
            program: ContentHash::of(b"program"),
            validator: validator(package, &[]),
        };
        let data = Data {
            given: ContentHash::of(b"input"),
            answer: ContentHash::of(answer.as_bytes()),
        };
        common.key(package, &package.testcases[0], &data)
    }

    /// Whether program, validator and the whole are the same.
    fn same(one: &RunKey, other: &RunKey) -> [bool; 3] {
        let (one_parts, other_parts) = (one.parts.unwrap(), other.parts.unwrap());
        [
            one_parts.program == other_parts.program,
            one_parts.validator == other_parts.validator,
            one.key == other.key,
        ]
    }

    #[test]
    fn each_change_moves_what_depends_on_it() {
        let since = key(&package(), "1");
        let moved = |change: fn(&mut Package)| {
            let mut package = package();
            change(&mut package);
            same(&since, &key(&package, "1"))
        };
        assert_eq!(moved(|_| ()), [true; 3]);
        assert_eq!(same(&since, &key(&package(), "2")), [true, true, false]);
        let renamed = moved(|package| package.testcases[0].name = "secret/2".to_owned());
        assert_eq!(renamed, [true; 3]);
        let args = |package: &mut Package| package.testcases[0].args.push("1".to_owned());
        assert_eq!(moved(args), [false, true, false]);
        let validator: [fn(&mut Package); 3] = [
            |package| {
                let args = &mut package.testcases[0].output_validator_args;
                args.push("case_sensitive".to_owned());
            },
            |package| package.limits.validation_time *= 2,
            // What is a number differs.
            |package| package.format = FormatVersion::Legacy,
        ];
        for change in validator {
            assert_eq!(moved(change), [true, false, false]);
        }
    }

    #[test]
    fn where_validators_determine_how_programs_run_there_is_one_key_only() {
        let changes: [fn(&mut Package); 2] = [
            |package| package.kind = Kind::Interactive,
            |package| package.passes = 2,
        ];
        for change in changes {
            let mut package = package();
            change(&mut package);
            assert_eq!(key(&package, "1").parts, None);
        }
        assert!(key(&package(), "1").parts.is_some());
    }
}
