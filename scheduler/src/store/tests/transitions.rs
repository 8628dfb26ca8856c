//! The guarded writes: whatever comes twice, late or at the same time.

use std::sync::Arc;
use std::time::Duration;

use assize_common::Verdict;
use assize_common::api::{Judgement, JudgementState};
use assize_common::id::{JudgementId, SubmissionId, WorkerId};
use assize_common::message::{
    CompileReport, Control, Exit, HandedBack, HeldJudgement, KillCause, LanguageVersion,
    Registered, Remark, Report, RunReport, Speaker, Started, Transcript, Words, WorkerReport,
};
use chrono::Utc;
use sqlx::PgPool;
use tokio::sync::Barrier;

use crate::fixture::{Fixture, SETTINGS, compiled, finished, judging_error, run};
use crate::reconciler::expire_leases;
use crate::reports::{Effect, apply_batch};
use crate::settings::Settings;
use crate::store::{
    CONTROL_CHANNEL, FinishedAttempt, RetryPolicy, Store, StoreError, judgement_list_finish,
    judgement_redispatch,
};

pub(super) async fn apply(fixture: &Fixture, report: WorkerReport) -> Effect {
    let mut effects = apply_batch(&fixture.store, &[&report], SETTINGS)
        .await
        .unwrap();
    effects.remove(0)
}

pub(super) fn started(worker_id: WorkerId, judgement: HeldJudgement) -> WorkerReport {
    let at = Utc::now();
    WorkerReport {
        worker_id,
        report: Report::Started(Started { judgement, at }),
    }
}

fn handed_back(worker_id: WorkerId, judgement: HeldJudgement) -> WorkerReport {
    came_back(worker_id, judgement, 0)
}

pub(super) fn came_back(
    worker_id: WorkerId,
    judgement: HeldJudgement,
    deliveries: u64,
) -> WorkerReport {
    WorkerReport {
        worker_id,
        report: Report::HandedBack(HandedBack {
            judgement,
            reason: "draining".into(),
            earlier_deliveries: deliveries,
            unsuited: false,
        }),
    }
}

fn lacking(worker_id: WorkerId, judgement: HeldJudgement) -> WorkerReport {
    WorkerReport {
        worker_id,
        report: Report::HandedBack(HandedBack {
            judgement,
            reason: "no such language here".into(),
            earlier_deliveries: 0,
            unsuited: true,
        }),
    }
}

fn progress(worker_id: WorkerId, judgement: HeldJudgement, done: u32) -> WorkerReport {
    WorkerReport {
        worker_id,
        report: Report::Progress {
            judgement,
            testcases_done: done,
            testcases_total: 2,
        },
    }
}

pub(super) async fn judgement(fixture: &Fixture, id: SubmissionId) -> Judgement {
    fixture
        .store
        .judgement_read_current(id)
        .await
        .unwrap()
        .unwrap()
}

pub(super) async fn expire(fixture: &Fixture) {
    expire_with(fixture, SETTINGS.retry).await;
}

pub(super) async fn expire_with(fixture: &Fixture, retry: RetryPolicy) {
    fixture
        .execute(
            "UPDATE judgements SET lease_until = now() - interval '1 s' WHERE state = 'running'",
        )
        .await
        .unwrap();
    let settings = Settings { retry, ..SETTINGS };
    expire_leases(&fixture.store, settings).await.unwrap();
}

#[sqlx::test(migrations = "../migrations")]
async fn a_judgement_from_start_to_end(pool: PgPool) {
    let fixture = Fixture::new(pool).await;
    let (id, held) = fixture.submit().await;
    let worker = WorkerId::generate();
    let registered = Registered {
        name: "w1".into(),
        version: "0.1.0".into(),
        slots: 2,
        lanes: vec!["live".into()],
        languages: vec![LanguageVersion {
            id: "cpp20".into(),
            version: "g++ 12\0".into(),
        }],
    };
    let report = Report::Registered(registered);
    apply(
        &fixture,
        WorkerReport {
            worker_id: worker,
            report,
        },
    )
    .await;

    apply(&fixture, started(worker, held)).await;
    apply(&fixture, progress(worker, held, 1)).await;
    let running = judgement(&fixture, id).await;
    assert_eq!(running.summary.state, JudgementState::Running);
    assert_eq!(running.summary.testcases_done, 1);
    assert_eq!(running.worker_id, Some(worker));

    let effect = apply(&fixture, finished(worker, held, Verdict::Wa)).await;
    assert!(
        matches!(effect, Effect::Finished { submission_id, verdict: Verdict::Wa, .. } if submission_id == id)
    );
    let done = judgement(&fixture, id).await;
    assert_eq!(done.summary.state, JudgementState::Done);
    assert_eq!(done.summary.verdict, Some(Verdict::Wa));
    assert_eq!(done.summary.max_cpu_time_ms, Some(12));
    assert_eq!(done.compile, Some(compiled()));
    assert_eq!(
        done.runs,
        [run("sample/1", Verdict::Ac), run("secret/1", Verdict::Wa)]
    );
    let provenance = "SELECT count(*) FROM judgements WHERE worker_version = '0.1.0' AND compiler_version LIKE 'g++ 12_'";
    assert_eq!(fixture.count(provenance).await, 1);
    let workers = fixture
        .store
        .worker_list(Duration::from_secs(60))
        .await
        .unwrap();
    assert_eq!((workers.len(), workers[0].slots), (1, 2));
}

#[sqlx::test(migrations = "../migrations")]
async fn the_first_complete_report_wins(pool: PgPool) {
    let fixture = Fixture::new(pool).await;
    let (id, held) = fixture.submit().await;
    let (first, second) = (WorkerId::generate(), WorkerId::generate());
    // No start: reports overtake each other.
    apply(&fixture, finished(first, held, Verdict::Ac)).await;
    for late in [
        finished(first, held, Verdict::Ac),
        finished(second, held, Verdict::Wa),
        judging_error(second, held),
        handed_back(first, held),
        started(first, held),
    ] {
        let effect = apply(&fixture, late).await;
        assert!(matches!(effect, Effect::Stale { .. }), "{effect:?}");
    }
    apply(&fixture, progress(first, held, 1)).await;
    let done = judgement(&fixture, id).await;
    assert_eq!(done.summary.verdict, Some(Verdict::Ac));
    assert_eq!(done.worker_id, Some(first));
    assert_eq!(done.summary.testcases_done, 2);
    assert_eq!(fixture.count("SELECT count(*) FROM runs").await, 2);
}

#[sqlx::test(migrations = "../migrations")]
async fn of_two_at_the_same_time_one_wins(pool: PgPool) {
    let fixture = Fixture::new(pool).await;
    for _ in 0..20 {
        let (_, held) = fixture.submit().await;
        let barrier = Arc::new(Barrier::new(2));
        let rivals = [Verdict::Ac, Verdict::Wa].map(|verdict| {
            let (store, barrier) = (fixture.store.clone(), barrier.clone());
            tokio::spawn(async move {
                let mut transaction = store.begin().await.unwrap();
                barrier.wait().await;
                let complete = FinishedAttempt {
                    held,
                    worker: WorkerId::generate(),
                    verdict,
                    compile: &compiled(),
                    runs: &[run("secret/1", verdict)],
                    score: None,
                    groups: &[],
                    audit: None,
                    provenance: None,
                    outputs: &[],
                };
                let moved = judgement_list_finish(&mut transaction, &[complete])
                    .await
                    .unwrap();
                Store::commit(transaction).await.unwrap();
                !moved.is_empty()
            })
        });
        let mut winners = 0;
        for rival in rivals {
            winners += u32::from(rival.await.unwrap());
        }
        assert_eq!(winners, 1);
    }
    assert_eq!(fixture.count("SELECT count(*) FROM runs").await, 20);
}

#[sqlx::test(migrations = "../migrations")]
async fn handing_back_gives_a_new_attempt_and_is_no_failure(pool: PgPool) {
    let fixture = Fixture::new(pool).await;
    let (id, first) = fixture.submit().await;
    let worker = WorkerId::generate();
    let mut held = first;
    for attempt in 2..=10 {
        apply(&fixture, started(worker, held)).await;
        apply(&fixture, handed_back(worker, held)).await;
        held = fixture.held(id).await;
        assert_eq!(held.attempt, attempt);
    }
    assert_eq!(
        fixture
            .count("SELECT failures::bigint FROM judgements")
            .await,
        0
    );
    // Late: the attempt is over.
    let effect = apply(&fixture, finished(worker, first, Verdict::Ac)).await;
    assert!(matches!(effect, Effect::Stale { .. }));
    assert_eq!(fixture.count("SELECT count(*) FROM outbox").await, 10);
    apply(&fixture, finished(worker, held, Verdict::Ac)).await;
    assert_eq!(
        judgement(&fixture, id).await.summary.verdict,
        Some(Verdict::Ac)
    );
}

#[sqlx::test(migrations = "../migrations")]
async fn only_the_worker_that_has_it_can_hand_it_back(pool: PgPool) {
    let fixture = Fixture::new(pool).await;
    let (id, held) = fixture.submit().await;
    let (gone, next) = (WorkerId::generate(), WorkerId::generate());
    apply(&fixture, started(gone, held)).await;
    // The broker gave the task to another worker when the first one's connection broke.
    apply(&fixture, started(next, held)).await;
    let effect = apply(&fixture, handed_back(gone, held)).await;
    assert!(matches!(effect, Effect::Stale { .. }));
    let running = judgement(&fixture, id).await;
    assert_eq!(
        (running.worker_id, running.summary.attempt),
        (Some(next), 1)
    );
}

#[sqlx::test(migrations = "../migrations")]
async fn after_three_failures_it_is_a_judging_error(pool: PgPool) {
    let fixture = Fixture::new(pool).await;
    let (id, held) = fixture.submit().await;
    let worker = WorkerId::generate();
    apply(&fixture, judging_error(worker, held)).await;
    let delayed = "SELECT count(*) FROM outbox WHERE attempt = 2 AND not_before > now()";
    assert_eq!(fixture.count(delayed).await, 1);
    // A hand-back in between does not matter.
    apply(&fixture, handed_back(worker, fixture.held(id).await)).await;
    let held = fixture.held(id).await;
    assert_eq!(held.attempt, 3);
    apply(&fixture, started(worker, held)).await;
    expire(&fixture).await;
    let held = fixture.held(id).await;
    assert_eq!(held.attempt, 4);
    apply(&fixture, started(worker, held)).await;
    apply(&fixture, judging_error(worker, held)).await;

    let ended = judgement(&fixture, id).await;
    assert_eq!(ended.summary.state, JudgementState::Error);
    assert_eq!(ended.summary.verdict, None);
    let error = ended.summary.error.unwrap();
    assert!(
        error.contains("3 attempts") && error.contains("the jail did not start"),
        "{error}"
    );
    let effect = apply(&fixture, finished(worker, held, Verdict::Ac)).await;
    assert!(matches!(effect, Effect::Stale { .. }));
}

/// What workers are told next.
pub(super) async fn told(listener: &mut crate::store::Listener) -> Control {
    let news = tokio::time::timeout(Duration::from_secs(20), listener.next()).await;
    let news = news.expect("workers are told").unwrap();
    serde_json::from_str(news.payload()).unwrap()
}

pub(super) fn heartbeat(worker_id: WorkerId, held: &[HeldJudgement]) -> WorkerReport {
    let held = held.to_vec();
    WorkerReport {
        worker_id,
        report: Report::Heartbeat { held },
    }
}

/// The report of the start got lost: what the worker says later makes up for it.
#[sqlx::test(migrations = "../migrations")]
async fn an_attempt_that_a_worker_holds_is_running(pool: PgPool) {
    let fixture = Fixture::new(pool).await;
    let (id, held) = fixture.submit().await;
    let worker = WorkerId::generate();
    for report in [heartbeat(worker, &[held]), started(worker, held)] {
        apply(&fixture, report).await;
        let judgement = judgement(&fixture, id).await;
        assert_eq!(judgement.summary.state, JudgementState::Running);
        assert_eq!(judgement.worker_id, Some(worker));
    }
    let losses = "SELECT losses::bigint FROM judgements";
    assert_eq!(fixture.count(losses).await, 0);
    let mut transaction = fixture.store.begin().await.unwrap();
    assert!(!judgement_redispatch(&mut transaction, held).await.unwrap());
}

#[sqlx::test(migrations = "../migrations")]
async fn whoever_is_at_an_attempt_that_is_over_is_told(pool: PgPool) {
    let fixture = Fixture::new(pool).await;
    let (id, held) = fixture.submit().await;
    let (_, other) = fixture.submit().await;
    let mut listener = fixture.store.listen(CONTROL_CHANNEL).await.unwrap();
    // Its task is published, and nobody has said yet that it was taken up.
    let cancelled = fixture.store.submission_cancel(id, "wrong problem").await;
    assert!(cancelled.unwrap());
    let worker = WorkerId::generate();
    apply(&fixture, started(worker, held)).await;
    assert_eq!(told(&mut listener).await, Control::Cancel(held));
    apply(&fixture, started(worker, other)).await;
    apply(&fixture, heartbeat(worker, &[other, held])).await;
    assert_eq!(told(&mut listener).await, Control::Cancel(held));
    let next = tokio::time::timeout(Duration::from_millis(100), listener.next()).await;
    assert!(next.is_err(), "the other one is wanted: {next:?}");
}

#[sqlx::test(migrations = "../migrations")]
async fn leases_run_out_unless_heartbeats_extend_them(pool: PgPool) {
    let fixture = Fixture::new(pool).await;
    let (kept, held) = fixture.submit().await;
    let (lost, other) = fixture.submit().await;
    let worker = WorkerId::generate();
    for held in [held, other] {
        apply(&fixture, started(worker, held)).await;
    }
    fixture
        .execute("UPDATE judgements SET lease_until = now() - interval '1 s'")
        .await
        .unwrap();
    let stale = HeldJudgement {
        attempt: 7,
        ..other
    };
    let report = Report::Heartbeat {
        held: vec![held, stale],
    };
    apply(
        &fixture,
        WorkerReport {
            worker_id: worker,
            report,
        },
    )
    .await;
    expire_leases(&fixture.store, SETTINGS).await.unwrap();
    assert_eq!(
        judgement(&fixture, kept).await.summary.state,
        JudgementState::Running
    );
    let lost = judgement(&fixture, lost).await;
    assert_eq!(
        (lost.summary.state, lost.summary.attempt),
        (JudgementState::Queued, 2)
    );
    assert_eq!(lost.worker_id, None);
}

#[sqlx::test(migrations = "../migrations")]
async fn an_attempt_that_takes_longer_than_it_can_is_taken_back(pool: PgPool) {
    let fixture = Fixture::new(pool).await;
    let (id, held) = fixture.submit().await;
    let worker = WorkerId::generate();
    apply(&fixture, started(worker, held)).await;
    let heartbeat = || WorkerReport {
        worker_id: worker,
        report: Report::Heartbeat { held: vec![held] },
    };
    let after = async |sql| {
        fixture.execute(sql).await.unwrap();
        apply(&fixture, heartbeat()).await;
        expire_leases(&fixture.store, SETTINGS).await.unwrap();
        judgement(&fixture, id).await
    };
    // Half an hour, and two test cases with two minutes and 20 limits of 1.5 s each.
    let young = after("UPDATE judgements SET started_at = now() - interval '34 min'").await;
    assert_eq!(young.summary.state, JudgementState::Running);
    let backlog = fixture.store.backlog_count().await.unwrap();
    assert!((2000.0..2100.0).contains(&backlog.running_oldest_seconds));
    let overdue = after("UPDATE judgements SET started_at = now() - interval '36 min'").await;
    assert_eq!(
        (overdue.summary.state, overdue.summary.attempt),
        (JudgementState::Queued, 2)
    );
    let failures = "SELECT failures::bigint FROM judgements";
    assert_eq!(fixture.count(failures).await, 1);
    let losses = "SELECT losses::bigint FROM judgements";
    assert_eq!(fixture.count(losses).await, 0, "its worker lives");
}

#[sqlx::test(migrations = "../migrations")]
async fn who_lacks_a_language_uses_nothing_up_and_gets_it_more_and_more_seldom(pool: PgPool) {
    let fixture = Fixture::new(pool).await;
    let (id, mut held) = fixture.submit().await;
    let mut waits = Vec::new();
    for _ in 0..10 {
        apply(&fixture, lacking(WorkerId::generate(), held)).await;
        held = fixture.held(id).await;
        waits.push(
            fixture
                .count(
                    "SELECT round(extract(epoch FROM max(o.not_before - j.queued_at)) * 10)::bigint
                     FROM outbox o JOIN judgements j ON j.id = o.judgement_id",
                )
                .await,
        );
    }
    assert_eq!(waits, [1, 2, 4, 8, 16, 32, 50, 50, 50, 50]);
    assert_eq!(held.attempt, 11);
    let failures = "SELECT (failures + losses)::bigint FROM judgements";
    assert_eq!(fixture.count(failures).await, 0);
}

#[sqlx::test(migrations = "../migrations")]
async fn what_a_stopped_worker_still_holds_is_given_to_others(pool: PgPool) {
    let fixture = Fixture::new(pool).await;
    let (id, held) = fixture.submit().await;
    let worker = WorkerId::generate();
    apply(&fixture, started(worker, held)).await;
    let report = Report::Stopped;
    apply(
        &fixture,
        WorkerReport {
            worker_id: worker,
            report,
        },
    )
    .await;
    let soon = "SELECT count(*) FROM judgements WHERE lease_until < now() + interval '15 s'";
    assert_eq!(fixture.count(soon).await, 1);
    expire(&fixture).await;
    assert_eq!(fixture.held(id).await.attempt, 2);
}

#[sqlx::test(migrations = "../migrations")]
async fn progress_only_grows(pool: PgPool) {
    let fixture = Fixture::new(pool).await;
    let (id, held) = fixture.submit().await;
    let worker = WorkerId::generate();
    let done = async || judgement(&fixture, id).await.summary.testcases_done;
    apply(&fixture, progress(worker, held, 1)).await;
    assert_eq!(done().await, 0, "not running yet");
    apply(&fixture, started(worker, held)).await;
    for (reported, shown) in [(2, 2), (1, 2), (u32::MAX, 2)] {
        apply(&fixture, progress(worker, held, reported)).await;
        assert_eq!(done().await, shown);
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn a_lost_task_is_asked_for_again_unless_taken_up(pool: PgPool) {
    let fixture = Fixture::new(pool).await;
    let (id, held) = fixture.submit().await;
    let redispatch = async |held| {
        let mut transaction = fixture.store.begin().await.unwrap();
        let moved = judgement_redispatch(&mut transaction, held).await.unwrap();
        Store::commit(transaction).await.unwrap();
        moved
    };
    assert!(redispatch(held).await);
    assert!(!redispatch(held).await, "that attempt is over");
    let held = fixture.held(id).await;
    apply(&fixture, started(WorkerId::generate(), held)).await;
    assert!(!redispatch(held).await, "a worker has it");
    assert_eq!(
        fixture
            .count("SELECT failures::bigint FROM judgements")
            .await,
        0
    );
}

#[sqlx::test(migrations = "../migrations")]
async fn reports_about_unknown_judgements_move_nothing(pool: PgPool) {
    let fixture = Fixture::new(pool).await;
    let held = HeldJudgement {
        judgement_id: JudgementId::generate(),
        attempt: 1,
    };
    let effect = apply(&fixture, finished(WorkerId::generate(), held, Verdict::Ac)).await;
    assert!(matches!(effect, Effect::Stale { .. }));
}

/// An attempt ends with this verdict and these runs.
async fn finish(
    fixture: &Fixture,
    held: HeldJudgement,
    verdict: Verdict,
    compile: &CompileReport,
    runs: &[RunReport],
) {
    let mut transaction = fixture.store.begin().await.unwrap();
    let complete = FinishedAttempt {
        held,
        worker: WorkerId::generate(),
        verdict,
        compile,
        runs,
        score: None,
        groups: &[],
        audit: None,
        provenance: None,
        outputs: &[],
    };
    judgement_list_finish(&mut transaction, &[complete])
        .await
        .unwrap();
    Store::commit(transaction).await.unwrap();
}

/// The database has a list of its own.
#[sqlx::test(migrations = "../migrations")]
async fn every_cause_of_a_kill_can_be_stored(pool: PgPool) {
    let fixture = Fixture::new(pool).await;
    let (id, held) = fixture.submit().await;
    let causes = [
        KillCause::CpuTime,
        KillCause::WallTime,
        KillCause::Idle,
        KillCause::Memory,
        KillCause::Output,
        KillCause::Processes,
        KillCause::Policy,
        KillCause::Cancelled,
    ];
    let runs = causes.map(|cause| RunReport {
        exit: Exit::Killed,
        kill_cause: Some(cause),
        ..run("secret/1", Verdict::Tle)
    });
    finish(&fixture, held, Verdict::Tle, &compiled(), &runs).await;
    let stored = judgement(&fixture, id).await;
    let stored: Vec<_> = stored.runs.iter().map(|run| run.kill_cause).collect();
    assert_eq!(stored, causes.map(Some));
}

#[sqlx::test(migrations = "../migrations")]
async fn whatever_programs_print_can_be_stored(pool: PgPool) {
    let fixture = Fixture::new(pool).await;
    let (id, held) = fixture.submit().await;
    let odd = RunReport {
        message: Some("nul \0, quote ', emoji 🦭, \u{ffff}".into()),
        exit: Exit::Killed,
        kill_cause: Some(KillCause::Policy),
        transcripts: vec![Transcript {
            pass: 1,
            start: vec![Remark {
                at_ms: 1,
                by: Speaker::Submission,
                words: Words::Text("nul \0".into()),
            }],
            left_out_bytes: 0,
            end: Vec::new(),
        }],
        ..run("secret/1", Verdict::Sv)
    };
    let mut compile = compiled();
    compile.output = "warning: \0\\u0000".into();
    finish(
        &fixture,
        held,
        Verdict::Sv,
        &compile,
        std::slice::from_ref(&odd),
    )
    .await;
    let stored = judgement(&fixture, id).await;
    assert_eq!(stored.runs[0].exit, Exit::Killed);
    assert_eq!(stored.runs[0].kill_cause, Some(KillCause::Policy));
    assert!(
        stored.runs[0]
            .message
            .as_ref()
            .unwrap()
            .starts_with("nul \u{fffd}, quote")
    );
    assert_eq!(stored.compile.unwrap().output, "warning: \u{fffd}\\u0000");
}

#[sqlx::test(migrations = "../migrations")]
async fn a_batch_may_hold_everything_at_once(pool: PgPool) {
    let fixture = Fixture::new(pool).await;
    let mut submitted = Vec::new();
    for _ in 0..4 {
        submitted.push(fixture.submit().await);
    }
    let [(won, a), (lost, b), (failed, c), (running, d)] = submitted.try_into().unwrap();
    let [first, second] = [(); 2].map(|()| WorkerId::generate());
    let heartbeat = WorkerReport {
        worker_id: first,
        report: Report::Heartbeat { held: vec![a, d] },
    };
    let reports = [
        started(first, a),
        finished(first, a, Verdict::Ac),
        finished(second, a, Verdict::Wa),
        started(second, a),
        started(first, b),
        handed_back(first, b),
        progress(first, d, 1),
        started(first, d),
        progress(first, d, 2),
        heartbeat,
        judging_error(first, c),
        judging_error(second, c),
    ];
    let reports: Vec<_> = reports.iter().collect();
    let effects = apply_batch(&fixture.store, &reports, SETTINGS)
        .await
        .unwrap();
    let stale: Vec<_> = effects
        .iter()
        .enumerate()
        .filter(|(_, effect)| matches!(effect, Effect::Stale { .. }))
        .map(|(index, _)| index)
        .collect();
    assert_eq!(stale, [2, 11]);
    let summary = async |id| judgement(&fixture, id).await.summary;
    assert_eq!(summary(won).await.verdict, Some(Verdict::Ac));
    for id in [lost, failed] {
        let summary = summary(id).await;
        assert_eq!(
            (summary.state, summary.attempt),
            (JudgementState::Queued, 2)
        );
    }
    let running = summary(running).await;
    assert_eq!(
        (running.state, running.testcases_done),
        (JudgementState::Running, 2)
    );
    assert_eq!(fixture.count("SELECT count(*) FROM runs").await, 2);
}

#[sqlx::test(migrations = "../migrations")]
async fn a_batch_is_all_or_nothing_and_impossible_values_are_refused(pool: PgPool) {
    let fixture = Fixture::new(pool).await;
    let (good, held) = fixture.submit().await;
    let (_, other) = fixture.submit().await;
    let worker = WorkerId::generate();
    let good_report = finished(worker, held, Verdict::Ac);
    let mut bad_report = finished(worker, other, Verdict::Ac);
    if let Report::Finished(finished) = &mut bad_report.report
        && let assize_common::message::Judged::Verdict { runs, .. } = &mut finished.outcome
    {
        runs[0].memory_bytes = u64::MAX;
    }
    let error = apply_batch(&fixture.store, &[&good_report, &bad_report], SETTINGS)
        .await
        .unwrap_err();
    assert!(matches!(error, StoreError::TooLarge { .. }), "{error:?}");
    assert!(!error.is_transient());
    assert_eq!(
        judgement(&fixture, good).await.summary.state,
        JudgementState::Queued
    );
}
