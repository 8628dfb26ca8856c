//! New submissions: stored once, together with the first judgement and the wish to
//! have it judged.

use std::collections::HashMap;

use assize_common::api::{JudgementState, JudgementSummary, Submission};
use assize_common::id::{JudgementId, ProblemId, SubmissionId, TokenId};
use assize_common::message::SourceFile;
use assize_common::{ContentHash, Lane, SandboxChoice, Scrutiny};
use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::outbox::{CONTEST_STEP, TEAM_STEP};
use super::{Store, StoreError, row, scrutiny};

/// A submission that was found right, with its files in the blob store.
#[derive(Debug, Clone)]
pub struct NewStoredSubmission {
    /// Its id to be.
    pub id: SubmissionId,
    /// That of its first judgement.
    pub judgement_id: JudgementId,
    /// The problem.
    pub problem_id: ProblemId,
    /// The version of its package.
    pub package_id: Uuid,
    /// How many test cases it has.
    pub testcases: i32,
    /// An enabled language.
    pub language: String,
    /// The source files.
    pub files: Vec<SourceFile>,
    /// The entry point, if stated.
    pub entry_point: Option<String>,
    /// The contest, if stated.
    pub contest: Option<String>,
    /// The team, if stated.
    pub team: Option<String>,
    /// Why it is flagged, if it is.
    pub flag: Option<String>,
    /// The lane of its first judgement.
    pub lane: Lane,
    /// The sandbox of its first judgement.
    pub sandbox: SandboxChoice,
    /// What flags ask for besides.
    pub scrutiny: Scrutiny,
    /// Who sent it.
    pub submitted_by: TokenId,
    /// The client's key with the hash of its request.
    pub idempotency: Option<(String, ContentHash)>,
}

impl NewStoredSubmission {
    /// As it is read right after it was stored.
    #[must_use]
    pub fn stored(self, problem: String, submitted_at: DateTime<Utc>) -> Submission {
        Submission {
            id: self.id,
            problem,
            language: self.language,
            contest: self.contest,
            team: self.team,
            flag: self.flag,
            files: self.files.into_iter().map(|file| file.name).collect(),
            submitted_at,
            judgement: JudgementSummary {
                id: self.judgement_id,
                state: JudgementState::Queued,
                verdict: None,
                score: None,
                error: None,
                lane: self.lane,
                sandbox: self.sandbox,
                attempt: 1,
                testcases_done: 0,
                testcases_total: self.testcases.unsigned_abs(),
                max_cpu_time_ms: None,
                max_memory_bytes: None,
                started_at: None,
                finished_at: None,
            },
        }
    }
}

/// What came of storing a submission.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Created {
    /// It is stored, with its first judgement.
    Stored {
        /// Since when.
        submitted_at: DateTime<Utc>,
    },
    /// Another request with the same idempotency key came first.
    KeyTaken,
    /// The problem has another current package by now.
    PackageReplaced,
}

impl Store {
    /// Stores submissions, each with its first judgement, queued, and the outbox row
    /// that asks for it: all of them or nothing. The caller wakes the relay: a
    /// notification would make the commits of all submissions take turns.
    ///
    /// Only by the current package: whoever rejudges after an import finds every
    /// submission that was to be judged by the package before. Storing what is stored
    /// already changes nothing.
    ///
    /// # Errors
    /// When the database can't be reached; of several also when another request with the key of one of
    /// them came first, which only shows when it is tried alone.
    pub async fn submission_list_create(
        &self,
        new: &[NewStoredSubmission],
    ) -> Result<Vec<Created>, StoreError> {
        match self.submission_list_insert(new).await {
            Err(error) if new.len() == 1 && error.breaks("submissions_idempotency") => {
                Ok(vec![Created::KeyTaken])
            }
            // Whoever stores it has just done so, for somebody who was not told.
            Err(error) if new.len() == 1 && error.breaks("submissions_pkey") => {
                self.submission_list_insert(new).await
            }
            result => result,
        }
    }

    async fn submission_list_insert(
        &self,
        new: &[NewStoredSubmission],
    ) -> Result<Vec<Created>, StoreError> {
        let mut columns = Columns::default();
        for submission in new {
            columns.push(submission)?;
        }
        let files = FileColumns::of(new)?;
        // One statement, so one round trip: this is the path of every submission. What Postgres does for a
        // statement costs more than what it does for a row, so many together are far cheaper than each alone.
        //
        // The turns are those that the submissions would get one after the other. The team's k-th of them has
        // turn(k) = max(contest_turn(k), turn(k - 1) + TEAM_STEP), where turn(0) is the latest that waits; with
        // p(k) = turn(k) - k * TEAM_STEP that is p(k) = max(contest_turn(k) - k * TEAM_STEP, p(k - 1)): a running
        // maximum.
        let rows = sqlx::query!(
            r#"WITH new AS (
                   SELECT n.*, COALESCE(n.contest, '') AS of_contest, COALESCE(n.team, '') AS of_team
                   FROM UNNEST($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::integer[], $6::text[], $7::text[],
                           $8::text[], $9::text[], $10::text[], $11::text[], $12::text[], $13::text[], $14::jsonb[],
                           $15::uuid[], $16::text[], $17::bytea[])
                       WITH ORDINALITY AS n (id, judgement_id, problem_id, package_id, testcases, language, entry_point,
                           contest, team, flag, lane, sandbox_mode, sandbox_reason, scrutiny,
                           submitted_by, key, request_sha256, ordinal)
                   JOIN packages v ON v.id = n.package_id AND v.is_current
                   WHERE NOT EXISTS (SELECT FROM submissions s WHERE s.id = n.id)
               ), submission AS (
                   INSERT INTO submissions (id, problem_id, language_id, entry_point, contest, team, flag, submitted_by,
                       idempotency_key, request_sha256)
                   SELECT id, problem_id, language, entry_point, contest, team, flag, submitted_by, key, request_sha256
                   FROM new ORDER BY ordinal
               ), files AS (
                   INSERT INTO submission_files (submission_id, ordinal, name, sha256, size_bytes)
                   SELECT file.submission_id, file.ordinal, file.name, file.sha256, file.size_bytes
                   FROM UNNEST($18::uuid[], $19::integer[], $20::text[], $21::bytea[], $22::bigint[])
                       AS file (submission_id, ordinal, name, sha256, size_bytes)
                   JOIN new ON new.id = file.submission_id
               ), judgement AS (
                   INSERT INTO judgements (id, submission_id, package_id, is_current, lane, sandbox_mode, sandbox_reason,
                       testcases_total, scrutiny)
                   SELECT judgement_id, id, package_id, true, lane, sandbox_mode, sandbox_reason, testcases, scrutiny
                   FROM new ORDER BY ordinal
               ), contest AS (
                   SELECT busy.lane, busy.of_contest,
                       (SELECT max(contest_turn) FROM outbox o
                        WHERE o.lane = busy.lane AND o.contest = busy.of_contest AND o.contest <> '') AS latest
                   FROM (SELECT DISTINCT lane, of_contest FROM new) AS busy
               ), team AS (
                   SELECT busy.lane, busy.of_contest, busy.of_team,
                       (SELECT max(turn) FROM outbox o
                        WHERE o.lane = busy.lane AND o.contest = busy.of_contest AND o.team = busy.of_team
                          AND o.team <> '') AS latest
                   FROM (SELECT DISTINCT lane, of_contest, of_team FROM new) AS busy
               ), counted AS (
                   SELECT new.ordinal, new.judgement_id, new.lane, new.of_contest, new.of_team, contest.latest,
                       CASE WHEN new.of_contest = '' THEN 0
                            ELSE row_number() OVER (PARTITION BY new.lane, new.of_contest ORDER BY new.ordinal) - 1
                       END AS before
                   FROM new
                   JOIN contest ON contest.lane = new.lane AND contest.of_contest = new.of_contest
               ), placed AS (
                   SELECT counted.*,
                       GREATEST(statement_timestamp(), latest + make_interval(secs => $23))
                           + make_interval(secs => $23) * before AS contest_turn,
                       make_interval(secs => $24) * row_number() OVER of_one AS steps
                   FROM counted
                   WINDOW of_one AS (PARTITION BY lane, of_contest, of_team ORDER BY ordinal)
               )
               INSERT INTO outbox (judgement_id, attempt, lane, contest, team, contest_turn, turn)
               SELECT placed.judgement_id, 1, placed.lane, placed.of_contest, placed.of_team, placed.contest_turn,
                   CASE WHEN placed.of_team = '' THEN placed.contest_turn
                        ELSE GREATEST(team.latest,
                            max(placed.contest_turn - placed.steps) OVER of_one) + placed.steps
                   END
               FROM placed
               JOIN team ON team.lane = placed.lane AND team.of_contest = placed.of_contest
                   AND team.of_team = placed.of_team
               WINDOW of_one AS (PARTITION BY placed.lane, placed.of_contest, placed.of_team ORDER BY placed.ordinal)
               ORDER BY placed.ordinal
               RETURNING judgement_id, now() AS "submitted_at!""#,
            &columns.ids,
            &columns.judgement_ids,
            &columns.problem_ids,
            &columns.package_ids,
            &columns.testcases,
            &columns.languages,
            &columns.entry_points as &[Option<String>],
            &columns.contests as &[Option<String>],
            &columns.teams as &[Option<String>],
            &columns.flags as &[Option<String>],
            &columns.lanes,
            &columns.sandbox_modes,
            &columns.sandbox_reasons,
            &columns.scrutinies as &[Option<serde_json::Value>],
            &columns.submitted_by,
            &columns.keys as &[Option<String>],
            &columns.request_hashes as &[Option<Vec<u8>>],
            &files.submission_ids,
            &files.ordinals,
            &files.names,
            &files.hashes,
            &files.sizes,
            CONTEST_STEP,
            TEAM_STEP
        )
        .fetch_all(&self.dispatch)
        .await
        .map_err(StoreError::on("store submissions"))?;
        let mut stored: HashMap<_, _> = rows
            .into_iter()
            .map(|row| (row.judgement_id, row.submitted_at))
            .collect();
        if stored.len() < new.len() {
            // By another package, or stored already by somebody who was not told.
            let earlier = sqlx::query!(
                "SELECT j.id, s.submitted_at FROM submissions s JOIN judgements j ON j.submission_id = s.id
                 WHERE s.id = ANY($1)",
                &columns.ids
            )
            .fetch_all(&self.dispatch)
            .await
            .map_err(StoreError::on("read when submissions were stored"))?;
            stored.extend(earlier.into_iter().map(|row| (row.id, row.submitted_at)));
        }
        let created = |new: &NewStoredSubmission| match stored.get(&new.judgement_id.as_uuid()) {
            Some(&submitted_at) => Created::Stored { submitted_at },
            None => Created::PackageReplaced,
        };
        Ok(new.iter().map(created).collect())
    }
}

#[derive(Default)]
struct Columns {
    ids: Vec<Uuid>,
    judgement_ids: Vec<Uuid>,
    problem_ids: Vec<Uuid>,
    package_ids: Vec<Uuid>,
    testcases: Vec<i32>,
    languages: Vec<String>,
    entry_points: Vec<Option<String>>,
    contests: Vec<Option<String>>,
    teams: Vec<Option<String>>,
    flags: Vec<Option<String>>,
    lanes: Vec<String>,
    sandbox_modes: Vec<String>,
    sandbox_reasons: Vec<String>,
    scrutinies: Vec<Option<serde_json::Value>>,
    submitted_by: Vec<Uuid>,
    keys: Vec<Option<String>>,
    request_hashes: Vec<Option<Vec<u8>>>,
}

impl Columns {
    fn push(&mut self, new: &NewStoredSubmission) -> Result<(), StoreError> {
        let (key, hash) = new.idempotency.clone().unzip();
        self.ids.push(new.id.as_uuid());
        self.judgement_ids.push(new.judgement_id.as_uuid());
        self.problem_ids.push(new.problem_id.as_uuid());
        self.package_ids.push(new.package_id);
        self.testcases.push(new.testcases);
        self.languages.push(new.language.clone());
        self.entry_points.push(new.entry_point.clone());
        self.contests.push(new.contest.clone());
        self.teams.push(new.team.clone());
        self.flags.push(new.flag.clone());
        self.lanes.push(new.lane.name().to_owned());
        self.sandbox_modes.push(new.sandbox.mode.to_string());
        self.sandbox_reasons.push(new.sandbox.reason.clone());
        self.scrutinies.push(scrutiny::column(&new.scrutiny)?);
        self.submitted_by.push(new.submitted_by.as_uuid());
        self.keys.push(key);
        self.request_hashes
            .push(hash.map(|hash| hash.as_bytes().to_vec()));
        Ok(())
    }
}

#[derive(Default)]
struct FileColumns {
    submission_ids: Vec<Uuid>,
    ordinals: Vec<i32>,
    names: Vec<String>,
    hashes: Vec<Vec<u8>>,
    sizes: Vec<i64>,
}

impl FileColumns {
    fn of(new: &[NewStoredSubmission]) -> Result<Self, StoreError> {
        let mut columns = Self::default();
        for submission in new {
            for (ordinal, file) in submission.files.iter().enumerate() {
                columns.submission_ids.push(submission.id.as_uuid());
                columns
                    .ordinals
                    .push(row::column("a source file's number", ordinal)?);
                columns.names.push(file.name.clone());
                columns.hashes.push(file.sha256.as_bytes().to_vec());
                columns
                    .sizes
                    .push(row::column("a source file's size", file.size_bytes)?);
            }
        }
        Ok(columns)
    }
}
