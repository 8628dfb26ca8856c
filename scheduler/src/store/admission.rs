//! What decides about a new submission: the problem's package, and the flags on the problem and the team.

use assize_common::Scrutiny;
use assize_common::id::ProblemId;
use bytesize::ByteSize;
use uuid::Uuid;

use super::{Store, StoreError, row, scrutiny};

/// What somebody wants to submit to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// The problem's short name.
    pub problem: String,
    /// The team, if it says so.
    pub team: Option<String>,
}

/// What a submission is judged by.
#[derive(Debug, Clone)]
pub struct Admission {
    /// The package of the problem.
    pub package: CurrentPackage,
    /// The flags on problem and team.
    pub flags: FoundFlags,
}

/// What a new submission must know of a problem.
#[derive(Debug, Clone)]
pub struct CurrentPackage {
    /// The problem.
    pub problem_id: ProblemId,
    /// The current version of its package.
    pub package_id: Uuid,
    /// Source files of a submission together.
    pub code_limit: ByteSize,
    /// How many test cases it has.
    pub testcases: i32,
    /// Language codes that submissions may be written in; all if `None`.
    pub language_codes: Option<Vec<String>>,
    /// Whether it has rules for system calls.
    pub has_rules: bool,
    /// Whether submissions are outputs, not programs.
    pub takes_outputs: bool,
}

/// Why a new submission is flagged before anybody has seen it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FoundFlags {
    /// Why its team is.
    pub team: Option<String>,
    /// Why its problem is.
    pub problem: Option<String>,
    /// What they ask for besides ptrace.
    pub scrutiny: Scrutiny,
}

impl Store {
    /// Finds what submissions are judged by, in this order; `None` where the problem has no current package.
    ///
    /// # Errors
    /// When the database can't be reached.
    pub async fn admission_list(
        &self,
        subjects: &[Subject],
    ) -> Result<Vec<Option<Admission>>, StoreError> {
        let problems: Vec<&str> = subjects.iter().map(|subject| &*subject.problem).collect();
        let teams: Vec<Option<&str>> = subjects.iter().map(|it| it.team.as_deref()).collect();
        let rows = sqlx::query!(
            r#"SELECT asked.place AS "place!", v.problem_id, v.id AS package_id, v.code_limit_bytes, v.testcases,
                   v.language_codes, v.has_rules, v.takes_outputs,
                   of_problem.reason AS "problem_flag?", of_problem.scrutiny AS problem_scrutiny,
                   of_team.reason AS "team_flag?", of_team.scrutiny AS team_scrutiny
               FROM UNNEST($1::text[], $2::text[]) WITH ORDINALITY AS asked (problem, team, place)
               JOIN problems p ON p.short_name = asked.problem
               JOIN packages v ON v.problem_id = p.id AND v.is_current
               LEFT JOIN flags of_problem ON of_problem.scope = 'problem' AND of_problem.subject = asked.problem
               LEFT JOIN flags of_team ON of_team.scope = 'team' AND of_team.subject = asked.team"#,
            &problems as &[&str],
            &teams as &[Option<&str>]
        )
        .fetch_all(&self.dispatch)
        .await
        .map_err(StoreError::on("look up what submissions are judged by"))?;
        let mut admissions = vec![None; subjects.len()];
        for row in rows {
            let scrutiny = [row.problem_scrutiny, row.team_scrutiny]
                .into_iter()
                .try_fold(Scrutiny::default(), |joined, found| {
                    scrutiny::read(found).map(|found| joined.join(found))
                })?;
            let package = CurrentPackage {
                problem_id: row.problem_id.into(),
                package_id: row.package_id,
                code_limit: ByteSize(row::count("a code limit", row.code_limit_bytes)?),
                testcases: row.testcases,
                language_codes: row.language_codes,
                has_rules: row.has_rules,
                takes_outputs: row.takes_outputs,
            };
            let flags = FoundFlags {
                problem: row.problem_flag,
                team: row.team_flag,
                scrutiny,
            };
            // Counted from 1.
            let place: usize = row::count("a place", row.place - 1)?;
            if let Some(admission) = admissions.get_mut(place) {
                *admission = Some(Admission { package, flags });
            }
        }
        Ok(admissions)
    }
}
