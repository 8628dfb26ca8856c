//! The system call rules of a package: `assize-policy.toml`, beside the file that
//! makes a directory a package, whatever its format.

use assize_policy::{LayerOf, PolicyLayer};

use super::error::PackageError;
use super::file_tree::FileTree;

/// The file's name.
pub(super) const FILE: &str = "assize-policy.toml";
/// It is sent along with each run.
const BYTES_MAX: usize = 64 << 10;

/// The rules, if the package has some.
pub(super) fn read(tree: &FileTree) -> Result<Option<PolicyLayer>, PackageError> {
    let Some(text) = tree.text(FILE)? else {
        return Ok(None);
    };
    if text.len() > BYTES_MAX {
        let problem = format!("larger than {BYTES_MAX} bytes: join rules that do the same");
        return Err(PackageError::invalid(FILE, "", problem));
    }
    PolicyLayer::parse(LayerOf::Problem, &text)
        .map(Some)
        .map_err(|error| PackageError::invalid(FILE, "", error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::super::Package;
    use super::super::test_package::TestPackage;
    use super::*;

    const RULES: &str = "[[budget]]\nid = 'alone'\nwhy = 'one process'\nsyscalls = ['fork', 'vfork']\n\
                         count = 0\naction = 'kill'\n";

    #[test]
    fn rules_are_the_problems() {
        let package = Package::read(TestPackage::minimal().path()).unwrap();
        assert_eq!(package.policy, None);
        let package = Package::read(TestPackage::minimal().with(FILE, RULES).path()).unwrap();
        assert_eq!(package.warnings, [""; 0]);
        let rules = package.policy.unwrap().rules();
        assert_eq!(rules.ids().collect::<Vec<_>>(), ["problem:alone"]);
    }

    #[test]
    fn what_cannot_be_enforced_is_refused_by_name() {
        for (rules, says) in [
            (RULES.replace("vfork", "vforkk"), "did you mean vfork?"),
            (RULES.replace("budget", "rule"), "count"),
            (
                "[[rule]]\nid = 'net'\nwhy = 'x'\naction = 'allow'\nsyscalls = ['socket']".into(),
                "`rule` net",
            ),
            ("x".repeat(BYTES_MAX + 1), "larger than"),
        ] {
            let error = Package::read(TestPackage::minimal().with(FILE, rules).path());
            let error = error.unwrap_err().to_string();
            assert!(error.starts_with(FILE) && error.contains(says), "{error}");
        }
    }
}
