//! Facts and the validator's answer become one verdict: here and nowhere else.
//!
//! When several things are true of one run, the first of these decides:
//!
//! 1. SV: the policy ended the program.
//! 2. WA or PE: an interactive validator said so and ended before the program did;
//!    what the program did after that (a broken pipe, an unexpected end of input,
//!    waiting for ever) is a consequence.
//! 3. MLE: the memory limit ended it.
//! 4. TLE: it used more CPU time than allowed, even if it ended by itself, or the
//!    looser wall limit or the idle limit ended it.
//! 5. OLE: the output limit ended it.
//! 6. RTE: a signal or a non-zero exit code, or more processes than allowed.
//! 7. AC, WA or PE: what the validator says.
//!
//! Judging errors never come this far. CE has no runs.

use std::time::Duration;

use assize_common::Verdict;
use assize_sandbox::{Facts, KillCause, Outcome};

/// What a validator says of an output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// It is right.
    Accepted,
    /// It is wrong.
    Wrong,
    /// It is not of the form that was asked for; only some validators tell.
    Misformatted,
}

impl Answer {
    /// The verdict where the answer decides.
    #[must_use]
    pub const fn verdict(self) -> Verdict {
        match self {
            Self::Accepted => Verdict::Ac,
            Self::Wrong => Verdict::Wa,
            Self::Misformatted => Verdict::Pe,
        }
    }
}

/// What the verdict on a run depends on.
#[derive(Debug, Clone, Copy)]
pub struct Evidence<'a> {
    /// How the program ended.
    pub outcome: &'a Outcome,
    /// The CPU time it used.
    pub cpu_time: Duration,
    /// The CPU time it was allowed.
    pub cpu_limit: Duration,
    /// What the validator said, if it was asked already.
    pub answer: Option<Answer>,
    /// Whether the validator ended before the program did.
    pub validator_ended_first: bool,
}

/// Why there is no verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Undecided {
    /// The program did nothing wrong; its output has to be validated.
    NeedsValidator,
    /// Somebody cancelled the run.
    Cancelled,
}

impl<'a> Evidence<'a> {
    /// The evidence of a run before its output is validated.
    #[must_use]
    pub const fn of(facts: &'a Facts, cpu_limit: Duration) -> Self {
        Self {
            outcome: &facts.outcome,
            cpu_time: facts.cpu_time,
            cpu_limit,
            answer: None,
            validator_ended_first: false,
        }
    }
}

/// The verdict on one run; the module says in which order.
///
/// # Errors
/// [`Undecided`] when something is missing for one.
pub fn run_verdict(evidence: Evidence<'_>) -> Result<Verdict, Undecided> {
    let killed_for = match evidence.outcome {
        Outcome::Killed { cause } => Some(cause),
        Outcome::Exited { .. } | Outcome::Signalled { .. } => None,
    };
    if matches!(killed_for, Some(KillCause::Policy { .. })) {
        return Ok(Verdict::Sv);
    }
    if evidence.validator_ended_first
        && let Some(answer @ (Answer::Wrong | Answer::Misformatted)) = evidence.answer
    {
        return Ok(answer.verdict());
    }
    if matches!(killed_for, Some(KillCause::Memory)) {
        return Ok(Verdict::Mle);
    }
    if evidence.cpu_time > evidence.cpu_limit
        || matches!(
            killed_for,
            Some(KillCause::CpuTime | KillCause::WallTime | KillCause::Idle)
        )
    {
        return Ok(Verdict::Tle);
    }
    match evidence.outcome {
        Outcome::Killed {
            cause: KillCause::Output,
        } => Ok(Verdict::Ole),
        Outcome::Killed {
            cause: KillCause::Cancelled,
        } => Err(Undecided::Cancelled),
        Outcome::Killed { .. } | Outcome::Signalled { .. } => Ok(Verdict::Rte),
        Outcome::Exited { code } if *code != 0 => Ok(Verdict::Rte),
        Outcome::Exited { .. } => evidence
            .answer
            .map(Answer::verdict)
            .ok_or(Undecided::NeedsValidator),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Answer::{Accepted, Wrong};

    const LIMIT: Duration = Duration::from_secs(2);

    fn killed(cause: KillCause) -> Outcome {
        Outcome::Killed { cause }
    }

    /// Outcome, seconds, answer, validator first → verdict.
    #[test]
    fn precedence() {
        use Outcome::{Exited, Signalled};
        let policy = killed(KillCause::Policy {
            syscall: Some("socket".to_owned()),
        });
        type Row = (
            Outcome,
            f64,
            Option<Answer>,
            bool,
            Result<Verdict, Undecided>,
        );
        let table: &[Row] = &[
            (
                Exited { code: 0 },
                1.0,
                Some(Accepted),
                false,
                Ok(Verdict::Ac),
            ),
            (Exited { code: 0 }, 1.0, Some(Wrong), false, Ok(Verdict::Wa)),
            (
                Exited { code: 0 },
                1.0,
                None,
                false,
                Err(Undecided::NeedsValidator),
            ),
            // Exactly the limit is within it.
            (
                Exited { code: 0 },
                2.0,
                Some(Accepted),
                false,
                Ok(Verdict::Ac),
            ),
            (
                Exited { code: 0 },
                2.000_001,
                Some(Accepted),
                false,
                Ok(Verdict::Tle),
            ),
            (Exited { code: 0 }, 2.1, None, false, Ok(Verdict::Tle)),
            (Exited { code: 3 }, 1.0, None, false, Ok(Verdict::Rte)),
            (Exited { code: 3 }, 2.1, None, false, Ok(Verdict::Tle)),
            (
                Exited { code: 3 },
                1.0,
                Some(Accepted),
                false,
                Ok(Verdict::Rte),
            ),
            (
                Exited { code: 3 },
                1.0,
                Some(Wrong),
                false,
                Ok(Verdict::Rte),
            ),
            (Exited { code: 3 }, 1.0, Some(Wrong), true, Ok(Verdict::Wa)),
            (
                Exited { code: 3 },
                1.0,
                Some(Accepted),
                true,
                Ok(Verdict::Rte),
            ),
            (Signalled { signal: 11 }, 1.0, None, false, Ok(Verdict::Rte)),
            (
                Signalled { signal: 13 },
                1.0,
                Some(Wrong),
                true,
                Ok(Verdict::Wa),
            ),
            (
                Signalled { signal: 13 },
                1.0,
                Some(Accepted),
                true,
                Ok(Verdict::Rte),
            ),
            (
                killed(KillCause::CpuTime),
                2.0,
                None,
                false,
                Ok(Verdict::Tle),
            ),
            (
                killed(KillCause::WallTime),
                0.1,
                None,
                false,
                Ok(Verdict::Tle),
            ),
            (
                killed(KillCause::WallTime),
                0.1,
                Some(Wrong),
                true,
                Ok(Verdict::Wa),
            ),
            (
                killed(KillCause::WallTime),
                0.1,
                Some(Wrong),
                false,
                Ok(Verdict::Tle),
            ),
            (killed(KillCause::Idle), 0.1, None, false, Ok(Verdict::Tle)),
            (
                killed(KillCause::Idle),
                0.1,
                Some(Wrong),
                true,
                Ok(Verdict::Wa),
            ),
            (
                killed(KillCause::Memory),
                2.1,
                None,
                false,
                Ok(Verdict::Mle),
            ),
            (
                killed(KillCause::Output),
                1.0,
                None,
                false,
                Ok(Verdict::Ole),
            ),
            (
                killed(KillCause::Output),
                2.1,
                None,
                false,
                Ok(Verdict::Tle),
            ),
            (
                killed(KillCause::Processes),
                1.0,
                None,
                false,
                Ok(Verdict::Rte),
            ),
            (policy.clone(), 2.1, None, false, Ok(Verdict::Sv)),
            (policy, 1.0, Some(Wrong), true, Ok(Verdict::Sv)),
            (
                killed(KillCause::Cancelled),
                1.0,
                None,
                false,
                Err(Undecided::Cancelled),
            ),
            (
                killed(KillCause::Cancelled),
                1.0,
                Some(Wrong),
                true,
                Ok(Verdict::Wa),
            ),
        ];
        for (outcome, seconds, answer, validator_ended_first, expected) in table {
            let evidence = Evidence {
                outcome,
                cpu_time: Duration::from_secs_f64(*seconds),
                cpu_limit: LIMIT,
                answer: *answer,
                validator_ended_first: *validator_ended_first,
            };
            assert_eq!(run_verdict(evidence), *expected, "{evidence:?}");
        }
    }
}
