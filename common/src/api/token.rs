//! Bearer tokens: `asz_<id>_<secret>`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::id::TokenId;

const PREFIX: &str = "asz";
const SECRET_BYTES: usize = 32;

/// What a token allows.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// Everything.
    Admin,
    /// Read problems, submissions, judgements and workers.
    Read,
    /// Create submissions.
    Submit,
    /// Fetch packages and sources, as workers do.
    Worker,
}

/// A text that names no scope.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{text:?} is not a scope: expected one of admin, read, submit, worker")]
pub struct UnknownScope {
    text: String,
}

impl Scope {
    /// Every scope.
    pub const ALL: [Self; 4] = [Self::Admin, Self::Read, Self::Submit, Self::Worker];

    /// The scope's name, such as `admin`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Read => "read",
            Self::Submit => "submit",
            Self::Worker => "worker",
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Scope {
    type Err = UnknownScope;

    fn from_str(text: &str) -> Result<Self, UnknownScope> {
        Self::ALL
            .into_iter()
            .find(|scope| scope.name() == text)
            .ok_or_else(|| UnknownScope {
                text: text.chars().take(32).collect(),
            })
    }
}

/// A token as a client holds it. Its secret shows only in [`Token::reveal`].
#[derive(Clone, PartialEq, Eq)]
pub struct Token {
    id: TokenId,
    secret: [u8; SECRET_BYTES],
}

/// A text that is not a token. Does not repeat the text: it may be a secret.
#[derive(Debug, Clone, thiserror::Error)]
#[error("not a token: expected the form asz_<id>_<secret>")]
pub struct InvalidToken;

impl Token {
    /// A token from its parts; `secret` must come from a cryptographic random source.
    #[must_use]
    pub const fn new(id: TokenId, secret: [u8; SECRET_BYTES]) -> Self {
        Self { id, secret }
    }

    /// The public part.
    #[must_use]
    pub const fn id(&self) -> TokenId {
        self.id
    }

    /// The secret part, to be hashed and compared.
    #[must_use]
    pub const fn secret(&self) -> &[u8; SECRET_BYTES] {
        &self.secret
    }

    /// The full text, for the one who may hold it.
    #[must_use]
    pub fn reveal(&self) -> String {
        format!(
            "{PREFIX}_{}_{}",
            self.id.as_uuid().simple(),
            hex::encode(self.secret)
        )
    }
}

impl FromStr for Token {
    type Err = InvalidToken;

    fn from_str(text: &str) -> Result<Self, InvalidToken> {
        let mut parts = text.split('_');
        let (Some(PREFIX), Some(id), Some(secret), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(InvalidToken);
        };
        let id = Uuid::try_parse(id).map_err(|_| InvalidToken)?;
        let mut bytes = [0; SECRET_BYTES];
        hex::decode_to_slice(secret, &mut bytes).map_err(|_| InvalidToken)?;
        Ok(Self {
            id: id.into(),
            secret: bytes,
        })
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Token({}, secret hidden)", self.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trip_and_hidden_secret() {
        let token = Token::new(TokenId::generate(), [0xab; SECRET_BYTES]);
        assert_eq!(token.reveal().parse::<Token>().unwrap(), token);
        assert!(!format!("{token:?}").contains("abab"));
    }

    #[test]
    fn other_texts_are_refused_without_repeating_them() {
        for text in ["", "asz_", "asz_1_2", "hunter2", "asz_1_2_3"] {
            let error = text.parse::<Token>().unwrap_err().to_string();
            assert!(!error.contains("hunter2"));
        }
    }
}
