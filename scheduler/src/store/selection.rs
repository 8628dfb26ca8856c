//! Filters as conditions of SQL. Texts of the statement are ours, every value is
//! a parameter.
//!
//! The statement around them names: `s` the submission, `p` its problem, `j` the
//! judgement, `v` its package, `w` its worker, and for members `n` the new
//! judgement.

use assize_common::api::{SelectedGroup, TakenSubmissions};
use assize_common::id::SubmissionId;
use sqlx::{PgConnection, Postgres, QueryBuilder};
use uuid::Uuid;

use super::{StoreError, row};
use crate::filter::{Field, Filter, Order, Test, Value, Values};

/// Which submissions are meant.
#[derive(Debug, Clone)]
pub(crate) struct Selected {
    /// By their properties.
    pub(crate) filter: Filter,
    /// Only these, if any are named.
    pub(crate) submissions: Vec<SubmissionId>,
}

/// What a selection is of: submissions with the judgement that counts.
pub(super) const CURRENT: &str = "
    judgements j
    JOIN submissions s ON s.id = j.submission_id
    JOIN problems p ON p.id = s.problem_id
    JOIN packages v ON v.id = j.package_id
    LEFT JOIN workers w ON w.id = j.worker_id";

/// A judgement's result as a text, as an SQL expression.
macro_rules! result_of {
    ($alias:literal) => {
        concat!(
            "CASE ",
            $alias,
            ".state WHEN 'done' THEN ",
            $alias,
            ".verdict WHEN 'error' THEN 'JE' ELSE 'open' END"
        )
    };
}
pub(super) use result_of;

/// The columns that a field may be in.
const fn columns(field: Field) -> &'static [&'static str] {
    match field {
        Field::Submission => &["s.id"],
        Field::Contest => &["s.contest"],
        Field::Problem => &["p.short_name"],
        Field::Team => &["s.team"],
        Field::Language => &["s.language_id"],
        Field::Flag => &["s.flag"],
        Field::Submitted => &["s.submitted_at"],
        Field::Verdict => &[result_of!("j")],
        Field::Score => &["j.score"],
        Field::State => &["j.state"],
        Field::Judged => &["j.finished_at"],
        Field::Package => &["v.version"],
        Field::Outdated => &["NOT v.is_current"],
        Field::Sandbox => &["j.sandbox_mode"],
        Field::Lane => &["j.lane"],
        Field::Worker => &["w.name", "j.worker_id::text"],
        Field::Suspect => &[
            "COALESCE(j.finished_at BETWEEN w.suspect_since AND COALESCE(w.suspect_until, 'infinity'), false)",
        ],
        Field::Disputed => &[
            "EXISTS (SELECT FROM judgements o WHERE o.confirms = j.id AND o.verdict <> j.verdict)",
        ],
        Field::WorkerVersion => &["j.worker_version"],
        Field::Compiler => &["j.compiler_version"],
        Field::CpuTime => &["j.max_cpu_time_ms"],
        Field::Memory => &["j.max_memory_bytes"],
        Field::TimeShare => &["j.max_cpu_time_ms * 1000.0 / v.time_limit_us"],
        Field::MemoryShare => &["j.max_memory_bytes::numeric / v.memory_limit_bytes"],
        Field::Attempts => &["j.attempt"],
        Field::Rejudging => &["j.rejudging_id"],
        Field::NewVerdict => &[result_of!("n")],
        Field::NewScore => &["n.score"],
    }
}

/// Adds the condition that a selection is met.
pub(super) fn push_selected(query: &mut QueryBuilder<Postgres>, selected: &Selected) {
    push_filter(query, &selected.filter);
    if !selected.submissions.is_empty() {
        let ids = selected.submissions.iter().map(|id| id.as_uuid());
        query
            .push(" AND s.id = ANY(")
            .push_bind(ids.collect::<Vec<Uuid>>())
            .push(")");
    }
}

/// Adds the condition that a filter is met, in parentheses.
pub(super) fn push_filter(query: &mut QueryBuilder<Postgres>, filter: &Filter) {
    match filter {
        Filter::All => {
            query.push("(true)");
        }
        Filter::And(parts) => push_joined(query, parts, " AND "),
        Filter::Or(parts) => push_joined(query, parts, " OR "),
        Filter::Not(inner) => {
            // Unknown is false, and the opposite of that is true.
            query.push("(NOT COALESCE(");
            push_filter(query, inner);
            query.push(", false))");
        }
        Filter::Is(field, test) => {
            query.push("(");
            for (index, column) in columns(*field).iter().enumerate() {
                // Of what is in no column, each is null.
                let join = if *test == Test::None { " AND " } else { " OR " };
                query.push(if index == 0 { "" } else { join });
                query.push("(").push(column).push(")");
                push_test(query, test);
            }
            query.push(")");
        }
    }
}

fn push_joined(query: &mut QueryBuilder<Postgres>, parts: &[Filter], join: &'static str) {
    query.push("(");
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
            query.push(join);
        }
        push_filter(query, part);
    }
    query.push(")");
}

fn push_test(query: &mut QueryBuilder<Postgres>, test: &Test) {
    match test {
        Test::None => {
            query.push(" IS NULL");
        }
        Test::Among(values) => {
            query.push(" = ANY(");
            match values {
                Values::Texts(texts) => query.push_bind(texts.clone()),
                Values::Numbers(numbers) => query.push_bind(numbers.clone()),
                Values::Ids(ids) => query.push_bind(ids.clone()),
                Values::Truths(truths) => query.push_bind(truths.clone()),
                Values::Times(times) => query.push_bind(times.clone()),
            };
            query.push(")");
        }
        Test::Order(order, value) => {
            query.push(match order {
                Order::Less => " < ",
                Order::AtMost => " <= ",
                Order::Greater => " > ",
                Order::AtLeast => " >= ",
            });
            match value {
                Value::Number(number) => query.push_bind(*number),
                Value::Time(time) => query.push_bind(*time),
            };
        }
        Test::Like(form) => {
            query.push(" LIKE ").push_bind(like(form));
        }
    }
}

/// A form with `*` as one of LIKE.
fn like(form: &str) -> String {
    let escaped = form.chars().map(|character| match character {
        '*' => "%".to_owned(),
        '%' | '_' | '\\' => format!("\\{character}"),
        other => other.to_string(),
    });
    escaped.collect()
}

/// Counts what a selection comes to, by kind.
///
/// # Errors
/// When the database can't be reached.
pub(super) async fn selection_count(
    connection: &mut PgConnection,
    selected: &Selected,
) -> Result<Vec<SelectedGroup>, StoreError> {
    let mut query = QueryBuilder::new("SELECT p.short_name, v.version, s.language_id, ");
    query
        .push(result_of!("j"))
        .push(", count(*) FROM ")
        .push(CURRENT)
        .push(" WHERE j.is_current AND ");
    push_selected(&mut query, selected);
    query.push(" GROUP BY 1, 2, 3, 4 ORDER BY 5 DESC, 1, 2, 3, 4");
    let rows: Vec<(String, i32, String, String, i64)> = query
        .build_query_as()
        .fetch_all(connection)
        .await
        .map_err(StoreError::on("count selected submissions"))?;
    rows.into_iter()
        .map(|(problem, version, language, result, submissions)| {
            Ok(SelectedGroup {
                problem,
                package_version: row::count("a package's version", version)?,
                language,
                result,
                submissions: row::count("a number of submissions", submissions)?,
            })
        })
        .collect()
}

/// Counts those of a selection that open rejudgings have, other than `except`.
///
/// # Errors
/// When the database can't be reached.
pub(super) async fn selection_count_taken(
    connection: &mut PgConnection,
    selected: &Selected,
    except: Option<Uuid>,
) -> Result<Vec<TakenSubmissions>, StoreError> {
    let mut query = QueryBuilder::new("SELECT r.id, r.reason, count(*) FROM ");
    query
        .push(CURRENT)
        .push(
            " JOIN rejudging_claims c ON c.submission_id = s.id
              JOIN rejudgings r ON r.id = c.rejudging_id
              WHERE j.is_current AND c.rejudging_id IS DISTINCT FROM ",
        )
        .push_bind(except)
        .push(" AND ");
    push_selected(&mut query, selected);
    query.push(" GROUP BY 1, 2 ORDER BY 3 DESC, 1");
    let rows: Vec<(Uuid, String, i64)> = query
        .build_query_as()
        .fetch_all(connection)
        .await
        .map_err(StoreError::on("look for other rejudgings"))?;
    rows.into_iter()
        .map(|(id, reason, submissions)| {
            Ok(TakenSubmissions {
                rejudging_id: id.into(),
                reason,
                submissions: row::count("a number of submissions", submissions)?,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::filter::Scope;

    #[test]
    fn values_are_parameters() {
        let filter = r#"team = "'; DROP TABLE teams" or not problem ~ "100%_*" and cpu_time > 1s"#;
        let filter = Filter::parse(filter, Scope::Submissions).unwrap();
        let mut query = QueryBuilder::new("");
        push_filter(&mut query, &filter);
        assert_eq!(
            query.sql().as_str(),
            "(((s.team) = ANY($1)) OR ((NOT COALESCE(((p.short_name) LIKE $2), false)) AND ((j.max_cpu_time_ms) > $3)))"
        );
        assert_eq!(like("100%_*\\"), "100\\%\\_%\\\\");
    }
}
