//! Names of system calls: which there are, and which was probably meant.

use super::file::Policy;
use crate::audit::NUMBER_END;
use libseccomp::{ScmpArch, ScmpSyscall};

/// The number of a call, if this machine has it.
pub(super) fn native(name: &str) -> Option<usize> {
    let call = ScmpSyscall::from_name(name).ok()?.as_raw_syscall();
    let number = usize::try_from(call).ok()?;
    (number < NUMBER_END).then_some(number)
}

/// The system calls of a machine, by number.
pub(super) fn of_machine(arch: ScmpArch) -> impl Iterator<Item = (u32, String)> {
    (0..).take(NUMBER_END).filter_map(move |number| {
        let name = ScmpSyscall::from(number).get_name_by_arch(arch).ok()?;
        Some((number.unsigned_abs(), name))
    })
}

/// Every system call that is named exists somewhere.
pub(super) fn check(policy: &Policy) -> Result<(), String> {
    let rules = policy.rule.iter().map(|rule| (&rule.id, &rule.syscalls));
    let budgets = policy.budget.iter().map(|rule| (&rule.id, &rule.syscalls));
    let sequences = policy.sequence.iter();
    let sequences =
        sequences.flat_map(|rule| [(&rule.id, &rule.after), (&rule.id, &rule.syscalls)]);
    for (rule, names) in rules.chain(budgets).chain(sequences) {
        for name in names {
            known(name).map_err(|problem| format!("the rule {rule}: {problem}"))?;
        }
    }
    Ok(())
}

/// Refuses a name that no machine knows.
pub(super) fn known(name: &str) -> Result<(), String> {
    if ScmpSyscall::from_name(name).is_ok() {
        return Ok(());
    }
    let meant = of_machine(ScmpArch::native())
        .map(|(_, known)| (distance(name, &known), known))
        .min()
        .filter(|(distance, _)| *distance <= 3);
    Err(match meant {
        Some((_, meant)) => format!("unknown system call {name}; did you mean {meant}?"),
        None => format!("unknown system call {name}; see syscalls(2) for their names"),
    })
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
        assert!(known("getppid").is_ok());
        assert!(known("opnat").unwrap_err().contains("openat"));
        assert!(known("frobnicate").unwrap_err().contains("syscalls(2)"));
    }
}
