//! Scores and words of validators: stored, shown to the jury, and to teams as far
//! as the settings go.

use assize_common::api::{Feedback, FeedbackPart, Judgement, JudgementState, Scope, Submission};
use assize_common::id::WorkerId;
use assize_common::message::{
    Difference, Failure, Judged, Remark, Report, RunReport, Speaker, Transcript, WorkerReport,
};
use assize_common::{Award, GroupScore, Score, Verdict};
use reqwest::{Method, StatusCode};
use serde_json::Value;
use sqlx::PgPool;

use super::{Server, problem, right};
use crate::fixture::{SETTINGS, finished, judging_error, make_token, run};
use crate::reports::apply_batch;

fn points(text: &str) -> Score {
    text.parse().unwrap()
}

/// 33.333333333 points, of which a group has all.
fn scored(mut report: WorkerReport) -> WorkerReport {
    if let Report::Finished(finished) = &mut report.report
        && let Judged::Verdict {
            score,
            groups,
            runs,
            ..
        } = &mut finished.outcome
    {
        *score = Some(points("33.333333333"));
        *groups = ["secret/a", "secret"]
            .map(|name| GroupScore {
                name: name.into(),
                score: points("33.333333333"),
            })
            .into();
        *runs = vec![
            RunReport {
                award: Some(Award::Multiplier(points("0.5"))),
                ..run("secret/a/1", Verdict::Ac)
            },
            RunReport {
                message: Some("expected 7".into()),
                team_message: Some("count again\0".into()),
                award: Some(Award::Points(points("-1.5"))),
                failure: Some(Failure::OutOfMemory),
                difference: Some(Difference {
                    line: 2,
                    offset_bytes: 17,
                    expected: Some("\"7\"".into()),
                    got: None,
                }),
                transcripts: vec![Transcript {
                    pass: 1,
                    start: vec![Remark {
                        at_ms: 12,
                        by: Speaker::Validator,
                        words: b"7\0\xff".to_vec().into(),
                    }],
                    left_out_bytes: 3,
                    end: Vec::new(),
                }],
                ..run("secret/b/1", Verdict::Wa)
            },
        ];
    }
    report
}

#[sqlx::test(migrations = "../migrations")]
async fn the_jury_sees_scores_and_words(pool: PgPool) {
    let server = Server::start(pool).await;
    let submission: Submission = server.submit(&right()).await.json().await.unwrap();
    let held = server.fixture.held(submission.id).await;
    let report = scored(finished(WorkerId::generate(), held, Verdict::Wa));
    apply_batch(&server.fixture.store, &[&report], SETTINGS)
        .await
        .unwrap();
    let path = format!("/api/v1/submissions/{}/judgement", submission.id);
    let read: Judgement = server.get(&path).await.json().await.unwrap();
    assert_eq!(read.summary.score, Some(points("33.333333333")));
    let Report::Finished(finished) = report.report else {
        panic!("{report:?}");
    };
    let Judged::Verdict { groups, runs, .. } = finished.outcome else {
        panic!("{finished:?}");
    };
    assert_eq!(read.groups, groups);
    assert_eq!(read.runs[0], runs[0]);
    assert_eq!(read.runs[1].award, runs[1].award);
    assert_eq!(read.runs[1].failure, runs[1].failure);
    assert_eq!(read.runs[1].difference, runs[1].difference);
    assert_eq!(read.runs[1].transcripts, runs[1].transcripts);
    assert_eq!(
        read.runs[1].team_message.as_deref(),
        Some("count again\u{fffd}")
    );
}

#[sqlx::test(migrations = "../migrations")]
async fn the_sender_sees_what_is_for_the_team(pool: PgPool) {
    let server = Server::start(pool).await;
    let mut tokens = Vec::new();
    for scope in [Scope::Submit, Scope::Submit, Scope::Read] {
        tokens.push(make_token(&server.fixture.store, &[scope]).await.reveal());
    }
    let sent = server
        .request_by(&tokens[0], Method::POST, "/api/v1/submissions")
        .json(&right());
    let submission: Submission = sent.send().await.unwrap().json().await.unwrap();
    let path = format!("/api/v1/submissions/{}/feedback", submission.id);
    let read = async |token: &str| {
        let request = server.request_by(token, Method::GET, &path);
        request.send().await.unwrap()
    };
    let queued: Feedback = read(&tokens[0]).await.json().await.unwrap();
    assert_eq!(
        (queued.state, queued.verdict),
        (JudgementState::Queued, None)
    );

    let held = server.fixture.held(submission.id).await;
    let report = scored(finished(WorkerId::generate(), held, Verdict::Wa));
    apply_batch(&server.fixture.store, &[&report], SETTINGS)
        .await
        .unwrap();
    let text = read(&tokens[0]).await.text().await.unwrap();
    assert!(!text.contains("expected 7"), "{text}");
    let feedback: Feedback = serde_json::from_str(&text).unwrap();
    assert_eq!(feedback.verdict, Some(Verdict::Wa));
    assert_eq!(feedback.score, Some(points("33.333333333")));
    assert_eq!(feedback.groups.len(), 2);
    assert_eq!(feedback.message.as_deref(), Some("count again\u{fffd}"));
    assert_eq!(feedback.testcases[1].testcase, "secret/b/1");

    let of_another = read(&tokens[1]).await;
    assert_eq!(of_another.status(), StatusCode::NOT_FOUND);
    let to_read = read(&tokens[2]).await;
    assert_eq!(problem(to_read).await.kind, "insufficient-scope");
    assert_eq!(read(&server.admin).await.status(), StatusCode::OK);
}

#[sqlx::test(migrations = "../migrations")]
async fn teams_see_no_more_than_the_settings_say(pool: PgPool) {
    let server = Server::start(pool).await;
    let submission: Submission = server.submit(&right()).await.json().await.unwrap();
    let held = server.fixture.held(submission.id).await;
    let mut report = scored(finished(WorkerId::generate(), held, Verdict::Ce));
    if let Report::Finished(finished) = &mut report.report
        && let Judged::Verdict { compile, .. } = &mut finished.outcome
    {
        compile.success = false;
        compile.output = "a.cpp:1: no".into();
    }
    apply_batch(&server.fixture.store, &[&report], SETTINGS)
        .await
        .unwrap();
    let path = format!("/api/v1/submissions/{}/judgement", submission.id);
    let judgement: Judgement = server.get(&path).await.json().await.unwrap();
    let shown = |parts: &[FeedbackPart]| {
        let feedback = Feedback::of(judgement.clone(), parts);
        let Value::Object(fields) = serde_json::to_value(feedback).unwrap() else {
            panic!("an object");
        };
        let always = ["submission_id", "state", "verdict"];
        let mut fields: Vec<_> = fields.into_iter().map(|(name, _)| name).collect();
        fields.retain(|name| !always.contains(&name.as_str()));
        fields
    };
    assert_eq!(shown(&[]), [""; 0]);
    for (part, field) in [
        (FeedbackPart::Compiler, "compiler_output"),
        (FeedbackPart::Score, "score"),
        (FeedbackPart::Groups, "groups"),
        (FeedbackPart::Message, "message"),
        (FeedbackPart::Testcases, "testcases"),
    ] {
        assert_eq!(shown(&[part]), [field], "{part}");
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn failures_of_ours_are_not_for_teams(pool: PgPool) {
    let server = Server::start(pool).await;
    let submission: Submission = server.submit(&right()).await.json().await.unwrap();
    for _ in 0..SETTINGS.retry.max_failures {
        let held = server.fixture.held(submission.id).await;
        let report = judging_error(WorkerId::generate(), held);
        apply_batch(&server.fixture.store, &[&report], SETTINGS)
            .await
            .unwrap();
    }
    let path = format!("/api/v1/submissions/{}", submission.id);
    let read: Submission = server.get(&path).await.json().await.unwrap();
    assert_eq!(read.judgement.state, JudgementState::Error);
    let path = format!("{path}/feedback");
    let text = server.get(&path).await.text().await.unwrap();
    assert!(!text.contains("jail"), "{text}");
    let feedback: Feedback = serde_json::from_str(&text).unwrap();
    assert_eq!(feedback.state, JudgementState::Running);
}
