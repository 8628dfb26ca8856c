//! What one audit has and another has not.

use std::collections::BTreeMap;
use std::fmt::{self, Display, Formatter};

use assize_common::message::{AuditDecision, AuditedCall};
use serde::Serialize;

/// Calls that were not made equally often.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// The call's name.
    pub syscall: String,
    /// The path among its arguments, if it has one.
    pub path: Option<String>,
    /// What was done about it.
    pub decision: AuditDecision,
    /// The rule that said so.
    pub rule: String,
    /// How often the first one made it.
    pub before: u64,
    /// How often the second one made it.
    pub after: u64,
}

/// What makes calls alike; refused ones sort first.
type Key<'a> = (AuditDecision, &'a str, Option<&'a str>, &'a str);

/// The differences, refused calls first.
#[must_use]
pub fn differences(before: &[AuditedCall], after: &[AuditedCall]) -> Vec<Difference> {
    let mut all: BTreeMap<Key<'_>, (u64, u64)> = BTreeMap::new();
    for call in before {
        all.entry(key(call)).or_default().0 += call.times;
    }
    for call in after {
        all.entry(key(call)).or_default().1 += call.times;
    }
    all.into_iter()
        .filter(|(_, (before, after))| before != after)
        .map(
            |((decision, syscall, path, rule), (before, after))| Difference {
                syscall: syscall.to_owned(),
                path: path.map(str::to_owned),
                decision,
                rule: rule.to_owned(),
                before,
                after,
            },
        )
        .collect()
}

fn key(call: &AuditedCall) -> Key<'_> {
    (
        call.decision,
        &call.syscall,
        call.path.as_deref(),
        &call.rule,
    )
}

/// Like a line of diff: `-` for what only the first one made, `+` for what only
/// the second one made, `~` for what both made.
impl Display for Difference {
    fn fmt(&self, to: &mut Formatter<'_>) -> fmt::Result {
        match (self.before, self.after) {
            (times, 0) => write!(to, "- {times:>8}{:>10}", "")?,
            (0, times) => write!(to, "+ {:>8}{times:>10}", "")?,
            (before, after) => write!(to, "~ {before:>8}{after:>10}")?,
        }
        write!(to, "  {}", self.syscall)?;
        if let Some(path) = &self.path {
            write!(to, " {path:?}")?;
        }
        if self.decision != AuditDecision::Allow {
            write!(to, "  {}", super::text::decision(self.decision))?;
        }
        if self.rule.is_empty() {
            return Ok(());
        }
        write!(to, "  [{}]", self.rule)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(syscall: &str, decision: AuditDecision, times: u64) -> AuditedCall {
        AuditedCall {
            syscall: syscall.to_owned(),
            path: (syscall == "openat").then(|| "/a\n".to_owned()),
            decision,
            rule: "look".to_owned(),
            times,
            testcase: "1".to_owned(),
        }
    }

    #[test]
    fn what_differs_is_told_and_nothing_else() {
        use AuditDecision::{Allow, Kill};
        let before = [
            call("clone", Allow, 3),
            call("openat", Allow, 1),
            call("fork", Allow, 1),
        ];
        let after = [
            call("clone", Allow, 3),
            call("openat", Allow, 12),
            call("socket", Kill, 1),
        ];
        let lines: Vec<_> = differences(&before, &after)
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(
            lines,
            [
                "+                  1  socket  KILLED  [look]",
                "-        1            fork  [look]",
                "~        1        12  openat \"/a\\n\"  [look]",
            ]
        );
    }
}
