//! The keys of runs: the hash of all that determines the result of a run, so that
//! runs with the same key need not be run twice.
//!
//! That is the program (by its recipe), the input and the files beside it, the arguments,
//! the limits, the rules about system calls, the host's kind (its worker, its kernel, its
//! processor) and settings, and, for the verdict, the answer and the output validator with its
//! arguments and limits. The name of a test case is nothing that a run depends on.

use std::collections::VecDeque;
use std::fs::File;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use assize_common::content_hash::ContentHasher;
use assize_common::message::Provenance;
use assize_common::package::{OutputValidator, Package, Testcase};
use assize_common::{ContentHash, SandboxMode};

use crate::cancel::Cancel;
use crate::compile::Recipe;
use crate::judge::{Judge, Request};
use crate::judging_error::JudgingError;
use crate::output_validator::feedback::Meaning;
use crate::slot::Slot;

/// Packages whose test data stays hashed.
const PACKAGES_KEPT: usize = 16;

/// The keys of a judgement's runs, in the order of the package's test cases.
#[derive(Debug)]
pub(crate) struct RunKeys(Vec<(String, ContentHash)>);

impl RunKeys {
    pub(crate) fn get(&self, index: usize) -> Option<ContentHash> {
        self.0.get(index).map(|(_, key)| *key)
    }

    /// The name of the test case.
    pub(crate) fn name(&self, index: usize) -> Option<&str> {
        self.0.get(index).map(|(name, _)| name.as_str())
    }
}

/// Hashes of test data by package: it is read once.
#[derive(Debug, Default)]
pub(crate) struct TestData(Mutex<VecDeque<(ContentHash, Arc<Vec<ContentHash>>)>>);

impl TestData {
    /// The hash of each test case's input, answer and files.
    fn of(&self, package: &Package) -> Result<Arc<Vec<ContentHash>>, JudgingError> {
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
        let mut common = ContentHasher::default();
        common.update_framed("assize run 1");
        common.update_framed(recipe.hash.as_bytes());
        // Plain data, which always has a JSON form.
        common.update_framed(serde_json::to_vec(&provenance.host).unwrap_or_default());
        common.update_framed(serde_json::to_vec(&provenance.limits).unwrap_or_default());
        common.update_framed(serde_json::to_vec(&provenance.policy).unwrap_or_default());
        // With the validator's limits, and the memory limit as runtimes are told it.
        common.update_framed(format!("{:?}", package.limits));
        common.update_framed(format!(
            "{:?} {} {}",
            package.kind, package.passes, package.allows_file_writing
        ));
        common.update_framed(protocol(package));
        for program in package.output_validator.programs() {
            // What is wrong with it is told when it is needed.
            let Ok(recipe) = self.jury_recipe(slot, package, program, cancel) else {
                return Ok(None);
            };
            common.update_framed(recipe.hash.as_bytes());
        }
        let common = common.finish();
        let data = self.test_data().of(package)?;
        let keys = package.testcases.iter().zip(data.iter());
        let keys = keys.map(|(testcase, data)| {
            let mut key = ContentHasher::default();
            key.update_framed(common.as_bytes());
            key.update_framed(data.as_bytes());
            for args in [&testcase.args, &testcase.output_validator_args] {
                key.update_framed(serde_json::to_vec(args).unwrap_or_default());
            }
            key.update_framed(format!("{:?}", Meaning::on(package, testcase)));
            (testcase.name.clone(), key.finish())
        });
        Ok(Some(RunKeys(keys.collect())))
    }
}

/// How the validator is spoken to; the default one has other numbers in legacy.
fn protocol(package: &Package) -> String {
    match &package.output_validator {
        OutputValidator::Default => format!("default {}", package.format.is_legacy()),
        OutputValidator::Custom(_) => "custom".to_owned(),
        OutputValidator::Several(_) => "several".to_owned(),
        OutputValidator::Checker { protocol, .. } => format!("checker {protocol:?}"),
        OutputValidator::Interactor {
            protocol, checker, ..
        } => format!("interactor {protocol:?} {}", checker.is_some()),
        OutputValidator::Dmoj(checker) => format!("dmoj {checker:?}"),
    }
}

fn hash_testcase(testcase: &Testcase) -> Result<ContentHash, JudgingError> {
    let mut hash = ContentHasher::default();
    for path in [&testcase.input, &testcase.answer] {
        hash.update_framed(hash_file(path)?.as_bytes());
    }
    for file in &testcase.files {
        hash.update_framed(&file.name);
        hash.update_framed(hash_file(&file.path)?.as_bytes());
    }
    Ok(hash.finish())
}

/// The hash of a file, which may be large.
fn hash_file(path: &Path) -> Result<ContentHash, JudgingError> {
    let file = File::open(path).map_err(JudgingError::disk("open", path))?;
    ContentHash::of_rest(file).map_err(JudgingError::disk("read", path))
}

#[cfg(test)]
mod tests {
    use super::*;
    use assize_common::package::{FormatVersion, Limits};
    use bytesize::ByteSize;
    use std::time::Duration;

    #[test]
    fn what_is_a_number_is_part_of_the_key() {
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
        let mut package = Package::plain("p".to_owned(), limits, Vec::new());
        let since = protocol(&package);
        package.format = FormatVersion::Legacy;
        assert_ne!(protocol(&package), since);
    }
}
