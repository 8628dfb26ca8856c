//! Programs whose language the format tells otherwise than a language table would.
//!
//! A table has the endings of the languages that are judged. To the format `.pl` is
//! Prolog's and `.py2` Python 2's, and before 2025-09 the first line tells which
//! Python a `.py` is. Such a program must not be judged as what shares its ending.

use std::fs::File;
use std::io::Read as _;

use super::error::PackageError;
use super::model::{FormatVersion, OutputValidator, Package, Program};

const PYTHON_2: &str = "python2";
const PROLOG: &str = "prolog";

/// States the language of such programs, where the package states none.
pub(super) fn settle(package: &mut Package) -> Result<(), PackageError> {
    let format = package.format;
    let submissions = package.submissions.iter_mut();
    let mut programs: Vec<&mut Program> = submissions.map(|it| &mut it.program).collect();
    programs.extend(&mut package.input_validators);
    programs.extend(package.static_validator.as_mut().map(|it| &mut it.program));
    match &mut package.output_validator {
        OutputValidator::Custom(program) => programs.push(program),
        OutputValidator::Several(several) => programs.extend(several),
        // The others are those of other formats.
        OutputValidator::Default
        | OutputValidator::Dmoj(_)
        | OutputValidator::Checker { .. }
        | OutputValidator::Interactor { .. } => {}
    }
    for program in programs.into_iter().filter(|it| it.language.is_none()) {
        let has = |ending| program.files.iter().any(|file| file.name.ends_with(ending));
        let says_python_2 = says_python_2(program)?;
        if has(".py2") || (says_python_2 && format != FormatVersion::V2025_09) {
            program.language = Some(PYTHON_2.to_owned());
        } else if has(".pl") && !has(".pm") {
            program.language = Some(PROLOG.to_owned());
        } else if says_python_2 {
            package.warnings.push(format!(
                "{}: its first line says Python 2, but .py is Python 3 in 2025-09: call it .py2",
                program.name
            ));
        }
    }
    Ok(())
}

/// Whether the first line of one of its files is `#!` and something with `python2`.
fn says_python_2(program: &Program) -> Result<bool, PackageError> {
    const LONGEST: u64 = 256;
    for file in program
        .files
        .iter()
        .filter(|file| file.name.ends_with(".py"))
    {
        let mut start = Vec::new();
        File::open(&file.path)
            .and_then(|content| content.take(LONGEST).read_to_end(&mut start))
            .map_err(PackageError::io("read", &file.path))?;
        let line = start
            .split(|byte| *byte == b'\n')
            .next()
            .unwrap_or_default();
        let line = String::from_utf8_lossy(line);
        if line
            .strip_prefix("#!")
            .is_some_and(|line| line.contains(PYTHON_2))
        {
            return Ok(true);
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::super::test_package::TestPackage;
    use super::*;

    /// The language of the submission of these files, and the warnings.
    fn language(package: TestPackage, files: &[(&str, &str)]) -> (Option<String>, Vec<String>) {
        let package = files.iter().fold(package, |package, (name, content)| {
            package.with(&format!("submissions/accepted/s/{name}"), content)
        });
        let mut read = Package::read(package.path()).unwrap();
        (read.submissions.remove(1).program.language, read.warnings)
    }

    #[test]
    fn the_first_line_tells_which_python_before_2025_09() {
        let draft = || {
            TestPackage::minimal().with(
                "problem.yaml",
                "problem_format_version: 2023-07-draft\nname: T\nuuid: 2a1e8b4c-8d1f-4b5e-9c55-52a9c1f0d7aa\nlimits: {time_limit: 1}\n",
            )
        };
        for (line, expected) in [
            ("#!/usr/bin/env python2\n", Some("python2")),
            ("#! /usr/bin/python2.7 -O", Some("python2")),
            ("#!/usr/bin/env python3\n", None),
            ("#!/usr/bin/env python\n", None),
            ("\n#!/usr/bin/env python2\n", None),
            ("import python2\n", None),
        ] {
            let files = [("a.py", line), ("b.py", "")];
            for package in [TestPackage::legacy(), draft()] {
                assert_eq!(language(package, &files).0.as_deref(), expected, "{line:?}");
            }
            let (language, warnings) = language(TestPackage::minimal(), &files);
            assert_eq!(language, None);
            assert_eq!(
                warnings.len(),
                usize::from(expected.is_some()),
                "{warnings:?}"
            );
        }
    }

    #[test]
    fn endings_of_languages_that_share_them() {
        let of = |files: &[(&str, &str)]| language(TestPackage::minimal(), files).0;
        assert_eq!(of(&[("a.py2", "")]).as_deref(), Some("python2"));
        assert_eq!(
            of(&[("a.py", ""), ("b.py2", "")]).as_deref(),
            Some("python2")
        );
        assert_eq!(of(&[("a.pl", "")]).as_deref(), Some("prolog"));
        assert_eq!(of(&[("a.pl", ""), ("B.pm", "")]), None);
        assert_eq!(of(&[("a.py3", "")]), None);
        let stated = TestPackage::minimal().with(
            "submissions/submissions.yaml",
            "accepted/s:\n  language: perl\n",
        );
        assert_eq!(language(stated, &[("a.pl", "")]).0.as_deref(), Some("perl"));
    }

    #[test]
    fn programs_of_the_jury_are_no_exception() {
        let package = TestPackage::legacy()
            .with("problem.yaml", "validation: custom\n")
            .with("output_validators/check.py", "#!/usr/bin/python2\n")
            .with("input_validators/check.py2", "");
        let read = Package::read(package.path()).unwrap();
        let programs = read.output_validator.programs().into_iter();
        for program in programs.chain(&read.input_validators) {
            assert_eq!(
                program.language.as_deref(),
                Some("python2"),
                "{}",
                program.name
            );
        }
    }
}
