//! Interactive problems: the submission and the jury's program talk over two
//! pipes, each in its own jail.
//!
//! Who ended first decides whose failure counts, so it must not be a race. Both talk
//! over a relay, which holds the other ends of their pipes until the validator's end
//! was seen. Whatever the submission does because the validator is gone (an unexpected
//! end of input, a broken pipe) it can only do after that. A validator that still
//! writes to a submission that is gone is not killed for it.
//!
//! The other way round, a validator ends because the submission did long before
//! the submission's jail says so on a busy machine. Whoever closed its output is
//! therefore given time to end by itself before it is told of the validator's end.
//!
//! What both say is written down, and what the submission says is counted: one that floods the validator is
//! ended for it (OLE), before the validator runs into its own limits. Where a limit of
//! its own ended the submission first, that decides, whatever limit the validator ran
//! into after that.
//!
//! A submission that waits for ever is ended by its own wall or idle limit, as if it slept
//! (TLE), and the message says who waited for whom. Its clock runs on while the
//! validator computes, which must cost it nothing: where that was much, the caller
//! lets both talk again, with time for all that the validator may take. Only a validator
//! that does not end although the submission is gone is a judging error.

use std::fs::File;
use std::io::{self, PipeReader};
use std::path::Path;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use assize_sandbox::{
    Ends, Facts, Input, JailError, KillCause, Outcome, Relay, RelayStop, Sink, Spec, Transcript,
    has_no_writer, stay_on_core,
};
use bytesize::ByteSize;

use super::jury::{Call, JuryValidator, Protocol};
use super::{Validated, checker, custom};
use crate::cancel::Cancel;
use crate::judging_error::JudgingError;
use crate::slot::{Role, Slot, run_in};
use crate::verdict::Answer;

/// After the validator's end, the submission's ends of the pipes stay open this
/// long: a submission that ended before them is then known to have ended by itself.
const GUARD: Duration = Duration::from_millis(4);
/// The same for a submission that closed its output before the validator ended: it
/// is most likely gone, and a busy machine needs this long to say so.
const GUARD_OF_CLOSED: Duration = Duration::from_secs(1);

/// What came of a conversation.
#[derive(Debug)]
pub(crate) struct Conversation {
    /// The submission's.
    pub(crate) facts: Facts,
    /// What the validator says; nothing if it ran into a limit, as the submission did.
    pub(crate) validated: Option<Validated>,
    pub(crate) validator_ended_first: bool,
    /// Who waited for whom, if the submission was ended on the clock.
    pub(crate) waiting: Option<&'static str>,
    /// Whether the submission was ended on the clock, and the validator computed for
    /// so long that it may have been for that.
    pub(crate) held_up: bool,
    /// What both said.
    pub(crate) transcript: Transcript,
}

enum Ended {
    Submission(Result<Facts, JudgingError>),
    Validator(Result<Facts, JudgingError>),
}

/// What the pipes between both sides are made of here.
struct Between {
    relay: Relay,
    stop: RelayStop,
    /// What the submission says is read from this by the relay, and told to be over.
    from_submission: PipeReader,
}

/// Lets the submission talk to the validator. `submission` is complete but for
/// its standard input and output.
pub(crate) fn converse(
    validator: &JuryValidator,
    slot: &mut Slot,
    call: &Call<'_>,
    mut submission: Spec,
    scratch: &Path,
    cancel: &Cancel,
) -> Result<Conversation, JudgingError> {
    let activity = format!("running {} on {}", validator.name, call.testcase.name);
    let stderr =
        tempfile::tempfile_in(scratch).map_err(JudgingError::disk("create a file in", scratch))?;
    let pipe = || io::pipe().map_err(JudgingError::disk("create a pipe for", scratch));
    let (submission_hears, to_submission) = pipe()?;
    let (from_submission, submission_says) = pipe()?;
    let (validator_hears, to_validator) = pipe()?;
    let (from_validator, validator_says) = pipe()?;
    let program = Ends {
        says: from_submission
            .try_clone()
            .map_err(JudgingError::disk("share a pipe for", scratch))?,
        hears: to_submission,
    };
    let partner = Ends {
        says: from_validator,
        hears: to_validator,
    };
    let (relay, stop) =
        Relay::new(program, partner).map_err(JudgingError::disk("create a pipe for", scratch))?;
    let (hears, says) = (
        Input::Fd(validator_hears.into()),
        Sink::Fd(validator_says.into()),
    );
    let patience = submission.limits.wall_time;
    let jury = match validator.protocol {
        Protocol::Kattis => validator.spec(call, hears, says, &stderr, patience),
        Protocol::Checker(protocol) => {
            checker::interactor_spec(validator, protocol, call, hears, says, &stderr, patience)
        }
    }?;
    submission.stdin = Input::Fd(submission_hears.into());
    submission.stdout = Sink::Fd(submission_says.into());

    let talk = Talk {
        activity: &activity,
        cancel,
        judge_stderr: stderr,
    };
    let between = Between {
        relay,
        stop,
        from_submission,
    };
    let ended = talk.run(validator, slot, call, submission, jury, between);
    slot.replace_if_broken(Role::Contestant, ended.as_ref().err());
    slot.replace_if_broken(Role::Jury, ended.as_ref().err());
    let (mut conversation, written) = ended?;
    // What a submission that failed left is not worth a look.
    let accepted = conversation
        .validated
        .as_ref()
        .is_some_and(|validated| validated.answer == Answer::Accepted);
    let is_open = accepted && conversation.facts.outcome == Outcome::Exited { code: 0 };
    if let Some(then) = validator.then.as_deref().filter(|_| is_open) {
        let written = match written {
            Some(written) => written,
            None => tempfile::tempfile_in(scratch)
                .map_err(JudgingError::disk("create a file in", scratch))?,
        };
        let validated = custom::validate(then, slot, call, written, scratch, cancel)?;
        conversation.validated = Some(validated);
    }
    Ok(conversation)
}

struct Talk<'a> {
    activity: &'a str,
    cancel: &'a Cancel,
    judge_stderr: File,
}

impl Talk<'_> {
    fn run(
        self,
        validator: &JuryValidator,
        slot: &mut Slot,
        call: &Call<'_>,
        submission: Spec,
        jury: Spec,
        between: Between,
    ) -> Result<(Conversation, Option<File>), JudgingError> {
        let limits = (submission.limits.wall_time, submission.limits.idle_time);
        let core = slot.core();
        let (submission_jail, jury_jail) = slot.both(self.activity)?;
        // Each side can be ended without ending the judgement.
        let (end_submission, end_jury) = (submission_jail.canceller(), jury_jail.canceller());
        let (sender, events) = mpsc::channel();
        let (activity, cancel) = (self.activity, self.cancel);
        let started = Instant::now();
        let limit = submission.limits.output;
        let (mut from_submission, mut stop) = (Some(between.from_submission), Some(between.stop));
        let (mut submission_facts, mut jury_facts) = (None, None);
        let mut released = None;
        let relayed = thread::scope(|scope| {
            let flooding = end_submission.clone();
            let relay = scope.spawn(move || {
                if let Some(Err(error)) = core.map(stay_on_core) {
                    tracing::debug!(%error, "the relay may run on another core than its programs");
                }
                between.relay.run(limit, || flooding.cancel())
            });
            let to = sender.clone();
            // The receiver outlives both threads, so that no send fails.
            scope.spawn(move || {
                let facts = run_in(submission_jail, submission, activity, cancel);
                drop(to.send(Ended::Submission(facts)));
            });
            scope.spawn(move || {
                let facts = run_in(jury_jail, jury, activity, cancel);
                drop(sender.send(Ended::Validator(facts)));
            });
            while let Ok(event) = events.recv() {
                match event {
                    Ended::Submission(facts) => {
                        if facts.is_err() {
                            end_jury.cancel();
                        }
                        submission_facts = Some(facts);
                    }
                    Ended::Validator(facts) => {
                        if submission_facts.is_none() {
                            let closed = from_submission.as_ref().is_some_and(has_no_writer);
                            let guard = if closed { GUARD_OF_CLOSED } else { GUARD };
                            match events.recv_timeout(guard) {
                                Ok(Ended::Submission(facts)) => submission_facts = Some(facts),
                                _ => released = Some(Instant::now()),
                            }
                        }
                        let hopeless = !facts
                            .as_ref()
                            .is_ok_and(|facts| validator.accepts(&facts.outcome));
                        if hopeless {
                            // Its verdict no longer depends on what it does.
                            end_submission.cancel();
                        }
                        jury_facts = Some(facts);
                        // In this order: a submission that sees the end of its input must
                        // find nobody who could read its output.
                        drop(from_submission.take());
                        drop(stop.take());
                    }
                }
            }
            // Where a thread died without an event, nobody else does.
            drop(stop.take());
            relay.join()
        });
        let gone = || JudgingError::Jail {
            activity: self.activity.to_owned(),
            source: JailError::Gone,
        };
        let facts = submission_facts.ok_or_else(gone)?;
        let mut facts = facts.map_err(JudgingError::of_submission)?;
        let jury_facts = jury_facts.ok_or_else(gone)??;
        let relayed = relayed.map_err(|_| gone())?;
        let relayed = relayed.map_err(|source| JudgingError::Jail {
            activity: self.activity.to_owned(),
            source: JailError::Step {
                step: "pass on what both sides said".to_owned(),
                source,
            },
        })?;
        let flooded = count_output(&mut facts, relayed.count, limit);
        let waiting = who_waited(&facts, &jury_facts);
        let held_up = is_held_up(&facts.outcome, limits, jury_facts.cpu_time);
        let (validated, written) = match validator.protocol {
            _ if is_at_limit(&jury_facts.outcome) && is_at_limit(&facts.outcome) => (None, None),
            Protocol::Kattis => {
                let name = &call.testcase.name;
                let said = validator.answer(name, call.meaning, jury_facts, self.judge_stderr)?;
                (Some(said), None)
            }
            Protocol::Checker(protocol) => {
                let (said, written) = checker::interactor_answer(
                    validator,
                    protocol,
                    call,
                    jury_facts,
                    self.judge_stderr,
                )?;
                (Some(said), written)
            }
        };
        // Ended by itself before the pipes were closed, though its jail was slow
        // to say so: half the guard is the tolerance of the two clocks. One that
        // was ended because of the validator's answer was certainly later, also
        // when it was started late.
        let ended_at = started + facts.setup_time + facts.wall_time;
        let cut_short = facts.outcome
            == Outcome::Killed {
                cause: KillCause::Cancelled,
            };
        let validator_ended_first = !flooded
            && released.is_some_and(|released| cut_short || ended_at + GUARD / 2 > released);
        let conversation = Conversation {
            facts,
            validated,
            validator_ended_first,
            waiting,
            held_up,
            transcript: relayed.transcript,
        };
        Ok((conversation, written))
    }
}

/// Adds what went to the validator to the output; returns whether the limit ended the
/// submission for it, as it does where output is captured.
fn count_output(facts: &mut Facts, copied: ByteSize, limit: ByteSize) -> bool {
    facts.output += copied;
    let other_end = matches!(
        &facts.outcome,
        Outcome::Killed { cause } if *cause != KillCause::Cancelled
    );
    let flooded = facts.output > limit && !other_end;
    if flooded {
        facts.outcome = Outcome::Killed {
            cause: KillCause::Output,
        };
    }
    flooded
}

/// Whether a limit ended a program that it reaches by its own doing: what it waits
/// for does not count.
const fn is_at_limit(outcome: &Outcome) -> bool {
    matches!(
        outcome,
        Outcome::Killed {
            cause: KillCause::CpuTime
                | KillCause::Memory
                | KillCause::Output
                | KillCause::Processes
                | KillCause::Policy { .. }
        }
    )
}

/// Who waited, if the submission was ended on the clock. One that was ended for
/// doing nothing waited in the end, whatever it did before.
fn who_waited(submission: &Facts, validator: &Facts) -> Option<&'static str> {
    let Outcome::Killed { cause } = &submission.outcome else {
        return None;
    };
    let used = match cause {
        KillCause::WallTime => submission.cpu_time,
        KillCause::Idle => Duration::ZERO,
        _ => return None,
    };
    waiting(submission.wall_time, used, validator.cpu_time)
}

/// Whether a submission that ended so may owe it to a validator that `used` so much
/// CPU time. An eighth of the limits is what they leave on top of the CPU limit.
fn is_held_up(
    outcome: &Outcome,
    (wall, idle): (Duration, Option<Duration>),
    used: Duration,
) -> bool {
    let limit = match outcome {
        Outcome::Killed {
            cause: KillCause::WallTime,
        } => Some(wall),
        Outcome::Killed {
            cause: KillCause::Idle,
        } => idle,
        _ => None,
    };
    limit.is_some_and(|limit| used >= limit / 8)
}

/// A side waits that used little of the time; a busy machine gives little, too.
fn waiting(elapsed: Duration, submission: Duration, validator: Duration) -> Option<&'static str> {
    let waits = |used: Duration| used < elapsed / 8;
    match (waits(submission), waits(validator)) {
        (true, true) => Some("both sides waited for each other"),
        (true, false) => Some("the submission waited for the validator"),
        (false, _) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_held_up() {
        let held_up = |cause, used| {
            let limits = (Duration::from_secs(8), Some(Duration::from_secs(4)));
            is_held_up(
                &Outcome::Killed { cause },
                limits,
                Duration::from_millis(used),
            )
        };
        assert!(held_up(KillCause::WallTime, 1000));
        assert!(!held_up(KillCause::WallTime, 999));
        assert!(held_up(KillCause::Idle, 500));
        assert!(!held_up(KillCause::CpuTime, 8000));
    }

    #[test]
    fn who_uses_no_time_waits() {
        let waiting = |submission, validator| {
            let used = Duration::from_millis;
            super::waiting(Duration::from_secs(3), used(submission), used(validator))
        };
        assert!(waiting(20, 30).unwrap().starts_with("both"));
        assert!(waiting(20, 2900).unwrap().contains("for the validator"));
        assert_eq!(waiting(900, 20), None);
    }
}
