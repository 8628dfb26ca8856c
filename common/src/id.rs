//! Typed identifiers. Each kind is its own type, so that passing a judgement's
//! id where a submission's is meant does not compile.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A text that is not an identifier of the expected kind.
#[derive(Debug, Clone, thiserror::Error)]
#[error(
    "{text:?} is not a valid {kind} id: expected a UUID such as 01890a5d-ac96-774b-bcce-b302099a8057"
)]
pub struct InvalidId {
    kind: &'static str,
    text: String,
    #[source]
    source: uuid::Error,
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $kind:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
        #[serde(transparent)]
        #[schema(value_type = Uuid)]
        pub struct $name(Uuid);

        impl $name {
            /// A new id, ordered by time of creation (UUID version 7).
            #[must_use]
            pub fn generate() -> Self {
                Self(Uuid::now_v7())
            }

            /// The id as a plain UUID, for storage.
            #[must_use]
            pub const fn as_uuid(self) -> Uuid {
                self.0
            }
        }

        impl From<Uuid> for $name {
            fn from(uuid: Uuid) -> Self {
                Self(uuid)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                Uuid::parse_str(text).map(Self).map_err(|source| InvalidId {
                    kind: $kind,
                    text: text.chars().take(64).collect(),
                    source,
                })
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($kind, ":{}"), self.0)
            }
        }
    )*};
}

ids! {
    /// One attempt to judge a submission.
    JudgementId = "judgement";
    /// A problem, whatever the version of its package.
    ProblemId = "problem";
    /// A set of new judgements, applied or cancelled as one.
    RejudgingId = "rejudging";
    /// What a team sent.
    SubmissionId = "submission";
    /// An API token, without its secret.
    TokenId = "token";
    /// One start of a worker daemon: a restarted worker is a new one.
    WorkerId = "worker";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_round_trip() {
        let id = SubmissionId::generate();
        assert_eq!(id.to_string().parse::<SubmissionId>().unwrap(), id);
    }

    #[test]
    fn the_error_names_the_kind_and_bounds_the_text() {
        let error = "x"
            .repeat(1000)
            .parse::<JudgementId>()
            .unwrap_err()
            .to_string();
        assert!(error.contains("not a valid judgement id"), "{error}");
        assert!(error.len() < 300, "{error}");
    }

    #[test]
    fn later_ids_sort_after_earlier_ones() {
        let ids: Vec<_> = (0..100).map(|_| JudgementId::generate()).collect();
        assert!(ids.is_sorted());
    }
}
