//! Which submissions are meant, from options.

use assize_common::Verdict;
use assize_common::api::Selection;
use assize_common::id::SubmissionId;
use clap::Args;

/// Which submissions: those that all options and the filter mean.
#[derive(Debug, Args)]
pub(super) struct Which {
    /// Only these
    #[arg(value_name = "SUBMISSION")]
    ids: Vec<SubmissionId>,
    /// Only of this problem
    #[arg(long, value_name = "NAME")]
    problem: Option<String>,
    /// Only of this contest
    #[arg(long)]
    contest: Option<String>,
    /// Only of this team
    #[arg(long)]
    team: Option<String>,
    /// Only in this language
    #[arg(long, value_name = "ID")]
    language: Option<String>,
    /// Only with one of these verdicts, such as WA,TLE
    #[arg(long, value_delimiter = ',')]
    verdict: Vec<Verdict>,
    /// Only what this filter means, such as 'time_share >= 0.9 or worker = w1' (docs/rejudging.md)
    #[arg(long = "where", value_name = "FILTER")]
    filter: Option<String>,
    /// Every submission there is
    #[arg(long, conflicts_with_all = ["ids", "problem", "contest", "team", "language", "verdict", "filter"])]
    all: bool,
}

impl Which {
    /// As the scheduler takes it; `None` if nothing at all is said.
    pub(super) fn into_selection(self) -> Option<Selection> {
        let mut parts = Vec::new();
        let named = [
            ("problem", self.problem),
            ("contest", self.contest),
            ("team", self.team),
            ("language", self.language),
        ];
        for (field, value) in named {
            parts.extend(value.map(|value| format!("{field} = {}", quoted(&value))));
        }
        if !self.verdict.is_empty() {
            let verdicts: Vec<&str> = self.verdict.iter().map(|verdict| verdict.id()).collect();
            parts.push(format!("verdict in ({})", verdicts.join(", ")));
        }
        match self.filter {
            Some(filter) if parts.is_empty() => parts.push(filter),
            Some(filter) => parts.push(format!("({filter})")),
            None => {}
        }
        if self.all {
            parts.push("all".to_owned());
        }
        if parts.is_empty() && self.ids.is_empty() {
            return None;
        }
        Some(Selection {
            filter: (!parts.is_empty()).then(|| parts.join(" and ")),
            submissions: self.ids,
        })
    }
}

fn quoted(value: &str) -> String {
    let escaped = value.replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{escaped}\"")
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        which: Which,
    }

    fn filter(words: &[&str]) -> Option<String> {
        let line = Line::try_parse_from([&["line"], words].concat()).unwrap();
        line.which.into_selection()?.filter
    }

    #[test]
    fn options_become_a_filter() {
        assert_eq!(
            filter(&[
                "--team",
                r#"a "b""#,
                "--verdict",
                "WA,TLE",
                "--where",
                "x or y"
            ])
            .unwrap(),
            r#"team = "a \"b\"" and verdict in (WA, TLE) and (x or y)"#
        );
        assert_eq!(filter(&["--where", "x or y"]).unwrap(), "x or y");
        assert_eq!(filter(&["--all"]).unwrap(), "all");
        assert_eq!(filter(&[]), None);
        assert!(Line::try_parse_from(["line", "--all", "--team", "a"]).is_err());
    }
}
