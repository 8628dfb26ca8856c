//! Files that another generation of the format has under this name. A package that brings them
//! asks for something, and would be judged otherwise without a word.

use super::error::PackageError;
use super::file_tree::FileTree;

/// The name elsewhere and the name here, if there is one.
type Renamed = (&'static str, Option<&'static str>);

/// Directories of a package in a modern format, and of one in a legacy format.
const DIRECTORIES: [&[Renamed]; 2] = [
    &[("output_validators", Some("output_validator"))],
    &[
        ("output_validator", Some("output_validators")),
        ("static_validator", None),
    ],
];
/// Settings of a directory of test cases.
const SETTINGS: [(&str, &str); 2] = [
    ("testdata.yaml", "test_group.yaml"),
    ("test_group.yaml", "testdata.yaml"),
];

/// Refuses what is named as elsewhere and not as here as well: a package may be of both kinds.
pub(super) fn refuse(tree: &FileTree, is_legacy: bool) -> Result<(), PackageError> {
    let at = usize::from(is_legacy);
    let why = |here: Option<&str>| match here {
        Some(here) => {
            format!("of another version of the format, which this one calls {here}: rename it")
        }
        None => "of another version of the format, which this one has not: remove it, or state \
                 that version as problem_format_version"
            .to_owned(),
    };
    for (elsewhere, here) in DIRECTORIES[at] {
        if tree.has_directory(elsewhere) && !here.is_some_and(|here| tree.has_directory(here)) {
            let directory = format!("{elsewhere}/");
            return Err(PackageError::invalid(&directory, "", why(*here)));
        }
    }
    let (elsewhere, here) = SETTINGS[at];
    for (path, _) in tree.below("data") {
        let Some(within) = path.strip_suffix(elsewhere) else {
            continue;
        };
        let is_it = within.is_empty() || within.ends_with('/');
        if is_it && tree.get(&format!("data/{within}{here}")).is_none() {
            return Err(PackageError::invalid(
                &format!("data/{path}"),
                "",
                why(Some(here)),
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::Package;
    use super::super::test_package::TestPackage;

    #[test]
    fn files_of_another_version_are_refused_unless_both_are_there() {
        let modern = TestPackage::minimal;
        let legacy = TestPackage::legacy;
        for (package, elsewhere, here) in [
            (
                modern as fn() -> _,
                "output_validators/a.py",
                Some("output_validator/a.py"),
            ),
            (modern, "data/testdata.yaml", Some("data/test_group.yaml")),
            (
                modern,
                "data/secret/testdata.yaml",
                Some("data/secret/test_group.yaml"),
            ),
            (
                legacy,
                "output_validator/a.py",
                Some("output_validators/a.py"),
            ),
            (legacy, "static_validator/a.py", None),
            (
                legacy,
                "data/secret/test_group.yaml",
                Some("data/secret/testdata.yaml"),
            ),
        ] {
            let refused = package().with(elsewhere, "");
            let error = Package::read(refused.path()).unwrap_err().to_string();
            assert!(
                error.contains("of another version of the format"),
                "{error}"
            );
            let named = elsewhere.trim_end_matches("a.py");
            assert!(error.contains(named), "{error}");
            if let Some(here) = here {
                let both = refused.with(here, "");
                Package::read(both.path()).unwrap();
            }
        }
    }
}
