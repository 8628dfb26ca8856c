//! Why a program failed, by what the runtime of its language prints then. A
//! program may print the same: this is a hint for the jury, never a verdict.

use assize_common::message::Failure;
use assize_sandbox::{KillCause, Outcome};

/// What runtimes print, by language code.
const SIGNS: [(&[&str], &str, Failure); 17] = [
    (&["cpp"], "std::bad_alloc", Failure::OutOfMemory),
    (&["cpp"], "terminate called", Failure::UncaughtException),
    (
        &["java", "kotlin"],
        "java.lang.OutOfMemoryError",
        Failure::OutOfMemory,
    ),
    (
        &["java", "kotlin"],
        "java.lang.StackOverflowError",
        Failure::StackOverflow,
    ),
    (
        &["java", "kotlin"],
        "Exception in thread",
        Failure::UncaughtException,
    ),
    (&["python3"], "MemoryError", Failure::OutOfMemory),
    (&["python3"], "RecursionError", Failure::StackOverflow),
    (
        &["python3"],
        "Traceback (most recent call last)",
        Failure::UncaughtException,
    ),
    (
        &["go"],
        "fatal error: runtime: out of memory",
        Failure::OutOfMemory,
    ),
    (
        &["go"],
        "fatal error: runtime: cannot allocate memory",
        Failure::OutOfMemory,
    ),
    (&["go"], "goroutine stack exceeds", Failure::StackOverflow),
    (&["go"], "panic: ", Failure::Panic),
    (&["rust"], "memory allocation of ", Failure::OutOfMemory),
    (
        &["rust"],
        "has overflowed its stack",
        Failure::StackOverflow,
    ),
    (&["rust"], "panicked at ", Failure::Panic),
    (
        &["csharp"],
        "System.OutOfMemoryException",
        Failure::OutOfMemory,
    ),
    (
        &["csharp"],
        "Unhandled exception",
        Failure::UncaughtException,
    ),
];

/// The reason, if the program ended as one that failed by itself, or for memory.
pub(crate) fn find(language: &str, outcome: &Outcome, printed: &str) -> Option<Failure> {
    match outcome {
        Outcome::Killed {
            cause: KillCause::Memory,
        }
        | Outcome::Signalled { .. } => {}
        Outcome::Exited { code } if *code != 0 => {}
        Outcome::Exited { .. } | Outcome::Killed { .. } => return None,
    }
    let own = SIGNS.iter().filter(|(codes, ..)| codes.contains(&language));
    own.into_iter()
        .find(|(_, sign, _)| printed.contains(sign))
        .map(|(.., failure)| *failure)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_programs_that_fail_have_reasons() {
        let printed = "Traceback (most recent call last):\nMemoryError\n";
        let failed = Outcome::Exited { code: 1 };
        assert_eq!(
            find("python3", &failed, printed),
            Some(Failure::OutOfMemory)
        );
        assert_eq!(find("cpp", &failed, printed), None);
        assert_eq!(find("python3", &Outcome::Exited { code: 0 }, printed), None);
        let too_long = Outcome::Killed {
            cause: KillCause::CpuTime,
        };
        assert_eq!(find("python3", &too_long, printed), None);
        let aborted = Outcome::Signalled { signal: 6 };
        let printed = "terminate called after throwing an instance of 'int'\n";
        assert_eq!(
            find("cpp", &aborted, printed),
            Some(Failure::UncaughtException)
        );
    }
}
