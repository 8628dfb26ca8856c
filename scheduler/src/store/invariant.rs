//! What must hold of the database at any time, and once nothing is under way.
//!
//! Used by tests after every fault and by admins who want to know. Reads only;
//! each rule is one statement over whole tables, so not for a busy installation's
//! every minute.

use sqlx::PgConnection;

use super::{Store, StoreError};

/// At most so many violations of one rule are listed.
const LISTED: i64 = 20;

const ATTEMPT: &str = "check the invariants";

/// When a rule holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Holds {
    /// In every committed state.
    Always,
    /// When every submission is judged and every message is answered.
    AtRest,
}

/// A rule: a statement that lists what violates it.
struct Rule {
    name: &'static str,
    holds: Holds,
    /// Selects two texts: what it is about, and what is wrong with it.
    violations: &'static str,
}

/// Something that must not be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The rule's name.
    pub rule: &'static str,
    /// What it is about, such as a judgement's id.
    pub subject: String,
    /// What is wrong.
    pub detail: String,
}

const RULES: &[Rule] = &[
    Rule {
        name: "one current judgement for each submission",
        holds: Holds::Always,
        violations: "SELECT s.id::text, 'has ' || count(j.id) || ' current judgements'
             FROM submissions s LEFT JOIN judgements j ON j.submission_id = s.id AND j.is_current
             GROUP BY s.id HAVING count(j.id) <> 1",
    },
    Rule {
        name: "runs belong to the attempt that decided",
        holds: Holds::Always,
        violations: "SELECT j.id::text, 'is ' || j.state || ' at attempt ' || j.attempt || ' and has runs of ' || r.attempt
             FROM judgements j JOIN (SELECT DISTINCT judgement_id, attempt FROM runs) r ON r.judgement_id = j.id
             WHERE j.state <> 'done' OR r.attempt <> j.attempt",
    },
    Rule {
        name: "runs are complete",
        holds: Holds::Always,
        violations: "SELECT judgement_id::text, count(*) || ' runs, the last one of ordinal ' || max(ordinal)
             FROM runs GROUP BY judgement_id, attempt HAVING count(*) <> max(ordinal) + 1",
    },
    Rule {
        name: "a verdict that needs runs has them",
        holds: Holds::Always,
        violations: "SELECT id::text, verdict || ' without a run' FROM judgements j
             WHERE state = 'done' AND verdict <> 'CE' AND NOT EXISTS (SELECT FROM runs r WHERE r.judgement_id = j.id)",
    },
    Rule {
        name: "nothing is asked for that is yet to come",
        holds: Holds::Always,
        violations: "SELECT j.id::text, 'attempt ' || o.attempt || ' is in the outbox at attempt ' || j.attempt
             FROM outbox o JOIN judgements j ON j.id = o.judgement_id WHERE o.attempt > j.attempt",
    },
    Rule {
        name: "every step is legal",
        holds: Holds::Always,
        violations: "SELECT judgement_id::text, COALESCE(from_state, 'nothing') || ' at attempt '
                 || COALESCE(attempt_before::text, '-') || ' → ' || to_state || ' at attempt ' || attempt
             FROM (
                 SELECT *, lag(to_state) OVER life AS state_before, lag(attempt) OVER life AS attempt_before
                 FROM judgement_history WINDOW life AS (PARTITION BY judgement_id ORDER BY id)
             ) step
             WHERE from_state IS DISTINCT FROM state_before
                OR (from_state IS NOT NULL AND NOT CASE
                    WHEN from_state = 'queued' AND to_state = 'queued' THEN attempt = attempt_before + 1
                    WHEN from_state = 'running' AND to_state = 'queued' THEN attempt = attempt_before + 1
                    WHEN from_state IN ('queued', 'running') THEN attempt = attempt_before
                    ELSE false
                END)",
    },
    Rule {
        name: "the history ends where the judgement is",
        holds: Holds::Always,
        violations: "SELECT j.id::text, 'is ' || j.state || ' at attempt ' || j.attempt || ', its history says '
                 || COALESCE(h.to_state || ' at ' || h.attempt, 'nothing')
             FROM judgements j LEFT JOIN LATERAL (
                 SELECT to_state, attempt FROM judgement_history h WHERE h.judgement_id = j.id ORDER BY h.id DESC LIMIT 1
             ) h ON true
             WHERE (j.state, j.attempt) IS DISTINCT FROM (h.to_state, h.attempt)",
    },
    Rule {
        name: "a judgement ends once",
        holds: Holds::Always,
        violations: "SELECT judgement_id::text, 'ended ' || count(*) || ' times' FROM judgement_history
             WHERE to_state NOT IN ('queued', 'running') GROUP BY judgement_id HAVING count(*) > 1",
    },
    Rule {
        name: "results are where the last change led",
        holds: Holds::Always,
        violations: "SELECT s.submission_id::text, 'change ' || s.id || ' led to judgement ' || s.to_judgement_id
             FROM (SELECT DISTINCT ON (submission_id) * FROM result_changes ORDER BY submission_id, id DESC) s
             LEFT JOIN judgements j ON j.id = s.to_judgement_id AND j.is_current WHERE j.id IS NULL",
    },
    Rule {
        name: "a rejudging's judgement counts only once applied",
        holds: Holds::Always,
        violations: "SELECT j.id::text, 'counts without a change of rejudging ' || j.rejudging_id FROM judgements j
             WHERE j.is_current AND j.rejudging_id IS NOT NULL AND NOT EXISTS (
                 SELECT FROM result_changes r WHERE r.rejudging_id = j.rejudging_id AND r.to_judgement_id = j.id
             )",
    },
    Rule {
        name: "an open rejudging has its members, and what they had counts",
        holds: Holds::Always,
        violations: "SELECT c.submission_id::text, 'is claimed by rejudging ' || c.rejudging_id
             FROM rejudging_claims c
             LEFT JOIN rejudgings r ON r.id = c.rejudging_id AND r.state = 'open'
             LEFT JOIN rejudging_members m ON m.rejudging_id = r.id AND m.submission_id = c.submission_id
             LEFT JOIN judgements j ON j.id = m.old_judgement_id AND j.is_current
             WHERE j.id IS NULL",
    },
    Rule {
        name: "every member is open, applied or given up",
        holds: Holds::Always,
        violations: "SELECT r.id::text, 'is ' || r.state || ' with ' || r.submissions || ' submissions, ' || m.members
                 || ' members, ' || c.claims || ' claims, ' || r.applied || ' applied and ' || g.changes || ' changes'
             FROM rejudgings r,
             LATERAL (SELECT count(*) AS members FROM rejudging_members WHERE rejudging_id = r.id) m,
             LATERAL (SELECT count(*) AS claims FROM rejudging_claims WHERE rejudging_id = r.id) c,
             LATERAL (SELECT count(*) AS changes FROM result_changes WHERE rejudging_id = r.id) g
             WHERE r.submissions <> m.members
                OR r.state = 'open' AND r.submissions <> c.claims + r.applied
                OR g.changes <> r.applied * CASE r.state WHEN 'undone' THEN 2 ELSE 1 END",
    },
    Rule {
        name: "nothing is judged for a closed rejudging",
        holds: Holds::Always,
        violations: "SELECT j.id::text, 'is ' || j.state || ' for rejudging ' || r.id || ', which is ' || r.state
             FROM rejudgings r JOIN judgements j ON j.rejudging_id = r.id
             WHERE r.state <> 'open' AND j.state IN ('queued', 'running') AND NOT j.is_current",
    },
    Rule {
        name: "every rejudging was asked for",
        holds: Holds::AtRest,
        violations: "SELECT id::text, 'has members without a judgement' FROM rejudgings WHERE state = 'open' AND NOT fed",
    },
    Rule {
        name: "what others refer to is there",
        holds: Holds::Always,
        violations: "SELECT j.id::text, 'is of no submission or by no package' FROM judgements j
             WHERE NOT EXISTS (SELECT FROM submissions WHERE id = j.submission_id)
                OR NOT EXISTS (SELECT FROM packages WHERE id = j.package_id)
             UNION ALL
             SELECT s.id::text, 'is of no problem, language or token' FROM submissions s
             WHERE NOT EXISTS (SELECT FROM problems WHERE id = s.problem_id)
                OR NOT EXISTS (SELECT FROM languages WHERE id = s.language_id)
                OR NOT EXISTS (SELECT FROM tokens WHERE id = s.submitted_by)
             UNION ALL
             SELECT DISTINCT f.submission_id::text, 'has files and is not there' FROM submission_files f
             WHERE NOT EXISTS (SELECT FROM submissions WHERE id = f.submission_id)
             UNION ALL
             SELECT DISTINCT r.judgement_id::text, 'has runs and is not there' FROM runs r
             WHERE NOT EXISTS (SELECT FROM judgements WHERE id = r.judgement_id)
             UNION ALL
             SELECT o.judgement_id::text, 'has a task and is not there' FROM outbox o
             WHERE NOT EXISTS (SELECT FROM judgements WHERE id = o.judgement_id)",
    },
    Rule {
        name: "every submission is judged",
        holds: Holds::AtRest,
        violations: "SELECT id::text, 'is ' || state || ' at attempt ' || attempt FROM judgements
             WHERE state IN ('queued', 'running')",
    },
    Rule {
        name: "the outbox is empty",
        holds: Holds::AtRest,
        violations: "SELECT judgement_id::text, 'attempt ' || attempt || ' waits in the lane ' || lane FROM outbox",
    },
];

impl Store {
    /// Lists what must not be, a few examples for each broken rule. With
    /// `at_rest`, also what must not be once nothing is under way.
    ///
    /// # Errors
    /// When the database can't be reached.
    pub async fn invariant_check(&self, at_rest: bool) -> Result<Vec<Violation>, StoreError> {
        // All rules see the same state, or one that changes meanwhile would look broken.
        let mut snapshot = self.begin_snapshot().await?;
        violation_list(&mut snapshot, at_rest).await
    }
}

pub(super) async fn violation_list(
    connection: &mut PgConnection,
    at_rest: bool,
) -> Result<Vec<Violation>, StoreError> {
    let mut violations = Vec::new();
    for rule in RULES {
        if rule.holds == Holds::AtRest && !at_rest {
            continue;
        }
        let mut query = sqlx::QueryBuilder::<sqlx::Postgres>::new("SELECT * FROM (");
        query.push(rule.violations);
        query
            .push(") AS violation (subject, detail) LIMIT ")
            .push_bind(LISTED);
        let found: Vec<(String, String)> = query
            .build_query_as()
            .fetch_all(&mut *connection)
            .await
            .map_err(StoreError::on(ATTEMPT))?;
        violations.extend(found.into_iter().map(|(subject, detail)| Violation {
            rule: rule.name,
            subject,
            detail,
        }));
    }
    Ok(violations)
}
