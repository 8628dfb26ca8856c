//! Values of YAML files, whose scalars keep their text.
//!
//! YAML makes a number of `1.10`, and a boolean of `no`. Where a package format takes
//! strings, such as arguments of a program, what counts is what was written.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::options::NonFiniteFloatPolicy;
use serde_saphyr::{Location, Spanned};

use super::error::PackageError;

/// A value of a YAML file.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Null,
    Bool { value: bool, text: String },
    Number(Number),
    String(String),
    List(Vec<Self>),
    Map(BTreeMap<String, Self>),
}

/// A number as YAML understands it, with what was written.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Number {
    /// The number if it is whole and not negative.
    whole: Option<u64>,
    value: f64,
    text: String,
}

impl Value {
    /// Reads the only document of `source`, which comes from the file `path`.
    pub(super) fn parse(path: &str, source: &str) -> Result<Self, PackageError> {
        let options = serde_saphyr::options! {
            // Neither is a number to us, but both are good words.
            non_finite_float_policy: NonFiniteFloatPolicy::PassThrough,
        };
        let node: Spanned<Node> =
            serde_saphyr::from_str_with_options(source, options).map_err(|source| {
                PackageError::Yaml {
                    file: path.to_owned(),
                    source: Box::new(source),
                }
            })?;
        Source { path, source }.value(node)
    }

    /// What was written, if that is a scalar other than null.
    pub(super) fn into_text(self) -> Option<String> {
        match self {
            Self::Bool { text, .. } | Self::Number(Number { text, .. }) | Self::String(text) => {
                Some(text)
            }
            Self::Null | Self::List(_) | Self::Map(_) => None,
        }
    }

    /// As [`Self::into_text`].
    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Self::Bool { text, .. } | Self::Number(Number { text, .. }) | Self::String(text) => {
                Some(text)
            }
            Self::Null | Self::List(_) | Self::Map(_) => None,
        }
    }

    /// A whole number that is not negative.
    pub(super) const fn as_u64(&self) -> Option<u64> {
        match self {
            Self::Number(number) => number.whole,
            _ => None,
        }
    }

    /// A number, which may be infinite or none.
    pub(super) const fn as_f64(&self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(number.value),
            _ => None,
        }
    }

    /// The items of a list.
    pub(super) fn as_list(&self) -> Option<&[Self]> {
        match self {
            Self::List(items) => Some(items),
            _ => None,
        }
    }
}

/// The text that a value was read from.
#[derive(Clone, Copy)]
struct Source<'a> {
    path: &'a str,
    source: &'a str,
}

impl Source<'_> {
    fn value(self, node: Spanned<Node>) -> Result<Value, PackageError> {
        let text = || self.text(node.defined);
        Ok(match node.value {
            Node::Null => Value::Null,
            Node::Bool(value) => Value::Bool {
                value,
                text: text()?,
            },
            Node::Number { whole, value } => Value::Number(Number {
                whole,
                value,
                text: text()?,
            }),
            Node::String(text) => Value::String(text),
            Node::List(items) => {
                let items = items.into_iter().map(|item| self.value(item));
                Value::List(items.collect::<Result<_, _>>()?)
            }
            Node::Map(entries) => {
                let entries = entries.into_iter();
                let entries = entries.map(|(key, value)| Ok((key, self.value(value)?)));
                Value::Map(entries.collect::<Result<_, PackageError>>()?)
            }
        })
    }

    /// The plain scalar at a place of the file.
    fn text(self, place: Location) -> Result<String, PackageError> {
        let span = place.span();
        let plain = span
            .byte_offset()
            .zip(span.byte_len())
            .and_then(|(start, length)| {
                let start = usize::try_from(start).ok()?;
                let end = start.checked_add(usize::try_from(length).ok()?)?;
                self.source.get(start..end)
            });
        // A tag makes numbers of quoted text as well.
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"+-._".contains(&byte);
        match plain {
            Some(text) if !text.is_empty() && text.bytes().all(is_plain) => Ok(text.to_owned()),
            _ => Err(PackageError::invalid(
                self.path,
                "",
                format!(
                    "line {}: it is not clear which text is meant: put it in quotes, without a tag",
                    place.line()
                ),
            )),
        }
    }
}

/// A value as the parser gives it: without the text, but with the place.
#[derive(Debug)]
enum Node {
    Null,
    Bool(bool),
    Number { whole: Option<u64>, value: f64 },
    String(String),
    List(Vec<Spanned<Self>>),
    Map(BTreeMap<String, Spanned<Self>>),
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NodeVisitor)
    }
}

struct NodeVisitor;

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a scalar, a list or a mapping")
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Node, E> {
        Ok(Node::Bool(value))
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "who asks for a fraction has no use for more digits"
    )]
    fn visit_u64<E>(self, value: u64) -> Result<Node, E> {
        Ok(Node::Number {
            whole: Some(value),
            value: value as f64,
        })
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "who asks for a fraction has no use for more digits"
    )]
    fn visit_i64<E>(self, value: i64) -> Result<Node, E> {
        Ok(Node::Number {
            whole: u64::try_from(value).ok(),
            value: value as f64,
        })
    }

    fn visit_f64<E>(self, value: f64) -> Result<Node, E> {
        Ok(Node::Number { whole: None, value })
    }

    fn visit_str<E>(self, text: &str) -> Result<Node, E> {
        Ok(Node::String(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Node, E> {
        Ok(Node::String(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Node, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element()? {
            items.push(item);
        }
        Ok(Node::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        let mut entries = BTreeMap::new();
        while let Some((key, value)) = map.next_entry()? {
            entries.insert(key, value);
        }
        Ok(Node::Map(entries))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(source: &str) -> Vec<Option<String>> {
        match Value::parse("a.yaml", source).unwrap() {
            Value::List(items) => items.into_iter().map(Value::into_text).collect(),
            Value::Map(map) => map.into_values().map(Value::into_text).collect(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn scalars_are_what_was_written() {
        let words = [
            "1.10",
            "007",
            "0x10",
            "0o17",
            "1e3",
            "1_000",
            "+5",
            "-0",
            "1.",
            ".5",
            ".inf",
            "-.INF",
            ".nan",
            "18446744073709551616",
            "1e999",
            "yes",
            "No",
            "on",
            "true",
            "2026-01-01",
            "12:30",
            "1.10.2",
            "-",
        ];
        let expected: Vec<_> = words.iter().map(|word| Some((*word).to_owned())).collect();
        let plain = |word: &&str| format!("- {word} # {word}\n");
        let block: String = words[..words.len() - 1].iter().map(plain).collect();
        assert_eq!(texts(&block), expected[..words.len() - 1]);
        let quoted: Vec<_> = words.iter().map(|word| format!("'{word}'")).collect();
        assert_eq!(texts(&format!("[{}]", quoted.join(", "))), expected);
    }

    #[test]
    fn the_text_is_found_wherever_it_stands() {
        let text = |source| texts(source).pop().unwrap();
        for source in [
            "ä: [ü]\nöß: 1.10\n",
            "\u{feff}a: 1.10\n",
            "%YAML 1.2\n---\na: 1.10\n...\n",
            "# ü\r\na: x\r\nb:\r\n  1.10 # c\r\n",
            "a: &a 1.10\nb: *a\n",
            "[&a 1.10, *a]",
            "a: !!str 1.10\n",
            "a: !!float 1.10\n",
            "{a: 1.10}",
            "a: >-\n  1.10\n",
        ] {
            assert_eq!(text(source).as_deref(), Some("1.10"), "{source:?}");
        }
        assert_eq!(texts("[~, null, {}, []]"), vec![None; 4]);
        assert_eq!(texts("- # nothing\n- x\n"), [None, Some("x".to_owned())]);
        let error = Value::parse("a.yaml", "x: y\na: !!float '1.10'\n").unwrap_err();
        assert!(error.to_string().contains("line 2"), "{error}");
    }

    #[test]
    fn numbers_are_understood_as_well() {
        let value = |source: &str| Value::parse("a.yaml", source).unwrap();
        assert_eq!(value("0x10").as_u64(), Some(16));
        assert_eq!(value("1.50").as_f64(), Some(1.5));
        assert_eq!(
            (value("-1").as_u64(), value("-1").as_f64()),
            (None, Some(-1.0))
        );
        assert_eq!(value("18446744073709551616").as_u64(), None);
        assert_eq!(value("'1'").as_f64(), None);
    }
}
