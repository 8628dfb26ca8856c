//! Test cases that are the same as another.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;

use assize_common::ContentHash;
use assize_common::content_hash::ContentHasher;
use assize_common::package::Testcase;

use super::Verifier;
use crate::judging_error::JudgingError;

impl Verifier<'_> {
    /// Two test cases with the same input need only one run.
    pub(super) fn find_duplicates(&mut self) -> Result<(), JudgingError> {
        let mut seen: BTreeMap<ContentHash, String> = BTreeMap::new();
        let mut same = Vec::new();
        for testcase in &self.package.testcases {
            // A sample is repeated in groups on purpose.
            let hash = input_hash(testcase)?;
            if let Some(other) = seen.insert(hash, testcase.name.clone())
                && !other.starts_with("sample/")
            {
                same.push((testcase.name.clone(), other));
            }
        }
        for (name, other) in same {
            self.warn(
                name,
                format!("the input is the same as that of {other}"),
                "remove one of the two",
            );
        }
        Ok(())
    }
}

/// All that a submission gets to see.
fn input_hash(testcase: &Testcase) -> Result<ContentHash, JudgingError> {
    let mut hash = ContentHasher::default();
    hash.update_framed(content_hash(&testcase.input)?.as_bytes());
    for arg in &testcase.args {
        hash.update_framed(arg);
    }
    for file in &testcase.files {
        hash.update_framed(&file.name);
        hash.update_framed(content_hash(&file.path)?.as_bytes());
    }
    Ok(hash.finish())
}

fn content_hash(path: &Path) -> Result<ContentHash, JudgingError> {
    File::open(path)
        .and_then(ContentHash::of_rest)
        .map_err(JudgingError::disk("read", path))
}
