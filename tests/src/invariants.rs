//! What must hold of the database whatever happened, once nothing is under way.

use assize_scheduler::store::Store;
use sqlx::PgPool;

use crate::system::{PAUSE, patiently};

/// A statement that finds what breaks a rule, and the rule.
const RULES: [(&str, &str); 9] = [
    (
        "every submission has one current judgement",
        "SELECT s.id::text FROM submissions s LEFT JOIN judgements j ON j.submission_id = s.id AND j.is_current
         GROUP BY s.id HAVING count(j.id) <> 1",
    ),
    (
        "every judgement that counts ended in a verdict",
        "SELECT id::text || ' is ' || state || coalesce(': ' || error, '') FROM judgements
         WHERE is_current AND state <> 'done'",
    ),
    (
        "every submission has source files",
        "SELECT s.id::text FROM submissions s WHERE NOT EXISTS (SELECT FROM submission_files f WHERE f.submission_id = s.id)",
    ),
    (
        "runs are of the attempt that decided",
        "SELECT j.id::text FROM runs r JOIN judgements j ON j.id = r.judgement_id WHERE r.attempt <> j.attempt",
    ),
    (
        // Where points are added up, a group may end early and others go on. Static validation is told as a run.
        "runs are not more than test cases, and numbered without gaps where there are no points",
        "SELECT j.id::text FROM runs r JOIN judgements j ON j.id = r.judgement_id
         GROUP BY j.id HAVING (count(*) <> max(r.ordinal) + 1 AND NOT EXISTS (
             SELECT FROM judgements p WHERE p.package_id = j.package_id AND p.score IS NOT NULL
         )) OR count(*) FILTER (WHERE r.testcase NOT LIKE '%(static validation)') > j.testcases_total",
    ),
    (
        "who was accepted, not for points, passed every test case",
        "SELECT j.id::text FROM judgements j LEFT JOIN runs r ON r.judgement_id = j.id
         WHERE j.verdict = 'AC' AND j.score IS NULL GROUP BY j.id HAVING count(*) FILTER (WHERE r.verdict = 'AC') <> j.testcases_total",
    ),
    (
        "who was not accepted failed a test case with that verdict, or did not compile and ran none",
        "SELECT j.id::text FROM judgements j LEFT JOIN runs r ON r.judgement_id = j.id
         WHERE j.verdict <> 'AC' GROUP BY j.id
         HAVING count(*) FILTER (WHERE r.verdict = j.verdict) = 0 AND (j.verdict <> 'CE' OR count(r.ordinal) > 0)",
    ),
    (
        "every task was published",
        "SELECT judgement_id::text || ', attempt ' || attempt FROM outbox",
    ),
    (
        "who has a verdict knows who judged it, and that worker registered",
        "SELECT j.id::text FROM judgements j LEFT JOIN workers w ON w.id = j.worker_id WHERE w.id IS NULL AND j.state = 'done'",
    ),
];

/// Fails with everything that breaks a rule, once nothing is to be sent any more.
/// `submissions` is how many there must be.
///
/// # Panics
/// When a rule is broken, or the database does not answer.
pub async fn assert_hold(database: &PgPool, submissions: usize) {
    sent(database).await;
    let mut findings = Vec::new();
    for (rule, statement) in RULES {
        let broken: Vec<String> = sqlx::query_scalar(statement)
            .fetch_all(database)
            .await
            .unwrap_or_else(|error| panic!("cannot check that {rule}: {error}"));
        findings.extend(broken.iter().map(|finding| format!("{rule}: {finding}")));
    }
    let rules = Store::from_pool(database.clone());
    let violations = rules.invariant_check(true).await.unwrap();
    findings.extend(violations.iter().map(|found| format!("{found:?}")));
    let stored: i64 = sqlx::query_scalar("SELECT count(*) FROM submissions")
        .fetch_one(database)
        .await
        .unwrap();
    if usize::try_from(stored) != Ok(submissions) {
        findings.push(format!(
            "{submissions} submissions were accepted, {stored} are stored"
        ));
    }
    assert!(findings.is_empty(), "{}", findings.join("\n"));
}

/// Waits until everything was sent. A relay that lost the broker between a task's
/// arrival and the confirmation sends it again, maybe after its verdict; and where there
/// are several workers, a close call is judged once more after it.
async fn sent(database: &PgPool) {
    let sent = patiently(PAUSE, async || {
        let left: Result<i64, _> = sqlx::query_scalar(
            "SELECT (SELECT count(*) FROM outbox)
                 + (SELECT count(*) FROM judgements WHERE confirms IS NOT NULL AND state IN ('queued', 'running'))",
        )
        .fetch_one(database)
        .await;
        matches!(left, Ok(0)).then_some(())
    });
    // What is left then, the rules name.
    sent.await.unwrap_or_default();
}
