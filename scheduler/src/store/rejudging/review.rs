//! A rejudging's submissions before and after, for reviews.

use std::collections::HashMap;
use std::collections::HashSet;
use std::sync::Arc;

use assize_common::Score;
use assize_common::api::{MemberJudgement, RejudgingMember, RepeatedRun};
use assize_common::id::{RejudgingId, SubmissionId};
use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::super::{Store, StoreError, row};
use crate::review::{Judged, Member, Outcome, Reviewed, Sent};

const ATTEMPT: &str = "review a rejudging";

/// More flaky test cases tell nothing new.
const MOST_FLAKY: i64 = 1000;
const MOST_SPREAD: i64 = 10;

/// Texts that many rows have in common, each kept once.
#[derive(Default)]
struct Texts(HashSet<Arc<str>>);

impl Texts {
    fn keep(&mut self, text: String) -> Arc<str> {
        if let Some(known) = self.0.get(text.as_str()) {
            return Arc::clone(known);
        }
        let text: Arc<str> = text.into();
        self.0.insert(Arc::clone(&text));
        text
    }
}

impl Store {
    /// Reads what a review is counted from, all as of one moment.
    ///
    /// # Errors
    /// When the database can't be reached.
    pub(crate) async fn rejudging_review_rows(
        &self,
        id: RejudgingId,
    ) -> Result<Reviewed, StoreError> {
        let mut snapshot = self.begin_snapshot().await?;
        let mut texts = Texts::default();
        let members = sqlx::query!(
            r#"SELECT s.id, s.contest, s.team, p.short_name AS problem, s.submitted_at,
                   o.state AS old_state, o.verdict AS old_verdict, o.score::text AS old_score,
                   o.max_cpu_time_ms AS old_time,
                   n.state AS "new_state?", n.verdict AS new_verdict, n.score::text AS new_score,
                   n.max_cpu_time_ms AS new_time, n.worker_id AS worker
               FROM rejudging_members m
               JOIN submissions s ON s.id = m.submission_id
               JOIN problems p ON p.id = s.problem_id
               JOIN judgements o ON o.id = m.old_judgement_id
               LEFT JOIN judgements n
                   ON n.rejudging_id = m.rejudging_id AND n.submission_id = m.submission_id AND n.repetition = 1
               WHERE m.rejudging_id = $1"#,
            id.as_uuid()
        )
        .fetch_all(&mut *snapshot)
        .await
        .map_err(StoreError::on(ATTEMPT))?;
        let others = sqlx::query!(
            r#"WITH contests AS (
                   SELECT DISTINCT s.contest FROM rejudging_members m JOIN submissions s ON s.id = m.submission_id
                   WHERE m.rejudging_id = $1 AND s.contest IS NOT NULL
               )
               SELECT s.id, s.contest, s.team, p.short_name AS problem, s.submitted_at,
                   j.state, j.verdict, j.score::text AS score
               FROM submissions s
               JOIN problems p ON p.id = s.problem_id
               JOIN judgements j ON j.submission_id = s.id AND j.is_current
               WHERE s.contest IN (SELECT contest FROM contests) AND NOT EXISTS (
                   SELECT FROM rejudging_members m WHERE m.rejudging_id = $1 AND m.submission_id = s.id
               )"#,
            id.as_uuid()
        )
        .fetch_all(&mut *snapshot)
        .await
        .map_err(StoreError::on(ATTEMPT))?;

        let mut reviewed = Reviewed::default();
        for row in members {
            let new_state = row.new_state.as_deref().unwrap_or("queued");
            reviewed.members.push(Member {
                sent: sent(
                    &mut texts,
                    row.id,
                    row.contest,
                    row.team,
                    row.problem,
                    row.submitted_at,
                ),
                old: judged(&row.old_state, row.old_verdict, row.old_score, row.old_time)?,
                new: judged(new_state, row.new_verdict, row.new_score, row.new_time)?,
                worker: row.worker,
            });
        }
        for row in others {
            reviewed.others.push((
                sent(
                    &mut texts,
                    row.id,
                    row.contest,
                    row.team,
                    row.problem,
                    row.submitted_at,
                ),
                judged(&row.state, row.verdict, row.score, None)?,
            ));
        }
        Ok(reviewed)
    }

    /// Lists the names of workers, by id.
    ///
    /// # Errors
    /// When the database can't be reached.
    pub(crate) async fn worker_name_list(
        &self,
        ids: &[Uuid],
    ) -> Result<HashMap<Uuid, String>, StoreError> {
        let rows = sqlx::query!("SELECT id, name FROM workers WHERE id = ANY($1)", ids)
            .fetch_all(&self.pool)
            .await
            .map_err(StoreError::on(ATTEMPT))?;
        Ok(rows.into_iter().map(|row| (row.id, row.name)).collect())
    }

    /// Lists test cases whose verdict differs between a rejudging's repetitions, and
    /// those whose CPU time differs most.
    ///
    /// # Errors
    /// When the database can't be reached.
    pub(crate) async fn rejudging_list_repeated(
        &self,
        id: RejudgingId,
    ) -> Result<(Vec<RepeatedRun>, Vec<RepeatedRun>), StoreError> {
        let flaky = self.repeated_runs(id, true, MOST_FLAKY).await?;
        let spread = self.repeated_runs(id, false, MOST_SPREAD).await?;
        Ok((flaky, spread))
    }

    async fn repeated_runs(
        &self,
        id: RejudgingId,
        flaky: bool,
        limit: i64,
    ) -> Result<Vec<RepeatedRun>, StoreError> {
        let rows = sqlx::query!(
            r#"SELECT j.submission_id, r.testcase, array_agg(r.verdict ORDER BY j.repetition) AS "verdicts!",
                   min(r.cpu_time_ms) AS "least!", max(r.cpu_time_ms) AS "most!"
               FROM judgements j JOIN runs r ON r.judgement_id = j.id
               WHERE j.rejudging_id = $1
               GROUP BY 1, 2
               HAVING count(*) > 1 AND (NOT $2 OR count(DISTINCT r.verdict) > 1)
               ORDER BY max(r.cpu_time_ms) - min(r.cpu_time_ms) DESC, 1, 2 LIMIT $3"#,
            id.as_uuid(),
            flaky,
            limit
        )
        .fetch_all(&self.pool)
        .await
        .map_err(StoreError::on(ATTEMPT))?;
        rows.into_iter()
            .map(|row| {
                let verdicts = row.verdicts.iter();
                Ok(RepeatedRun {
                    submission_id: row.submission_id.into(),
                    testcase: row.testcase,
                    verdicts: verdicts
                        .map(|verdict| row::named("a verdict", verdict))
                        .collect::<Result<_, _>>()?,
                    min_cpu_time_ms: row::count("a CPU time", row.least)?,
                    max_cpu_time_ms: row::count("a CPU time", row.most)?,
                })
            })
            .collect()
    }

    /// Lists at most `limit` of a rejudging's submissions from the one after `after`
    /// on: all, those whose result or score is another one, or `only` one.
    ///
    /// # Errors
    /// When the database can't be reached.
    pub async fn rejudging_member_list(
        &self,
        id: RejudgingId,
        changed_only: bool,
        only: Option<SubmissionId>,
        after: Option<SubmissionId>,
        limit: u32,
    ) -> Result<Vec<RejudgingMember>, StoreError> {
        let rows = sqlx::query!(
            r#"SELECT s.id, s.contest, s.team, p.short_name AS problem, s.language_id, s.submitted_at,
                   o.id AS old_id, o.state AS old_state, o.verdict AS old_verdict, o.score::text AS old_score,
                   o.max_cpu_time_ms AS old_time, o.max_memory_bytes AS old_memory,
                   n.id AS "new_id?", n.state AS "new_state?", n.verdict AS new_verdict, n.score::text AS new_score,
                   n.max_cpu_time_ms AS new_time, n.max_memory_bytes AS new_memory
               FROM rejudging_members m
               JOIN submissions s ON s.id = m.submission_id
               JOIN problems p ON p.id = s.problem_id
               JOIN judgements o ON o.id = m.old_judgement_id
               LEFT JOIN judgements n
                   ON n.rejudging_id = m.rejudging_id AND n.submission_id = m.submission_id AND n.repetition = 1
               WHERE m.rejudging_id = $1 AND ($3::uuid IS NULL OR m.submission_id > $3)
                 AND (NOT $2 OR n.state = 'done'
                     AND (o.state, o.verdict, o.score) IS DISTINCT FROM (n.state, n.verdict, n.score))
                 AND ($5::uuid IS NULL OR m.submission_id = $5)
               ORDER BY m.submission_id LIMIT $4"#,
            id.as_uuid(),
            changed_only,
            after.map(SubmissionId::as_uuid),
            i64::from(limit),
            only.map(SubmissionId::as_uuid)
        )
        .fetch_all(&self.pool)
        .await
        .map_err(StoreError::on("list a rejudging's submissions"))?;
        rows.into_iter()
            .map(|row| {
                let old = judged(&row.old_state, row.old_verdict, row.old_score, row.old_time)?;
                let new = match (row.new_id, &row.new_state) {
                    (Some(id), Some(state)) => {
                        let new = judged(state, row.new_verdict, row.new_score, row.new_time)?;
                        Some(member_judgement(id, new, row.new_memory)?)
                    }
                    _ => None,
                };
                Ok(RejudgingMember {
                    submission_id: row.id.into(),
                    contest: row.contest,
                    team: row.team,
                    problem: row.problem,
                    language: row.language_id,
                    submitted_at: row.submitted_at,
                    old: member_judgement(row.old_id, old, row.old_memory)?,
                    new,
                })
            })
            .collect()
    }
}

fn member_judgement(
    id: Uuid,
    judged: Judged,
    memory: Option<i64>,
) -> Result<MemberJudgement, StoreError> {
    let count = |value: Option<i64>| {
        let value = value.map(|value| row::count("a time or memory peak", value));
        value.transpose()
    };
    Ok(MemberJudgement {
        id: id.into(),
        result: judged.outcome.name().to_owned(),
        score: judged.score,
        max_cpu_time_ms: count(judged.cpu_time_ms)?,
        max_memory_bytes: count(memory)?,
    })
}

fn sent(
    texts: &mut Texts,
    id: Uuid,
    contest: Option<String>,
    team: Option<String>,
    problem: String,
    submitted_at: DateTime<Utc>,
) -> Sent {
    Sent {
        submission_id: id.into(),
        contest: contest.map(|contest| texts.keep(contest)),
        team: team.map(|team| texts.keep(team)),
        problem: texts.keep(problem),
        submitted_at,
    }
}

fn judged(
    state: &str,
    verdict: Option<String>,
    score: Option<String>,
    cpu_time_ms: Option<i64>,
) -> Result<Judged, StoreError> {
    let outcome = match (state, verdict) {
        (_, Some(verdict)) => Outcome::Verdict(row::named("a verdict", &verdict)?),
        ("error", None) => Outcome::JudgingError,
        _ => Outcome::Open,
    };
    let score: Option<Score> = score
        .map(|score| row::named("a score", &score))
        .transpose()?;
    Ok(Judged {
        outcome,
        score,
        cpu_time_ms,
    })
}
