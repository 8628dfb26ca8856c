//! Reading YAML mappings key by key, so that every error names file and key,
//! and keys that nobody asked for are reported.

use std::collections::BTreeMap;
use std::time::Duration;

use bytesize::ByteSize;

use super::error::PackageError;
use super::file_tree::FileTree;
use super::limit_bounds;
use super::yaml_value::Value;
use crate::Score;

/// A mapping of a YAML file from which keys are taken one after another.
#[derive(Debug)]
pub(super) struct Section {
    file: String,
    prefix: String,
    entries: BTreeMap<String, Value>,
}

impl Section {
    /// Reads the file `path` as a mapping; an absent or empty file is an empty one.
    pub(super) fn read(tree: &FileTree, path: &str) -> Result<Self, PackageError> {
        Self::parse(path, &tree.text(path)?.unwrap_or_default())
    }

    /// Reads `text`, which comes from the file `path`.
    pub(super) fn parse(path: &str, text: &str) -> Result<Self, PackageError> {
        // Whether an empty document is a null or an error is up to the parser.
        let blank = |line: &str| {
            line.trim().is_empty() || line.trim_start().starts_with('#') || line.trim() == "---"
        };
        let value = if text.lines().all(blank) {
            Value::Null
        } else {
            Value::parse(path, text)?
        };
        match value {
            Value::Null => Ok(Self::new(path, "", BTreeMap::new())),
            Value::Map(entries) => Ok(Self::new(path, "", entries)),
            _ => Err(PackageError::invalid(
                path,
                "",
                "expected a mapping of keys to values",
            )),
        }
    }

    fn new(file: &str, prefix: &str, entries: BTreeMap<String, Value>) -> Self {
        Self {
            file: file.to_owned(),
            prefix: prefix.to_owned(),
            entries,
        }
    }

    /// The full name of a key, such as `limits.memory`.
    fn name_of(&self, key: &str) -> String {
        format!("{}{key}", self.prefix)
    }

    /// An error about `key`.
    pub(super) fn invalid(&self, key: &str, problem: impl Into<String>) -> PackageError {
        PackageError::invalid(&self.file, &self.name_of(key), problem)
    }

    /// A refusal of what `key` asks for.
    pub(super) fn unsupported(&self, key: &str, feature: impl Into<String>) -> PackageError {
        PackageError::unsupported(&self.file, &self.name_of(key), feature)
    }

    /// A warning that `key` was stated and means nothing here.
    pub(super) fn ignored(&self, key: &str, why: &str) -> String {
        format!("{}: `{}` is ignored: {why}", self.file, self.name_of(key))
    }

    /// Takes a key's value; a null counts as absent.
    pub(super) fn take(&mut self, key: &str) -> Option<Value> {
        self.entries
            .remove(key)
            .filter(|value| *value != Value::Null)
    }

    /// Drops keys that are known and mean nothing for judging.
    pub(super) fn skip(&mut self, keys: &[&str]) {
        for key in keys {
            self.entries.remove(*key);
        }
    }

    /// Takes a string: the text of any scalar.
    pub(super) fn string(&mut self, key: &str) -> Result<Option<String>, PackageError> {
        match self.take(key) {
            None => Ok(None),
            Some(value) => value
                .into_text()
                .map(Some)
                .ok_or_else(|| self.invalid(key, "expected a string")),
        }
    }

    /// Takes a boolean.
    pub(super) fn boolean(&mut self, key: &str) -> Result<Option<bool>, PackageError> {
        match self.take(key) {
            None => Ok(None),
            Some(Value::Bool { value, .. }) => Ok(Some(value)),
            Some(_) => Err(self.invalid(key, "expected true or false")),
        }
    }

    /// Takes a list of strings.
    pub(super) fn strings(&mut self, key: &str) -> Result<Option<Vec<String>>, PackageError> {
        match self.take(key) {
            None => Ok(None),
            Some(value) => list_of_strings(value)
                .map(Some)
                .ok_or_else(|| self.invalid(key, STRINGS)),
        }
    }

    /// Takes a string or a list of strings.
    pub(super) fn string_or_strings(
        &mut self,
        key: &str,
    ) -> Result<Option<Vec<String>>, PackageError> {
        match self.take(key) {
            None => Ok(None),
            Some(list @ Value::List(_)) => list_of_strings(list)
                .map(Some)
                .ok_or_else(|| self.invalid(key, STRINGS)),
            Some(value) => value
                .into_text()
                .map(|text| Some(vec![text]))
                .ok_or_else(|| self.invalid(key, "expected a string or a list of strings")),
        }
    }

    /// Takes a mapping; an absent one is empty.
    pub(super) fn section(&mut self, key: &str) -> Result<Self, PackageError> {
        let value = self.take(key).unwrap_or(Value::Map(BTreeMap::new()));
        self.nested(key, value)
    }

    /// A mapping that was already taken as the value of `key`.
    pub(super) fn nested(&self, key: &str, value: Value) -> Result<Self, PackageError> {
        let prefix = format!("{}.", self.name_of(key));
        match value {
            Value::Map(entries) => Ok(Self::new(&self.file, &prefix, entries)),
            _ => Err(self.invalid(key, "expected a mapping of keys to values")),
        }
    }

    /// Takes a string of words, or a list of them.
    pub(super) fn words(&mut self, key: &str) -> Result<Option<Vec<String>>, PackageError> {
        let list = self.string_or_strings(key)?;
        Ok(list.map(|list| {
            let words = list.iter().flat_map(|text| text.split_whitespace());
            words.map(str::to_owned).collect()
        }))
    }

    /// Takes a score.
    pub(super) fn score(&mut self, key: &str) -> Result<Option<Score>, PackageError> {
        match self.take(key) {
            None => Ok(None),
            Some(value) => as_score(&value)
                .map(Some)
                .ok_or_else(|| self.invalid(key, "expected a number")),
        }
    }

    /// Takes a positive number.
    pub(super) fn number(&mut self, key: &str) -> Result<Option<f64>, PackageError> {
        match self.take(key) {
            None => Ok(None),
            Some(value) => match value.as_f64() {
                Some(number) if number.is_finite() && number > 0.0 => Ok(Some(number)),
                _ => Err(self.invalid(key, "expected a number greater than zero")),
            },
        }
    }

    /// Takes a positive number of seconds.
    pub(super) fn seconds(&mut self, key: &str) -> Result<Option<Duration>, PackageError> {
        let Some(seconds) = self.number(key)? else {
            return Ok(None);
        };
        checked_seconds(seconds).map(Some).ok_or_else(|| {
            let most = limit_bounds::SECONDS;
            self.invalid(
                key,
                format!("{seconds} is out of range: state {most} seconds at most"),
            )
        })
    }

    /// Takes a positive whole number of `unit`s, `most` at most.
    pub(super) fn size(
        &mut self,
        key: &str,
        unit: u64,
        most: ByteSize,
    ) -> Result<Option<ByteSize>, PackageError> {
        match self.take(key) {
            None => Ok(None),
            Some(value) => {
                // Legacy packages write 64.0 as well as 64.
                let whole = value
                    .as_u64()
                    .or_else(|| value.as_f64().and_then(whole_number));
                let number = whole.filter(|number| *number > 0).ok_or_else(|| {
                    self.invalid(key, "expected a whole number greater than zero")
                })?;
                let size = ByteSize(number.saturating_mul(unit));
                let written = value.text().unwrap_or_default();
                limit_bounds::within(&self.file, &self.name_of(key), written, size, most).map(Some)
            }
        }
    }

    /// Takes a whole number that is not negative.
    pub(super) fn whole_number(&mut self, key: &str) -> Result<Option<u64>, PackageError> {
        match self.take(key) {
            None => Ok(None),
            Some(value) => value
                .as_u64()
                .map(Some)
                .ok_or_else(|| self.invalid(key, "expected a whole number")),
        }
    }

    /// Takes a number of at least one.
    pub(super) fn factor(&mut self, key: &str) -> Result<Option<f64>, PackageError> {
        match self.number(key)? {
            Some(factor) if factor < 1.0 => Err(self.invalid(key, "expected at least 1")),
            factor => Ok(factor),
        }
    }

    /// All keys that are left, with their values.
    pub(super) fn into_entries(self) -> impl Iterator<Item = (String, Value)> {
        self.entries.into_iter()
    }

    /// The keys that are left.
    pub(super) fn keys(&self) -> Vec<String> {
        self.entries.keys().cloned().collect()
    }

    /// Ends reading: whatever is left is unknown and becomes a warning.
    pub(super) fn finish(self, warnings: &mut Vec<String>) {
        for key in self.entries.keys() {
            warnings.push(format!(
                "{}: unknown key `{}` is ignored",
                self.file,
                self.name_of(key)
            ));
        }
    }
}

/// Seconds as a duration, unless absurdly long or short.
pub(super) fn checked_seconds(seconds: f64) -> Option<Duration> {
    (seconds > 0.0 && seconds <= limit_bounds::SECONDS)
        .then(|| Duration::try_from_secs_f64(seconds).ok())
        .flatten()
        .filter(|duration| !duration.is_zero())
}

/// A number as an exact score.
pub(super) fn as_score(value: &Value) -> Option<Score> {
    value.text()?.parse().ok()
}

/// What is wrong where [`list_of_strings`] finds none.
const STRINGS: &str = "expected a list of strings: put what is empty or null in quotes";

/// The texts of a list of scalars, as they were written: an argument `1.10` is not `1.1`.
pub(super) fn list_of_strings(value: Value) -> Option<Vec<String>> {
    match value {
        Value::List(items) => items.into_iter().map(Value::into_text).collect(),
        _ => None,
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "only whole numbers that every f64 represents exactly are converted"
)]
fn whole_number(number: f64) -> Option<u64> {
    const MAX_EXACT: f64 = 9_007_199_254_740_992.0;
    (number.fract() == 0.0 && (0.0..MAX_EXACT).contains(&number)).then_some(number as u64)
}
