//! Rejudgings: nothing of them counts before they are applied, all of it then,
//! and nothing again once they are undone.

use assize_common::api::{
    ApplyRejudging, FlagScope, JudgementState, NewRejudging, Overrides, PackageChoice,
    RejudgingState, Selection,
};
use assize_common::id::{JudgementId, RejudgingId, SubmissionId, WorkerId};
use assize_common::message::HeldJudgement;
use assize_common::scrutiny::AuditDetail;
use assize_common::{SandboxMode, Scrutiny, Verdict};
use sqlx::PgPool;

use crate::bell::Bells;
use crate::feeder::feed;
use crate::filter::{Filter, Scope};
use crate::fixture::{Fixture, SETTINGS, judging_error, package};
use crate::reports::apply_batch;
use crate::store::{
    Activation, CreatedRejudging, NewStoredRejudging, PackageProblem, Selected, SwitchRefusal,
    Switched, rejudging_feed,
};

const ALL: Filter = Filter::All;

fn asked(filter: &str) -> NewStoredRejudging {
    let new = NewRejudging {
        reason: "wrong answer file".into(),
        selection: Selection {
            filter: Some(filter.into()),
            submissions: Vec::new(),
        },
        overrides: Overrides::default(),
        skip_taken: false,
    };
    NewStoredRejudging {
        selected: Selected {
            filter: Filter::parse(filter, Scope::Submissions).unwrap(),
            submissions: Vec::new(),
        },
        new,
        created_by: uuid::Uuid::nil().into(),
        idempotency: None,
    }
}

impl Fixture {
    async fn import(&self, problem: &str, seed: u8) {
        let package = package(seed);
        let imported =
            self.store
                .problem_import(problem, &package, Activation::AtOnce, self.token_id);
        imported.await.unwrap();
    }

    async fn create(&self, new: NewStoredRejudging) -> CreatedRejudging {
        let new = NewStoredRejudging {
            created_by: self.token_id,
            ..new
        };
        self.store.rejudging_create(&new).await.unwrap()
    }

    /// Makes a rejudging and asks for its judgements.
    async fn rejudge(&self, filter: &str) -> RejudgingId {
        let CreatedRejudging::Stored(id) = self.create(asked(filter)).await else {
            panic!("nothing is in the way");
        };
        feed(&self.store, &Bells::default()).await.unwrap();
        id
    }

    /// The new judgements of a submission.
    async fn new_judgements(&self, rejudging: RejudgingId, id: SubmissionId) -> Vec<JudgementId> {
        let ids: Vec<uuid::Uuid> = sqlx::query_scalar(
            "SELECT id FROM judgements WHERE rejudging_id = $1 AND submission_id = $2 ORDER BY repetition",
        )
        .bind(rejudging.as_uuid())
        .bind(id.as_uuid())
        .fetch_all(&self.pool)
        .await
        .unwrap();
        ids.into_iter().map(JudgementId::from).collect()
    }

    /// A worker judges the submission for the rejudging.
    async fn rejudged(&self, rejudging: RejudgingId, id: SubmissionId, verdict: Verdict) {
        for judgement_id in self.new_judgements(rejudging, id).await {
            let held = HeldJudgement {
                judgement_id,
                attempt: 1,
            };
            self.report(held, verdict).await;
        }
    }

    async fn verdict(&self, id: SubmissionId) -> Option<Verdict> {
        let submission = self.store.submission_read(id).await.unwrap().unwrap();
        submission.judgement.verdict
    }

    async fn apply(&self, id: RejudgingId) -> Result<Switched, SwitchRefusal> {
        let asked = ApplyRejudging::default();
        let applied = self.store.rejudging_apply(id, &asked, &ALL, self.token_id);
        applied.await.unwrap()
    }

    async fn undo(&self, id: RejudgingId) -> Result<Switched, SwitchRefusal> {
        let undone = self.store.rejudging_undo(id, self.token_id);
        undone.await.unwrap()
    }

    async fn state(&self, id: RejudgingId) -> RejudgingState {
        self.store.rejudging_read(id).await.unwrap().unwrap().state
    }

    async fn sound(&self, at_rest: bool) {
        assert_eq!(self.store.invariant_check(at_rest).await.unwrap(), []);
    }
}

const fn switched(switched: u64, changed: u64) -> Switched {
    Switched { switched, changed }
}

#[sqlx::test(migrations = "../migrations")]
async fn nothing_counts_before_it_is_applied_and_nothing_after_it_is_undone(pool: PgPool) {
    let fixture = Fixture::new(pool).await;
    let a = fixture.judged("a", Verdict::Wa).await;
    let b = fixture.judged("b", Verdict::Ac).await;
    let id = fixture.rejudge("problem = sum").await;
    let read = fixture.store.rejudging_read(id).await.unwrap().unwrap();
    assert_eq!((read.progress.submissions, read.progress.waiting), (2, 2));
    assert_eq!(read.filter.as_deref(), Some("problem = sum"));
    assert_eq!(
        fixture.apply(id).await,
        Err(SwitchRefusal::Unfinished(2)),
        "nothing is judged"
    );

    fixture.rejudged(id, a, Verdict::Ac).await;
    fixture.rejudged(id, b, Verdict::Ac).await;
    assert_eq!(fixture.verdict(a).await, Some(Verdict::Wa));
    fixture.sound(false).await;

    assert_eq!(fixture.apply(id).await, Ok(switched(2, 1)));
    assert_eq!(fixture.verdict(a).await, Some(Verdict::Ac));
    assert_eq!(fixture.state(id).await, RejudgingState::Applied);
    assert_eq!(
        fixture.apply(id).await,
        Ok(switched(0, 0)),
        "the second time"
    );
    fixture.sound(false).await;

    assert_eq!(fixture.undo(id).await, Ok(switched(2, 1)));
    assert_eq!(fixture.verdict(a).await, Some(Verdict::Wa));
    assert_eq!(fixture.state(id).await, RejudgingState::Undone);
    assert_eq!(
        fixture.undo(id).await,
        Ok(switched(0, 0)),
        "the second time"
    );
    assert_eq!(
        fixture.apply(id).await,
        Err(SwitchRefusal::Closed(RejudgingState::Undone))
    );
    fixture.sound(false).await;

    let changes = fixture.store.result_change_list(0, 10).await.unwrap();
    let of_a: Vec<_> = changes
        .iter()
        .filter(|change| change.submission_id == a)
        .map(|change| (change.old_result.as_str(), change.new_result.as_str()))
        .collect();
    assert_eq!(of_a, [("WA", "AC"), ("AC", "WA")]);
    let subject = id.to_string();
    let actions = fixture.store.admin_action_list(Some(&subject), None, 10);
    let actions = actions.await.unwrap();
    let actions: Vec<_> = actions
        .iter()
        .map(|action| action.action.as_str())
        .collect();
    assert_eq!(
        actions,
        ["rejudging.undo", "rejudging.apply", "rejudging.create"]
    );
}

#[sqlx::test(migrations = "../migrations")]
async fn a_submission_is_in_one_open_rejudging(pool: PgPool) {
    let fixture = Fixture::new(pool).await;
    let a = fixture.judged("a", Verdict::Wa).await;
    let b = fixture.judged("b", Verdict::Wa).await;
    let first = fixture.rejudge("team = a").await;
    let all = asked("all");
    let CreatedRejudging::Taken(taken) = fixture.create(all.clone()).await else {
        panic!("a is taken");
    };
    assert_eq!((taken[0].rejudging_id, taken[0].submissions), (first, 1));
    let preview = fixture
        .store
        .rejudging_preview(&all.selected)
        .await
        .unwrap();
    assert_eq!((preview.submissions, preview.taken), (2, taken));
    assert_eq!(preview.groups[0].result, "WA");

    let mut rest = all;
    rest.new.skip_taken = true;
    let CreatedRejudging::Stored(second) = fixture.create(rest.clone()).await else {
        panic!("b is left");
    };
    assert_eq!(
        fixture.create(rest).await,
        CreatedRejudging::NothingSelected
    );
    feed(&fixture.store, &Bells::default()).await.unwrap();
    assert_eq!(fixture.new_judgements(second, a).await, []);

    // The first one is applied, and a third one builds on it.
    fixture.rejudged(first, a, Verdict::Ac).await;
    fixture.apply(first).await.unwrap();
    let third = fixture.rejudge("team = a").await;
    let Err(SwitchRefusal::Superseded(others)) = fixture.undo(first).await else {
        panic!("the third one has its submission");
    };
    assert_eq!(others[0].rejudging_id, third);
    fixture.rejudged(third, a, Verdict::Tle).await;
    fixture.apply(third).await.unwrap();
    assert!(matches!(
        fixture.undo(first).await,
        Err(SwitchRefusal::Superseded(_))
    ));
    fixture.sound(false).await;
    fixture.undo(third).await.unwrap();
    assert_eq!(fixture.verdict(a).await, Some(Verdict::Ac));
    fixture.undo(first).await.unwrap();
    assert_eq!(fixture.verdict(a).await, Some(Verdict::Wa));
    assert_eq!(fixture.verdict(b).await, Some(Verdict::Wa));
    fixture.sound(false).await;
}

#[sqlx::test(migrations = "../migrations")]
async fn a_cancelled_rejudging_leaves_no_trace_on_results(pool: PgPool) {
    let fixture = Fixture::new(pool).await;
    let a = fixture.judged("a", Verdict::Wa).await;
    let b = fixture.judged("b", Verdict::Wa).await;
    let id = fixture.rejudge("all").await;
    fixture.rejudged(id, a, Verdict::Ac).await;
    for _ in 0..2 {
        let cancelled = fixture.store.rejudging_cancel(id, fixture.token_id);
        assert_eq!(cancelled.await.unwrap(), Ok(()));
    }
    assert_eq!(fixture.state(id).await, RejudgingState::Cancelled);
    // A worker had it and did not know.
    fixture.rejudged(id, b, Verdict::Ac).await;
    for submission in [a, b] {
        assert_eq!(fixture.verdict(submission).await, Some(Verdict::Wa));
    }
    let [late] = fixture.new_judgements(id, b).await[..] else {
        panic!("it was asked for");
    };
    let late = fixture.store.judgement_read(late).await.unwrap().unwrap();
    assert_eq!(late.summary.state, JudgementState::Error);
    assert_eq!(
        fixture
            .count("SELECT count(*) FROM outbox WHERE lane = 'rejudge'")
            .await,
        0
    );
    assert_eq!(
        fixture.apply(id).await,
        Err(SwitchRefusal::Closed(RejudgingState::Cancelled))
    );
    assert_eq!(
        fixture.undo(id).await,
        Err(SwitchRefusal::Closed(RejudgingState::Cancelled))
    );
    fixture.sound(false).await;
    // Free for another one.
    fixture.rejudge("all").await;
}

#[sqlx::test(migrations = "../migrations")]
async fn a_part_is_applied_and_the_rest_later_or_never(pool: PgPool) {
    let fixture = Fixture::new(pool).await;
    let a = fixture.judged("a", Verdict::Wa).await;
    let b = fixture.judged("b", Verdict::Wa).await;
    let c = fixture.judged("c", Verdict::Wa).await;
    let id = fixture.rejudge("all").await;
    fixture.rejudged(id, a, Verdict::Ac).await;
    fixture.rejudged(id, b, Verdict::Ac).await;
    let apply = async |filter: &str, finished_only| {
        let asked = ApplyRejudging {
            filter: Some(filter.into()),
            finished_only,
        };
        let filter = Filter::parse(filter, Scope::Members).unwrap();
        let by = fixture.token_id;
        let applied = fixture.store.rejudging_apply(id, &asked, &filter, by);
        applied.await.unwrap()
    };
    assert_eq!(
        apply("team = c", false).await,
        Err(SwitchRefusal::Unfinished(1))
    );
    assert_eq!(apply("team = c", true).await, Err(SwitchRefusal::Nothing));
    assert_eq!(
        apply("team = a and new_verdict = AC", false).await,
        Ok(switched(1, 1))
    );
    assert_eq!(fixture.verdict(a).await, Some(Verdict::Ac));
    assert_eq!(fixture.verdict(b).await, Some(Verdict::Wa));
    assert_eq!(fixture.state(id).await, RejudgingState::Open);
    fixture.sound(false).await;
    assert_eq!(apply("all", true).await, Ok(switched(1, 1)));
    // What was applied is in the log as it was asked for.
    let subject = id.to_string();
    let actions = fixture.store.admin_action_list(Some(&subject), None, 2);
    let actions = actions.await.unwrap();
    let filters: Vec<_> = actions
        .iter()
        .map(|action| action.details["filter"].as_str())
        .collect();
    assert_eq!(
        filters,
        [Some("all"), Some("team = a and new_verdict = AC")]
    );
    let cancelled = fixture.store.rejudging_cancel(id, fixture.token_id);
    cancelled.await.unwrap().unwrap();
    assert_eq!(fixture.state(id).await, RejudgingState::Applied);
    let read = fixture.store.rejudging_read(id).await.unwrap().unwrap();
    assert_eq!((read.progress.applied, read.progress.waiting), (2, 0));
    fixture.sound(false).await;
    assert_eq!(fixture.undo(id).await, Ok(switched(2, 2)));
    for submission in [a, b, c] {
        assert_eq!(fixture.verdict(submission).await, Some(Verdict::Wa));
    }
    fixture.sound(false).await;
}

#[sqlx::test(migrations = "../migrations")]
async fn a_paused_rejudging_holds_everything_back(pool: PgPool) {
    let fixture = Fixture::new(pool).await;
    fixture.judged("a", Verdict::Wa).await;
    fixture.judged("b", Verdict::Wa).await;
    let fed = fixture.rejudge("team = a").await;
    let CreatedRejudging::Stored(unfed) = fixture.create(asked("team = b")).await else {
        panic!("nothing is in the way");
    };
    let pause = async |id, pause| {
        let paused = fixture.store.rejudging_pause(id, pause, fixture.token_id);
        paused.await.unwrap().unwrap();
    };
    let due =
        "SELECT count(*) FROM outbox WHERE lane = 'rejudge' AND not_before <= clock_timestamp()";
    pause(fed, true).await;
    pause(fed, true).await;
    pause(unfed, true).await;
    feed(&fixture.store, &Bells::default()).await.unwrap();
    assert_eq!(fixture.count(due).await, 0);
    assert!(
        fixture
            .store
            .rejudging_read(fed)
            .await
            .unwrap()
            .unwrap()
            .paused
    );
    // A worker had one before, and failed at it: the next attempt waits, too.
    let had = fixture.judged("c", Verdict::Wa).await;
    let third = fixture.rejudge("team = c").await;
    let [judgement_id] = fixture.new_judgements(third, had).await[..] else {
        panic!("it was asked for");
    };
    pause(third, true).await;
    let held = HeldJudgement {
        judgement_id,
        attempt: 1,
    };
    let failed = judging_error(WorkerId::generate(), held);
    apply_batch(&fixture.store, &[&failed], SETTINGS)
        .await
        .unwrap();
    let waits = "SELECT count(*) FROM outbox WHERE attempt = 2 AND not_before = 'infinity'";
    assert_eq!(fixture.count(waits).await, 1);
    pause(third, false).await;
    assert_eq!(fixture.count(waits).await, 0);
    let cancelled = fixture.store.rejudging_cancel(third, fixture.token_id);
    cancelled.await.unwrap().unwrap();

    pause(fed, false).await;
    pause(unfed, false).await;
    feed(&fixture.store, &Bells::default()).await.unwrap();
    assert_eq!(fixture.count(due).await, 2);
    fixture.sound(false).await;
}

#[sqlx::test(migrations = "../migrations")]
async fn a_rejudging_that_waits_keeps_no_other_waiting(pool: PgPool) {
    let fixture = Fixture::new(pool).await;
    for team in ["a", "a", "b"] {
        fixture.submit_of("finals", team).await;
    }
    for filter in ["team = a", "team = b"] {
        let created = fixture.create(asked(filter)).await;
        assert!(matches!(created, CreatedRejudging::Stored(_)));
    }
    let mut fed = Vec::new();
    for _ in 0..3 {
        fed.push(
            rejudging_feed(&fixture.store, 1, 1)
                .await
                .unwrap()
                .judgements,
        );
    }
    assert_eq!(fed, [1, 1, 0], "one of each, and no more while it waits");
}

#[sqlx::test(migrations = "../migrations")]
async fn judgements_are_made_as_asked_for(pool: PgPool) {
    let fixture = Fixture::new(pool).await;
    let a = fixture.judged("a", Verdict::Wa).await;
    fixture.import("sum", 2).await;
    let version = async |choice| {
        let mut new = asked("outdated = true");
        new.new.overrides = Overrides {
            package: choice,
            sandbox: Some(assize_common::SandboxMode::Ptrace),
            repeat: 3,
            ..Overrides::default()
        };
        let id = match fixture.create(new).await {
            CreatedRejudging::Stored(id) => id,
            other => return Err(other),
        };
        feed(&fixture.store, &Bells::default()).await.unwrap();
        let judgements = fixture.new_judgements(id, a).await;
        assert_eq!(judgements.len(), 3);
        let judgement = fixture.store.judgement_read(judgements[0]).await.unwrap();
        let judgement = judgement.unwrap();
        assert_eq!(judgement.summary.sandbox.mode.to_string(), "ptrace");
        let cancelled = fixture.store.rejudging_cancel(id, fixture.token_id);
        cancelled.await.unwrap().unwrap();
        Ok(judgement.package)
    };
    let [old, new] = [1, 2].map(|seed| package(seed).content_hash);
    assert_eq!(version(PackageChoice::Current).await, Ok(new));
    assert_eq!(version(PackageChoice::AsJudged).await, Ok(old));
    assert_eq!(version(PackageChoice::Version(1)).await, Ok(old));
    assert_eq!(
        version(PackageChoice::Version(3)).await,
        Err(CreatedRejudging::Package(PackageProblem::NoSuchVersion))
    );
    fixture.import("other", 1).await;
    let mut new = fixture.new_submission().await;
    let other = fixture.package_of("other").await.unwrap();
    (new.problem_id, new.package_id) = (other.problem_id, other.package_id);
    fixture.stored(&new).await;
    let mut several = asked("all");
    several.new.overrides.package = PackageChoice::Version(1);
    assert_eq!(
        fixture.create(several).await,
        CreatedRejudging::Package(PackageProblem::SeveralProblems)
    );
    fixture.sound(false).await;
}

#[sqlx::test(migrations = "../migrations")]
async fn repetitions_show_what_changes_from_run_to_run(pool: PgPool) {
    let fixture = Fixture::new(pool).await;
    let a = fixture.judged("a", Verdict::Ac).await;
    let mut new = asked("all");
    new.new.overrides.repeat = 2;
    let CreatedRejudging::Stored(id) = fixture.create(new).await else {
        panic!("nothing is in the way");
    };
    feed(&fixture.store, &Bells::default()).await.unwrap();
    let judgements = fixture.new_judgements(id, a).await;
    for (judgement_id, verdict) in judgements.into_iter().zip([Verdict::Ac, Verdict::Tle]) {
        assert_eq!(fixture.apply(id).await, Err(SwitchRefusal::Unfinished(1)));
        let held = HeldJudgement {
            judgement_id,
            attempt: 1,
        };
        fixture.report(held, verdict).await;
    }
    let (flaky, spread) = fixture.store.rejudging_list_repeated(id).await.unwrap();
    let [flaky] = &flaky[..] else {
        panic!("{flaky:?}");
    };
    assert_eq!(flaky.verdicts, [Verdict::Ac, Verdict::Tle]);
    assert_eq!(spread.len(), 2);
    assert_eq!(fixture.apply(id).await, Ok(switched(1, 0)));
    fixture.sound(false).await;
}

#[sqlx::test(migrations = "../migrations")]
async fn a_failed_judgement_is_never_applied(pool: PgPool) {
    let fixture = Fixture::new(pool).await;
    let a = fixture.judged("a", Verdict::Wa).await;
    let id = fixture.rejudge("all").await;
    fixture
        .execute("UPDATE judgements SET state = 'error', error = 'x', finished_at = now() WHERE NOT is_current")
        .await
        .unwrap();
    assert_eq!(fixture.apply(id).await, Err(SwitchRefusal::Unfinished(1)));
    let finished = ApplyRejudging {
        finished_only: true,
        ..ApplyRejudging::default()
    };
    let applied = fixture
        .store
        .rejudging_apply(id, &finished, &ALL, fixture.token_id);
    assert_eq!(applied.await.unwrap(), Err(SwitchRefusal::Nothing));
    assert_eq!(fixture.verdict(a).await, Some(Verdict::Wa));
}

/// What is stored while a package is replaced is either there for a rejudging
/// that follows, or judged by the new package.
#[sqlx::test(migrations = "../migrations")]
async fn no_submission_slips_between_an_import_and_its_rejudging(pool: PgPool) {
    let fixture = Fixture::new(pool).await;
    let new = fixture.new_submission().await;
    let rounds = 2_u8..30;
    for round in rounds.clone() {
        let storing = async {
            let mut stored = 0;
            for _ in 0..10 {
                let new = fixture.new_submission().await;
                let created = fixture.try_store(&new).await;
                stored += u32::from(created != crate::store::Created::PackageReplaced);
            }
            stored
        };
        let importing = async {
            fixture.import("sum", round).await;
            let CreatedRejudging::Stored(id) = fixture.create(asked("outdated = true")).await
            else {
                return;
            };
            let cancelled = fixture.store.rejudging_cancel(id, fixture.token_id);
            cancelled.await.unwrap().unwrap();
        };
        tokio::join!(storing, importing);
    }
    let created = fixture.try_store(&new).await;
    assert_eq!(created, crate::store::Created::PackageReplaced);
    // Each submission by an older package was selected after the next one had come.
    let slipped = fixture.count(
        "SELECT count(*) FROM submissions s
         JOIN judgements j ON j.submission_id = s.id AND j.is_current
         JOIN packages v ON v.id = j.package_id AND NOT v.is_current
         WHERE NOT EXISTS (SELECT FROM rejudging_members m WHERE m.submission_id = s.id)",
    );
    assert_eq!(slipped.await, 0);
    fixture.sound(false).await;
}

/// A result that is exchanged at that moment is what the rejudging starts from.
#[sqlx::test(migrations = "../migrations")]
async fn a_rejudging_starts_from_the_results_after_an_exchange(pool: PgPool) {
    let fixture = Fixture::new(pool.clone()).await;
    let a = fixture.judged("a", Verdict::Wa).await;
    let first = fixture.rejudge("all").await;
    fixture.rejudged(first, a, Verdict::Ac).await;
    // What applying does, held in the middle.
    let mut exchange = pool.begin().await.unwrap();
    for statement in [
        "SELECT pg_advisory_xact_lock(107148485425765)",
        "DELETE FROM rejudging_claims",
        "UPDATE judgements SET is_current = false WHERE is_current",
        "UPDATE judgements SET is_current = true WHERE rejudging_id IS NOT NULL",
    ] {
        sqlx::query(statement)
            .execute(&mut *exchange)
            .await
            .unwrap();
    }
    let store = fixture.store.clone();
    let new = NewStoredRejudging {
        created_by: fixture.token_id,
        ..asked("all")
    };
    let creating = tokio::spawn(async move { store.rejudging_create(&new).await });
    let waits = "SELECT count(*) FROM pg_stat_activity
         WHERE datname = current_database() AND wait_event_type = 'Lock'";
    while fixture.count(waits).await == 0 && !creating.is_finished() {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    exchange.commit().await.unwrap();
    let created = creating.await.unwrap().unwrap();
    assert!(
        matches!(created, CreatedRejudging::Stored(_)),
        "{created:?}"
    );
    let sound = "SELECT count(*) FROM rejudging_claims c
         JOIN rejudging_members m USING (rejudging_id, submission_id)
         JOIN judgements j ON j.id = m.old_judgement_id AND j.is_current";
    assert_eq!(fixture.count(sound).await, 1);
}

#[sqlx::test(migrations = "../migrations")]
async fn the_same_request_twice_finds_its_key_and_not_that_its_submissions_are_taken(pool: PgPool) {
    let fixture = Fixture::new(pool).await;
    fixture.judged("a", Verdict::Wa).await;
    let new = NewStoredRejudging {
        idempotency: Some(("key".into(), assize_common::ContentHash::of(b"request"))),
        ..asked("all")
    };
    let made = tokio::join!(fixture.create(new.clone()), fixture.create(new.clone()));
    let stored = |created: &CreatedRejudging| matches!(created, CreatedRejudging::Stored(_));
    assert!(stored(&made.0) != stored(&made.1), "{made:?}");
    for created in [made.0, made.1, fixture.create(new).await] {
        assert!(
            stored(&created) || created == CreatedRejudging::KeyTaken,
            "{created:?}"
        );
    }
    // One that comes to nothing does not use up its key.
    let nothing = NewStoredRejudging {
        idempotency: Some(("other".into(), assize_common::ContentHash::of(b"request"))),
        ..asked("team = nobody")
    };
    for _ in 0..2 {
        assert_eq!(
            fixture.create(nothing.clone()).await,
            CreatedRejudging::NothingSelected
        );
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn what_was_in_quarantine_is_rejudged_there(pool: PgPool) {
    let fixture = Fixture::new(pool).await;
    fixture.judged("a", Verdict::Wa).await;
    fixture.judged("b", Verdict::Wa).await;
    fixture
        .execute(
            "UPDATE judgements SET lane = 'quarantine' FROM submissions s
             WHERE s.id = submission_id AND s.team = 'b'",
        )
        .await
        .unwrap();
    fixture.rejudge("all").await;
    for table in [
        "judgements j",
        "judgements j JOIN outbox o ON o.judgement_id = j.id AND o.lane = j.lane",
    ] {
        let lanes: Vec<(String, i64)> = sqlx::query_as(sqlx::AssertSqlSafe(format!(
            "SELECT j.lane, count(*) FROM {table} WHERE NOT j.is_current GROUP BY 1 ORDER BY 1"
        )))
        .fetch_all(&fixture.pool)
        .await
        .unwrap();
        assert_eq!(lanes, [("quarantine".into(), 1), ("rejudge".into(), 1)]);
    }
}

/// Postgres must plan with judgements that did not exist moments ago.
#[sqlx::test(migrations = "../migrations")]
async fn postgres_knows_of_many_new_judgements_once_all_are_made(pool: PgPool) {
    let fixture = Fixture::new(pool).await;
    for team in 0..26 {
        fixture.judged(&format!("t{team}"), Verdict::Wa).await;
    }
    let mut new = asked("all");
    new.new.overrides.repeat = 40;
    let known = "SELECT count(*) FROM pg_stats
         WHERE tablename = 'judgements' AND attname = 'rejudging_id' AND null_frac < 0.5";
    assert_eq!(fixture.count(known).await, 0);
    fixture.create(new).await;
    feed(&fixture.store, &Bells::default()).await.unwrap();
    assert_eq!(fixture.count(known).await, 1);
}

#[sqlx::test(migrations = "../migrations")]
async fn the_flags_of_now_hold_for_new_judgements_under_ptrace(pool: PgPool) {
    let fixture = Fixture::new(pool).await;
    let scrutiny = |audit, layer: &str| Scrutiny {
        audit: Some(audit),
        observe: false,
        layers: vec![layer.to_owned()],
    };
    let once = scrutiny(AuditDetail::Summary, "# once");
    let mut new = fixture.new_submission().await;
    new.sandbox.mode = SandboxMode::Ptrace;
    new.scrutiny = once.clone();
    let id = fixture.stored(&new).await;
    fixture.report(fixture.held(id).await, Verdict::Ac).await;
    let looked_at = async |sandbox| {
        let mut new = asked("all");
        new.new.overrides.sandbox = sandbox;
        let CreatedRejudging::Stored(rejudging) = fixture.create(new).await else {
            panic!("nothing is in the way");
        };
        feed(&fixture.store, &Bells::default()).await.unwrap();
        let made = fixture.new_judgements(rejudging, id).await;
        let read = fixture.store.provenance_read(made[0]).await.unwrap();
        let cancelled = fixture.store.rejudging_cancel(rejudging, fixture.token_id);
        cancelled.await.unwrap().unwrap();
        read.unwrap().scrutiny
    };
    assert_eq!(looked_at(None).await, Scrutiny::default(), "it is off");

    let of_team = scrutiny(AuditDetail::Full, "# team");
    let of_problem = scrutiny(AuditDetail::Decisions, "# problem");
    for (scope, subject, scrutiny) in [
        (FlagScope::Team, "Seals", &of_team),
        (FlagScope::Team, "Others", &once),
        (FlagScope::Problem, "sum", &of_problem),
    ] {
        let flagged = fixture
            .store
            .flag_set(scope, subject, "why", scrutiny, fixture.token_id);
        flagged.await.unwrap();
    }
    assert_eq!(looked_at(None).await, of_team.join(of_problem));
    assert_eq!(
        looked_at(Some(SandboxMode::Unshare)).await,
        Scrutiny::default(),
        "nothing but a tracer could hold it"
    );
}
