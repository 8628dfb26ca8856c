//! Output validators: what decides whether an output is right.

pub(crate) mod custom;
pub(crate) mod default;
pub(crate) mod interactive;
mod jury;
mod scanner;

pub(crate) use jury::JuryValidator;

use crate::verdict::Answer;

/// What a validator said of one run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Validated {
    pub(crate) answer: Answer,
    /// For the jury.
    pub(crate) message: Option<String>,
}
