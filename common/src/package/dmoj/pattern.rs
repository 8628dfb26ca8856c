//! Finding test cases by the names of files.

use std::collections::BTreeMap;

use regex::{Regex, RegexBuilder};

/// Test cases that belong together: one, or those of a batch.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Group {
    pub(super) is_batch: bool,
    pub(super) cases: Vec<Files>,
}

/// The files of a test case.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Files {
    pub(super) input: Option<String>,
    pub(super) output: Option<String>,
}

/// The part of the default patterns that finds batch and number. In front of it
/// they look for `.in` or `.out` anywhere, or `in` or `out` at the start.
const DEFAULT: &str = r"^.*?(?:(?:^|\W)(?P<batch>\d+)[^\d\s]+)?(?P<case>\d+)[^\d\s]*$";

/// Numbers after other names, as where this comes from.
type Key = (bool, u64, String);

/// Which names are those of a kind of file.
struct Pattern {
    regex: Regex,
    /// What a name must hold or start with, for the default.
    word: Option<&'static str>,
}

impl Pattern {
    fn new(
        key: &'static str,
        stated: Option<&str>,
        word: &'static str,
    ) -> Result<Self, (&'static str, String)> {
        let pattern = stated.map_or_else(|| DEFAULT.to_owned(), |text| format!("^(?:{text})"));
        let regex = RegexBuilder::new(&pattern)
            .case_insensitive(true)
            .build()
            .map_err(|error| (key, format!("a pattern that is not supported: {error}")))?;
        let word = stated.is_none().then_some(word);
        Ok(Self { regex, word })
    }

    /// Batch and case of the file `name`.
    fn place(&self, name: &str) -> Option<(Option<Key>, Option<Key>)> {
        let lower = name.to_ascii_lowercase();
        let is_meant = self
            .word
            .is_none_or(|word| lower.starts_with(word) || lower.contains(&format!(".{word}")));
        let captures = self.regex.captures(name).filter(|_| is_meant)?;
        let group = |group: &str| {
            captures.name(group).map(|found| {
                let text = found.as_str();
                match text.parse() {
                    Ok(number) => (true, number, String::new()),
                    Err(_) => (false, 0, text.to_owned()),
                }
            })
        };
        Some((group("batch"), group("case")))
    }
}

/// All test cases among `names`, in order; an error is about one of the patterns.
pub(super) fn find<'a>(
    names: impl Iterator<Item = &'a str> + Clone,
    input: Option<&str>,
    output: Option<&str>,
) -> Result<Vec<Group>, (&'static str, String)> {
    const INPUT: &str = "input_format";
    const OUTPUT: &str = "output_format";
    let mut groups: BTreeMap<Key, (bool, BTreeMap<Key, Files>)> = BTreeMap::new();
    for (key, stated, word) in [(INPUT, input, "in"), (OUTPUT, output, "out")] {
        let pattern = Pattern::new(key, stated, word)?;
        for name in names.clone() {
            let Some((batch, case)) = pattern.place(name) else {
                continue;
            };
            let Some(case) = case else {
                return Err((key, format!("finds no group `case` in {name}")));
            };
            let is_batch = batch.is_some();
            let group = groups
                .entry(batch.unwrap_or_else(|| case.clone()))
                .or_default();
            group.0 |= is_batch;
            let files = group.1.entry(case).or_default();
            let place = if key == INPUT {
                &mut files.input
            } else {
                &mut files.output
            };
            *place = Some(name.to_owned());
        }
    }
    let mut found = Vec::with_capacity(groups.len());
    for (is_batch, cases) in groups.into_values() {
        let cases: Vec<Files> = cases.into_values().collect();
        for files in &cases {
            if files.input.is_none() {
                let output = files.output.as_deref().unwrap_or_default();
                return Err((INPUT, format!("finds no input for {output}")));
            }
        }
        found.push(Group { is_batch, cases });
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inputs(names: &[&str]) -> Vec<(bool, Vec<String>)> {
        find(names.iter().copied(), None, None)
            .unwrap()
            .into_iter()
            .map(|group| {
                let inputs = group.cases.into_iter().filter_map(|files| files.input);
                (group.is_batch, inputs.collect())
            })
            .collect()
    }

    #[test]
    fn the_default_finds_numbers_and_batches() {
        let names = [
            "10.in",
            "10.out",
            "2.in",
            "2.out",
            "p.3-1.in",
            "p.3-1.out",
            "p.3-2.in",
            "p.3-2.out",
            "readme.txt",
        ];
        assert_eq!(
            inputs(&names),
            [
                (false, vec!["2.in".to_owned()]),
                (true, vec!["p.3-1.in".to_owned(), "p.3-2.in".to_owned()]),
                (false, vec!["10.in".to_owned()]),
            ]
        );
        assert_eq!(
            inputs(&["in/1", "out/1"]),
            [(false, vec!["in/1".to_owned()])]
        );
    }

    #[test]
    fn stated_patterns() {
        let names = ["a.x", "a.y", "b.x", "b.y"];
        let found = find(
            names.into_iter(),
            Some(r"(?P<case>\w+)\.x$"),
            Some(r"(?P<case>\w+)\.Y$"),
        )
        .unwrap();
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].cases[0].output.as_deref(), Some("a.y"));
        let error = |input| find(names.into_iter(), Some(input), Some("z")).unwrap_err();
        assert!(error("(?=a)").1.contains("not supported"));
        assert!(error(r"\w+\.x").1.contains("no group `case`"));
        let lonely = find(names.into_iter(), Some("z"), Some(r"(?P<case>\w+)\.y"));
        assert!(lonely.unwrap_err().1.contains("no input for a.y"));
    }
}
