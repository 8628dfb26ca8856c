//! What a package lacks besides what judging needs: its statements.

use std::collections::BTreeSet;

use super::file_tree::FileTree;
use super::model::FormatVersion;
use super::problem_yaml::{self, ProblemYaml};

/// What a jury should know of before a contest.
pub(super) fn find(tree: &FileTree, problem: &ProblemYaml) -> Vec<String> {
    let directories: &[&str] = match problem.format {
        FormatVersion::Draft2023_07 => &["statement", "problem_statement"],
        format if format.is_legacy() => &["problem_statement"],
        _ => &["statement"],
    };
    let files = directories.iter().flat_map(|it| tree.children(it));
    let languages: BTreeSet<&str> = files.filter_map(language).collect();
    if languages.is_empty() {
        let directory = directories[0];
        return vec![format!(
            "{directory}/: no statement, such as problem.en.tex, which the format requires"
        )];
    }
    // Legacy formats do not ask for names in all languages.
    let names: BTreeSet<&str> = problem.name_languages.iter().map(String::as_str).collect();
    if problem.format.is_legacy() || names == languages {
        return Vec::new();
    }
    let list = |set: &BTreeSet<&str>| set.iter().copied().collect::<Vec<_>>().join(", ");
    vec![format!(
        "{}: `name` is in {}, but statements are in {}: the format wants them in the same languages",
        problem_yaml::FILE,
        list(&names),
        list(&languages)
    )]
}

/// The language of a statement, by the name of its file.
fn language(name: &str) -> Option<&str> {
    let rest = name.strip_prefix("problem.")?;
    let (language, ending) = rest.rsplit_once('.').unwrap_or(("en", rest));
    matches!(ending, "tex" | "md" | "pdf").then_some(language)
}

#[cfg(test)]
mod tests {
    use super::super::Package;
    use super::super::test_package::TestPackage;

    fn advice(package: &TestPackage) -> Vec<String> {
        Package::read(package.path()).unwrap().advice
    }

    #[test]
    fn statements_are_missed() {
        let package = TestPackage::minimal();
        assert!(advice(&package)[0].contains("no statement"));
        let aside = package.with("statement/picture.png", "");
        assert!(advice(&aside)[0].contains("no statement"));
        let there = aside.with("statement/problem.en.md", "");
        assert_eq!(advice(&there), Vec::<String>::new());
        let legacy = TestPackage::legacy();
        assert!(advice(&legacy)[0].contains("no statement"));
        let there = legacy.with("problem_statement/problem.tex", "");
        assert_eq!(advice(&there), Vec::<String>::new());
    }

    #[test]
    fn names_are_in_the_languages_of_the_statements() {
        let package = TestPackage::minimal()
            .with(
                "problem.yaml",
                "problem_format_version: 2025-09\nname: {de: Test, fr: Essai}\nlimits: {time_limit: 1}\n",
            )
            .with("statement/problem.de.tex", "");
        let found = advice(&package);
        assert!(
            found[0].contains("in de, fr, but statements are in de"),
            "{found:?}"
        );
        let both = package.with("statement/problem.fr.pdf", "");
        assert_eq!(advice(&both), Vec::<String>::new());
    }
}
