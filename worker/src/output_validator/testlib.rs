//! Checkers written with testlib: other arguments, other exit codes, and what they
//! say goes to standard error.

use std::fs::File;
use std::num::NonZeroUsize;
use std::path::Path;

use assize_common::package::CheckerPoints;
use assize_common::{Award, Score};
use assize_sandbox::{Input, Outcome, Sink};

use super::feedback::{MESSAGE_KEPT, Scores};
use super::jury::{Call, JuryValidator, show};
use super::{Feedback, Validated};
use crate::cancel::Cancel;
use crate::judging_error::JudgingError;
use crate::slot::{Role, Slot};
use crate::toolchain::read_start;
use crate::verdict::Answer;

const INPUT: &str = "/data/testcase.in";
/// It is copied into the jail, unlike the files beside it.
const OUTPUT: &str = "/output/output";
const ANSWER: &str = "/data/testcase.ans";

/// Asks the checker about `output`.
pub(super) fn validate(
    checker: &JuryValidator,
    points: CheckerPoints,
    slot: &mut Slot,
    call: &Call<'_>,
    output: File,
    scratch: &Path,
    cancel: &Cancel,
) -> Result<Validated, JudgingError> {
    let testcase = call.testcase;
    let stderr =
        tempfile::tempfile_in(scratch).map_err(JudgingError::disk("create a file in", scratch))?;
    let args = [INPUT, OUTPUT, ANSWER].map(str::to_owned);
    let mut spec = checker.program_spec(&args, call.meaning, Input::Null, Sink::Null, &stderr)?;
    let share = |file: &File| {
        file.try_clone()
            .map_err(JudgingError::disk("share a file in", scratch))
    };
    let answer =
        File::open(&testcase.answer).map_err(JudgingError::disk("open", &testcase.answer))?;
    show(&mut spec, share(call.input)?, Path::new(INPUT))?;
    show(&mut spec, output, Path::new(OUTPUT))?;
    show(&mut spec, answer, Path::new(ANSWER))?;
    let activity = format!("running {} on {}", checker.name, testcase.name);
    let facts = slot.run(Role::Jury, spec, &activity, cancel)?;
    let said = read_start(stderr, MESSAGE_KEPT).unwrap_or_default();
    let said = said.trim();
    let error = |problem: String| JudgingError::jury(&checker.name, Some(&testcase.name), problem);
    let (answer, award) = match &facts.outcome {
        Outcome::Exited { code: 0 } => (Answer::Accepted, None),
        Outcome::Exited { code: 1 } => (Answer::Wrong, None),
        // Dirt is something after the end of a right output.
        Outcome::Exited { code: 2 | 4 } => (Answer::Misformatted, None),
        Outcome::Exited { code: 3 } => return Err(error(format!("failed: {said}"))),
        Outcome::Exited { code: 7 } if call.meaning.scores != Scores::Ignored => {
            let award = award(said, points)
                .ok_or_else(|| error(format!("gives points without saying how many: {said}")))?;
            (Answer::Accepted, Some(award))
        }
        Outcome::Exited { code: 7 } => {
            return Err(error(
                "gives points where there are none to give".to_owned(),
            ));
        }
        outcome => return Err(error(checker.misbehaviour(outcome, "one of 0 to 4 and 7"))),
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
