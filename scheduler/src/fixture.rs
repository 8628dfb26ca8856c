//! What tests start from: a database with a token, the languages and a problem.

use std::time::Duration;

use assize_common::api::Scope;
use assize_common::api::Token;
use assize_common::id::{JudgementId, SubmissionId, TokenId, WorkerId};
use assize_common::language::LanguageTable;
use assize_common::message::{
    CompileReport, Exit, Finished, HeldJudgement, Host, Judged, Provenance, Report, RunLimits,
    RunReport, SourceFile, WorkerReport,
};
use assize_common::{ContentHash, Lane, SandboxChoice, SandboxMode, Scrutiny, Verdict};
use bytesize::ByteSize;
use chrono::Utc;
use sqlx::PgPool;

use crate::pressure::Limits;
use crate::reports::apply_batch;
use crate::settings::{Escalation, Settings};
use crate::store::{
    Activation, Created, CurrentPackage, NewPackage, NewStoredSubmission, RetryPolicy, Store,
    Subject,
};

pub(crate) const SETTINGS: Settings = Settings {
    lease: Duration::from_secs(30),
    lost_task_age: Duration::from_secs(60),
    retry: RetryPolicy {
        max_failures: 3,
        first_delay: Duration::from_secs(1),
    },
    limits: Limits {
        waiting: 1_000_000,
        waiting_per_team: 1_000_000,
        waiting_flagged: 100,
        disk_reserve: ByteSize(0),
    },
    drift_percent: Some(30),
    close_call_percent: 5,
    escalation: Escalation::Beside,
    audit_age: None,
    output_age: None,
    ticketless_reports: false,
};

pub(crate) struct Fixture {
    pub(crate) store: Store,
    pub(crate) pool: PgPool,
    pub(crate) token_id: TokenId,
}

impl Fixture {
    pub(crate) async fn new(pool: PgPool) -> Self {
        let store = Store::from_pool(pool.clone());
        let token_id = make_token(&store, &[Scope::Admin]).await.id();
        let table = LanguageTable::embedded().unwrap();
        store.language_list_replace(&table).await.unwrap();
        store
            .problem_import("sum", &package(1), Activation::AtOnce, token_id)
            .await
            .unwrap();
        Self {
            store,
            pool,
            token_id,
        }
    }

    pub(crate) async fn new_submission(&self) -> NewStoredSubmission {
        let problem = self.package_of("sum").await.unwrap();
        NewStoredSubmission {
            id: SubmissionId::generate(),
            judgement_id: JudgementId::generate(),
            problem_id: problem.problem_id,
            package_id: problem.package_id,
            testcases: problem.testcases,
            language: "cpp20".into(),
            files: vec![SourceFile {
                name: "a.cpp".into(),
                sha256: ContentHash::of(b"source"),
                size_bytes: 6,
            }],
            entry_point: None,
            contest: Some("finals".into()),
            team: Some("Seals".into()),
            flag: None,
            lane: Lane::Live,
            sandbox: SandboxChoice {
                mode: SandboxMode::Unshare,
                reason: "live lane".into(),
            },
            scrutiny: Scrutiny::default(),
            submitted_by: self.token_id,
            idempotency: None,
        }
    }

    /// The current package of a problem.
    pub(crate) async fn package_of(&self, problem: &str) -> Option<CurrentPackage> {
        let subject = Subject {
            problem: problem.to_owned(),
            team: None,
        };
        let [found] = self
            .store
            .admission_list(&[subject])
            .await
            .unwrap()
            .try_into()
            .unwrap();
        Some(found?.package)
    }

    /// Stores one submission.
    pub(crate) async fn try_store(&self, new: &NewStoredSubmission) -> Created {
        let new = std::slice::from_ref(new);
        let [created] = self
            .store
            .submission_list_create(new)
            .await
            .unwrap()
            .try_into()
            .unwrap();
        created
    }

    /// Stores one submission that nothing is in the way of.
    pub(crate) async fn stored(&self, new: &NewStoredSubmission) -> SubmissionId {
        let created = self.try_store(new).await;
        assert!(matches!(created, Created::Stored { .. }), "{created:?}");
        new.id
    }

    pub(crate) async fn submit(&self) -> (SubmissionId, HeldJudgement) {
        let new = self.new_submission().await;
        let id = self.stored(&new).await;
        (id, self.held(id).await)
    }

    /// A stored submission of a team.
    pub(crate) async fn submit_of(&self, contest: &str, team: &str) {
        let mut new = self.new_submission().await;
        new.contest = Some(contest.to_owned());
        new.team = Some(team.to_owned());
        self.stored(&new).await;
    }

    /// Submits and has it judged.
    pub(crate) async fn judged(&self, team: &str, verdict: Verdict) -> SubmissionId {
        let mut new = self.new_submission().await;
        new.team = Some(team.into());
        let id = self.stored(&new).await;
        self.report(self.held(id).await, verdict).await;
        id
    }

    /// A worker reports a verdict.
    pub(crate) async fn report(&self, held: HeldJudgement, verdict: Verdict) {
        let report = finished(WorkerId::generate(), held, verdict);
        apply_batch(&self.store, &[&report], SETTINGS)
            .await
            .unwrap();
    }

    /// The current judgement at its current attempt.
    pub(crate) async fn held(&self, id: SubmissionId) -> HeldJudgement {
        let judgement = self
            .store
            .judgement_read_current(id)
            .await
            .unwrap()
            .unwrap();
        HeldJudgement {
            judgement_id: judgement.summary.id,
            attempt: judgement.summary.attempt,
        }
    }

    /// Runs a statement that only tests need.
    pub(crate) async fn execute(&self, sql: &'static str) -> Result<u64, sqlx::Error> {
        let done = sqlx::query(sql).execute(&self.pool).await?;
        Ok(done.rows_affected())
    }

    /// Counts with a statement that only tests need.
    pub(crate) async fn count(&self, sql: &'static str) -> i64 {
        sqlx::query_scalar(sql).fetch_one(&self.pool).await.unwrap()
    }
}

pub(crate) async fn make_token(store: &Store, scopes: &[Scope]) -> Token {
    let token = Token::new(TokenId::generate(), [7; 32]);
    store
        .token_create(token.id(), "test", ContentHash::of(token.secret()), scopes)
        .await
        .unwrap();
    token
}

/// A package whose content differs with `seed`.
pub(crate) fn package(seed: u8) -> NewPackage {
    NewPackage {
        content_hash: ContentHash::of(&[seed]),
        archive_sha256: ContentHash::of(&[seed, 0]),
        archive_size: ByteSize::kib(1),
        name: "Sum".into(),
        time_limit: Duration::from_millis(1500),
        memory_limit: ByteSize::mib(256),
        code_limit: ByteSize::kib(128),
        testcases: 2,
        language_codes: None,
        has_rules: false,
        takes_outputs: false,
    }
}

pub(crate) fn run(testcase: &str, verdict: Verdict) -> RunReport {
    RunReport {
        testcase: testcase.into(),
        verdict,
        cpu_time_ms: 12,
        wall_time_ms: 20,
        memory_bytes: 3_000_000,
        exit: Exit::Exited { code: 0 },
        kill_cause: None,
        message: None,
        team_message: None,
        award: None,
        failure: None,
        difference: None,
        transcripts: Vec::new(),
        key: None,
        reused_from: None,
        key_parts: None,
        validated_again: None,
    }
}

pub(crate) fn compiled() -> CompileReport {
    CompileReport {
        success: true,
        cached: false,
        cpu_time_ms: 900,
        wall_time_ms: 1000,
        memory_bytes: 100_000_000,
        output: String::new(),
    }
}

pub(crate) fn finished(worker_id: WorkerId, held: HeldJudgement, verdict: Verdict) -> WorkerReport {
    let runs = vec![run("sample/1", Verdict::Ac), run("secret/1", verdict)];
    let outcome = Judged::Verdict {
        verdict,
        compile: compiled(),
        runs,
        score: None,
        groups: Vec::new(),
        audit: None,
        provenance: Some(Box::new(provenance())),
        outputs: Vec::new(),
    };
    report_of(worker_id, held, outcome)
}

/// What a worker may say of a verdict's origin.
pub(crate) fn provenance() -> Provenance {
    Provenance {
        language: "cpp20".into(),
        language_entry: Some(ContentHash::of(b"entry")),
        // No compiler of ours does that.
        compiler_version: Some("g++ 12\0".into()),
        compiler: Some(ContentHash::of(b"g++")),
        sources: ContentHash::of(b"sources"),
        recipe: Some(ContentHash::of(b"recipe")),
        executable: Some(ContentHash::of(b"program")),
        policy: Some(ContentHash::of(b"policy")),
        limits: Some(RunLimits {
            cpu_time_ms: 1500,
            memory_bytes: 256 << 20,
            output_bytes: 8 << 20,
            processes: 64,
        }),
        stop: Some(assize_common::Stop::FirstFailure),
        host: Host::default(),
    }
}

pub(crate) fn judging_error(worker_id: WorkerId, held: HeldJudgement) -> WorkerReport {
    let reason = "the jail did not start".to_owned();
    report_of(worker_id, held, Judged::JudgingError { reason })
}

fn report_of(worker_id: WorkerId, judgement: HeldJudgement, outcome: Judged) -> WorkerReport {
    WorkerReport {
        worker_id,
        report: Report::Finished(Box::new(Finished {
            judgement,
            started_at: Utc::now(),
            finished_at: Utc::now(),
            outcome,
        })),
    }
}
