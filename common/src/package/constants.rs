//! Constants of problem.yaml: what stands for `{{name}}` in files of the package.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::error::PackageError;
use super::yaml::Section;
use super::yaml_value::Value;

/// Values of constants by what is written between the braces: `name`,
/// `name.value` or `name.variant`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Constants(BTreeMap<String, String>);

impl Constants {
    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The content of a file with every constant replaced. What is not the name
    /// of a constant stays as it is.
    #[must_use]
    pub fn replace<'a>(&self, content: &'a [u8]) -> Cow<'a, [u8]> {
        if self.is_empty() || find(content, b"{{").is_none() {
            return Cow::Borrowed(content);
        }
        let mut replaced = Vec::with_capacity(content.len());
        let mut rest = content;
        while let Some(open) = find(rest, b"{{") {
            let (before, from_open) = rest.split_at(open);
            replaced.extend_from_slice(before);
            let value = find(from_open, b"}}").and_then(|close| {
                let name = str::from_utf8(&from_open[2..close]).ok()?;
                Some((self.0.get(name)?, close + 2))
            });
            // Without a match one brace is passed over, as `{{{a}}` holds `{{a}}`.
            let passed = match value {
                Some((value, length)) => {
                    replaced.extend_from_slice(value.as_bytes());
                    length
                }
                None => {
                    replaced.push(b'{');
                    1
                }
            };
            rest = &from_open[passed..];
        }
        replaced.extend_from_slice(rest);
        Cow::Owned(replaced)
    }

    /// Takes the key `constants` of problem.yaml.
    pub(super) fn take(yaml: &mut Section) -> Result<Self, PackageError> {
        let mut constants = BTreeMap::new();
        let section = yaml.section("constants")?;
        for (name, value) in section.into_entries() {
            let at = |problem: &str| yaml.invalid(&format!("constants.{name}"), problem.to_owned());
            if !is_identifier(&name) {
                return Err(at("a name may have letters, digits and underscores only"));
            }
            let variants = match value {
                Value::Map(variants) => variants,
                scalar => [("value".to_owned(), scalar)].into_iter().collect(),
            };
            let Some(main) = variants.get("value").and_then(Value::text) else {
                return Err(at(
                    "expected a number, a string, or a mapping with the key `value`",
                ));
            };
            constants.insert(name.clone(), main.to_owned());
            for (variant, value) in &variants {
                let value = value
                    .text()
                    .ok_or_else(|| at("its variants must be numbers or strings"))?;
                constants.insert(format!("{name}.{variant}"), value.to_owned());
            }
        }
        Ok(Self(constants))
    }
}

fn find(content: &[u8], what: &[u8; 2]) -> Option<usize> {
    content.windows(2).position(|window| window == what)
}

fn is_identifier(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with(|first: char| first.is_ascii_digit())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_constants_are_replaced() {
        let constants = Constants(
            [("k", "5"), ("k.tex", "five")]
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into(),
        );
        for (content, expected) in [
            ("{{k}} {{k.tex}}", "5 five"),
            ("{{{k}}}", "{5}"),
            ("{{ k }} {{n}} {{k", "{{ k }} {{n}} {{k"),
            (
                "int a[][] = {{1, 2}, {{{k}}}};",
                "int a[][] = {{1, 2}, {5}};",
            ),
            ("", ""),
        ] {
            let replaced = constants.replace(content.as_bytes());
            assert_eq!(str::from_utf8(&replaced), Ok(expected), "{content}");
        }
        assert_eq!(*constants.replace(b"\xff{{k}}"), *b"\xff5");
        assert_eq!(*Constants::default().replace(b"{{k}}"), *b"{{k}}");
    }
}
