//! What waits: numbers for metrics and people.

use assize_common::Lane;

use super::{Store, StoreError, row};

/// What waits in one lane.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LaneBacklog {
    /// The lane.
    pub lane: Lane,
    /// Judgements that are queued.
    pub queued: u64,
    /// Judgements that are running.
    pub running: u64,
}

/// What waits in all.
#[derive(Debug, Clone, PartialEq)]
pub struct Backlog {
    /// For every lane.
    pub lanes: Vec<LaneBacklog>,
    /// Tasks that are due and not published.
    pub outbox_unsent: u64,
    /// How long the oldest of them has been due, in seconds; 0 without any.
    pub outbox_oldest_seconds: f64,
    /// How long a worker has had the attempt that runs for longest, in seconds; 0 without any.
    pub running_oldest_seconds: f64,
    /// Dead letters that nobody has decided about.
    pub dead_letters: u64,
}

impl Store {
    /// Counts what waits.
    ///
    /// # Errors
    /// When the database can't be reached.
    pub async fn backlog_count(&self) -> Result<Backlog, StoreError> {
        let attempt = "count what waits";
        let outbox = sqlx::query!(
            r#"SELECT count(*) AS "unsent!",
                   COALESCE(extract(epoch FROM clock_timestamp() - min(not_before)), 0)::float8 AS "oldest_seconds!",
                   (SELECT COALESCE(extract(epoch FROM clock_timestamp() - min(started_at)), 0)::float8
                    FROM judgements WHERE state = 'running') AS "running_oldest_seconds!"
               FROM outbox WHERE not_before <= clock_timestamp()"#
        )
        .fetch_one(&self.pool)
        .await
        .map_err(StoreError::on(attempt))?;
        let dead_letters = self.dead_letter_count().await?;
        let mut lanes = Vec::new();
        for lane in Lane::ALL {
            let open = sqlx::query!(
                r#"SELECT (SELECT count(*) FROM judgements WHERE state = 'queued' AND lane = $1) AS "queued!",
                          (SELECT count(*) FROM judgements WHERE state = 'running' AND lane = $1) AS "running!""#,
                lane.name()
            )
            .fetch_one(&self.pool)
            .await
            .map_err(StoreError::on(attempt))?;
            lanes.push(LaneBacklog {
                lane,
                queued: row::count("a number of judgements", open.queued)?,
                running: row::count("a number of judgements", open.running)?,
            });
        }
        Ok(Backlog {
            lanes,
            outbox_unsent: row::count("a number of tasks", outbox.unsent)?,
            outbox_oldest_seconds: outbox.oldest_seconds,
            running_oldest_seconds: outbox.running_oldest_seconds,
            dead_letters,
        })
    }
}

impl Store {
    /// How many submissions in the lanes of teams wait to be published; no more than
    /// `enough` are counted.
    ///
    /// # Errors
    /// When the database can't be reached.
    pub(crate) async fn live_count_waiting(&self, enough: u32) -> Result<u32, StoreError> {
        let waiting = sqlx::query_scalar!(
            r#"SELECT count(*) AS "waiting!" FROM (
                   SELECT FROM outbox WHERE lane IN ('live', 'flagged') LIMIT $1
               ) waiting"#,
            i64::from(enough)
        )
        .fetch_one(&self.pool)
        .await
        .map_err(StoreError::on("count what waits"))?;
        row::count("a number of tasks", waiting)
    }

    /// Contests and teams of which at least `enough` submissions wait to be published.
    ///
    /// # Errors
    /// When the database can't be reached.
    pub(crate) async fn team_list_busy(
        &self,
        enough: u32,
    ) -> Result<Vec<(String, String)>, StoreError> {
        let teams = sqlx::query!(
            "SELECT contest, team FROM outbox WHERE lane IN ('live', 'flagged') AND team <> ''
             GROUP BY contest, team HAVING count(*) >= $1",
            i64::from(enough)
        )
        .fetch_all(&self.pool)
        .await
        .map_err(StoreError::on("look for teams with much waiting"))?;
        Ok(teams
            .into_iter()
            .map(|row| (row.contest, row.team))
            .collect())
    }
}

impl Backlog {
    /// Sets the gauges.
    pub fn record(&self) {
        for lane in &self.lanes {
            let name = lane.lane.name();
            set("assize_backlog_jobs", name, lane.queued);
            set("assize_running_jobs", name, lane.running);
        }
        metrics::gauge!("assize_outbox_unsent").set(as_float(self.outbox_unsent));
        metrics::gauge!("assize_outbox_oldest_seconds").set(self.outbox_oldest_seconds);
        metrics::gauge!("assize_running_oldest_seconds").set(self.running_oldest_seconds);
        metrics::gauge!("assize_dead_letters_waiting").set(as_float(self.dead_letters));
    }
}

fn set(gauge: &'static str, lane: &'static str, value: u64) {
    metrics::gauge!(gauge, "lane" => lane).set(as_float(value));
}

fn as_float(count: u64) -> f64 {
    u32::try_from(count).map_or(f64::INFINITY, f64::from)
}
