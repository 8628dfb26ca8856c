//! Flags, suspicious sources, and judgements that look again.

use assize_common::api::{
    EscalationList, FlagList, Flagged, JudgementState, ResultChangeList, Submission,
};
use assize_common::id::WorkerId;
use assize_common::message::{Exit, HeldJudgement, Judged, KillCause, Report};
use assize_common::{Lane, SandboxMode, Verdict};
use reqwest::{Method, Response};
use serde_json::{Value, json};
use sqlx::PgPool;

use super::{Server, problem, right, summary, with};
use crate::fixture::{SETTINGS, finished};
use crate::reports::apply_batch;
use crate::settings::{Escalation, Settings};
use crate::store::outbox_claim;

async fn submit(server: &Server, body: &Value) -> Submission {
    let answer = server.submit(body).await;
    assert_eq!(answer.status(), 201);
    answer.json().await.unwrap()
}

fn chosen(submission: &Submission) -> (Lane, SandboxMode, &str) {
    let judgement = &submission.judgement;
    (
        judgement.lane,
        judgement.sandbox.mode,
        &judgement.sandbox.reason,
    )
}

async fn flag(server: &Server, scope: &str, subject: &str) -> Response {
    let flag = json!({"scope": scope, "subject": subject, "reason": "a closer look"});
    let request = server.request(Method::PUT, "/api/v1/flags").json(&flag);
    request.send().await.unwrap()
}

async fn unflag(server: &Server, scope: &str, subject: &str) -> Response {
    let request = server.request(Method::DELETE, "/api/v1/flags");
    let request = request.query(&[("scope", scope), ("subject", subject)]);
    request.send().await.unwrap()
}

async fn escalations(server: &Server, submission: &Submission) -> EscalationList {
    let path = format!("/api/v1/submissions/{}/escalations", submission.id);
    server.get(&path).await.json().await.unwrap()
}

/// Its run was killed for a forbidden call.
async fn report_policy_kill(server: &Server, held: HeldJudgement, settings: Settings) {
    let mut report = finished(WorkerId::generate(), held, Verdict::Sv);
    if let Report::Finished(finished) = &mut report.report
        && let Judged::Verdict { runs, .. } = &mut finished.outcome
    {
        runs[1].exit = Exit::Killed;
        runs[1].kill_cause = Some(KillCause::Policy);
    }
    // Twice, as everything may come.
    for _ in 0..2 {
        apply_batch(&server.fixture.store, &[&report], settings)
            .await
            .unwrap();
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn flags_on_teams_and_problems_send_submissions_to_ptrace(pool: PgPool) {
    let server = Server::start(pool).await;
    let seals = with(json!({"team": "Seals & Co"}));
    let unflagged = submit(&server, &seals).await;
    assert_eq!(
        chosen(&unflagged),
        (Lane::Live, SandboxMode::Unshare, "live lane")
    );

    assert_eq!(flag(&server, "team", "Seals & Co").await.status(), 200);
    let flagged = submit(&server, &seals).await;
    assert_eq!(
        chosen(&flagged),
        (
            Lane::Flagged,
            SandboxMode::Ptrace,
            "team flagged: a closer look"
        )
    );
    assert_eq!(
        chosen(&submit(&server, &right()).await).1,
        SandboxMode::Unshare
    );
    assert_eq!(flag(&server, "problem", "sum").await.status(), 200);
    let other = submit(&server, &right()).await;
    assert_eq!(chosen(&other).2, "problem flagged: a closer look");
    let list: FlagList = server.get("/api/v1/flags").await.json().await.unwrap();
    let listed: Vec<_> = list.flags.iter().map(|flag| &*flag.subject).collect();
    assert_eq!(listed, ["sum", "Seals & Co"]);

    for (scope, subject) in [("problem", "sum"), ("team", "Seals & Co")] {
        assert_eq!(unflag(&server, scope, subject).await.status(), 204);
        assert_eq!(unflag(&server, scope, subject).await.status(), 404);
    }
    assert_eq!(chosen(&submit(&server, &seals).await).0, Lane::Live);
}

#[sqlx::test(migrations = "../migrations")]
async fn suspicious_sources_go_to_ptrace(pool: PgPool) {
    let server = Server::start(pool).await;
    // int main() { asm("nop"); }
    let files =
        json!([{"name": "a.cpp", "content_base64": "aW50IG1haW4oKSB7IGFzbSgibm9wIik7IH0="}]);
    let suspicious = submit(&server, &with(json!({ "files": files }))).await;
    assert_eq!(
        chosen(&suspicious),
        (
            Lane::Flagged,
            SandboxMode::Ptrace,
            "suspicious: inline-assembly: machine code of its own can make any system call"
        )
    );
    assert_eq!(suspicious.flag, None);
}

#[sqlx::test(migrations = "../migrations")]
async fn a_policy_kill_is_looked_at_again_once_and_beside_the_verdict(pool: PgPool) {
    let server = Server::start(pool).await;
    let submission = submit(&server, &right()).await;
    let held = server.fixture.held(submission.id).await;
    report_policy_kill(&server, held, SETTINGS).await;
    let [escalation] = escalations(&server, &submission)
        .await
        .escalations
        .try_into()
        .unwrap();
    assert_eq!(escalation.escalates, held.judgement_id);
    assert_eq!(escalation.state, JudgementState::Queued);
    assert_eq!(escalation.sandbox.mode, SandboxMode::Ptrace);
    assert_eq!(
        escalation.sandbox.reason,
        "escalated: killed for a forbidden call on secret/1"
    );
    let asked_for = "SELECT count(*) FROM outbox WHERE lane = 'flagged'";
    assert_eq!(server.fixture.count(asked_for).await, 1);

    // What it finds changes nothing, and a kill under ptrace escalates no further.
    let again = HeldJudgement {
        judgement_id: escalation.judgement_id,
        attempt: 1,
    };
    report_policy_kill(&server, again, SETTINGS).await;
    let list = escalations(&server, &submission).await.escalations;
    assert_eq!((list.len(), list[0].verdict), (1, Some(Verdict::Sv)));
    assert_eq!(server.fixture.held(submission.id).await, held);
}

#[sqlx::test(migrations = "../migrations")]
async fn escalation_can_be_turned_off(pool: PgPool) {
    let server = Server::start(pool).await;
    let submission = submit(&server, &right()).await;
    let held = server.fixture.held(submission.id).await;
    let settings = Settings {
        escalation: Escalation::Never,
        ..SETTINGS
    };
    report_policy_kill(&server, held, settings).await;
    let list = escalations(&server, &submission).await.escalations;
    assert!(list.is_empty(), "{list:?}");
}

/// The second of two judgements that look at each other, finished under ptrace.
async fn looked_again(server: &Server, submission: &Submission) -> HeldJudgement {
    let list = escalations(server, submission).await.escalations;
    HeldJudgement {
        judgement_id: list[0].judgement_id,
        attempt: 1,
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn an_escalation_counts_if_the_settings_say_so(pool: PgPool) {
    let server = Server::start(pool).await;
    let submission = submit(&server, &right()).await;
    let first = server.fixture.held(submission.id).await;
    let settings = Settings {
        escalation: Escalation::Instead,
        ..SETTINGS
    };
    report_policy_kill(&server, first, settings).await;
    // Nothing is exchanged before there is something to count.
    assert_eq!(server.fixture.held(submission.id).await, first);
    let again = looked_again(&server, &submission).await;
    report_policy_kill(&server, again, settings).await;
    assert_eq!(server.fixture.held(submission.id).await, again);

    // Both are there, linked, and readers of results hear of it.
    let list = escalations(&server, &submission).await.escalations;
    assert_eq!((list.len(), list[0].escalates), (1, first.judgement_id));
    let changes = server.get("/api/v1/result-changes").await;
    let changes: ResultChangeList = changes.json().await.unwrap();
    let [change] = &changes.changes[..] else {
        panic!("{changes:?}")
    };
    assert_eq!(
        (change.submission_id, change.rejudging_id),
        (submission.id, None)
    );
    let kept = "SELECT count(*) FROM judgements WHERE verdict = 'SV'";
    assert_eq!(server.fixture.count(kept).await, 2);
    let violations = server.fixture.store.invariant_check(false).await.unwrap();
    assert_eq!(violations, []);
}

#[sqlx::test(migrations = "../migrations")]
async fn an_escalation_leaves_to_a_rejudging_what_is_in_it(pool: PgPool) {
    let server = Server::start(pool).await;
    let submission = submit(&server, &right()).await;
    let first = server.fixture.held(submission.id).await;
    let settings = Settings {
        escalation: Escalation::Instead,
        ..SETTINGS
    };
    report_policy_kill(&server, first, settings).await;
    let rejudging = json!({"reason": "new data", "selection": {"filter": "all"}});
    let request = server.request(Method::POST, "/api/v1/rejudgings");
    let made = request.json(&rejudging).send().await.unwrap();
    assert_eq!(made.status(), 201, "{}", made.text().await.unwrap());
    let again = looked_again(&server, &submission).await;
    report_policy_kill(&server, again, settings).await;
    assert_eq!(server.fixture.held(submission.id).await, first);
}

#[sqlx::test(migrations = "../migrations")]
async fn a_flagged_submission_is_judged_again_under_ptrace(pool: PgPool) {
    let server = Server::start(pool).await;
    let submission = submit(&server, &right()).await;
    let subject = submission.id.to_string();
    let first: Flagged = flag(&server, "submission", &subject)
        .await
        .json()
        .await
        .unwrap();
    assert!(first.escalation.is_some());
    let second: Flagged = flag(&server, "submission", &subject)
        .await
        .json()
        .await
        .unwrap();
    assert_eq!(second.escalation, None);
    let list = escalations(&server, &submission).await.escalations;
    assert_eq!(list.len(), 1);
    assert_eq!(list[0].sandbox.reason, "flagged: a closer look");
    let path = format!("/api/v1/submissions/{subject}");
    let read: Submission = server.get(&path).await.json().await.unwrap();
    assert_eq!(read.flag.as_deref(), Some("a closer look"));
    assert_eq!(unflag(&server, "submission", &subject).await.status(), 204);
    let read: Submission = server.get(&path).await.json().await.unwrap();
    assert_eq!(read.flag, None);
}

#[sqlx::test(migrations = "../migrations")]
async fn faulty_flags_are_refused(pool: PgPool) {
    let server = Server::start(pool).await;
    let nobody = WorkerId::generate().to_string();
    let missing = problem(flag(&server, "submission", &nobody).await).await;
    assert_eq!(summary(&missing), (404, "not-found", None));
    let invalid = problem(flag(&server, "submission", "x").await).await;
    assert_eq!(summary(&invalid), (422, "invalid-field", Some("subject")));
    let empty = problem(flag(&server, "team", " ").await).await;
    assert_eq!(summary(&empty), (422, "invalid-field", Some("subject")));
    let unknown = unflag(&server, "everybody", "x").await;
    assert_eq!(
        summary(&problem(unknown).await),
        (400, "invalid-query", None)
    );
}

const RULE: &str =
    "[[budget]]\nid = 'a'\nwhy = 'x'\nsyscalls = ['fork']\ncount = 0\naction = 'kill'\n";

async fn flag_with(server: &Server, scope: &str, subject: &str, scrutiny: Value) -> Response {
    let flag = json!({"scope": scope, "subject": subject, "reason": "a closer look", "scrutiny": scrutiny});
    let request = server.request(Method::PUT, "/api/v1/flags").json(&flag);
    request.send().await.unwrap()
}

#[sqlx::test(migrations = "../migrations")]
async fn scrutiny_of_a_submission_is_a_judgement_that_never_counts(pool: PgPool) {
    let server = Server::start(pool).await;
    let submission = submit(&server, &with(json!({"sandbox": "ptrace"}))).await;
    let held = server.fixture.held(submission.id).await;
    let id = submission.id.to_string();
    let scrutiny = json!({"audit": "full", "observe": true, "layers": [RULE]});
    // As often as it is asked for, also when it is under ptrace already.
    for _ in 0..2 {
        let flagged = flag_with(&server, "submission", &id, scrutiny.clone()).await;
        let flagged: Flagged = flagged.json().await.unwrap();
        assert!(flagged.escalation.is_some());
    }
    let list = escalations(&server, &submission).await.escalations;
    assert_eq!((list.len(), list[1].escalates), (2, held.judgement_id));

    let mut transaction = server.fixture.store.begin().await.unwrap();
    let tasks = outbox_claim(&mut transaction, Lane::Flagged, 10, None, SETTINGS.lease)
        .await
        .unwrap();
    let tasks: Vec<_> = tasks
        .into_iter()
        .filter_map(|claimed| claimed.task)
        .collect();
    assert_eq!(tasks.len(), 2);
    for task in tasks {
        assert_eq!(serde_json::to_value(&task.scrutiny).unwrap(), scrutiny);
    }
    drop(transaction);

    let settings = Settings {
        escalation: Escalation::Instead,
        ..SETTINGS
    };
    let again = looked_again(&server, &submission).await;
    report_policy_kill(&server, again, settings).await;
    assert_eq!(server.fixture.held(submission.id).await, held);
    let listed: FlagList = server.get("/api/v1/flags").await.json().await.unwrap();
    assert_eq!(
        serde_json::to_value(&listed.flags[0].scrutiny).unwrap(),
        scrutiny
    );
    let violations = server.fixture.store.invariant_check(false).await.unwrap();
    assert_eq!(violations, []);
}

#[sqlx::test(migrations = "../migrations")]
async fn scrutiny_of_teams_and_problems_adds_up_for_what_comes(pool: PgPool) {
    let server = Server::start(pool).await;
    let of_team = json!({"audit": "summary", "layers": [RULE]});
    assert_eq!(
        flag_with(&server, "team", "Seals", of_team).await.status(),
        200
    );
    let of_problem = json!({"audit": "full"});
    assert_eq!(
        flag_with(&server, "problem", "sum", of_problem)
            .await
            .status(),
        200
    );
    submit(&server, &with(json!({"team": "Seals"}))).await;
    let mut transaction = server.fixture.store.begin().await.unwrap();
    let tasks = outbox_claim(&mut transaction, Lane::Flagged, 10, None, SETTINGS.lease)
        .await
        .unwrap();
    let scrutiny = &tasks[0].task.as_ref().unwrap().scrutiny;
    assert_eq!(
        serde_json::to_value(scrutiny).unwrap(),
        json!({"audit": "full", "layers": [RULE]})
    );
}

#[sqlx::test(migrations = "../migrations")]
async fn scrutiny_that_cannot_be_had_is_refused_by_name(pool: PgPool) {
    let server = Server::start(pool).await;
    let wrong = RULE.replace("fork", "forkk");
    for (scrutiny, field, says) in [
        (
            json!({"layers": [RULE, wrong]}),
            "scrutiny.layers",
            "layer 2: the rule a",
        ),
        (
            json!({"observe": true}),
            "scrutiny.observe",
            "flag a submission",
        ),
    ] {
        let refused = problem(flag_with(&server, "team", "Seals", scrutiny).await).await;
        assert_eq!(summary(&refused), (422, "invalid-field", Some(field)));
        assert!(refused.detail.contains(says), "{refused:?}");
    }
}
