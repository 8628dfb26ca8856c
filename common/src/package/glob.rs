//! The glob patterns of submissions.yaml: `*` within a name and `{a,b}`
//! alternatives; a pattern that matches a directory matches all below it.

use std::fmt;

/// A parsed pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Glob {
    /// As written.
    pattern: String,
    /// Patterns without braces, each split at `/`.
    alternatives: Vec<Vec<String>>,
}

/// A few hundred are already more than a person writes.
const MAX_ALTERNATIVES: usize = 1000;

impl Glob {
    /// Parses a pattern; the error says what is not supported.
    pub(super) fn parse(pattern: &str) -> Result<Self, String> {
        if pattern.contains("**") || pattern.contains(['[', ']']) {
            return Err("`**` and `[…]` are not part of the format's glob patterns".to_owned());
        }
        let written = pattern.to_owned();
        let mut open = vec![pattern.trim_end_matches('/').to_owned()];
        let mut alternatives = Vec::new();
        while let Some(pattern) = open.pop() {
            if open.len() + alternatives.len() > MAX_ALTERNATIVES {
                return Err(format!("stands for more than {MAX_ALTERNATIVES} patterns"));
            }
            match expand_first_brace(&pattern)? {
                Some(expanded) => open.extend(expanded),
                None => alternatives.push(pattern.split('/').map(str::to_owned).collect()),
            }
        }
        Ok(Self {
            pattern: written,
            alternatives,
        })
    }

    /// Whether the pattern matches `path` or a directory that holds it.
    #[must_use]
    pub(super) fn matches(&self, path: &str) -> bool {
        self.rest_after_match(path).next().is_some()
    }

    /// Whether the pattern matches `path` itself.
    #[must_use]
    pub(super) fn matches_exactly(&self, path: &str) -> bool {
        self.rest_after_match(path).any(|rest| rest == 0)
    }

    /// Whether what it matches can be one of `names`, or below it.
    #[must_use]
    pub(super) fn begins_with_one_of(&self, names: &[&str]) -> bool {
        self.alternatives
            .iter()
            .filter_map(|pattern| pattern.first())
            .any(|first| {
                let matches = |name: &&str| name_matches(first.as_bytes(), name.as_bytes());
                names.iter().any(matches)
            })
    }

    /// For every alternative that matches, how many names of the path are left.
    fn rest_after_match(&self, path: &str) -> impl Iterator<Item = usize> {
        self.alternatives.iter().filter_map(move |pattern| {
            let mut names = path.split('/');
            let matches = pattern.iter().all(|part| {
                names
                    .next()
                    .is_some_and(|name| name_matches(part.as_bytes(), name.as_bytes()))
            });
            matches.then(|| names.count())
        })
    }
}

impl fmt::Display for Glob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.pattern)
    }
}

/// Expands the innermost first group of braces, or says that there is none.
fn expand_first_brace(pattern: &str) -> Result<Option<Vec<String>>, String> {
    let unbalanced = || "unbalanced braces".to_owned();
    let Some(close) = pattern.find('}') else {
        return if pattern.contains('{') {
            Err(unbalanced())
        } else {
            Ok(None)
        };
    };
    let open = pattern[..close].rfind('{').ok_or_else(unbalanced)?;
    let (before, after) = (&pattern[..open], &pattern[close + 1..]);
    Ok(Some(
        pattern[open + 1..close]
            .split(',')
            .map(|choice| format!("{before}{choice}{after}"))
            .collect(),
    ))
}

/// Greedy matching of `*` with one point to come back to: linear in practice,
/// quadratic at worst.
fn name_matches(pattern: &[u8], name: &[u8]) -> bool {
    let (mut p, mut n) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while n < name.len() {
        if pattern.get(p) == Some(&b'*') {
            retry = Some((p + 1, n));
            p += 1;
        } else if pattern.get(p) == Some(&name[n]) {
            p += 1;
            n += 1;
        } else if let Some((after_star, from)) = retry {
            p = after_star;
            n = from + 1;
            retry = Some((after_star, n));
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, path: &str) -> bool {
        Glob::parse(pattern).unwrap().matches(path)
    }

    #[test]
    fn stars_stay_within_a_name() {
        assert!(matches("accepted/*", "accepted/a.cpp"));
        assert!(
            matches("accepted/*", "accepted/dir/a.cpp"),
            "a parent directory matches"
        );
        assert!(matches("accepted", "accepted/a.cpp"));
        assert!(!matches("accepted", "accepted2/a.cpp"));
        assert!(!matches("*.cpp", "accepted/a.cpp"));
        assert!(matches("secret/*-easy", "secret/01-easy"));
        assert!(!matches("secret/*-easy", "secret/01-easy-not"));
        assert!(matches("a*b*c", "aXbYbZc"));
        assert!(!matches("a*b*c", "aXbYbZ"));
    }

    #[test]
    fn a_directory_is_not_what_lies_in_it() {
        let glob = Glob::parse("secret/{a,b*}").unwrap();
        assert!(glob.matches_exactly("secret/a") && glob.matches_exactly("secret/bc"));
        assert!(!glob.matches_exactly("secret/a/1") && glob.matches("secret/a/1"));
    }

    #[test]
    fn braces_expand_even_nested() {
        let pattern = "{simple,complex{1,2}}.py";
        assert!(
            ["simple.py", "complex1.py", "complex2.py"]
                .iter()
                .all(|name| matches(pattern, name))
        );
        assert!(!matches(pattern, "complex.py"));
        assert!(matches("author.{py,cpp}", "author.cpp"));
    }

    #[test]
    fn what_is_not_supported_is_refused() {
        assert!(Glob::parse("a/**").is_err());
        assert!(Glob::parse("[ab]").is_err());
        assert!(Glob::parse("{a").is_err());
        assert!(Glob::parse("a}").is_err());
        assert!(Glob::parse(&"{a,b}".repeat(30)).is_err());
    }
}
