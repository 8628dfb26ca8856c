//! The last line of defence: the database refuses rows that make no sense,
//! whatever program writes them.

use assize_common::Verdict;
use assize_common::id::WorkerId;
use assize_common::message::HeldJudgement;
use sqlx::{AssertSqlSafe, PgPool};

use crate::fixture::{Fixture, SETTINGS, finished};
use crate::reports::apply_batch;

#[sqlx::test(migrations = "../migrations")]
async fn illegal_steps_are_refused(pool: PgPool) {
    let fixture = Fixture::new(pool).await;
    let (_, held) = fixture.submit().await;
    let again = [
        "UPDATE judgements SET state = 'queued', finished_at = NULL, verdict = NULL, compile = NULL, started_at = NULL,
             worker_id = NULL, testcases_done = 0, score = NULL, groups = NULL, attempt = attempt + 1",
        "UPDATE judgements SET verdict = 'WA'",
        "UPDATE judgements SET attempt = attempt + 1",
    ];
    let refused = async |statement| {
        let error = fixture.execute(statement).await.expect_err(statement);
        let refusal = error.into_database_error().expect(statement);
        assert_eq!(
            refusal.constraint(),
            Some("judgements_legal_step"),
            "{statement}: {refusal}"
        );
    };
    refused("UPDATE judgements SET attempt = attempt + 2").await;
    let next = "UPDATE judgements SET attempt = attempt + 1";
    fixture.execute(next).await.unwrap();
    refused("UPDATE judgements SET attempt = attempt - 1").await;
    let held = HeldJudgement {
        attempt: held.attempt + 1,
        ..held
    };
    let report = finished(WorkerId::generate(), held, Verdict::Ac);
    apply_batch(&fixture.store, &[&report], SETTINGS)
        .await
        .unwrap();
    for statement in again {
        refused(statement).await;
    }
    // A rejudging takes its place.
    fixture
        .execute("UPDATE judgements SET is_current = false")
        .await
        .unwrap();
}

#[sqlx::test(migrations = "../migrations")]
async fn illegal_rows_are_refused(pool: PgPool) {
    let fixture = Fixture::new(pool).await;
    fixture.submit().await;
    for (statement, constraint) in [
        ("UPDATE judgements SET verdict = 'AC'", "judgements_verdict_when_done"),
        ("UPDATE judgements SET error = 'x'", "judgements_error_when_error"),
        ("UPDATE judgements SET finished_at = now()", "judgements_finished_when_final"),
        ("UPDATE judgements SET lease_until = now()", "judgements_lease_when_running"),
        (
            "UPDATE judgements SET state = 'running', lease_until = now()",
            "judgements_started_when_running",
        ),
        ("UPDATE judgements SET worker_id = id", "judgements_fresh_when_queued"),
        (
            "UPDATE judgements SET state = 'done', verdict = 'AC', finished_at = now()",
            "judgements_compile_when_done",
        ),
        (
            "UPDATE judgements SET state = 'running', lease_until = now(), started_at = now(), worker_id = id,
                 testcases_done = 99",
            "judgements_progress",
        ),
        ("UPDATE judgements SET state = 'paused'", "judgements_state_check"),
        ("UPDATE judgements SET lane = 'fast'", "judgements_lane_check"),
        (
            "INSERT INTO judgements (id, submission_id, package_id, is_current, lane, sandbox_mode, sandbox_reason,
                 testcases_total)
             SELECT gen_random_uuid(), submission_id, package_id, true, lane, sandbox_mode, sandbox_reason, 1
             FROM judgements",
            "judgements_one_current",
        ),
        (
            "INSERT INTO runs (judgement_id, attempt, ordinal, testcase, verdict, cpu_time_ms, wall_time_ms,
                 memory_bytes, exit_how)
             SELECT id, 1, 0, 't', 'AC', 1, 1, 1, 'exited' FROM judgements",
            "runs_value_unless_killed",
        ),
        (
            "INSERT INTO runs (judgement_id, attempt, ordinal, testcase, verdict, cpu_time_ms, wall_time_ms,
                 memory_bytes, exit_how, exit_value)
             VALUES (gen_random_uuid(), 1, 0, 't', 'AC', 1, 1, 1, 'exited', 0)",
            "runs_of_judgements",
        ),
        ("UPDATE submission_files SET name = '../x'", "submission_files_name_check"),
        ("UPDATE submissions SET idempotency_key = 'k'", "submissions_idempotency_key_with_hash"),
        ("UPDATE tokens SET scopes = '{root}'", "tokens_scopes_check"),
        ("UPDATE problems SET short_name = 'Not Good'", "problems_short_name_check"),
    ] {
        let error = fixture.execute(statement).await.expect_err(statement);
        let refusal = error.into_database_error().expect(statement);
        assert_eq!(refusal.constraint(), Some(constraint), "{statement}: {refusal}");
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn what_is_referred_to_is_there_and_stays(pool: PgPool) {
    let fixture = Fixture::new(pool.clone()).await;
    fixture.submit().await;
    let mut refused = vec![
        (
            "INSERT INTO submission_files (submission_id, ordinal, name, sha256, size_bytes)
             SELECT gen_random_uuid(), ordinal, name, sha256, size_bytes FROM submission_files"
                .to_owned(),
            "submission_files_refer",
        ),
        (
            "INSERT INTO outbox (judgement_id, attempt, lane, contest_turn, turn)
             SELECT gen_random_uuid(), attempt, lane, contest_turn, turn FROM outbox"
                .to_owned(),
            "outbox_refers",
        ),
    ];
    let new = |values: &str, constraint| {
        let statement = format!(
            "INSERT INTO submissions (id, problem_id, language_id, submitted_by)
             SELECT gen_random_uuid(), {values} FROM submissions"
        );
        (statement, constraint)
    };
    for values in [
        "gen_random_uuid(), language_id, submitted_by",
        "problem_id, 'no language', submitted_by",
        "problem_id, language_id, gen_random_uuid()",
    ] {
        refused.push(new(values, "submissions_refer"));
    }
    for (submission, package) in [
        ("gen_random_uuid()", "package_id"),
        ("submission_id", "gen_random_uuid()"),
    ] {
        let statement = format!(
            "INSERT INTO judgements (id, submission_id, package_id, is_current, lane, sandbox_mode, sandbox_reason,
                 testcases_total)
             SELECT gen_random_uuid(), {submission}, {package}, false, lane, sandbox_mode, sandbox_reason, 1
             FROM judgements"
        );
        refused.push((statement, "judgements_refer"));
    }
    for table in [
        "problems",
        "packages",
        "languages",
        "tokens",
        "submissions",
        "judgements",
    ] {
        refused.push((format!("DELETE FROM {table}"), "referred_to_stays"));
        refused.push((format!("TRUNCATE {table} CASCADE"), "referred_to_stays"));
        refused.push((format!("UPDATE {table} SET id = id"), "referred_to_stays"));
    }
    for column in ["problem_id", "language_id", "submitted_by"] {
        let statement = format!("UPDATE submissions SET {column} = {column}");
        refused.push((statement, "referred_to_stays"));
    }
    for column in ["submission_id", "package_id"] {
        let statement = format!("UPDATE judgements SET {column} = {column}");
        refused.push((statement, "referred_to_stays"));
    }
    for table in ["outbox", "runs"] {
        let statement = format!("UPDATE {table} SET judgement_id = judgement_id");
        refused.push((statement, "referred_to_stays"));
    }
    let files = "UPDATE submission_files SET submission_id = submission_id";
    refused.push((files.to_owned(), "referred_to_stays"));
    for (statement, constraint) in refused {
        let error = sqlx::query(AssertSqlSafe(statement.clone()))
            .execute(&pool)
            .await
            .expect_err(&statement);
        let refusal = error.into_database_error().expect(&statement);
        assert_eq!(
            refusal.constraint(),
            Some(constraint),
            "{statement}: {refusal}"
        );
        assert!(refusal.is_foreign_key_violation(), "{statement}");
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn a_second_judgement_may_stand_beside_the_current_one(pool: PgPool) {
    let fixture = Fixture::new(pool).await;
    let (id, held) = fixture.submit().await;
    let report = finished(WorkerId::generate(), held, Verdict::Ac);
    apply_batch(&fixture.store, &[&report], SETTINGS)
        .await
        .unwrap();
    fixture
        .execute(
            "INSERT INTO judgements (id, submission_id, package_id, is_current, lane, sandbox_mode, sandbox_reason,
                 testcases_total)
             SELECT gen_random_uuid(), submission_id, package_id, false, 'rejudge', sandbox_mode, 'rejudge lane', 2
             FROM judgements",
        )
        .await
        .unwrap();
    // What counts is still the first one.
    assert_eq!(fixture.held(id).await, held);
}

#[sqlx::test(migrations = "../migrations")]
async fn even_without_the_guard_runs_are_stored_once(pool: PgPool) {
    let fixture = Fixture::new(pool).await;
    let (_, held) = fixture.submit().await;
    let report = finished(WorkerId::generate(), held, Verdict::Ac);
    apply_batch(&fixture.store, &[&report], SETTINGS)
        .await
        .unwrap();
    let error = fixture
        .execute("INSERT INTO runs SELECT * FROM runs")
        .await
        .unwrap_err();
    assert!(error.into_database_error().unwrap().is_unique_violation());
}

/// As those that our programs make: of version 7, and in the order of time.
#[sqlx::test(migrations = "../migrations")]
async fn the_database_makes_ids_like_ours(pool: PgPool) {
    let make = async || {
        sqlx::query_scalar::<_, uuid::Uuid>("SELECT uuid_v7()")
            .fetch_one(&pool)
            .await
            .unwrap()
    };
    let before = uuid::Uuid::now_v7();
    tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    let id = make().await;
    assert_eq!(id.get_version(), Some(uuid::Version::SortRand));
    assert_eq!(id.get_variant(), uuid::Variant::RFC4122);
    tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    let after = uuid::Uuid::now_v7();
    assert!(before < id && id < after, "{before} {id} {after}");
    assert_ne!(make().await, make().await);
}
