//! Making a rejudging: its members and nothing else.

use assize_common::ContentHash;
use assize_common::api::{
    NewRejudging, PackageChoice, RejudgingPreview, SelectedGroup, TakenSubmissions,
};
use assize_common::id::{RejudgingId, TokenId};
use serde_json::json;
use sqlx::{PgConnection, QueryBuilder};

use super::super::admin_action::admin_action_create;
use super::super::selection::{
    CURRENT, Selected, push_selected, selection_count, selection_count_taken,
};
use super::super::{Store, StoreError, row};
use super::MANY;
use super::switch::exchange_prevent;

const ATTEMPT: &str = "make a rejudging";

/// A rejudging that was found right.
#[derive(Debug, Clone)]
pub(crate) struct NewStoredRejudging {
    /// As it was asked for.
    pub(crate) new: NewRejudging,
    /// Which submissions it means.
    pub(crate) selected: Selected,
    /// Who asks.
    pub(crate) created_by: TokenId,
    /// The client's key with the hash of its request.
    pub(crate) idempotency: Option<(String, ContentHash)>,
}

/// Why a package version can't be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PackageProblem {
    /// The problem has no such version.
    NoSuchVersion,
    /// The submissions are to several problems.
    SeveralProblems,
}

/// What came of making a rejudging.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CreatedRejudging {
    /// It is there.
    Stored(RejudgingId),
    /// Another request with the same idempotency key came first.
    KeyTaken,
    /// The selection is empty, or all of it is in other rejudgings.
    NothingSelected,
    /// Some of it is in other open rejudgings.
    Taken(Vec<TakenSubmissions>),
    /// The chosen version of the package can't be used.
    Package(PackageProblem),
}

struct Counts {
    chosen: i64,
    without_package: i64,
    problems: i64,
    claimed: i64,
}

impl Store {
    /// Counts what a selection comes to, and what of it is in open rejudgings.
    ///
    /// # Errors
    /// When the database can't be reached.
    pub(crate) async fn rejudging_preview(
        &self,
        selected: &Selected,
    ) -> Result<RejudgingPreview, StoreError> {
        let mut snapshot = self.begin_snapshot().await?;
        let groups: Vec<SelectedGroup> = selection_count(&mut snapshot, selected).await?;
        Ok(RejudgingPreview {
            submissions: groups.iter().map(|group| group.submissions).sum(),
            groups,
            taken: selection_count_taken(&mut snapshot, selected, None).await?,
        })
    }

    /// Makes a rejudging with the members that are selected now. Their judgements
    /// are made later, by the feeder.
    ///
    /// # Errors
    /// When the database can't be reached.
    pub(crate) async fn rejudging_create(
        &self,
        new: &NewStoredRejudging,
    ) -> Result<CreatedRejudging, StoreError> {
        let id = RejudgingId::generate();
        let mut transaction = self.begin().await?;
        exchange_prevent(&mut transaction).await?;
        // Before its members: the same request once more must find its key, and not
        // that another rejudging has the submissions.
        match rejudging_insert(&mut transaction, id, new).await {
            Err(error) if error.breaks("rejudgings_idempotency") => {
                return Ok(CreatedRejudging::KeyTaken);
            }
            inserted => inserted?,
        }
        let counts = members_create(&mut transaction, id, new).await?;
        let version_chosen = matches!(new.new.overrides.package, PackageChoice::Version(_));
        if version_chosen && counts.problems > 1 {
            return Ok(CreatedRejudging::Package(PackageProblem::SeveralProblems));
        }
        if counts.without_package > 0 {
            return Ok(CreatedRejudging::Package(PackageProblem::NoSuchVersion));
        }
        if counts.claimed < counts.chosen && !new.new.skip_taken {
            let own = Some(id.as_uuid());
            let taken = selection_count_taken(&mut transaction, &new.selected, own).await?;
            return Ok(CreatedRejudging::Taken(taken));
        }
        if counts.claimed == 0 {
            return Ok(CreatedRejudging::NothingSelected);
        }
        submissions_note(&mut transaction, id, counts.claimed).await?;
        let details = json!({
            "reason": new.new.reason,
            "submissions": counts.claimed,
            "left_out": counts.chosen - counts.claimed,
        });
        let subject = id.to_string();
        admin_action_create(
            &mut transaction,
            new.created_by,
            "rejudging.create",
            &subject,
            details,
        )
        .await?;
        if counts.claimed > MANY {
            sqlx::query!("ANALYZE rejudging_members, rejudging_claims")
                .execute(&mut *transaction)
                .await
                .map_err(StoreError::on(ATTEMPT))?;
        }
        Self::commit(transaction).await?;
        Ok(CreatedRejudging::Stored(id))
    }

    /// Finds the rejudging that an earlier request with this key made, with that
    /// request's hash.
    ///
    /// # Errors
    /// When the database can't be reached.
    pub async fn rejudging_find_by_key(
        &self,
        created_by: TokenId,
        key: &str,
    ) -> Result<Option<(RejudgingId, ContentHash)>, StoreError> {
        let found = sqlx::query!(
            r#"SELECT id, request_sha256 AS "request_sha256!" FROM rejudgings
               WHERE created_by = $1 AND idempotency_key = $2"#,
            created_by.as_uuid(),
            key
        )
        .fetch_optional(&self.pool)
        .await
        .map_err(StoreError::on("look up an idempotency key"))?;
        let Some(found) = found else { return Ok(None) };
        let hash = row::hash("a request's hash", found.request_sha256)?;
        Ok(Some((found.id.into(), hash)))
    }
}

/// Claims what is selected and not claimed by others, and notes it as members.
async fn members_create(
    connection: &mut PgConnection,
    id: RejudgingId,
    new: &NewStoredRejudging,
) -> Result<Counts, StoreError> {
    let mut query = QueryBuilder::new(
        "WITH chosen AS (SELECT s.id, s.problem_id, j.id AS old_judgement_id, target.id AS package_id FROM ",
    );
    query
        .push(CURRENT)
        .push(" LEFT JOIN packages target ON target.problem_id = s.problem_id AND ");
    match new.new.overrides.package {
        PackageChoice::Current => query.push("target.is_current"),
        PackageChoice::AsJudged => query.push("target.id = j.package_id"),
        PackageChoice::Version(version) => {
            let version: i32 = row::column("a package's version", version)?;
            query.push("target.version = ").push_bind(version)
        }
    };
    query.push(" WHERE j.is_current AND ");
    push_selected(&mut query, &new.selected);
    query
        .push(
            "), claimed AS (
                INSERT INTO rejudging_claims (submission_id, rejudging_id)
                SELECT id, ",
        )
        .push_bind(id.as_uuid())
        .push(
            " FROM chosen WHERE package_id IS NOT NULL ORDER BY id ON CONFLICT DO NOTHING RETURNING submission_id
            ), members AS (
                INSERT INTO rejudging_members (rejudging_id, submission_id, old_judgement_id, package_id)
                SELECT ",
        )
        .push_bind(id.as_uuid())
        .push(
            ", chosen.id, old_judgement_id, package_id
                FROM chosen JOIN claimed ON claimed.submission_id = chosen.id
                RETURNING 1
            )
            SELECT (SELECT count(*) FROM chosen), (SELECT count(*) FROM chosen WHERE package_id IS NULL),
                (SELECT count(DISTINCT problem_id) FROM chosen), (SELECT count(*) FROM members)",
        );
    let (chosen, without_package, problems, claimed) = query
        .build_query_as()
        .fetch_one(connection)
        .await
        .map_err(StoreError::on(ATTEMPT))?;
    Ok(Counts {
        chosen,
        without_package,
        problems,
        claimed,
    })
}

/// Makes a rejudging whose members are yet to be counted.
async fn rejudging_insert(
    connection: &mut PgConnection,
    id: RejudgingId,
    new: &NewStoredRejudging,
) -> Result<(), StoreError> {
    let json = |value: Result<serde_json::Value, _>| {
        value.map_err(|error| StoreError::unreadable("a rejudging's settings", error))
    };
    let (key, request_hash) = match &new.idempotency {
        Some((key, hash)) => (Some(key.as_str()), Some(hash.as_bytes().as_slice())),
        None => (None, None),
    };
    let overrides = &new.new.overrides;
    sqlx::query!(
        "INSERT INTO rejudgings (id, reason, created_by, selection, overrides, submissions, repetitions, sandbox_mode,
             idempotency_key, request_sha256)
         VALUES ($1, $2, $3, $4, $5, 1, $6, $7, $8, $9)",
        id.as_uuid(),
        row::text(&new.new.reason),
        new.created_by.as_uuid(),
        json(serde_json::to_value(&new.new.selection))?,
        json(serde_json::to_value(overrides))?,
        row::column::<i32, _>("a number of repetitions", overrides.repeat)?,
        overrides.sandbox.map(|mode| mode.to_string()),
        key,
        request_hash
    )
    .execute(connection)
    .await
    .map(drop)
    .map_err(StoreError::on(ATTEMPT))
}

/// Notes how many members a rejudging has.
async fn submissions_note(
    connection: &mut PgConnection,
    id: RejudgingId,
    submissions: i64,
) -> Result<(), StoreError> {
    sqlx::query!(
        "UPDATE rejudgings SET submissions = $2 WHERE id = $1",
        id.as_uuid(),
        row::column::<i32, _>("a number of submissions", submissions)?
    )
    .execute(connection)
    .await
    .map(drop)
    .map_err(StoreError::on(ATTEMPT))
}
