//! Times that are yet to come although they are over: the database's clock was ahead
//! when they were written, and is right again.

use std::time::Duration;

use super::{Store, StoreError};

/// What is ahead by less is waited for. No two schedulers of different settings undo
/// each other's work by it.
const SLACK: Duration = Duration::from_secs(60);
/// However often an attempt failed: some 30 years, which the database can count.
const LONGEST_DELAY: f64 = 1e9;

impl Store {
    /// Makes now of times that are too far ahead to have been written by this clock: for as long, tasks would not
    /// be due, nor leases run out, nor lost tasks be missed, nor workers be thought dead. Returns how many there were.
    /// What others are at is left for the next time.
    ///
    /// # Errors
    /// When the database can't be reached.
    pub(crate) async fn time_mend(
        &self,
        lease: Duration,
        first_delay: Duration,
    ) -> Result<u64, StoreError> {
        let on = || StoreError::on("look for times that are yet to come");
        let tasks = sqlx::query!(
            "UPDATE outbox SET not_before = clock_timestamp() WHERE id IN (
                 SELECT o.id FROM outbox o JOIN judgements j ON j.id = o.judgement_id
                 WHERE o.not_before > clock_timestamp() + make_interval(secs => $1)
                   AND o.not_before > clock_timestamp()
                       + make_interval(secs => LEAST($1 + $2 * power(2::float8, LEAST(j.failures, 64)), $3::float8))
                   AND o.not_before < 'infinity'
                 FOR UPDATE OF o SKIP LOCKED)",
            SLACK.as_secs_f64(),
            first_delay.as_secs_f64(),
            LONGEST_DELAY
        )
        .execute(&self.pool)
        .await
        .map_err(on())?;
        let judgements = sqlx::query!(
            "UPDATE judgements SET
                 queued_at = LEAST(queued_at, clock_timestamp()),
                 -- What is not there stays so.
                 dispatched_at = CASE WHEN dispatched_at IS NOT NULL THEN LEAST(dispatched_at, clock_timestamp()) END,
                 started_at = CASE WHEN started_at IS NOT NULL THEN LEAST(started_at, clock_timestamp()) END,
                 lease_until = CASE WHEN lease_until IS NOT NULL
                     THEN LEAST(lease_until, clock_timestamp() + make_interval(secs => $2)) END
             WHERE id IN (
                 SELECT id FROM judgements
                 WHERE state IN ('queued', 'running')
                   AND GREATEST(queued_at, dispatched_at, started_at, lease_until - make_interval(secs => $2))
                       > clock_timestamp() + make_interval(secs => $1)
                 FOR UPDATE SKIP LOCKED)",
            SLACK.as_secs_f64(),
            lease.as_secs_f64()
        )
        .execute(&self.pool)
        .await
        .map_err(on())?;
        let workers = sqlx::query!(
            "UPDATE workers SET last_seen_at = clock_timestamp() WHERE id IN (
                 SELECT id FROM workers WHERE last_seen_at > clock_timestamp() + make_interval(secs => $1)
                 FOR UPDATE SKIP LOCKED)",
            SLACK.as_secs_f64()
        )
        .execute(&self.pool)
        .await
        .map_err(on())?;
        Ok(tasks.rows_affected() + judgements.rows_affected() + workers.rows_affected())
    }
}
