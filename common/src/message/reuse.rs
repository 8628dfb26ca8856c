//! What of an earlier judgement's run goes on to hold: all of it, or only what the
//! program did, whose output is validated again.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::ContentHash;
use crate::id::JudgementId;

/// Most blobs with outputs that a judgement refers to: one of its own, and those of
/// earlier ones whose runs it took over.
pub const MOST_OUTPUTS: usize = 8;

/// What a run's key is made of, beside the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct KeyParts {
    /// The hash of all that determines what the program does.
    pub program: ContentHash,
    /// The hash of the output validator, its arguments and its limits.
    pub validator: ContentHash,
}

/// The program was not run: an output that was kept was validated again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ValidatedAgain {
    /// The judgement in which the program was run.
    pub output_from: JudgementId,
    /// Why.
    pub changed: Changed,
}

/// What has changed since an output was validated before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Changed {
    /// The answer alone.
    Answer,
    /// The output validator, its arguments or its limits; and perhaps the answer.
    Validator,
}

impl Changed {
    /// In words.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Answer => "the answer",
            Self::Validator => "the output validator",
        }
    }
}
