//! Output validators: what decides whether an output is right.

mod checker;
pub(crate) mod custom;
pub(crate) mod default;
pub(crate) mod dmoj;
pub(crate) mod feedback;
pub(crate) mod interactive;
mod jury;
mod scanner;
mod submitted;

pub(crate) use feedback::Feedback;
pub(crate) use jury::{Call, JuryValidator, Protocol, capture};
pub(crate) use submitted::{DIRECTORY as SUBMISSION, Submitted, lay_out};

use crate::verdict::Answer;

/// What a validator said of one run.
#[derive(Debug)]
pub(crate) struct Validated {
    pub(crate) answer: Answer,
    pub(crate) feedback: Feedback,
}
