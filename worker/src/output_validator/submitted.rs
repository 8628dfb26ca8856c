//! The files of a submission, as its validator has them.

use std::fs::File;
use std::path::Path;

use assize_common::package;
use assize_sandbox::{Mount, Scratch, Spec};
use bytesize::ByteSize;
use tempfile::TempDir;

use crate::compile::{add_file, make_directory};
use crate::executable::Executable;
use crate::judging_error::JudgingError;

/// The working directory of a validator that has what was submitted there.
pub(crate) const DIRECTORY: &str = "/submission";

/// Whose output is validated.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Submitted<'a> {
    Program(&'a Executable),
    /// Outputs alone, laid out in a directory of the host.
    Outputs(&'a Path),
    /// It is an output of the jury's, or the validator is none that looks.
    Nothing,
}

impl Submitted<'_> {
    /// Makes a directory of what was submitted and compiled the working directory of a
    /// run, with nothing else in it.
    pub(super) fn show(self, spec: &mut Spec) -> Result<(), JudgingError> {
        spec.directory = DIRECTORY.into();
        match self {
            Self::Program(executable) => return executable.mount(spec, Path::new(DIRECTORY)),
            Self::Outputs(directory) => spec.mounts.push(Mount {
                source: File::open(directory)
                    .map_err(JudgingError::disk("open", directory))?
                    .into(),
                target: DIRECTORY.into(),
            }),
            Self::Nothing => spec.scratch.push(Scratch {
                target: DIRECTORY.into(),
                size: ByteSize(4096),
                counted: false,
            }),
        }
        Ok(())
    }
}

/// Lays submitted outputs out for [`Submitted::Outputs`].
pub(crate) fn lay_out(outputs: &[package::File], scratch: &Path) -> Result<TempDir, JudgingError> {
    let directory = tempfile::tempdir_in(scratch)
        .map_err(JudgingError::disk("create a directory in", scratch))?;
    make_directory(directory.path())?;
    for output in outputs {
        add_file(directory.path(), output)?;
    }
    Ok(directory)
}
