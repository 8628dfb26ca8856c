//! Flags.

use assize_common::api::{Escalation, Flag, FlagScope};
use assize_common::id::{JudgementId, SubmissionId, TokenId};
use assize_common::sandbox_choice::{SandboxFactors, choose_sandbox};
use assize_common::{Lane, SandboxChoice, Scrutiny};

use super::escalation::judgement_look_again;
use super::{Store, StoreError, row, scrutiny};

/// Flags on submissions that are listed, at most.
const LISTED: i64 = 500;

impl Store {
    /// Lists the flags on problems and teams, and those on the latest submissions.
    ///
    /// # Errors
    /// When the database can't be reached.
    pub async fn flag_list(&self) -> Result<Vec<Flag>, StoreError> {
        let rows = sqlx::query!(
            r#"(SELECT scope AS "scope!", subject AS "subject!", reason AS "reason!", scrutiny FROM flags
                ORDER BY scope, subject)
               UNION ALL
               (SELECT 'submission', id::text, flag, flag_scrutiny FROM submissions WHERE flag IS NOT NULL ORDER BY id DESC LIMIT $1)"#,
            LISTED
        )
        .fetch_all(&self.pool)
        .await
        .map_err(StoreError::on("list flags"))?;
        rows.into_iter()
            .map(|row| {
                Ok(Flag {
                    scope: row::named("a flag's scope", &row.scope)?,
                    subject: row.subject,
                    reason: row.reason,
                    scrutiny: scrutiny::read(row.scrutiny)?,
                })
            })
            .collect()
    }

    /// Flags a problem or a team, anew if it is flagged already.
    ///
    /// # Errors
    /// When the database can't be reached.
    pub async fn flag_set(
        &self,
        scope: FlagScope,
        subject: &str,
        reason: &str,
        scrutiny: &Scrutiny,
        flagged_by: TokenId,
    ) -> Result<(), StoreError> {
        sqlx::query!(
            "INSERT INTO flags (scope, subject, reason, flagged_by, scrutiny) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (scope, subject) DO UPDATE
             SET reason = EXCLUDED.reason, flagged_by = EXCLUDED.flagged_by, flagged_at = now(),
                 scrutiny = EXCLUDED.scrutiny",
            scope.name(),
            row::text(subject),
            row::text(reason),
            flagged_by.as_uuid(),
            scrutiny::column(scrutiny)?
        )
        .execute(&self.pool)
        .await
        .map(drop)
        .map_err(StoreError::on("set a flag"))
    }

    /// Takes the flag off a problem or a team. False if there was none.
    ///
    /// # Errors
    /// When the database can't be reached.
    pub async fn flag_remove(&self, scope: FlagScope, subject: &str) -> Result<bool, StoreError> {
        let removed = sqlx::query!(
            "DELETE FROM flags WHERE scope = $1 AND subject = $2",
            scope.name(),
            subject
        )
        .execute(&self.pool)
        .await
        .map_err(StoreError::on("take off a flag"))?;
        Ok(removed.rows_affected() > 0)
    }

    /// Flags a submission, and has it judged again if the judgement that counts was
    /// without ptrace or there is scrutiny: `Some(None)` if not, `None` if there is no such
    /// submission.
    ///
    /// # Errors
    /// When the database can't be reached.
    pub async fn submission_flag(
        &self,
        id: SubmissionId,
        reason: &str,
        scrutiny: &Scrutiny,
    ) -> Result<Option<Option<JudgementId>>, StoreError> {
        let mut transaction = self.begin().await?;
        let current = sqlx::query_scalar!(
            "WITH flagged AS (UPDATE submissions SET flag = $2, flag_scrutiny = $3 WHERE id = $1 RETURNING id)
             SELECT j.id FROM flagged JOIN judgements j ON j.submission_id = flagged.id AND j.is_current",
            id.as_uuid(),
            row::text(reason),
            scrutiny::column(scrutiny)?
        )
        .fetch_optional(&mut *transaction)
        .await
        .map_err(StoreError::on("flag a submission"))?;
        let Some(current) = current else {
            return Ok(None);
        };
        let choice = choose_sandbox(SandboxFactors {
            flag: Some(reason),
            ..SandboxFactors::default()
        });
        let escalation =
            judgement_look_again(&mut transaction, current.into(), &choice, scrutiny).await?;
        Self::commit(transaction).await?;
        Ok(Some(escalation))
    }

    /// Takes the flag off a submission. False if there was none.
    ///
    /// # Errors
    /// When the database can't be reached.
    pub async fn submission_unflag(&self, id: SubmissionId) -> Result<bool, StoreError> {
        let removed = sqlx::query!(
            "UPDATE submissions SET flag = NULL, flag_scrutiny = NULL WHERE id = $1 AND flag IS NOT NULL",
            id.as_uuid()
        )
        .execute(&self.pool)
        .await
        .map_err(StoreError::on("take the flag off a submission"))?;
        Ok(removed.rows_affected() > 0)
    }

    /// Lists the escalations and confirmations of a submission, the first one first.
    ///
    /// # Errors
    /// When the database can't be reached.
    pub async fn escalation_list(&self, id: SubmissionId) -> Result<Vec<Escalation>, StoreError> {
        let rows = sqlx::query!(
            r#"SELECT id, COALESCE(escalates, scrutinizes, confirms) AS "escalates!", state, verdict, sandbox_mode, sandbox_reason, created_at
               FROM judgements WHERE submission_id = $1 AND COALESCE(escalates, scrutinizes, confirms) IS NOT NULL
               ORDER BY id"#,
            id.as_uuid()
        )
        .fetch_all(&self.pool)
        .await
        .map_err(StoreError::on("list escalations"))?;
        rows.into_iter()
            .map(|row| {
                Ok(Escalation {
                    judgement_id: row.id.into(),
                    escalates: row.escalates.into(),
                    state: row::named("a judgement's state", &row.state)?,
                    verdict: row
                        .verdict
                        .map(|verdict| row::named("a verdict", &verdict))
                        .transpose()?,
                    sandbox: SandboxChoice {
                        mode: row::named("a sandbox", &row.sandbox_mode)?,
                        reason: row.sandbox_reason,
                    },
                    created_at: row.created_at,
                })
            })
            .collect()
    }

    /// Counts what waits to be published in the flagged lane, up to `limit`.
    ///
    /// # Errors
    /// When the database can't be reached.
    pub async fn flagged_count_waiting(&self, limit: u32) -> Result<u32, StoreError> {
        let waiting = sqlx::query_scalar!(
            r#"SELECT count(*) AS "waiting!" FROM (SELECT FROM outbox WHERE lane = $1 LIMIT $2) AS waiting"#,
            Lane::Flagged.name(),
            i64::from(limit)
        )
        .fetch_one(&self.pool)
        .await
        .map_err(StoreError::on("count what waits in the flagged lane"))?;
        row::count("a number of tasks", waiting)
    }
}
