//! What decides about a new submission: the problem's package, and the flags on the problem and the team.

use std::collections::HashMap;

use assize_common::Scrutiny;
use assize_common::api::FlagScope;
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
        let teams: Vec<&str> = subjects
            .iter()
            .filter_map(|it| it.team.as_deref())
            .collect();
        let packages = sqlx::query!(
            "SELECT p.short_name, v.problem_id, v.id AS package_id, v.code_limit_bytes, v.testcases, v.language_codes,
                    v.has_rules, v.takes_outputs
             FROM problems p JOIN packages v ON v.problem_id = p.id AND v.is_current
             WHERE p.short_name = ANY($1)",
            &problems as &[&str]
        )
        .fetch_all(&self.dispatch)
        .await
        .map_err(StoreError::on("look up problems"))?;
        let mut known = HashMap::new();
        for found in packages {
            let package = CurrentPackage {
                problem_id: found.problem_id.into(),
                package_id: found.package_id,
                code_limit: ByteSize(row::count("a code limit", found.code_limit_bytes)?),
                testcases: found.testcases,
                language_codes: found.language_codes,
                has_rules: found.has_rules,
                takes_outputs: found.takes_outputs,
            };
            known.insert(found.short_name, package);
        }
        let rows = sqlx::query!(
            "SELECT scope, subject, reason, scrutiny FROM flags
             WHERE (scope = 'problem' AND subject = ANY($1)) OR (scope = 'team' AND subject = ANY($2))",
            &problems as &[&str],
            &teams as &[&str]
        )
        .fetch_all(&self.dispatch)
        .await
        .map_err(StoreError::on("look up flags"))?;
        let mut flags = HashMap::new();
        for row in rows {
            let scope: FlagScope = row::named("a flag's scope", &row.scope)?;
            flags.insert(
                (scope, row.subject),
                (row.reason, scrutiny::read(row.scrutiny)?),
            );
        }
        let flag = |scope, subject: Option<&str>| flags.get(&(scope, subject?.to_owned()));
        let admission = |subject: &Subject| {
            let package = known.get(&subject.problem)?.clone();
            let problem = flag(FlagScope::Problem, Some(&subject.problem));
            let team = flag(FlagScope::Team, subject.team.as_deref());
            let flags = FoundFlags {
                problem: problem.map(|(reason, _)| reason.clone()),
                team: team.map(|(reason, _)| reason.clone()),
                scrutiny: [problem, team]
                    .into_iter()
                    .flatten()
                    .map(|(_, scrutiny)| scrutiny.clone())
                    .fold(Scrutiny::default(), Scrutiny::join),
            };
            Some(Admission { package, flags })
        };
        Ok(subjects.iter().map(admission).collect())
    }
}
