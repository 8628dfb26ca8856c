//! A clock that was ahead, and is right again.

use std::time::Duration;

use sqlx::PgPool;

use crate::fixture::{Fixture, SETTINGS};
use crate::store::StoreError;

const AHEAD: &str = "SELECT count(*) FROM judgements WHERE queued_at > clock_timestamp()
     OR dispatched_at > clock_timestamp() OR started_at > clock_timestamp()
     OR lease_until > clock_timestamp() + interval '10 minutes'";
const DUE: &str = "SELECT count(*) FROM outbox WHERE not_before <= clock_timestamp()";

async fn mend(fixture: &Fixture) -> Result<u64, StoreError> {
    let first_delay = SETTINGS.retry.first_delay;
    fixture.store.time_mend(SETTINGS.lease, first_delay).await
}

#[sqlx::test(migrations = "../migrations")]
async fn what_was_written_while_the_clock_was_ahead_is_not_waited_for(pool: PgPool) {
    let fixture = Fixture::new(pool).await;
    let (_, _queued) = fixture.submit().await;
    let (_, _running) = fixture.submit().await;
    let hour_ahead = [
        "INSERT INTO workers (id, name, version, slots, lanes, languages) VALUES (gen_random_uuid(), 'w', '1', 1, '{}', '[]')",
        "UPDATE judgements SET queued_at = queued_at + interval '1 hour'",
        "UPDATE outbox SET not_before = not_before + interval '1 hour'",
        "UPDATE workers SET last_seen_at = clock_timestamp() + interval '1 hour'",
        "UPDATE judgements SET state = 'running', started_at = clock_timestamp() + interval '1 hour',
             dispatched_at = clock_timestamp() + interval '1 hour', lease_until = clock_timestamp() + interval '1 hour',
             worker_id = (SELECT id FROM workers LIMIT 1)
         WHERE id = (SELECT max(id::text)::uuid FROM judgements)",
    ];
    for statement in hour_ahead {
        assert!(fixture.execute(statement).await.unwrap() > 0, "{statement}");
    }
    assert_eq!(fixture.count(AHEAD).await, 2);
    assert_eq!(fixture.count(DUE).await, 0);

    assert!(mend(&fixture).await.unwrap() > 4);
    assert_eq!(fixture.count(AHEAD).await, 0);
    assert_eq!(fixture.count(DUE).await, 2);
    let seen = "SELECT count(*) FROM workers WHERE last_seen_at > clock_timestamp()";
    assert_eq!(fixture.count(seen).await, 0);
    assert_eq!(mend(&fixture).await.unwrap(), 0);
}

#[sqlx::test(migrations = "../migrations")]
async fn what_is_to_wait_goes_on_waiting(pool: PgPool) {
    let fixture = Fixture::new(pool).await;
    fixture.submit().await;
    let of_a_paused_rejudging = "UPDATE outbox SET not_before = 'infinity'";
    let soon = "UPDATE outbox SET not_before = clock_timestamp() + interval '30 seconds'";
    for wait in [of_a_paused_rejudging, soon] {
        fixture.execute(wait).await.unwrap();
        assert_eq!(mend(&fixture).await.unwrap(), 0, "{wait}");
        assert_eq!(fixture.count(DUE).await, 0, "{wait}");
    }
    let failed = "WITH failed AS (
             UPDATE judgements SET attempt = 2, failures = 1, last_failure = 'a full disk'
         )
         UPDATE outbox SET attempt = 2, not_before = clock_timestamp() + interval '1 hour'";
    fixture.execute(failed).await.unwrap();
    let hour = Duration::from_secs(60 * 60);
    let mended = fixture.store.time_mend(SETTINGS.lease, hour).await;
    assert_eq!(mended.unwrap(), 0);
    assert_eq!(mend(&fixture).await.unwrap(), 1);
}
