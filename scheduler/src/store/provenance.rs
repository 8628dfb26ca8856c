//! Where a judgement comes from.

use assize_common::SandboxChoice;
use assize_common::api::{JudgementProvenance, JudgementStep, Overrides, ReusableJudgement};
use assize_common::id::JudgementId;

use super::outbox::{judged_as, source_files};
use super::run::run_list;
use super::{Store, StoreError, row, scrutiny};

const ATTEMPT: &str = "read where a judgement comes from";

impl Store {
    /// Reads what a judgement depends on and what became of it.
    ///
    /// # Errors
    /// When the database can't be reached.
    pub async fn provenance_read(
        &self,
        id: JudgementId,
    ) -> Result<Option<JudgementProvenance>, StoreError> {
        let read = sqlx::query!(
            r#"SELECT j.submission_id, p.short_name, v.version, v.archive_sha256, s.entry_point, s.language_id,
                   j.sandbox_mode, j.sandbox_reason, j.scrutiny, j.provenance, r.overrides AS "overrides?",
                   w.name AS "worker?"
               FROM judgements j
               JOIN submissions s ON s.id = j.submission_id
               JOIN problems p ON p.id = s.problem_id
               JOIN packages v ON v.id = j.package_id
               LEFT JOIN rejudgings r ON r.id = j.rejudging_id
               LEFT JOIN workers w ON w.id = j.worker_id
               WHERE j.id = $1"#,
            id.as_uuid()
        )
        .fetch_optional(&self.pool)
        .await
        .map_err(StoreError::on(ATTEMPT))?;
        let Some(read) = read else { return Ok(None) };
        let mut connection = self.pool.acquire().await.map_err(StoreError::on(ATTEMPT))?;
        let files = source_files(&mut connection, &[read.submission_id]).await?;
        let overrides: Overrides =
            row::json("a rejudging's settings", read.overrides)?.unwrap_or_default();
        Ok(Some(JudgementProvenance {
            judgement_id: id,
            submission_id: read.submission_id.into(),
            problem: read.short_name,
            package_version: row::count("a package's version", read.version)?,
            package_archive: row::hash("an archive's hash", read.archive_sha256)?,
            files: files.into_values().next().unwrap_or_default(),
            entry_point: read.entry_point,
            language: judged_as(overrides.language, read.language_id),
            limits: overrides.limits,
            sandbox: SandboxChoice {
                mode: row::named("a sandbox", &read.sandbox_mode)?,
                reason: read.sandbox_reason,
            },
            scrutiny: scrutiny::read(read.scrutiny)?,
            worker: read.worker,
            reported: row::json("a provenance", read.provenance)?,
            steps: self.judgement_step_list(id).await?,
        }))
    }

    /// Reads what may be taken over of a judgement.
    ///
    /// # Errors
    /// When the database can't be reached.
    pub async fn reusable_read(
        &self,
        id: JudgementId,
    ) -> Result<Option<ReusableJudgement>, StoreError> {
        let read = sqlx::query!(
            "SELECT compile, provenance, attempt FROM judgements WHERE id = $1",
            id.as_uuid()
        )
        .fetch_optional(&self.pool)
        .await
        .map_err(StoreError::on(ATTEMPT))?;
        let Some(read) = read else { return Ok(None) };
        Ok(Some(ReusableJudgement {
            compile: row::json("a compile report", read.compile)?,
            provenance: row::json("a provenance", read.provenance)?,
            runs: run_list(&self.pool, id, read.attempt).await?,
            outputs: self.output_list(id).await?,
        }))
    }

    async fn judgement_step_list(&self, id: JudgementId) -> Result<Vec<JudgementStep>, StoreError> {
        let rows = sqlx::query!(
            "SELECT at, attempt, to_state, lane, worker_id, reason FROM judgement_history
             WHERE judgement_id = $1 ORDER BY id",
            id.as_uuid()
        )
        .fetch_all(&self.pool)
        .await
        .map_err(StoreError::on(ATTEMPT))?;
        rows.into_iter()
            .map(|step| {
                Ok(JudgementStep {
                    at: step.at,
                    attempt: row::count("an attempt", step.attempt)?,
                    state: row::named("a judgement's state", &step.to_state)?,
                    lane: row::named("a lane", &step.lane)?,
                    worker_id: step.worker_id.map(Into::into),
                    reason: step.reason,
                })
            })
            .collect()
    }
}
