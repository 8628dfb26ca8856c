//! Audits as text for people.

use assize_common::api::{AuditHit, JudgementAudit, Unusual};
use assize_common::message::{AuditDecision, AuditedCall};

use crate::columns;
use crate::command::flag::scrutiny;

/// What was done about a call, as the text of a run's audit has it.
#[must_use]
pub const fn decision(decision: AuditDecision) -> &'static str {
    match decision {
        AuditDecision::Kill => "KILLED",
        AuditDecision::Observe => "WOULD BE KILLED",
        AuditDecision::Deny => "DENIED",
        AuditDecision::Allow => "",
    }
}

/// A judgement's audit: what is unusual, what was made, and where the rest is.
#[must_use]
pub fn judgement(audit: &JudgementAudit) -> String {
    let mut text = format!(
        "submission  {}\njudgement   {}\nproblem     {}\nlanguage    {}\n",
        audit.submission_id, audit.judgement_id, audit.problem, audit.language
    );
    if !audit.scrutiny.is_none() {
        text.push_str("flagged     ");
        text.push_str(&scrutiny(&audit.scrutiny));
        text.push('\n');
    }
    text.push('\n');
    text.push_str(&unusual(audit));
    text.push_str("\ncalls of all runs:\n");
    text.push_str(&calls(&audit.calls));
    if audit.calls_dropped > 0 {
        text.push_str(&audit.calls_dropped.to_string());
        text.push_str(" other kinds of calls are only in the audits of the runs\n");
    }
    text.push_str("\nruns:\n");
    let mut table = columns::table(["test case", "pass", "size", "sha256"]);
    for run in &audit.runs {
        table.add_row([
            run.testcase.clone(),
            run.pass.to_string(),
            columns::memory(Some(run.size_bytes)),
            run.sha256.to_string(),
        ]);
    }
    columns::align_right(&mut table, [1, 2]);
    text.push_str(&table.trim_fmt());
    text
}

/// What accepted submissions do not do.
#[must_use]
pub fn unusual(audit: &JudgementAudit) -> String {
    let Unusual {
        baseline,
        same_problem,
        calls: unusual,
    } = &audit.unusual;
    let (problem, language) = (&audit.problem, &audit.language);
    let compared = match (baseline, same_problem) {
        (0, _) => {
            return format!(
                "unusual: nothing to compare with: no accepted submission in {language} of another team was audited in as much detail\n"
            );
        }
        (number, true) => format!("{number} accepted submissions to {problem} in {language}"),
        (number, false) => {
            format!("{number} accepted submissions in {language} (too few of them to {problem})")
        }
    };
    if unusual.is_empty() {
        return format!("unusual: nothing, compared with {compared}\n");
    }
    let mut text = format!("unusual, compared with {compared}:\n");
    let mut table = columns::table(["times", "usual", "call", "decision", "rule", "first on"]);
    for unusual in unusual {
        let [times, name, decision, rule, testcase] = row(&unusual.call);
        let usual = unusual.most_times.to_string();
        table.add_row([times, usual, name, decision, rule, testcase]);
    }
    columns::align_right(&mut table, [0, 1]);
    text.push_str(&table.trim_fmt());
    text.push('\n');
    text
}

/// What a search found, a row each.
#[must_use]
pub fn hits(hits: &[AuditHit]) -> String {
    let mut table = columns::table([
        "finished",
        "submission",
        "problem",
        "language",
        "team",
        "verdict",
        "times",
        "call",
        "decision",
        "rule",
        "first on",
    ]);
    for hit in hits {
        let [times, name, decision, rule, testcase] = row(&hit.call);
        table.add_row([
            columns::moment(hit.finished_at),
            hit.submission_id.to_string(),
            hit.problem.clone(),
            hit.language.clone(),
            hit.team.clone().unwrap_or_default(),
            hit.verdict
                .map(|verdict| verdict.id().to_owned())
                .unwrap_or_default(),
            times,
            name,
            decision,
            rule,
            testcase,
        ]);
    }
    columns::align_right(&mut table, [6]);
    table.trim_fmt()
}

fn calls(calls: &[AuditedCall]) -> String {
    let mut table = columns::table(["times", "call", "decision", "rule", "first on"]);
    for call in calls {
        table.add_row(row(call));
    }
    columns::align_right(&mut table, [0]);
    table.trim_fmt() + "\n"
}

/// Paths are the program's: control characters are shown, not obeyed.
fn row(call: &AuditedCall) -> [String; 5] {
    let name = match &call.path {
        Some(path) => format!("{} {path:?}", call.syscall),
        None => call.syscall.clone(),
    };
    [
        call.times.to_string(),
        name,
        decision(call.decision).to_owned(),
        call.rule.clone(),
        call.testcase.clone(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use assize_common::api::UnusualCall;
    use assize_common::id::{JudgementId, SubmissionId};
    use assize_common::message::RunAudit;
    use assize_common::{ContentHash, Scrutiny};
    use uuid::Uuid;

    #[test]
    fn a_judgement_reads_like_evidence() {
        let call = |syscall: &str, path: Option<&str>, decision, times| AuditedCall {
            syscall: syscall.into(),
            path: path.map(Into::into),
            decision,
            rule: "rule".into(),
            times,
            testcase: "secret/01".into(),
        };
        let socket = call("socket", None, AuditDecision::Kill, 1);
        let audit = JudgementAudit {
            judgement_id: JudgementId::from(Uuid::from_u128(1)),
            submission_id: SubmissionId::from(Uuid::from_u128(2)),
            problem: "sum".into(),
            language: "cpp20".into(),
            scrutiny: Scrutiny::default(),
            runs: vec![RunAudit {
                testcase: "secret/01".into(),
                pass: 1,
                sha256: ContentHash::of(b"audit"),
                size_bytes: 812,
            }],
            calls: vec![
                socket.clone(),
                call(
                    "openat",
                    Some("/proc/self/\u{1b}[2J"),
                    AuditDecision::Allow,
                    12,
                ),
            ],
            calls_dropped: 3,
            unusual: Unusual {
                baseline: 40,
                same_problem: true,
                calls: vec![UnusualCall {
                    call: socket,
                    most_times: 0,
                }],
            },
        };
        insta::assert_snapshot!(judgement(&audit));
        let alone = JudgementAudit {
            unusual: Unusual {
                baseline: 0,
                same_problem: false,
                calls: Vec::new(),
            },
            ..audit
        };
        assert!(unusual(&alone).contains("nothing to compare with"));
    }
}
