//! The programs of the jury, compiled: output validators and static validators.

use assize_common::package::{FormatVersion, Kind, OutputValidator, Package, Program};

use crate::cancel::Cancel;
use crate::compile::{Compilation, Recipe};
use crate::compile_limits::CompileLimits;
use crate::judge::Judge;
use crate::judging_error::JudgingError;
use crate::output_validator::{JuryValidator, Protocol};
use crate::slot::{Role, Slot};
use crate::sources::Sources;

/// Whether output validators have what was submitted in their working directory. The
/// older formats say nothing of it, and their validators find their own files there.
pub(crate) fn sees_submission(package: &Package) -> bool {
    package.format == FormatVersion::V2025_09
}

impl Judge {
    /// The compiled output validator of the jury, if the package has one.
    pub(crate) fn output_validator(
        &self,
        slot: &mut Slot,
        package: &Package,
        cancel: &Cancel,
    ) -> Result<Option<JuryValidator>, JudgingError> {
        match &package.output_validator {
            OutputValidator::Default | OutputValidator::Dmoj(_)
                if package.kind == Kind::Interactive =>
            {
                let problem = "an interactive problem without an output validator".to_owned();
                Err(JudgingError::Package { problem })
            }
            OutputValidator::Default | OutputValidator::Dmoj(_) => Ok(None),
            OutputValidator::Custom(program) => {
                self.jury_program(slot, package, program, cancel).map(Some)
            }
            OutputValidator::Several(programs) => {
                let mut chain = None;
                for program in programs.iter().rev() {
                    let validator = self.jury_program(slot, package, program, cancel)?;
                    let then = chain.map(Box::new);
                    chain = Some(JuryValidator { then, ..validator });
                }
                Ok(chain)
            }
            OutputValidator::Checker { program, protocol } => {
                let checker = self.jury_program(slot, package, program, cancel)?;
                Ok(Some(JuryValidator {
                    protocol: Protocol::Checker(*protocol),
                    ..checker
                }))
            }
            OutputValidator::Interactor {
                program,
                protocol,
                checker,
            } => {
                let protocol = Protocol::Checker(*protocol);
                let then = match checker {
                    None => None,
                    Some(checker) => Some(Box::new(JuryValidator {
                        protocol,
                        ..self.jury_program(slot, package, checker, cancel)?
                    })),
                };
                Ok(Some(JuryValidator {
                    protocol,
                    then,
                    ..self.jury_program(slot, package, program, cancel)?
                }))
            }
        }
    }

    /// The compiled static validator of the jury, if the package has one.
    pub(crate) fn static_validator(
        &self,
        slot: &mut Slot,
        package: &Package,
        cancel: &Cancel,
    ) -> Result<Option<JuryValidator>, JudgingError> {
        let validator = package.static_validator.as_ref();
        validator
            .map(|validator| self.jury_program(slot, package, &validator.program, cancel))
            .transpose()
    }

    /// What a program of the jury is made of.
    pub(crate) fn jury_recipe(
        &self,
        slot: &mut Slot,
        package: &Package,
        program: &Program,
        cancel: &Cancel,
    ) -> Result<Recipe, JudgingError> {
        let language = program.find_language(self.languages())?;
        let entry = program.entry_point.as_deref();
        let mut sources = Sources::new(&program.name, language, &program.files, &[], entry)?;
        sources.replace_constants(&package.constants, |_| true, self.scratch())?;
        self.compiler().recipe(slot, language, sources, cancel)
    }

    /// A compiled program of the jury.
    pub(crate) fn jury_program(
        &self,
        slot: &mut Slot,
        package: &Package,
        program: &Program,
        cancel: &Cancel,
    ) -> Result<JuryValidator, JudgingError> {
        let language = program.find_language(self.languages())?;
        let recipe = self.jury_recipe(slot, package, program, cancel)?;
        let limits = CompileLimits::from(&package.limits);
        match self
            .compiler()
            .compile(slot, Role::Jury, language, recipe, limits, cancel)?
        {
            Compilation::Program(executable, _) => Ok(JuryValidator {
                name: program.name.clone(),
                executable: *executable,
                limits: package.limits.clone(),
                sees_submission: sees_submission(package),
                protocol: Protocol::Kattis,
                then: None,
            }),
            Compilation::Rejected(report) => Err(JudgingError::jury(
                &program.name,
                None,
                format!("does not compile: {}", report.output),
            )),
        }
    }
}
