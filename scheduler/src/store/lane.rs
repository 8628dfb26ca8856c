//! Lanes as admins see them: what waits, and whether they are paused.

use std::collections::BTreeMap;
use std::time::Duration;

use assize_common::Lane;
use assize_common::api::PausedLane;
use assize_common::id::TokenId;

use super::outbox::OUTBOX_CHANNEL;
use super::{Store, StoreError, row};

impl Store {
    /// Stops publishing a lane's tasks; those at workers go on. A lane that is
    /// paused already keeps its reason.
    ///
    /// # Errors
    /// When the database can't be reached.
    pub async fn lane_pause(
        &self,
        lane: Lane,
        reason: &str,
        paused_by: TokenId,
    ) -> Result<(), StoreError> {
        sqlx::query!(
            "INSERT INTO paused_lanes (lane, reason, paused_by) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
            lane.name(),
            row::text(reason),
            paused_by.as_uuid()
        )
        .execute(&self.pool)
        .await
        .map(drop)
        .map_err(StoreError::on("pause a lane"))
    }

    /// Publishes a lane's tasks again.
    ///
    /// # Errors
    /// When the database can't be reached.
    pub async fn lane_resume(&self, lane: Lane) -> Result<(), StoreError> {
        sqlx::query!(
            r#"WITH resumed AS (DELETE FROM paused_lanes WHERE lane = $1 RETURNING lane)
               SELECT pg_notify($2, lane)::text AS "rung" FROM resumed"#,
            lane.name(),
            OUTBOX_CHANNEL
        )
        .fetch_optional(&self.pool)
        .await
        .map(drop)
        .map_err(StoreError::on("resume a lane"))
    }

    /// The lanes in which judgements wait and that no worker takes which was heard of within
    /// `lease`, each with the number of judgements.
    ///
    /// # Errors
    /// When the database can't be reached.
    pub async fn lane_list_missing(
        &self,
        lease: Duration,
    ) -> Result<BTreeMap<Lane, u64>, StoreError> {
        sqlx::query!(
            r#"SELECT lane AS "lane!", count(*) AS "waiting!" FROM judgements j
               WHERE j.state = 'queued'
                 AND NOT EXISTS (SELECT FROM paused_lanes p WHERE p.lane = j.lane)
                 AND NOT EXISTS (SELECT FROM outbox o WHERE o.judgement_id = j.id AND o.not_before = 'infinity')
                 AND NOT EXISTS (
                   SELECT FROM workers w
                   WHERE j.lane = ANY (w.lanes) AND w.stopped_at IS NULL AND w.mode = 'run'
                     AND w.last_seen_at > clock_timestamp() - make_interval(secs => $1))
               GROUP BY lane"#,
            lease.as_secs_f64()
        )
        .fetch_all(&self.pool)
        .await
        .map_err(StoreError::on("look for lanes that no worker takes"))?
        .into_iter()
        .map(|row| {
            let waiting = row::count("a number of judgements", row.waiting)?;
            Ok((row::named("a lane", &row.lane)?, waiting))
        })
        .collect()
    }

    /// Lists the lanes that are paused.
    ///
    /// # Errors
    /// When the database can't be reached.
    pub async fn lane_list_paused(&self) -> Result<Vec<(Lane, PausedLane)>, StoreError> {
        sqlx::query!("SELECT lane, reason, paused_at FROM paused_lanes ORDER BY lane")
            .fetch_all(&self.pool)
            .await
            .map_err(StoreError::on("list the paused lanes"))?
            .into_iter()
            .map(|row| {
                let paused = PausedLane {
                    reason: row.reason,
                    since: row.paused_at,
                };
                Ok((row::named("a lane", &row.lane)?, paused))
            })
            .collect()
    }
}
