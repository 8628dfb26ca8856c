//! Tokens of the API.

use std::collections::HashMap;

use assize_common::ContentHash;
use assize_common::api::Scope;
use assize_common::id::TokenId;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{Store, StoreError, row};

/// What is known of a token that may be used.
#[derive(Debug, Clone)]
pub struct KnownToken {
    /// The SHA-256 of its secret.
    pub secret_sha256: ContentHash,
    /// What it allows.
    pub scopes: Vec<Scope>,
}

/// A token without anything secret.
#[derive(Debug, Clone)]
pub struct TokenInfo {
    /// The id.
    pub id: TokenId,
    /// What it is for, in words.
    pub name: String,
    /// What it allows.
    pub scopes: Vec<Scope>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was revoked, if it was.
    pub revoked_at: Option<DateTime<Utc>>,
}

fn scopes(names: &[String]) -> Result<Vec<Scope>, StoreError> {
    names
        .iter()
        .map(|name| row::named("a token scope", name))
        .collect()
}

impl Store {
    /// Stores a new token.
    ///
    /// # Errors
    /// When the database can't be reached.
    pub async fn token_create(
        &self,
        id: TokenId,
        name: &str,
        secret_sha256: ContentHash,
        scopes: &[Scope],
    ) -> Result<(), StoreError> {
        let scopes: Vec<String> = scopes.iter().map(Scope::to_string).collect();
        sqlx::query!(
            "INSERT INTO tokens (id, name, secret_sha256, scopes) VALUES ($1, $2, $3, $4)",
            id.as_uuid(),
            name,
            secret_sha256.as_bytes(),
            &scopes
        )
        .execute(&self.pool)
        .await
        .map(drop)
        .map_err(StoreError::on("store a token"))
    }

    /// Looks up tokens, in this order; `None` is one that there is not or that is revoked.
    ///
    /// # Errors
    /// When the database can't be reached.
    pub async fn token_list_find(
        &self,
        ids: &[TokenId],
    ) -> Result<Vec<Option<KnownToken>>, StoreError> {
        let wanted: Vec<Uuid> = ids.iter().map(|id| id.as_uuid()).collect();
        let rows = sqlx::query!(
            "SELECT id, secret_sha256, scopes FROM tokens WHERE id = ANY($1) AND revoked_at IS NULL",
            &wanted
        )
        .fetch_all(&self.dispatch)
        .await
        .map_err(StoreError::on("look up tokens"))?;
        let mut known = HashMap::new();
        for row in rows {
            let token = KnownToken {
                secret_sha256: row::hash("a token's hash", row.secret_sha256)?,
                scopes: scopes(&row.scopes)?,
            };
            known.insert(TokenId::from(row.id), token);
        }
        Ok(ids.iter().map(|id| known.get(id).cloned()).collect())
    }

    /// Lists all tokens, the newest first.
    ///
    /// # Errors
    /// When the database can't be reached.
    pub async fn token_list(&self) -> Result<Vec<TokenInfo>, StoreError> {
        let rows = sqlx::query!(
            "SELECT id, name, scopes, created_at, revoked_at FROM tokens ORDER BY created_at DESC, id DESC"
        )
        .fetch_all(&self.pool)
        .await
        .map_err(StoreError::on("list the tokens"))?;
        rows.into_iter()
            .map(|row| {
                Ok(TokenInfo {
                    id: row.id.into(),
                    name: row.name,
                    scopes: scopes(&row.scopes)?,
                    created_at: row.created_at,
                    revoked_at: row.revoked_at,
                })
            })
            .collect()
    }

    /// Revokes a token; false when there is no such token that was not revoked before.
    ///
    /// # Errors
    /// When the database can't be reached.
    pub async fn token_revoke(&self, id: TokenId) -> Result<bool, StoreError> {
        sqlx::query!(
            "UPDATE tokens SET revoked_at = now() WHERE id = $1 AND revoked_at IS NULL",
            id.as_uuid()
        )
        .execute(&self.pool)
        .await
        .map(|done| done.rows_affected() > 0)
        .map_err(StoreError::on("revoke a token"))
    }
}
