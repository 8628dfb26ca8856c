//! `token create|list|revoke`.

use std::fs::File;
use std::io::{Read as _, Write as _};

use anyhow::{Context as _, bail};
use assize_common::ContentHash;
use assize_common::api::{Scope, Token};
use assize_common::id::TokenId;
use assize_scheduler::serve;
use assize_scheduler::store::{Store, TokenInfo};

use crate::arguments::{self, Database};

pub(crate) async fn run(command: arguments::Token) -> anyhow::Result<()> {
    match command {
        arguments::Token::Create {
            name,
            scopes,
            database,
        } => create(&open(&database).await?, &name, &scopes).await,
        arguments::Token::List { database } => list(&open(&database).await?).await,
        arguments::Token::Revoke { id, database } => revoke(&open(&database).await?, id).await,
    }
}

/// Also brings the database up to date: a token is often made before the first start.
async fn open(database: &Database) -> anyhow::Result<Store> {
    let url = database.url()?;
    serve::migrate(&url, database.wait()).await?;
    Ok(Store::new(&url, 1))
}

async fn create(store: &Store, name: &str, scopes: &[Scope]) -> anyhow::Result<()> {
    if name.trim().is_empty() {
        bail!("a token needs a name that says what it is for");
    }
    let mut secret = [0; 32];
    File::open("/dev/urandom")
        .and_then(|mut random| random.read_exact(&mut secret))
        .context("cannot read random bytes from /dev/urandom")?;
    let token = Token::new(TokenId::generate(), secret);
    let mut scopes = scopes.to_vec();
    scopes.sort();
    scopes.dedup();
    store
        .token_create(token.id(), name, ContentHash::of(token.secret()), &scopes)
        .await?;
    writeln!(std::io::stdout(), "{}", token.reveal()).context("cannot print the token")
}

async fn list(store: &Store) -> anyhow::Result<()> {
    let mut output = std::io::stdout().lock();
    for token in store.token_list().await? {
        let TokenInfo {
            id,
            name,
            scopes,
            created_at,
            revoked_at,
        } = token;
        let scopes: Vec<&str> = scopes.into_iter().map(Scope::name).collect();
        let state = revoked_at.map_or_else(
            || "valid".to_owned(),
            |at| format!("revoked {}", at.format("%F %T")),
        );
        let (created, scopes) = (created_at.format("%F %T"), scopes.join(","));
        writeln!(output, "{id}  {created}  {scopes:<24}  {state}  {name}")
            .context("cannot print the tokens")?;
    }
    Ok(())
}

async fn revoke(store: &Store, id: TokenId) -> anyhow::Result<()> {
    if !store.token_revoke(id).await? {
        bail!("there is no token {id} that is still valid: see `assize-scheduler token list`");
    }
    Ok(())
}
