//! Workers that had better not judge a task, since others can: where an attempt of it failed, or
//! whose verdict it is to confirm, or that another worker alone is to judge.

use std::collections::HashMap;
use std::time::Duration;

use assize_common::id::WorkerId;
use assize_common::language::NO_LANGUAGE;
use sqlx::PgConnection;
use uuid::Uuid;

use super::StoreError;

/// For each of these judgements the workers that should avoid it, if there are others that can judge
/// it and were heard of within `lease`. A worker that was started again is the same one
/// if it has the same name.
///
/// # Errors
/// When the database can't be reached.
pub(super) async fn avoiding_workers(
    connection: &mut PgConnection,
    judgements: &[Uuid],
    lease: Duration,
) -> Result<HashMap<Uuid, Vec<WorkerId>>, StoreError> {
    if judgements.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = sqlx::query!(
        r#"WITH wanted AS (
               SELECT j.id, j.lane, j.confirms, COALESCE(r.overrides ->> 'language', s.language_id) AS language,
                   r.overrides ->> 'worker' AS worker
               FROM judgements j
               JOIN submissions s ON s.id = j.submission_id
               LEFT JOIN rejudgings r ON r.id = j.rejudging_id
               WHERE j.id = ANY($1)
           ), fleet AS (
               SELECT id, name, lanes, languages FROM workers
               WHERE stopped_at IS NULL AND mode = 'run'
                 AND last_seen_at > clock_timestamp() - make_interval(secs => $2)
           ), failed AS (
               -- What failed is told by the step that follows it.
               SELECT wanted.id, w.name
               FROM wanted
               JOIN judgement_history failed ON failed.judgement_id = wanted.id AND failed.reason IS NOT NULL
               JOIN judgement_history had ON had.judgement_id = wanted.id AND had.attempt = failed.attempt - 1
               JOIN workers w ON w.id = had.worker_id
               UNION
               SELECT wanted.id, w.name
               FROM wanted
               JOIN judgements confirmed ON confirmed.id = wanted.confirms
               JOIN workers w ON w.id = confirmed.worker_id
           ), tried AS (
               SELECT id, name FROM failed
               UNION
               SELECT wanted.id, fleet.name
               FROM wanted
               JOIN fleet ON fleet.name <> wanted.worker
               WHERE NOT EXISTS (SELECT FROM failed f WHERE f.id = wanted.id AND f.name = wanted.worker)
           )
           SELECT tried.id AS "id!", fleet.id AS worker_id
           FROM tried
           JOIN wanted ON wanted.id = tried.id
           JOIN fleet ON fleet.name = tried.name
           WHERE EXISTS (
               SELECT FROM fleet other
               WHERE wanted.lane = ANY (other.lanes)
                 AND (wanted.language = $3 OR EXISTS (
                     SELECT FROM jsonb_array_elements(other.languages) AS entry WHERE entry ->> 'id' = wanted.language))
                 AND NOT EXISTS (SELECT FROM tried t WHERE t.id = wanted.id AND t.name = other.name))"#,
        judgements,
        lease.as_secs_f64(),
        NO_LANGUAGE
    )
    .fetch_all(connection)
    .await
    .map_err(StoreError::on("find who is to avoid a task"))?;
    let mut avoiding = HashMap::<Uuid, Vec<WorkerId>>::new();
    for row in rows {
        avoiding
            .entry(row.id)
            .or_default()
            .push(row.worker_id.into());
    }
    Ok(avoiding)
}
