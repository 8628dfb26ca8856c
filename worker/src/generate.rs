//! Making the tests and answers that a package lacks, as its own script would, but in
//! jails and under the limits of programs of the jury.

use std::collections::BTreeMap;
use std::fs::{self, File, Permissions};
use std::io::{self, Seek as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use assize_common::package::{Generation, GenerationStep};
use assize_sandbox::{Input, Outcome, Sink};
use tempfile::NamedTempFile;

use crate::cancel::Cancel;
use crate::judge::Judge;
use crate::judging_error::JudgingError;
use crate::output_validator::JuryValidator;
use crate::output_validator::feedback::{Meaning, Scores};
use crate::slot::{Role, Slot};
use crate::toolchain::read_start;

/// What a program says of its failure is quoted up to this size.
const QUOTED: u64 = 500;

impl Judge {
    /// Makes the files of `generation` below `root`, the package's directory;
    /// `progress` is told each.
    ///
    /// # Errors
    /// When a program does not compile or fails, or this host does. What was made until
    /// then is there, and whole.
    pub fn generate(
        &self,
        slot: &mut Slot,
        generation: &Generation,
        root: &Path,
        progress: &mut dyn FnMut(&str),
        cancel: &Cancel,
    ) -> Result<(), JudgingError> {
        let mut programs: BTreeMap<&str, JuryValidator> = BTreeMap::new();
        for step in &generation.steps {
            progress(&step.target);
            let name = step.program.name.as_str();
            if !programs.contains_key(name) {
                let compiled =
                    self.jury_program(slot, &generation.package, &step.program, cancel)?;
                programs.insert(name, compiled);
            }
            let printed = self.print(slot, &programs[name], step, root, cancel)?;
            place(printed, root, &step.target)?;
        }
        Ok(())
    }

    /// What the program of a step prints.
    fn print(
        &self,
        slot: &mut Slot,
        program: &JuryValidator,
        step: &GenerationStep,
        root: &Path,
        cancel: &Cancel,
    ) -> Result<File, JudgingError> {
        let scratch = self.scratch();
        let create = || {
            tempfile::tempfile_in(scratch).map_err(JudgingError::disk("create a file in", scratch))
        };
        let (printed, complaint) = (create()?, create()?);
        let input = match &step.input {
            None => Input::Null,
            Some(path) => {
                let path = root.join(path);
                let input = File::open(&path).map_err(JudgingError::disk("open", &path))?;
                Input::Fd(input.into())
            }
        };
        let to = printed
            .try_clone()
            .map_err(JudgingError::disk("share a file in", scratch))?;
        let stdout = Sink::Capture {
            to: to.into(),
            keep: program.limits.validation_output,
        };
        let meaning = Meaning {
            scores: Scores::None,
            multi_pass: false,
        };
        let spec = program.program_spec(&step.args, meaning, input, stdout, &complaint)?;
        let activity = format!("making {}", step.target);
        let facts = slot.run(Role::Jury, spec, &activity, cancel)?;
        match facts.outcome {
            Outcome::Exited { code: 0 } => Ok(printed),
            outcome => {
                let said = read_start(complaint, QUOTED).unwrap_or_default();
                let problem = format!("{outcome:?} {}", said.trim_end());
                Err(JudgingError::jury(
                    &program.name,
                    Some(&step.target),
                    problem,
                ))
            }
        }
    }
}

/// Puts what was printed where it belongs, whole or not at all.
fn place(mut printed: File, root: &Path, target: &str) -> Result<(), JudgingError> {
    let path = root.join(target);
    let mut write = || -> io::Result<()> {
        let directory = path.parent().unwrap_or(root);
        fs::create_dir_all(directory)?;
        // Links of the package may lead anywhere by now.
        if !directory.canonicalize()?.starts_with(root.canonicalize()?) {
            return Err(io::Error::other("its directory is not within the package"));
        }
        let mut file = NamedTempFile::new_in(directory)?;
        printed.rewind()?;
        io::copy(&mut printed, &mut file)?;
        file.as_file()
            .set_permissions(Permissions::from_mode(0o644))?;
        file.persist_noclobber(&path)?;
        Ok(())
    };
    write().map_err(JudgingError::disk("write", &path))
}
