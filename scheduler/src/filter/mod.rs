//! Filters: which submissions an admin means, as a small language.
//!
//! ```text
//! problem = shelf and (verdict in (WA, TLE) or time_share >= 0.9) and not team = Seals
//! ```
//!
//! A text is parsed and every value checked against its field before anything is
//! asked of the database, which gets values as parameters only. A comparison with
//! what is not there, such as the team of a submission without one, is false.

mod field;
mod parse;
mod value;

use chrono::{DateTime, Utc};
use uuid::Uuid;

pub(crate) use field::{Field, Scope};

/// Which submissions are meant.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Filter {
    /// Every one.
    All,
    /// Those that all of them mean.
    And(Vec<Self>),
    /// Those that one of them means.
    Or(Vec<Self>),
    /// The others.
    Not(Box<Self>),
    /// Those with a property.
    Is(Field, Test),
}

/// What is asked of a field. The values are of the field's kind.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Test {
    /// It is not there.
    None,
    /// One of these, of which there is at least one.
    Among(Values),
    /// Smaller or larger than a value.
    Order(Order, Value),
    /// A text of this form, in which `*` stands for any characters.
    Like(String),
}

/// Values of one kind.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Values {
    Texts(Vec<String>),
    Numbers(Vec<f64>),
    Ids(Vec<Uuid>),
    Truths(Vec<bool>),
    Times(Vec<DateTime<Utc>>),
}

/// A value that has an order.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Value {
    Number(f64),
    Time(DateTime<Utc>),
}

/// Smaller or larger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    Less,
    AtMost,
    Greater,
    AtLeast,
}

/// A text that is no filter.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("at character {at}: {problem}")]
pub(crate) struct InvalidFilter {
    /// Counted from 1.
    pub(crate) at: usize,
    /// What is wrong and what would be right.
    pub(crate) problem: String,
}

impl Filter {
    /// Parses a filter whose fields are those of `scope`.
    ///
    /// # Errors
    /// When the text is no filter, with the place and what would be right.
    pub(crate) fn parse(text: &str, scope: Scope) -> Result<Self, InvalidFilter> {
        parse::parse(text, scope)
    }
}

#[cfg(test)]
mod tests;
