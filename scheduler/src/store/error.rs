//! Why the database could not do as asked.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use sqlx::migrate::MigrateError;

/// Why the database could not do as asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database refused or did not answer.
    #[error("cannot {attempt}")]
    Database {
        /// What was attempted.
        attempt: &'static str,
        /// The cause.
        #[source]
        source: sqlx::Error,
    },
    /// The database neither answered nor refused.
    #[error("the database gave no answer for {} s", waited.as_secs())]
    Silent {
        /// For how long it was waited for.
        waited: Duration,
    },
    /// It was asked for many at once.
    #[error("cannot do for many what was asked of the database")]
    Together(#[source] Arc<Self>),
    /// The database's structure could not be brought up to date.
    #[error("cannot migrate the database: is it used by another program or by a newer assize?")]
    Migrate(#[source] MigrateError),
    /// A stored value that this program does not know, as from a newer version.
    #[error("the database holds {what} that this program can't read")]
    Unreadable {
        /// What kind of value.
        what: &'static str,
        /// The cause.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// A value that does not fit into the database.
    #[error("{what} is too large to be stored")]
    TooLarge {
        /// What kind of value.
        what: &'static str,
    },
}

impl StoreError {
    pub(super) fn on(attempt: &'static str) -> impl FnOnce(sqlx::Error) -> Self {
        move |source| Self::Database { attempt, source }
    }

    pub(super) fn unreadable(
        what: &'static str,
        source: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> Self {
        Self::Unreadable {
            what,
            source: source.into(),
        }
    }

    /// Whether the same may succeed later: the database is down, restarting, full
    /// or busy, rather than given something it will never take.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Database { source, .. } => is_transient(source),
            Self::Silent { .. } => true,
            Self::Together(source) => source.is_transient(),
            Self::Migrate(
                MigrateError::Execute(source) | MigrateError::ExecuteMigration(source, _),
            ) => is_transient(source),
            _ => false,
        }
    }

    /// Whether anything else would fare the same now: there is nobody who answers, or who may
    /// be asked. What stands in another one's way is not that.
    pub(crate) fn is_unavailability(&self) -> bool {
        let is_in_the_way = |code: &str| ["40", "55"].iter().any(|class| code.starts_with(class));
        let of_its_own = matches!(self, Self::Database { source: sqlx::Error::Database(refusal), .. }
            if refusal.code().is_some_and(|code| is_in_the_way(&code)));
        self.is_transient() && !of_its_own
    }

    /// Whether the database ended this transaction because another one waited for it
    /// and it for that one.
    pub(super) fn is_deadlock(&self) -> bool {
        matches!(self, Self::Database { source: sqlx::Error::Database(refusal), .. }
            if refusal.code().as_deref() == Some("40P01"))
    }

    /// Whether a value was refused for breaking this constraint.
    pub(super) fn breaks(&self, constraint: &str) -> bool {
        matches!(self, Self::Database { source: sqlx::Error::Database(refusal), .. }
            if refusal.constraint() == Some(constraint))
    }
}

/// See [`StoreError::is_transient`].
pub(super) fn is_transient(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::Protocol(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed
        | sqlx::Error::BeginFailed => true,
        // Classes of SQLSTATE: connection exception, transaction rollback (a
        // deadlock, for one), insufficient resources, object not in the right
        // state (a lock timeout), operator intervention, system error; and a
        // write to what a fail-over has made a replica.
        sqlx::Error::Database(refusal) => refusal.code().is_some_and(|code| {
            ["08", "40", "53", "55", "57", "58"]
                .iter()
                .any(|class| code.starts_with(class))
                || code == "25006"
        }),
        _ => false,
    }
}
