//! The database's URL, whose password never shows.

use std::fmt;
use std::str::FromStr;

use sqlx::postgres::PgConnectOptions;

/// A Postgres URL. Displays without its password.
#[derive(Clone)]
pub struct DatabaseUrl(PgConnectOptions);

/// A text that is not a Postgres URL. Does not repeat the text: it may hold a password.
#[derive(Debug, thiserror::Error)]
#[error(
    "not a Postgres URL: expected one such as postgres://user:password@host:5432/database, \
     or postgres://user@localhost/database?host=/socket/directory"
)]
pub struct InvalidDatabaseUrl(#[source] Option<sqlx::Error>);

impl DatabaseUrl {
    pub(super) const fn options(&self) -> &PgConnectOptions {
        &self.0
    }
}

#[cfg(test)]
impl From<PgConnectOptions> for DatabaseUrl {
    fn from(options: PgConnectOptions) -> Self {
        Self(options)
    }
}

impl FromStr for DatabaseUrl {
    type Err = InvalidDatabaseUrl;

    fn from_str(text: &str) -> Result<Self, InvalidDatabaseUrl> {
        // The parser takes any scheme, and would look for MySQL at Postgres' port.
        if !text.starts_with("postgres://") && !text.starts_with("postgresql://") {
            return Err(InvalidDatabaseUrl(None));
        }
        text.parse()
            .map(Self)
            .map_err(|error| InvalidDatabaseUrl(Some(error)))
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(options) = self;
        let user = options.get_username();
        let database = options.get_database().unwrap_or(user);
        write!(f, "postgres://{user}@")?;
        match options.get_socket() {
            Some(directory) => write!(f, "localhost/{database}?host={}", directory.display()),
            None => write!(
                f,
                "{}:{}/{database}",
                options.get_host(),
                options.get_port()
            ),
        }
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DatabaseUrl({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_password_never_shows() {
        let url: DatabaseUrl = "postgres://judge:hunter2@db.example:5433/assize"
            .parse()
            .unwrap();
        assert_eq!(url.to_string(), "postgres://judge@db.example:5433/assize");
        assert!(!format!("{url:?}").contains("hunter2"));
        for bad in [
            "postgres://judge:hunter2@db:99999/x",
            "mysql://judge:hunter2@db/x",
            "hunter2",
        ] {
            let error = bad.parse::<DatabaseUrl>().unwrap_err();
            assert!(!assize_common::telemetry::error_chain(&error).contains("hunter2"));
        }
    }

    #[test]
    fn a_socket_shows_as_one() {
        let url: DatabaseUrl = "postgres://judge@localhost/assize?host=/run/pg"
            .parse()
            .unwrap();
        assert_eq!(
            url.to_string(),
            "postgres://judge@localhost/assize?host=/run/pg"
        );
    }
}
