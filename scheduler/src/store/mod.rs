//! All SQL, and nothing but SQL: every statement of the scheduler is in this
//! folder, checked against the real schema at compile time.
//!
//! Functions are named noun_verb. Those on [`Store`] are complete transactions;
//! those that take a connection are parts of one that the caller commits. Row
//! types stay in here: conversions to the types of `assize_common` are total and
//! fail on values they do not know.

mod admin_action;
mod admission;
mod audit;
mod backlog;
mod blob;
mod canary;
mod clock;
mod confirmation;
mod dead_letter;
mod elsewhere;
mod error;
mod escalation;
mod failing_worker;
mod flag;
mod invariant;
mod judgement;
mod judging_failure;
mod lane;
mod language;
mod new_submission;
mod outbox;
mod output;
mod pause;
mod problem;
mod provenance;
mod rejudging;
mod release;
mod row;
mod run;
mod scrutiny;
mod selection;
mod silence;
mod stop_rule;
mod submission;
mod ticket_key;
mod token;
mod transition;
mod url;
mod worker;

#[cfg(test)]
mod tests;

use std::time::Duration;

use sqlx::migrate::{Migrate as _, Migrator};
use sqlx::postgres::{PgPool, PgPoolOptions};
use sqlx::{ConnectOptions as _, Connection as _, Postgres, Transaction};

pub use admission::{Admission, CurrentPackage, FoundFlags, Subject};
pub use audit::AuditFilter;
pub use backlog::{Backlog, LaneBacklog};
pub(crate) use dead_letter::DeadLetterLoad;
pub use dead_letter::DeadMessage;
pub use error::StoreError;
pub use invariant::Violation;
pub use judgement::UndispatchedJudgement;
pub use new_submission::{Created, NewStoredSubmission};
pub use outbox::{ClaimedTask, LaneLoad, OUTBOX_CHANNEL};
pub use problem::{Activation, ImportedVersion, NewPackage};
pub use rejudging::{CreatedRejudging, PackageProblem, SwitchRefusal, Switched};
pub use silence::Listener;
pub use submission::SubmissionFilter;
pub use token::{KnownToken, TokenInfo};
pub use transition::{FailedAttempt, Failure, HandedBackAttempt, RetryPolicy, TakenAway};
pub use url::{DatabaseUrl, InvalidDatabaseUrl};

pub(crate) use canary::{canary_add, canary_note_good, worker_suspect};
pub(crate) use confirmation::{judgement_confirm, judgement_list_disputes};
pub(crate) use escalation::{judgement_look_again, judgement_replace_escalated};
pub(crate) use judgement::{ExpiredJudgement, judgement_list_expired};
pub(crate) use outbox::{lane_languages, lane_load, outbox_claim, outbox_remove};
pub(crate) use rejudging::{NewStoredRejudging, rejudging_feed};
pub(crate) use selection::Selected;
pub(crate) use silence::round;
pub(crate) use transition::{
    FinishedAttempt, Moved, StartedAttempt, batch_lock, judgement_fail, judgement_hand_back,
    judgement_list_finish, judgement_list_progress, judgement_list_start, judgement_redispatch,
    judgement_take_away, lease_extend,
};
pub use worker::CONTROL_CHANNEL;
pub(crate) use worker::{worker_list_cancel, worker_list_touch, worker_register, worker_stop};

/// The migrations, embedded. A database may be ahead of this program: while a new
/// release is rolled out, old daemons still start, and migrations only add.
fn migrations() -> Migrator {
    let mut migrations = sqlx::migrate!("../migrations");
    migrations.set_ignore_missing(true);
    migrations
}

/// How long a request waits for a free connection. Longer than a hiccup of
/// Postgres, shorter than a client's patience.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);

/// The database.
#[derive(Debug, Clone)]
pub struct Store {
    pool: PgPool,
    /// For what every submission and every report needs, which so never waits for what admins look at.
    dispatch: PgPool,
}

/// Relays hold one each while RabbitMQ does not answer, and submissions and reports go on meanwhile.
const FOR_DISPATCH: u32 = 9;
/// What is left of few connections.
const FOR_ALL_ELSE: u32 = 3;
/// With fewer connections, a RabbitMQ that takes nothing could hold everything up.
pub const FEWEST_CONNECTIONS: u32 = FOR_DISPATCH + FOR_ALL_ELSE;

/// How Postgres plans what every submission and every report needs. Plans are made once, not again for each number
/// of submissions in an array: making one takes longer than what it is for. So they must not depend on how much there
/// was when they were made: of a database that was empty that day, it would read whole tables for weeks. What
/// these statements look for in tables that grow has an index, and what filters are optional in there are cheap
/// to look at for the rows that are due; tables of flags and workers are small.
const PLANS_OF_DISPATCH: [(&str, &str); 6] = [
    ("plan_cache_mode", "force_generic_plan"),
    ("enable_seqscan", "off"),
    ("enable_bitmapscan", "off"),
    ("enable_hashjoin", "off"),
    ("enable_mergejoin", "off"),
    // Due rows come in the order of their index, however few there were.
    ("enable_sort", "off"),
];

impl Store {
    /// A store that connects when it is first used, with at most `connections`, and at least
    /// [`FEWEST_CONNECTIONS`]. Half of many are for dispatch, and most of few.
    #[must_use]
    pub fn new(url: &DatabaseUrl, connections: u32) -> Self {
        // A statement or transaction that takes this long is stuck, and would
        // hold its locks against everybody.
        let options = url.options().clone().application_name("assize-scheduler");
        let options = options.options([
            ("statement_timeout", "30s"),
            ("lock_timeout", "10s"),
            ("idle_in_transaction_session_timeout", "60s"),
            // Compiling a plan takes longer than anything here.
            ("jit", "off"),
        ]);
        let for_dispatch = connections.div_ceil(2).max(FOR_DISPATCH);
        let for_all_else = connections.saturating_sub(for_dispatch).max(FOR_ALL_ELSE);
        let pool = |connections, options| {
            PgPoolOptions::new()
                .max_connections(connections)
                .acquire_timeout(ACQUIRE_TIMEOUT)
                .after_release(|connection, _| Box::pin(release::is_free(connection)))
                .connect_lazy_with(options)
        };
        Self {
            dispatch: pool(for_dispatch, options.clone().options(PLANS_OF_DISPATCH)),
            pool: pool(for_all_else, options),
        }
    }

    /// A store over a pool that exists.
    #[must_use]
    pub fn from_pool(pool: PgPool) -> Self {
        Self {
            dispatch: pool.clone(),
            pool,
        }
    }

    /// Brings the database's structure up to date. Concurrent calls take turns.
    ///
    /// # Errors
    /// When the database can't be reached, a migration would have to wait for others'
    /// locks for long, or it fails or was changed after it had been applied.
    pub async fn migrate(url: &DatabaseUrl) -> Result<(), StoreError> {
        // A connection without the pool's timeouts: a migration may take long.
        // Nor its notices that something exists already.
        let options = url.options().clone();
        let mut connection = options
            .options([("client_min_messages", "warning")])
            .connect()
            .await
            .map_err(StoreError::on("connect to Postgres"))?;
        // The lock by which schedulers take turns may take as long as a migration; any
        // other one must not, since everybody else waits behind whoever waits for it.
        connection.lock().await.map_err(StoreError::Migrate)?;
        sqlx::query!("SET lock_timeout = '2s'")
            .execute(&mut connection)
            .await
            .map_err(StoreError::on("limit the wait for locks"))?;
        migrations()
            .set_locking(false)
            .run_direct(None, &mut connection, false)
            .await
            .map_err(StoreError::Migrate)?;
        connection
            .close()
            .await
            .map_err(StoreError::on("disconnect from Postgres"))
    }

    /// Asks the database for a sign of life.
    ///
    /// # Errors
    /// When there is none.
    pub async fn ping(&self) -> Result<(), StoreError> {
        sqlx::query_scalar!(r#"SELECT 1 AS "one!""#)
            .fetch_one(&self.dispatch)
            .await
            .map(drop)
            .map_err(StoreError::on("reach Postgres"))
    }

    /// Begins a transaction for the functions that take a connection.
    ///
    /// # Errors
    /// When the database can't be reached.
    pub async fn begin(&self) -> Result<Transaction<'static, Postgres>, StoreError> {
        begin(&self.pool, "BEGIN").await
    }

    /// Begins a transaction of the relay or about reports.
    ///
    /// # Errors
    /// When the database can't be reached.
    pub async fn begin_dispatch(&self) -> Result<Transaction<'static, Postgres>, StoreError> {
        begin(&self.dispatch, "BEGIN").await
    }

    /// Begins a transaction of the relay. A crash of Postgres may forget it: tasks go out twice then. So
    /// nobody waits for the disk.
    ///
    /// # Errors
    /// When the database can't be reached.
    pub(crate) async fn begin_relay(&self) -> Result<Transaction<'static, Postgres>, StoreError> {
        begin(&self.dispatch, "BEGIN; SET LOCAL synchronous_commit = off").await
    }

    /// Begins a transaction that sees one state of the database and changes nothing.
    ///
    /// # Errors
    /// When the database can't be reached.
    pub(crate) async fn begin_snapshot(
        &self,
    ) -> Result<Transaction<'static, Postgres>, StoreError> {
        begin(
            &self.pool,
            "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        )
        .await
    }

    /// Commits a transaction. After a transient error it may or may not be committed.
    ///
    /// # Errors
    /// When the database can't be reached or a constraint is broken.
    pub async fn commit(transaction: Transaction<'static, Postgres>) -> Result<(), StoreError> {
        transaction
            .commit()
            .await
            .map_err(StoreError::on("commit a transaction"))
    }

    /// A listener to notifications, over a connection of its own.
    ///
    /// # Errors
    /// When the database can't be reached.
    pub async fn listen(&self, channel: &str) -> Result<Listener, StoreError> {
        let options = self.pool.connect_options();
        Listener::connect(options.as_ref().clone(), channel).await
    }

    /// Waits for connections in use and closes all.
    pub async fn close(&self) {
        tokio::join!(self.pool.close(), self.dispatch.close());
    }
}

/// Begins a transaction by this statement. Whoever gives that up leaves a connection that [`release::is_free`] refuses.
async fn begin(
    pool: &PgPool,
    statement: &'static str,
) -> Result<Transaction<'static, Postgres>, StoreError> {
    let begun = pool.begin_with(statement).await;
    begun.map_err(StoreError::on("begin a transaction"))
}
