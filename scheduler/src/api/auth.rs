//! Who calls and whether they may.

use std::marker::PhantomData;

use assize_common::ContentHash;
use assize_common::api::{Scope, Token};
use assize_common::id::TokenId;
use axum::extract::FromRequestParts;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use subtle::ConstantTimeEq as _;

use super::Api;
use super::error::{ApiError, ErrorKind};

/// What a handler demands. A type per scope, so that a handler's signature says
/// it and no handler can forget to ask.
pub(super) trait Permission {
    const SCOPE: Scope;
}

macro_rules! permissions {
    ($($name:ident = $scope:ident;)*) => {$(
        #[derive(Debug)]
        pub(super) struct $name;

        impl Permission for $name {
            const SCOPE: Scope = Scope::$scope;
        }
    )*};
}

permissions! {
    MayAdminister = Admin;
    MayFetchBlobs = Worker;
    MayRead = Read;
    MaySubmit = Submit;
}

/// The caller, who has the permission `P`.
#[derive(Debug)]
pub(super) struct Caller<P> {
    pub(super) token_id: TokenId,
    scopes: Vec<Scope>,
    permission: PhantomData<P>,
}

impl<P> Caller<P> {
    /// Whether the caller may do everything.
    pub(super) fn is_admin(&self) -> bool {
        self.scopes.contains(&Scope::Admin)
    }
}

impl<P: Permission> FromRequestParts<Api> for Caller<P> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, ApiError> {
        let token = bearer_token(parts)?;
        let unknown = || {
            ApiError::new(
                ErrorKind::InvalidToken,
                "the token is not known, was revoked, or is mistyped",
            )
        };
        let known = api.intake.tokens.ask(token.id()).await?;
        let known = known.ok_or_else(unknown)?;
        let given = ContentHash::of(token.secret());
        if !bool::from(given.as_bytes().ct_eq(known.secret_sha256.as_bytes())) {
            return Err(unknown());
        }
        if !known.scopes.contains(&P::SCOPE) && !known.scopes.contains(&Scope::Admin) {
            return Err(ApiError::new(
                ErrorKind::InsufficientScope,
                format!("a token with the scope `{}` is needed", P::SCOPE),
            ));
        }
        Ok(Self {
            token_id: token.id(),
            scopes: known.scopes,
            permission: PhantomData,
        })
    }
}

fn bearer_token(parts: &Parts) -> Result<Token, ApiError> {
    let Some(header) = parts.headers.get(AUTHORIZATION) else {
        return Err(ApiError::new(
            ErrorKind::MissingToken,
            "send the header `Authorization: Bearer TOKEN`; `assize-scheduler token create` makes a token",
        ));
    };
    let text = header.to_str().unwrap_or_default();
    let Some((scheme, token)) = text.split_once(' ') else {
        return Err(ApiError::new(
            ErrorKind::InvalidToken,
            "the header has the form `Authorization: Bearer TOKEN`",
        ));
    };
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(ApiError::new(
            ErrorKind::InvalidToken,
            "the only supported scheme of the Authorization header is Bearer",
        ));
    }
    token
        .trim()
        .parse()
        .map_err(|error: assize_common::api::InvalidToken| {
            ApiError::new(ErrorKind::InvalidToken, error.to_string())
        })
}
