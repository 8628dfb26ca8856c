//! Checkers and interactors as testlib and DMOJ have them: other arguments, other
//! exit codes, and what they say goes to standard error.

use std::fs::File;
use std::io::Seek as _;
use std::num::NonZeroUsize;
use std::path::Path;
use std::time::Duration;

use assize_common::package::{CheckerPoints, CheckerProtocol};
use assize_common::{Award, Score};
use assize_sandbox::{Collected, Facts, FileOut, Input, Outcome, Scratch, Sink, Spec};

use super::feedback::{MESSAGE_KEPT, Scores};
use super::jury::{Call, JuryValidator, WRITING_SPARE, copy_in, show};
use super::{Feedback, Validated};
use crate::cancel::Cancel;
use crate::judging_error::JudgingError;
use crate::slot::{Role, Slot};
use crate::toolchain::read_start;
use crate::verdict::Answer;

const INPUT: &str = "/data/testcase.in";
/// It is copied into the jail, unlike the files beside it; an interactor writes it.
const OUTPUT: &str = "/output/output";
const ANSWER: &str = "/data/testcase.ans";

/// Asks the checker about `output`.
pub(super) fn validate(
    checker: &JuryValidator,
    protocol: CheckerProtocol,
    slot: &mut Slot,
    call: &Call<'_>,
    output: File,
    scratch: &Path,
    cancel: &Cancel,
) -> Result<Validated, JudgingError> {
    let stderr =
        tempfile::tempfile_in(scratch).map_err(JudgingError::disk("create a file in", scratch))?;
    let mut args: Vec<_> = [INPUT, OUTPUT, ANSWER].map(str::to_owned).into();
    args.extend(call.testcase.output_validator_args.iter().cloned());
    let mut spec = checker.program_spec(&args, call.meaning, Input::Null, Sink::Null, &stderr)?;
    show_files(&mut spec, call)?;
    // What came out of a jail can't be mounted.
    copy_in(&mut spec, output, Path::new(OUTPUT))?;
    let activity = format!("running {} on {}", checker.name, call.testcase.name);
    let facts = slot.run(Role::Jury, spec, &activity, cancel)?;
    answer(checker, protocol, call, &facts.outcome, stderr)
}

/// How an interactor is run; `extra_wall_time` is what it may have to wait for the
/// submission.
pub(super) fn interactor_spec(
    interactor: &JuryValidator,
    protocol: CheckerProtocol,
    call: &Call<'_>,
    stdin: Input,
    stdout: Sink,
    stderr: &File,
    extra_wall_time: Duration,
) -> Result<Spec, JudgingError> {
    let args: &[&str] = match protocol {
        CheckerProtocol::Testlib(_) => &[INPUT, OUTPUT, ANSWER],
        CheckerProtocol::ExitCode => &[INPUT, ANSWER],
    };
    let args: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).collect();
    let mut spec = interactor.program_spec(&args, call.meaning, stdin, stdout, stderr)?;
    spec.limits.wall_time += extra_wall_time;
    show_files(&mut spec, call)?;
    let size = interactor.limits.validation_output;
    let directory = Path::new(OUTPUT).parent().unwrap_or(Path::new(OUTPUT));
    spec.scratch.push(Scratch {
        target: directory.to_owned(),
        size: size + WRITING_SPARE,
        counted: true,
    });
    spec.collect.push(FileOut {
        path: OUTPUT.into(),
        max_size: size,
    });
    Ok(spec)
}

/// The answer of an interactor that ended, and what it wrote.
pub(super) fn interactor_answer(
    interactor: &JuryValidator,
    protocol: CheckerProtocol,
    call: &Call<'_>,
    facts: Facts,
    stderr: File,
) -> Result<(Validated, Option<File>), JudgingError> {
    let validated = answer(interactor, protocol, call, &facts.outcome, stderr)?;
    if let Some(path) = facts.unfit.first() {
        let problem = format!(
            "left a {} that is no plain file, or too large",
            path.display()
        );
        return Err(JudgingError::jury(
            &interactor.name,
            Some(&call.testcase.name),
            problem,
        ));
    }
    let written = facts
        .collected
        .into_iter()
        .find(|Collected { path, .. }| path == Path::new(OUTPUT));
    let Some(Collected { content, .. }) = written else {
        return Ok((validated, None));
    };
    let mut written = File::from(content);
    written
        .rewind()
        .map_err(JudgingError::disk("rewind", OUTPUT))?;
    Ok((validated, Some(written)))
}

/// Whether an interactor that ended so accepts.
pub(super) const fn accepts(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Exited { code: 0 | 7 })
}

fn show_files(spec: &mut Spec, call: &Call<'_>) -> Result<(), JudgingError> {
    let input = call.input.try_clone();
    let input = input.map_err(JudgingError::disk("share", INPUT))?;
    let place = &call.testcase.answer;
    let answer = File::open(place).map_err(JudgingError::disk("open", place))?;
    show(spec, input, Path::new(INPUT))?;
    show(spec, answer, Path::new(ANSWER))
}

fn answer(
    checker: &JuryValidator,
    protocol: CheckerProtocol,
    call: &Call<'_>,
    outcome: &Outcome,
    stderr: File,
) -> Result<Validated, JudgingError> {
    let said = read_start(stderr, MESSAGE_KEPT).unwrap_or_default();
    let said = said.trim();
    let error =
        |problem: String| JudgingError::jury(&checker.name, Some(&call.testcase.name), problem);
    let points = match protocol {
        CheckerProtocol::Testlib(points) => Some(points),
        CheckerProtocol::ExitCode => None,
    };
    let (answer, award) = match (outcome, points) {
        (Outcome::Exited { code: 0 }, _) => (Answer::Accepted, None),
        (Outcome::Exited { code: 1 }, _) => (Answer::Wrong, None),
        // Dirt is something after the end of a right output; 8 an output that ends too soon,
        // where testlib is made to tell that from other misformatted ones.
        (Outcome::Exited { code: 2 | 4 | 8 }, Some(_)) => (Answer::Misformatted, None),
        (Outcome::Exited { code: 3 }, Some(_)) => return Err(error(format!("failed: {said}"))),
        (Outcome::Exited { code: 7 }, Some(points)) => match call.meaning.scores {
            Scores::Legacy | Scores::Strict => {
                let award = award(said, points).ok_or_else(|| {
                    error(format!("gives points without saying how many: {said}"))
                })?;
                (Answer::Accepted, Some(award))
            }
            Scores::Ignored => (Answer::Accepted, None),
            // Half a solution must not pass for a whole one.
            Scores::None => {
                let problem = "gives points where there are none to give";
                return Err(error(problem.to_owned()));
            }
        },
        (outcome, Some(_)) => {
            return Err(error(checker.misbehaviour(outcome, "one of 0 to 4 and 7")));
        }
        (outcome, None) => return Err(error(checker.misbehaviour(outcome, "0 or 1"))),
    };
    Ok(Validated {
        answer,
        feedback: Feedback {
            judge_message: (!said.is_empty()).then(|| said.to_owned()),
            award,
            ..Feedback::default()
        },
    })
}

/// The points in a message such as `points 0.5 half of it`.
fn award(said: &str, points: CheckerPoints) -> Option<Award> {
    let mut words = said.split_whitespace();
    let number = words
        .find(|word| *word == "points")
        .and_then(|_| words.next())?;
    let number: Score = number.parse().ok()?;
    Some(match points {
        CheckerPoints::Absolute => Award::Points(number),
        CheckerPoints::Percent => Award::Multiplier(&number / NonZeroUsize::new(100)?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_are_read_out_of_the_message() {
        let points = |text: &str| Some(Award::Points(text.parse().unwrap()));
        assert_eq!(
            award("points 2.5 fine", CheckerPoints::Absolute),
            points("2.5")
        );
        assert_eq!(
            award("points 50", CheckerPoints::Percent),
            Some(Award::Multiplier("0.5".parse().unwrap()))
        );
        assert_eq!(award("points many", CheckerPoints::Absolute), None);
        assert_eq!(award("ok 5", CheckerPoints::Absolute), None);
    }
}
