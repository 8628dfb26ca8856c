//! The source files of one program, with names and entry point settled.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Component, Path};
use std::sync::Arc;

use assize_common::language::Language;
use assize_common::package::{Constants, File};
use tempfile::TempDir;

use crate::judging_error::JudgingError;

/// Sources as they will lie in the compiler's directory.
#[derive(Debug, Clone)]
pub(crate) struct Sources {
    /// The program's name, for errors.
    pub(crate) program: String,
    /// Sorted by name.
    pub(crate) files: Vec<File>,
    /// What `{entry}` stands for.
    pub(crate) entry: String,
    /// The name of the file that was renamed to what the language expects, and the one
    /// before.
    renamed: Option<(String, String)>,
    /// Holds the files in which constants were replaced.
    replaced: Option<Arc<TempDir>>,
}

impl Sources {
    /// Settles names and entry point. `include` is laid over the files.
    ///
    /// The entry point is the stated one, else that of a [`driver`] among the
    /// included files, else the language's. Where none of them is there it is a
    /// source called `__main__` or `main`, else the first source.
    /// A single file of a language with its own entry point may have any name: if
    /// it declares a class of that name, that is the entry point (so are package
    /// authors' Java files), else it is renamed to what the language expects.
    pub(crate) fn new(
        program: &str,
        language: &Language,
        files: &[File],
        include: &[File],
        stated_entry: Option<&str>,
    ) -> Result<Self, JudgingError> {
        let mut files = files.to_vec();
        if let Some(bad) = files
            .iter()
            .chain(include)
            .find(|file| !is_plain(&file.name))
        {
            return Err(JudgingError::Package {
                problem: format!("{program} has a file called {:?}", bad.name),
            });
        }
        let given: Vec<String> = files.iter().map(|file| file.name.clone()).collect();
        let entry = match (stated_entry, driver(language, include)) {
            (Some(stated), _) => strip_ending(stated, language).to_owned(),
            (None, Some(driver)) => driver,
            (None, None) => find_entry(language, &mut files)?,
        };
        let mut names = files.iter().map(|file| file.name.clone()).zip(given);
        let renamed = names.find(|(now, before)| now != before);
        let by_name: BTreeMap<String, File> = files
            .into_iter()
            .chain(include.iter().cloned())
            .map(|file| (file.name.clone(), file))
            .collect();
        Ok(Self {
            program: program.to_owned(),
            files: by_name.into_values().collect(),
            entry,
            renamed,
            replaced: None,
        })
    }

    /// Whether one of the files has this text.
    pub(crate) fn mention(&self, text: &str) -> Result<bool, JudgingError> {
        for file in &self.files {
            let content = fs::read(&file.path).map_err(JudgingError::disk("read", &file.path))?;
            if content
                .windows(text.len())
                .any(|part| part == text.as_bytes())
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Puts the values of `constants` into the files that `applies` is true of, in
    /// copies below `scratch`.
    pub(crate) fn replace_constants(
        &mut self,
        constants: &Constants,
        applies: impl Fn(&File) -> bool,
        scratch: &Path,
    ) -> Result<(), JudgingError> {
        if constants.is_empty() {
            return Ok(());
        }
        let directory = tempfile::tempdir_in(scratch)
            .map_err(JudgingError::disk("create a directory in", scratch))?;
        let concerned = self.files.iter_mut().filter(|file| applies(file));
        for (number, file) in concerned.enumerate() {
            let content = fs::read(&file.path).map_err(JudgingError::disk("read", &file.path))?;
            let path = directory.path().join(number.to_string());
            fs::write(&path, constants.replace(&content))
                .map_err(JudgingError::disk("write", &path))?;
            file.path = path;
        }
        self.replaced = Some(Arc::new(directory));
        Ok(())
    }

    /// The files under the names they came with, but for one that would take the
    /// place of an included file: all of them are there.
    pub(crate) fn as_submitted(&self) -> Vec<File> {
        let mut files = self.files.clone();
        if let Some((now, before)) = &self.renamed
            && !files.iter().any(|file| file.name == *before)
        {
            for file in files.iter_mut().filter(|file| file.name == *now) {
                file.name.clone_from(before);
            }
        }
        files
    }

    /// The source file of the entry point, if it is one.
    pub(crate) fn main<'a>(&'a self, language: &Language) -> Option<&'a str> {
        let names = self.files.iter().map(|file| file.name.as_str());
        let mut sources = names.filter(|name| language.is_source(name));
        sources.find(|name| strip_ending(name, language) == self.entry)
    }

    /// The names of the files that are source code.
    pub(crate) fn names(&self, language: &Language) -> Vec<String> {
        self.files
            .iter()
            .filter(|file| language.is_source(&file.name))
            .map(|file| file.name.clone())
            .collect()
    }
}

/// Whether a name stays below the directory it is put into.
fn is_plain(name: &str) -> bool {
    !name.is_empty()
        && Path::new(name)
            .components()
            .all(|part| matches!(part, Component::Normal(_)))
}

fn strip_ending<'a>(name: &'a str, language: &Language) -> &'a str {
    if language.is_source(name) {
        name.rsplit_once('.').map_or(name, |(stem, _)| stem)
    } else {
        name
    }
}

/// The entry point of a driver: an included main file, which calls what teams
/// send. It has the name that the language's main file has by default.
pub(crate) fn driver(language: &Language, include: &[File]) -> Option<String> {
    match &language.entry_point {
        None => main_source(language, include),
        // The self-test is known to have the name that the entry point needs.
        Some(own) => include
            .iter()
            .any(|file| file.name == language.self_test_file)
            .then(|| own.clone()),
    }
}

/// Whether a stated entry point is `entry`.
pub(crate) fn states(stated: &str, entry: &str, language: &Language) -> bool {
    strip_ending(stated, language) == entry
}

/// The stem of the source that is called as main files are.
fn main_source(language: &Language, files: &[File]) -> Option<String> {
    ["__main__", "main"].into_iter().find_map(|wanted| {
        files
            .iter()
            .any(|file| {
                language.is_source(&file.name) && strip_ending(&file.name, language) == wanted
            })
            .then(|| wanted.to_owned())
    })
}

fn find_entry(language: &Language, files: &mut [File]) -> Result<String, JudgingError> {
    let stem = |file: &File| strip_ending(&file.name, language).to_owned();
    let sources: Vec<usize> = (0..files.len())
        .filter(|at| language.is_source(&files[*at].name))
        .collect();
    let Some(own) = &language.entry_point else {
        let first = || sources.first().map(|at| stem(&files[*at]));
        return Ok(main_source(language, files)
            .or_else(first)
            .unwrap_or_default());
    };
    if let [only] = sources[..] {
        let file = &mut files[only];
        let expected = strip_ending(&language.self_test_file, language);
        if stem(file) != expected {
            if declares_class(file, &stem(file))? {
                return Ok(stem(file));
            }
            file.name.clone_from(&language.self_test_file);
        }
    }
    Ok(own.clone())
}

fn declares_class(file: &File, class: &str) -> Result<bool, JudgingError> {
    let content = fs::read(&file.path).map_err(JudgingError::disk("read", &file.path))?;
    let text = String::from_utf8_lossy(&content);
    let mut words = text
        .split(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$'))
        .filter(|word| !word.is_empty());
    while let Some(word) = words.next() {
        if word == "class" && words.next() == Some(class) {
            return Ok(true);
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use assize_common::language::LanguageTable;

    /// The entry point and the file names of a program with these files.
    fn settled(code: &str, files: &[(&str, &str)], stated: Option<&str>) -> (String, Vec<String>) {
        with_included(code, files, &[], stated)
    }

    /// The same with included files of these names.
    fn with_included(
        code: &str,
        files: &[(&str, &str)],
        include: &[&str],
        stated: Option<&str>,
    ) -> (String, Vec<String>) {
        let table = LanguageTable::embedded().unwrap();
        let language = table.by_code(code).unwrap();
        let directory = tempfile::tempdir().unwrap();
        let files: Vec<File> = files
            .iter()
            .enumerate()
            .map(|(number, (name, content))| {
                let path = directory.path().join(number.to_string());
                fs::write(&path, content).unwrap();
                File {
                    name: (*name).to_owned(),
                    path,
                }
            })
            .collect();
        let include: Vec<File> = include
            .iter()
            .map(|name| File {
                name: (*name).to_owned(),
                path: "/included".into(),
            })
            .collect();
        let sources = Sources::new("program", language, &files, &include, stated).unwrap();
        (
            sources.entry.clone(),
            sources.files.into_iter().map(|file| file.name).collect(),
        )
    }

    #[test]
    fn entry_points() {
        let entry = |code, files: &[(&str, &str)], stated| settled(code, files, stated).0;
        assert_eq!(entry("python3", &[("solve.py", "")], None), "solve");
        assert_eq!(
            entry("python3", &[("a.py", ""), ("__main__.py", "")], None),
            "__main__"
        );
        assert_eq!(
            entry("python3", &[("a.py", ""), ("main.py", "")], None),
            "main"
        );
        assert_eq!(
            entry("python3", &[("a.py", ""), ("b.py", "")], Some("b.py")),
            "b"
        );
        assert_eq!(entry("cpp", &[("a.h", ""), ("b.cpp", "")], None), "b");
        assert_eq!(entry("java", &[("Main.java", "")], None), "Main");
        assert_eq!(
            entry("java", &[("A.java", ""), ("Main.java", "")], None),
            "Main"
        );
        assert_eq!(
            entry("java", &[("A.java", "")], Some("pack.Start")),
            "pack.Start"
        );
    }

    #[test]
    fn a_single_java_file_may_have_any_name() {
        let named = settled(
            "java",
            &[("Solver.java", "public final class Solver{}")],
            None,
        );
        assert_eq!(named, ("Solver".to_owned(), vec!["Solver.java".to_owned()]));
        let renamed = settled("java", &[("a.java", "public class Main {}")], None);
        assert_eq!(renamed, ("Main".to_owned(), vec!["Main.java".to_owned()]));
    }

    #[test]
    fn the_names_that_files_came_with_are_kept() {
        let table = LanguageTable::embedded().unwrap();
        let sources = |code, name: &str, stated| {
            let language = table.by_code(code).unwrap();
            let file = File {
                name: name.to_owned(),
                path: "/dev/null".into(),
            };
            (
                Sources::new("p", language, &[file], &[], stated).unwrap(),
                language,
            )
        };
        for (code, name, stated, main) in [
            ("python3", "sol.py", None, "sol.py"),
            ("python3", "sol.py3", Some("sol"), "sol.py3"),
            ("cpp", "sol.cc", None, "sol.cc"),
            ("java", "sol.java", None, "Main.java"),
        ] {
            let (sources, language) = sources(code, name, stated);
            assert_eq!(sources.main(language), Some(main));
            assert_eq!(sources.as_submitted()[0].name, name);
        }
    }

    #[test]
    fn an_included_file_hides_no_submitted_one() {
        let table = LanguageTable::embedded().unwrap();
        let directory = tempfile::tempdir().unwrap();
        let file = |place: &str, content: &str| {
            let path = directory.path().join(place);
            fs::write(&path, content).unwrap();
            File {
                name: "Util.java".to_owned(),
                path,
            }
        };
        let theirs = file("theirs", "class Main { /* what nobody is to see */ }");
        let ours = file("ours", "class Util {}");
        let java = table.by_code("java").unwrap();
        let sources = Sources::new("test", java, &[theirs], &[ours], None).unwrap();
        let names: Vec<_> = sources
            .as_submitted()
            .into_iter()
            .map(|file| file.name)
            .collect();
        assert_eq!(names, ["Main.java", "Util.java"]);
    }

    #[test]
    fn an_included_main_file_is_the_entry_point() {
        let settled = |code, files: &[(&str, &str)], include: &[&str]| {
            let (entry, names) = with_included(code, files, include, None);
            (entry, names.join(" "))
        };
        let is = |entry: &str, names: &str| (entry.to_owned(), names.to_owned());
        for driver in ["__main__.py", "main.py"] {
            let stem = driver.trim_end_matches(".py");
            assert_eq!(
                settled("python3", &[("solution.py", "")], &[driver]),
                is(stem, &format!("{driver} solution.py"))
            );
        }
        // A team's file of that name does not come before it.
        assert_eq!(
            settled("python3", &[("__main__.py", "")], &["main.py"]).0,
            "main"
        );
        assert_eq!(
            settled(
                "java",
                &[("Solution.java", "class Solution {}")],
                &["Main.java"]
            ),
            is("Main", "Main.java Solution.java")
        );
        // Renamed, it would be overwritten.
        assert_eq!(
            settled("java", &[("solution.java", "")], &["Main.java"]),
            is("Main", "Main.java solution.java")
        );
        assert_eq!(
            settled("kotlin", &[("a.kt", "")], &["Main.kt"]),
            is("MainKt", "Main.kt a.kt")
        );
        // Other included files are no drivers.
        assert_eq!(
            settled("python3", &[("solution.py", "")], &["lib.py"]).0,
            "solution"
        );
        assert_eq!(
            settled("java", &[("a.java", "")], &["Lib.java"]),
            is("Main", "Lib.java Main.java")
        );
    }

    #[test]
    fn included_files_win_and_names_stay_inside() {
        let table = LanguageTable::embedded().unwrap();
        let cpp = table.by_code("cpp").unwrap();
        let file = |name: &str, path: &str| File {
            name: name.to_owned(),
            path: path.into(),
        };
        let sources = Sources::new(
            "p",
            cpp,
            &[file("a.cpp", "1"), file("b.h", "2")],
            &[file("b.h", "3")],
            None,
        )
        .unwrap();
        assert_eq!(sources.files[1].path, Path::new("3"));
        for name in ["../a.cpp", "/a.cpp", "a/../../b.cpp", ""] {
            assert!(
                Sources::new("p", cpp, &[file(name, "1")], &[], None).is_err(),
                "{name}"
            );
        }
    }
}
