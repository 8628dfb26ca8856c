//! Names of system calls: which there are, and which was probably meant.

use crate::form::Policy;
use syscalls::{aarch64, x86_64};

/// Every system call that is named exists somewhere.
pub(crate) fn check(policy: &Policy) -> Result<(), String> {
    let rules = policy.rule.iter().map(|rule| (&rule.id, &rule.syscalls));
    let budgets = policy.budget.iter().map(|rule| (&rule.id, &rule.syscalls));
    let sequences = policy.sequence.iter();
    let sequences =
        sequences.flat_map(|rule| [(&rule.id, &rule.after), (&rule.id, &rule.syscalls)]);
    for (rule, names) in rules.chain(budgets).chain(sequences) {
        for name in names {
            check_name(name).map_err(|problem| format!("the rule {rule}: {problem}"))?;
        }
    }
    Ok(())
}

/// Refuses a name that no machine knows.
///
/// # Errors
/// Says which was probably meant.
pub fn check_name(name: &str) -> Result<(), String> {
    if known().any(|known| known == name) {
        return Ok(());
    }
    let meant = known()
        .map(|known| (distance(name, known), known))
        .min()
        .filter(|(distance, _)| *distance <= 3);
    Err(match meant {
        Some((_, meant)) => format!("unknown system call {name}; did you mean {meant}?"),
        None => format!("unknown system call {name}; see syscalls(2) for their names"),
    })
}

/// The calls of the machines that Assize is written for.
fn known() -> impl Iterator<Item = &'static str> {
    let x86_64 = x86_64::Sysno::iter().map(|call| call.name());
    x86_64.chain(aarch64::Sysno::iter().map(|call| call.name()))
}

/// How many letters differ, by the fewest edits.
fn distance(one: &str, other: &str) -> usize {
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (index, letter) in one.bytes().enumerate() {
        let mut diagonal = index;
        let mut left = index + 1;
        for (cell, against) in row.iter_mut().skip(1).zip(other.bytes()) {
            let edited = (diagonal + usize::from(letter != against)).min(left.min(*cell) + 1);
            diagonal = *cell;
            (*cell, left) = (edited, edited);
        }
        if let Some(first) = row.first_mut() {
            *first = index + 1;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distance_counts_edits() {
        for (one, other, edits) in [
            ("open", "open", 0),
            ("opne", "open", 2),
            ("opena", "openat", 1),
            ("", "abc", 3),
            ("kitten", "sitting", 3),
        ] {
            assert_eq!(distance(one, other), edits, "{one} {other}");
            assert_eq!(distance(other, one), edits, "{one} {other}");
        }
    }

    #[test]
    fn typing_mistake_is_told_with_what_was_meant() {
        assert!(check_name("getppid").is_ok());
        assert!(check_name("opnat").unwrap_err().contains("openat"));
        assert!(
            check_name("frobnicate")
                .unwrap_err()
                .contains("syscalls(2)")
        );
    }
}
