//! What submission and validator of an interactive problem said to each other.

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::base64_content;

/// What both said in one run, in order: all of it, or the start and the end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Transcript {
    /// Counted from 1: the validator may have wanted several passes.
    pub pass: u32,
    /// From the start.
    pub start: Vec<Remark>,
    /// Bytes that both said after that, and that are left out.
    pub left_out_bytes: u64,
    /// What was said after those, up to the end.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub end: Vec<Remark>,
}

/// Something that one side said at once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Remark {
    /// When: milliseconds since the start of the conversation.
    pub at_ms: u64,
    /// By whom.
    pub by: Speaker,
    /// What.
    #[serde(flatten)]
    pub words: Words,
}

/// Who talks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Speaker {
    /// The submission.
    Submission,
    /// The output validator, or interactor.
    Validator,
}

/// Bytes: as text where they are one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Words {
    /// UTF-8 without control characters but tabs and ends of lines.
    Text(String),
    /// Anything else.
    #[serde(rename = "content_base64", with = "base64_content")]
    #[schema(value_type = String, format = Byte)]
    Bytes(Vec<u8>),
}

impl Transcript {
    /// What it takes in a message, more or less.
    #[must_use]
    pub fn size(&self) -> usize {
        const REMARK: usize = 48;
        let remarks = self.start.iter().chain(&self.end);
        remarks
            .map(|remark| remark.words.as_bytes().len() + REMARK)
            .sum()
    }
}

impl Speaker {
    /// Its name, such as `validator`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Submission => "submission",
            Self::Validator => "validator",
        }
    }
}

impl fmt::Display for Speaker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl Words {
    /// The bytes themselves.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Text(text) => text.as_bytes(),
            Self::Bytes(bytes) => bytes,
        }
    }
}

impl From<Vec<u8>> for Words {
    fn from(bytes: Vec<u8>) -> Self {
        let is_plain = |text: &str| {
            let mut odd = text.chars().filter(|c| c.is_control());
            odd.all(|c| matches!(c, '\n' | '\r' | '\t'))
        };
        match String::from_utf8(bytes) {
            Ok(text) if is_plain(&text) => Self::Text(text),
            Ok(text) => Self::Bytes(text.into_bytes()),
            Err(error) => Self::Bytes(error.into_bytes()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_text_where_they_can_be_and_bytes_in_any_case() {
        let remark = |bytes: &[u8]| Remark {
            at_ms: 12,
            by: Speaker::Validator,
            words: bytes.to_vec().into(),
        };
        for (bytes, json) in [
            (
                "gr\u{fc}n\t1\r\n".as_bytes(),
                r#"{"at_ms":12,"by":"validator","text":"grün\t1\r\n"}"#,
            ),
            (
                b"a\0",
                r#"{"at_ms":12,"by":"validator","content_base64":"YQA="}"#,
            ),
            (
                b"\xff",
                r#"{"at_ms":12,"by":"validator","content_base64":"/w=="}"#,
            ),
        ] {
            let written = serde_json::to_string(&remark(bytes)).unwrap();
            assert_eq!(written, json);
            let read: Remark = serde_json::from_str(json).unwrap();
            assert_eq!(read.words.as_bytes(), bytes);
        }
    }
}
