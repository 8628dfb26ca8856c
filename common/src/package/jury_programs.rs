//! Programs of the jury that decide: that they can be run at all is known when a package
//! is imported, not when the first submission comes.

use std::sync::LazyLock;

use super::error::PackageError;
use super::model::{FormatVersion, Package, Program};
use super::program::UnknownLanguage;
use crate::language::LanguageTable;

/// What a host has if nobody says otherwise. Which table the judging hosts have is not
/// known here; a program whose language the package states is left to them.
static TABLE: LazyLock<Option<LanguageTable>> = LazyLock::new(|| LanguageTable::embedded().ok());

/// Refuses programs that are in no language, and such of several files of which none is
/// the one to run.
pub(super) fn check(package: &Package) -> Result<(), PackageError> {
    let Some(table) = &*TABLE else { return Ok(()) };
    let mut programs = package.output_validator.programs();
    programs.extend(package.static_validator.as_ref().map(|it| &it.program));
    for program in programs.into_iter().filter(|it| it.language.is_none()) {
        let problem = match program.find_language(table) {
            Err(UnknownLanguage::Endings { files, .. }) => format!(
                "no language has files with such endings: {files}; write it in C, C++ or Python 3"
            ),
            Err(UnknownLanguage::Ambiguous { languages, .. }) => {
                format!("its files are of more than one language ({languages}): keep those of one")
            }
            Ok(_) if package.format == FormatVersion::V2025_09 && lacks_main_file(program) => {
                "several Python files without a __main__.py, which is the one to run: name it so"
                    .to_owned()
            }
            Err(UnknownLanguage::Code { .. }) | Ok(_) => continue,
        };
        return Err(PackageError::invalid(&program.name, "", problem));
    }
    Ok(())
}

fn lacks_main_file(program: &Program) -> bool {
    let names = program.files.iter().map(|file| file.name.as_str());
    let python: Vec<&str> = names
        .filter(|name| name.ends_with(".py") && !name.contains('/'))
        .collect();
    // The second is not in the text, and is run.
    python.len() > 1
        && !["__main__.py", "main.py"]
            .iter()
            .any(|main| python.contains(main))
}

#[cfg(test)]
mod tests {
    use super::super::Package;
    use super::super::test_package::TestPackage;

    fn error(package: &TestPackage) -> String {
        Package::read(package.path()).unwrap_err().to_string()
    }

    #[test]
    fn programs_that_nobody_can_run_are_refused() {
        let shell = TestPackage::minimal().with("output_validator/a.sh", "");
        let error_text = error(&shell);
        assert!(
            error_text.contains("output_validator/a.sh") && error_text.contains("no language"),
            "{error_text}"
        );
        let mixed = TestPackage::minimal()
            .with("output_validator/a.py", "")
            .with("output_validator/b.cpp", "");
        assert!(error(&mixed).contains("more than one language"));
        let legacy = TestPackage::legacy()
            .with("problem.yaml", "validation: custom\n")
            .with("output_validators/a.sh", "");
        assert!(error(&legacy).contains("output_validators/a.sh"));
    }

    #[test]
    fn one_of_several_python_files_is_the_one_to_run() {
        let two = TestPackage::minimal()
            .with("output_validator/a.py", "")
            .with("output_validator/b.py", "");
        assert!(error(&two).contains("__main__.py"));
        Package::read_imported(two.path()).unwrap();
        let with_main = two.with("output_validator/__main__.py", "");
        Package::read(with_main.path()).unwrap();
    }
}
