//! Audits over the API: stored, reported, searched, compared, removed.

use std::time::Duration;

use assize_common::api::{AuditHitList, JudgementAudit, Scope};
use assize_common::id::{SubmissionId, WorkerId};
use assize_common::message::{
    AuditDecision, AuditReport, AuditedCall, HeldJudgement, Judged, Report, RunAudit, WorkerReport,
};
use assize_common::{ContentHash, Verdict};
use reqwest::StatusCode;
use sqlx::PgPool;

use super::{Server, problem, summary};
use crate::blob::BlobStore;
use crate::fixture::{SETTINGS, finished, make_token};
use crate::reports::apply_batch;
use crate::retention;

fn call(syscall: &str, path: Option<&str>, decision: AuditDecision, times: u64) -> AuditedCall {
    AuditedCall {
        syscall: syscall.into(),
        path: path.map(Into::into),
        decision,
        rule: "rule".into(),
        times,
        testcase: "sample/1".into(),
    }
}

fn audited(held: HeldJudgement, verdict: Verdict, calls: Vec<AuditedCall>) -> WorkerReport {
    let mut report = finished(WorkerId::generate(), held, verdict);
    if let Report::Finished(finished) = &mut report.report
        && let Judged::Verdict { audit, .. } = &mut finished.outcome
    {
        let run = RunAudit {
            testcase: "sample/1".into(),
            pass: 1,
            sha256: ContentHash::of(b"audit"),
            size_bytes: 5,
        };
        *audit = Some(Box::new(AuditReport {
            runs: vec![run],
            calls,
            calls_dropped: 7,
        }));
    }
    report
}

/// A submission of `team` that was judged with this audit.
async fn judged(
    server: &Server,
    team: &str,
    verdict: Verdict,
    calls: Vec<AuditedCall>,
) -> (SubmissionId, HeldJudgement) {
    let mut new = server.fixture.new_submission().await;
    new.team = Some(team.to_owned());
    let id = server.fixture.stored(&new).await;
    let held = server.fixture.held(id).await;
    let report = audited(held, verdict, calls);
    apply_batch(&server.fixture.store, &[&report], SETTINGS)
        .await
        .unwrap();
    (id, held)
}

async fn audit_of(server: &Server, held: HeldJudgement) -> JudgementAudit {
    let path = format!("/api/v1/judgements/{}/audit", held.judgement_id);
    server.get(&path).await.json().await.unwrap()
}

async fn search(server: &Server, query: &str) -> Vec<(SubmissionId, String)> {
    let answer = server.get(&format!("/api/v1/audits?{query}")).await;
    assert_eq!(answer.status(), StatusCode::OK, "{query}");
    let found: AuditHitList = answer.json().await.unwrap();
    assert!(!found.more, "{query}");
    found
        .hits
        .into_iter()
        .map(|hit| (hit.submission_id, hit.call.syscall))
        .collect()
}

#[sqlx::test(migrations = "../migrations")]
async fn workers_store_audits_and_admins_fetch_them(pool: PgPool) {
    let server = Server::start(pool).await;
    let worker = make_token(&server.fixture.store, &[Scope::Worker]).await;
    let path = |content: &[u8]| format!("/api/v1/audits/{}", ContentHash::of(content));
    let put = async |path: String, token: String| {
        let url = format!("http://{}{path}", server.address);
        let request = server.client.put(url).bearer_auth(token);
        request.body("audit").send().await.unwrap()
    };
    // Twice: a report may be lost on its way.
    for _ in 0..2 {
        let answer = put(path(b"audit"), worker.reveal()).await;
        assert_eq!(answer.status(), StatusCode::NO_CONTENT);
    }
    let answer = put(path(b"other"), worker.reveal()).await;
    assert_eq!(
        summary(&problem(answer).await),
        (422, "invalid-field", Some("sha256"))
    );
    let fetched = server.get(&path(b"audit")).await;
    assert_eq!(fetched.bytes().await.unwrap().as_ref(), b"audit");
    let missing = server.get(&path(b"other")).await;
    assert_eq!(summary(&problem(missing).await), (404, "not-found", None));

    let reader = make_token(&server.fixture.store, &[Scope::Read, Scope::Submit]).await;
    let refused = put(path(b"audit"), reader.reveal()).await;
    assert_eq!(refused.status(), StatusCode::FORBIDDEN);
    for path in [
        path(b"audit"),
        "/api/v1/audits".to_owned(),
        format!(
            "/api/v1/judgements/{}/audit",
            WorkerId::generate().as_uuid()
        ),
    ] {
        let url = format!("http://{}{path}", server.address);
        let request = server.client.get(url).bearer_auth(reader.reveal());
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::FORBIDDEN, "{path}");
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn a_report_brings_its_audit_once_and_only_with_the_verdict(pool: PgPool) {
    let server = Server::start(pool).await;
    let (id, held) = server.fixture.submit().await;
    let path = format!("/api/v1/judgements/{}/audit", held.judgement_id);
    let none = server.get(&path).await;
    assert_eq!(summary(&problem(none).await), (404, "not-found", None));

    let calls = vec![
        call("socket", None, AuditDecision::Kill, 1),
        call("openat", Some("/proc/self/maps"), AuditDecision::Allow, 3),
    ];
    let stale = HeldJudgement {
        attempt: held.attempt + 1,
        ..held
    };
    let report = audited(held, Verdict::Sv, calls.clone());
    let other = audited(held, Verdict::Ac, Vec::new());
    let late = audited(stale, Verdict::Ac, Vec::new());
    for batch in [&[&late, &report, &other][..], &[&report, &other, &late]] {
        apply_batch(&server.fixture.store, batch, SETTINGS)
            .await
            .unwrap();
    }
    let audit = audit_of(&server, held).await;
    assert_eq!((audit.submission_id, &*audit.problem), (id, "sum"));
    assert_eq!((audit.calls, audit.calls_dropped), (calls, 7));
    assert_eq!(audit.runs.len(), 1);
    assert_eq!(audit.runs[0].sha256, ContentHash::of(b"audit"));
    let counted = server.fixture.count("SELECT count(*) FROM audits").await;
    assert_eq!(counted, 1);
}

#[sqlx::test(migrations = "../migrations")]
async fn audits_are_searched_by_call_path_and_decision(pool: PgPool) {
    let server = Server::start(pool).await;
    let reads = vec![call(
        "openat",
        Some("/proc/self/maps"),
        AuditDecision::Allow,
        1,
    )];
    let (reader, _) = judged(&server, "Seals", Verdict::Ac, reads).await;
    let attacks = vec![
        call("socket", None, AuditDecision::Kill, 1),
        call("openat", Some("/process"), AuditDecision::Deny, 1),
    ];
    let (attacker, _) = judged(&server, "Otters", Verdict::Sv, attacks).await;
    let of = |id: SubmissionId, syscall: &str| (id, syscall.to_owned());

    let everything = search(&server, "").await;
    assert_eq!(
        everything,
        [
            of(attacker, "socket"),
            of(attacker, "openat"),
            of(reader, "openat")
        ]
    );
    for query in ["syscall=socket", "refused=true&team=Otters&syscall=socket"] {
        assert_eq!(
            search(&server, query).await,
            [of(attacker, "socket")],
            "{query}"
        );
    }
    for query in [
        "path=/proc",
        "path=/proc/",
        "path=/proc/self/maps",
        "team=Seals",
    ] {
        assert_eq!(
            search(&server, query).await,
            [of(reader, "openat")],
            "{query}"
        );
    }
    for query in [
        "path=/proc_self",
        "path=%25",
        "problem=other",
        "language=c",
        "rule=other",
        "since=2999-01-01T00:00:00Z",
        "refused=true&team=Seals",
    ] {
        assert_eq!(search(&server, query).await, [], "{query}");
    }
    let all = "problem=sum&language=cpp20&rule=rule&since=2001-01-01T00:00:00Z";
    assert_eq!(search(&server, all).await, everything);
    let page = server.get("/api/v1/audits?limit=1").await;
    assert!(page.json::<AuditHitList>().await.unwrap().more);
    for (query, field) in [("limit=0", "limit"), ("path=%00", "path")] {
        let refused = problem(server.get(&format!("/api/v1/audits?{query}")).await).await;
        assert_eq!(summary(&refused), (400, "invalid-query", Some(field)));
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn what_accepted_submissions_do_not_do_is_unusual(pool: PgPool) {
    let server = Server::start(pool).await;
    let usual = || {
        vec![
            call("execve", Some("/box/a"), AuditDecision::Allow, 1),
            call("clone", None, AuditDecision::Allow, 2),
        ]
    };
    let suspicious = || {
        vec![
            call("ptrace", None, AuditDecision::Kill, 1),
            call("clone", None, AuditDecision::Allow, 500),
            call("execve", Some("/box/a"), AuditDecision::Allow, 4),
        ]
    };
    let (_, first) = judged(&server, "Seals", Verdict::Sv, suspicious()).await;
    let alone = audit_of(&server, first).await.unusual;
    assert_eq!((alone.baseline, alone.calls.len()), (0, 0));
    // What the same team or a rejected submission does is no measure.
    judged(&server, "Seals", Verdict::Ac, suspicious()).await;
    judged(&server, "Otters", Verdict::Wa, suspicious()).await;
    for (judged_before, same_problem) in [(1, false), (2, false), (3, true)] {
        judged(&server, "Otters", Verdict::Ac, usual()).await;
        let unusual = audit_of(&server, first).await.unusual;
        assert_eq!(
            (unusual.baseline, unusual.same_problem),
            (judged_before, same_problem)
        );
        let calls: Vec<_> = unusual
            .calls
            .iter()
            .map(|unusual| (&*unusual.call.syscall, unusual.most_times))
            .collect();
        assert_eq!(calls, [("ptrace", 0), ("clone", 2)]);
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn old_audits_go_unless_their_submission_is_flagged(pool: PgPool) {
    let server = Server::start(pool).await;
    let store = &server.fixture.store;
    let audits = BlobStore::open(&server.data.path().join("audits")).unwrap();
    for content in ["audit", "of a report that never came"] {
        audits.put(content.into()).await.unwrap();
    }
    let remains = async || {
        let rows = server.fixture.count("SELECT count(*) FROM audits").await;
        let blobs = ["audit", "of a report that never came"];
        let mut there = Vec::new();
        for content in blobs {
            let hash = ContentHash::of(content.as_bytes());
            there.push(audits.get(hash).await.unwrap().is_some());
        }
        (rows, there)
    };
    let socket = || vec![call("socket", None, AuditDecision::Kill, 1)];
    let (flagged, _) = judged(&server, "Seals", Verdict::Sv, socket()).await;
    judged(&server, "Otters", Verdict::Sv, socket()).await;
    sqlx::query("UPDATE submissions SET flag = 'evidence' WHERE id = $1")
        .bind(flagged.as_uuid())
        .execute(&server.fixture.pool)
        .await
        .unwrap();
    let day = Duration::from_secs(24 * 60 * 60);

    let remove = async |age, unreported| {
        retention::remove_audits(store, &audits, age, unreported)
            .await
            .unwrap()
    };
    assert_eq!(remove(None, day).await, 0);
    assert_eq!(remove(Some(day), day).await, 0);
    assert_eq!(remains().await, (2, vec![true, true]));
    // The flagged one's blob is the same, and stays with it.
    assert_eq!(remove(Some(Duration::ZERO), Duration::ZERO).await, 1);
    assert_eq!(remains().await, (1, vec![true, false]));
    server
        .fixture
        .execute("UPDATE submissions SET flag = NULL")
        .await
        .unwrap();
    assert_eq!(remove(Some(Duration::ZERO), Duration::ZERO).await, 1);
    assert_eq!(remains().await, (0, vec![false, false]));
    let calls = server.fixture.count("SELECT count(*) FROM audit_calls");
    assert_eq!(calls.await, 0);
}

#[sqlx::test(migrations = "../migrations")]
async fn an_audit_is_filed_under_the_language_that_was_judged_by(pool: PgPool) {
    let server = Server::start(pool).await;
    for (judged_by, filed) in [("python3", "python3"), ("removed since", "cpp20")] {
        let (_, held) = server.fixture.submit().await;
        let mut report = audited(held, Verdict::Ac, Vec::new());
        if let Report::Finished(finished) = &mut report.report
            && let Judged::Verdict { provenance, .. } = &mut finished.outcome
        {
            provenance.as_mut().unwrap().language = judged_by.to_owned();
        }
        apply_batch(&server.fixture.store, &[&report], SETTINGS)
            .await
            .unwrap();
        assert_eq!(audit_of(&server, held).await.language, filed);
    }
}
