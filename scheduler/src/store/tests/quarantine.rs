//! What workers are lost with: in quarantine it takes no more of them down than it must.

use assize_common::api::JudgementState;
use assize_common::id::{SubmissionId, WorkerId};
use assize_common::message::Control;
use assize_common::{Lane, SandboxMode};
use sqlx::PgPool;

use super::transitions::{
    apply, came_back, expire, expire_with, heartbeat, judgement, started, told,
};
use crate::fixture::{Fixture, SETTINGS, judging_error};
use crate::reports::{Effect, apply_batch};
use crate::store::{CONTROL_CHANNEL, RetryPolicy};

async fn quarantined(fixture: &Fixture, id: SubmissionId) -> bool {
    let judgement = judgement(fixture, id).await.summary;
    let is = judgement.lane == Lane::Quarantine;
    assert_eq!(is, judgement.sandbox.mode == SandboxMode::Ptrace);
    assert_eq!(is, judgement.sandbox.reason.contains("workers were lost"));
    is
}

#[sqlx::test(migrations = "../migrations")]
async fn what_two_workers_died_of_goes_into_quarantine(pool: PgPool) {
    let fixture = Fixture::new(pool).await;
    let (id, _) = fixture.submit().await;
    // A judging error is no death.
    apply(
        &fixture,
        judging_error(WorkerId::generate(), fixture.held(id).await),
    )
    .await;
    for (attempt, expected) in [(2, false), (3, true)] {
        let held = fixture.held(id).await;
        assert_eq!(held.attempt, attempt);
        apply(&fixture, started(WorkerId::generate(), held)).await;
        let policy = RetryPolicy {
            max_failures: 4,
            ..SETTINGS.retry
        };
        expire_with(&fixture, policy).await;
        assert_eq!(quarantined(&fixture, id).await, expected);
    }
    let waiting = "SELECT count(*) FROM outbox WHERE lane = 'quarantine' AND attempt = 4";
    assert_eq!(fixture.count(waiting).await, 1);

    let held = fixture.held(id).await;
    apply(&fixture, started(WorkerId::generate(), held)).await;
    expire(&fixture).await;
    let ended = judgement(&fixture, id).await.summary;
    assert_eq!(ended.state, JudgementState::Error);
    assert!(ended.error.unwrap().contains("was not heard of"));
}

#[sqlx::test(migrations = "../migrations")]
async fn what_the_broker_got_back_very_often_goes_into_quarantine(pool: PgPool) {
    let fixture = Fixture::new(pool).await;
    let (id, held) = fixture.submit().await;
    let [dead, third] = [(); 2].map(|()| WorkerId::generate());
    apply(&fixture, started(dead, held)).await;
    // A worker that drains and never had it does not decide that, nor do broken
    // connections and tasks that were given back unseen.
    for deliveries in [1, 2, 9] {
        let effect = apply(&fixture, came_back(third, held, deliveries)).await;
        assert!(matches!(effect, Effect::Stale { .. }));
    }
    apply(&fixture, came_back(dead, held, 9)).await;
    let judgement = judgement(&fixture, id).await.summary;
    assert_eq!(
        (judgement.lane, judgement.sandbox.mode),
        (Lane::Live, SandboxMode::Unshare)
    );
    let held = fixture.held(id).await;
    apply(&fixture, came_back(third, held, 10)).await;
    let judgement = self::judgement(&fixture, id).await.summary;
    assert_eq!(
        (judgement.lane, judgement.sandbox.mode),
        (Lane::Quarantine, SandboxMode::Ptrace)
    );
    let failures = "SELECT failures::bigint FROM judgements";
    assert_eq!(fixture.count(failures).await, 0);
}

#[sqlx::test(migrations = "../migrations")]
async fn a_start_by_the_next_worker_counts_the_one_before_as_lost(pool: PgPool) {
    let fixture = Fixture::new(pool).await;
    let (id, held) = fixture.submit().await;
    let [dead, next] = [(); 2].map(|()| WorkerId::generate());
    for worker in [dead, dead, next, next] {
        apply(&fixture, started(worker, held)).await;
    }
    let losses = "SELECT losses::bigint FROM judgements";
    assert_eq!(fixture.count(losses).await, 1);
    expire(&fixture).await;
    assert!(quarantined(&fixture, id).await);
}

/// Its connection to the broker broke, and the task was given to another one meanwhile.
#[sqlx::test(migrations = "../migrations")]
async fn who_is_heard_of_again_was_not_lost(pool: PgPool) {
    let fixture = Fixture::new(pool).await;
    let (id, held) = fixture.submit().await;
    let [first, second] = [(); 2].map(|()| WorkerId::generate());
    let losses = async || fixture.count("SELECT losses::bigint FROM judgements").await;
    apply(&fixture, started(first, held)).await;
    for next in [second, first].into_iter().cycle().take(6) {
        apply(&fixture, started(next, held)).await;
        assert_eq!(losses().await, 1);
        // In one batch, whichever of them is looked at.
        let both = [first, second].map(|worker| heartbeat(worker, &[held]));
        apply_batch(&fixture.store, &both.each_ref(), SETTINGS)
            .await
            .unwrap();
        assert_eq!(losses().await, 0);
        for worker in [first, second] {
            apply(&fixture, heartbeat(worker, &[held])).await;
        }
        assert_eq!(losses().await, 0, "it was counted once");
    }
    assert!(!quarantined(&fixture, id).await);
}

#[sqlx::test(migrations = "../migrations")]
async fn a_third_worker_does_not_keep_what_two_were_lost_with(pool: PgPool) {
    let fixture = Fixture::new(pool).await;
    let (id, held) = fixture.submit().await;
    let mut listener = fixture.store.listen(CONTROL_CHANNEL).await.unwrap();
    for _ in 0..3 {
        apply(&fixture, started(WorkerId::generate(), held)).await;
    }
    assert!(quarantined(&fixture, id).await);
    assert_eq!(told(&mut listener).await, Control::Cancel(held));
    assert_eq!(fixture.held(id).await.attempt, 2);
    // There it stays, until more are lost with it.
    let held = fixture.held(id).await;
    for _ in 0..2 {
        apply(&fixture, started(WorkerId::generate(), held)).await;
    }
    let state = async || {
        let judgement = fixture.store.judgement_read_current(id).await;
        let summary = judgement.unwrap().unwrap().summary;
        (summary.state, summary.attempt, summary.error)
    };
    assert_eq!(state().await, (JudgementState::Running, 2, None));
    apply(&fixture, started(WorkerId::generate(), held)).await;
    let (state, _, error) = state().await;
    assert_eq!(state, JudgementState::Error);
    assert!(error.unwrap().starts_with("4 workers were lost with it"));
}
