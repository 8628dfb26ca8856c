//! Turns: who has much waiting waits more.

use assize_common::Lane;
use assize_common::id::{JudgementId, SubmissionId, WorkerId};
use assize_common::message::{HandedBack, Report, Task, WorkerReport};
use sqlx::PgPool;

use crate::fixture::{Fixture, SETTINGS};
use crate::reports::apply_batch;
use crate::store::{NewStoredSubmission, outbox_claim};

/// Submits for teams in this order, one by one and again all together but the first
/// one, and returns the orders of their turns.
async fn orders_of_turns(fixture: &Fixture, teams: &[(&str, Option<&str>)]) -> [Vec<String>; 2] {
    let mut all = Vec::new();
    for (contest, team) in teams {
        let mut new = fixture.new_submission().await;
        new.contest = Some((*contest).to_owned()).filter(|contest| !contest.is_empty());
        new.team = team.map(Into::into);
        fixture.stored(&new).await;
        all.push(new);
    }
    let one_by_one = claimed_names(fixture, &all).await;
    fixture.execute("DELETE FROM outbox").await.unwrap();
    for new in &mut all {
        new.id = SubmissionId::generate();
        new.judgement_id = JudgementId::generate();
    }
    fixture.stored(&all[0]).await;
    let together = fixture.store.submission_list_create(&all[1..]).await;
    together.unwrap();
    [one_by_one, claimed_names(fixture, &all).await]
}

/// Contest, team and number of those that were submitted, in the order of their turns.
async fn claimed_names(fixture: &Fixture, submitted: &[NewStoredSubmission]) -> Vec<String> {
    let mut transaction = fixture.store.begin().await.unwrap();
    let claimed = outbox_claim(&mut transaction, Lane::Live, 1000, None, SETTINGS.lease)
        .await
        .unwrap();
    let tasks = claimed.into_iter().filter_map(|claimed| claimed.task);
    let name = |task: Task| {
        let of_task = |new: &NewStoredSubmission| new.judgement_id == task.judgement_id;
        let index = submitted.iter().position(of_task).unwrap();
        let (contest, team) = (&submitted[index].contest, &submitted[index].team);
        let contest = contest.as_deref().unwrap_or_default();
        format!("{contest} {} {index}", team.as_deref().unwrap_or("-"))
    };
    tasks.map(name).collect()
}

#[sqlx::test(migrations = "../migrations")]
async fn a_team_that_has_much_waiting_waits_more(pool: PgPool) {
    let fixture = Fixture::new(pool).await;
    let teams = ["flood", "flood", "flood", "seals", "seals", "owls"];
    let orders = orders_of_turns(&fixture, &teams.map(|team| ("finals", Some(team)))).await;
    for order in orders {
        assert_eq!(
            order,
            [
                "finals flood 0",
                "finals seals 3",
                "finals owls 5",
                "finals flood 1",
                "finals seals 4",
                "finals flood 2"
            ]
        );
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn a_contest_that_has_much_waiting_waits_more(pool: PgPool) {
    let fixture = Fixture::new(pool).await;
    let names: Vec<String> = (0..40).map(|team| format!("team {team}")).collect();
    let mut teams: Vec<_> = names
        .iter()
        .map(|team| ("large", Some(team.as_str())))
        .collect();
    teams.push(("small", Some("seals")));
    // Of no contest and no team: nobody's turn but its own.
    teams.push(("", None));
    teams.push(("", None));
    for order in orders_of_turns(&fixture, &teams).await {
        let place = |name: &str| order.iter().position(|other| other == name).unwrap();
        assert!(place("small seals 40") < 20, "{order:?}");
        assert!(place(" - 42") < 20, "{order:?}");
        let large: Vec<_> = order
            .iter()
            .filter(|name| name.starts_with("large"))
            .collect();
        let number = |name: &str| name.rsplit(' ').next().unwrap().parse::<u32>().unwrap();
        assert!(large.is_sorted_by_key(|name| number(name)));
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn a_new_attempt_has_its_turn_at_once(pool: PgPool) {
    let fixture = Fixture::new(pool).await;
    let (_, first) = fixture.submit().await;
    for _ in 0..3 {
        fixture.submit().await;
    }
    let handed_back = WorkerReport {
        worker_id: WorkerId::generate(),
        report: Report::HandedBack(HandedBack {
            judgement: first,
            reason: "draining".into(),
            earlier_deliveries: 0,
            unsuited: false,
        }),
    };
    apply_batch(&fixture.store, &[&handed_back], SETTINGS)
        .await
        .unwrap();
    let mut transaction = fixture.store.begin().await.unwrap();
    let claimed = outbox_claim(&mut transaction, Lane::Live, 10, None, SETTINGS.lease)
        .await
        .unwrap();
    let tasks: Vec<_> = claimed
        .iter()
        .filter_map(|claimed| claimed.task.as_ref())
        .collect();
    assert_eq!(
        (tasks[0].judgement_id, tasks[0].attempt),
        (first.judgement_id, 2)
    );
}
