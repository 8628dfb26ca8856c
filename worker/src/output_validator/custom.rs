//! Custom output validators: a program of the jury reads the output.

use std::fs::File;
use std::io::Seek as _;
use std::path::Path;
use std::time::Duration;

use assize_sandbox::Input;

use super::jury::{Call, JuryValidator, Protocol, capture};
use super::{Validated, checker};
use crate::cancel::Cancel;
use crate::judging_error::JudgingError;
use crate::slot::{Role, Slot};
use crate::verdict::Answer;

/// Asks the jury's program about `output`, which is read from its start.
pub(crate) fn validate(
    validator: &JuryValidator,
    slot: &mut Slot,
    call: &Call<'_>,
    mut output: File,
    scratch: &Path,
    cancel: &Cancel,
) -> Result<Validated, JudgingError> {
    output
        .rewind()
        .map_err(JudgingError::disk("rewind the output in", scratch))?;
    if let Protocol::Checker(protocol) = validator.protocol {
        return checker::validate(validator, protocol, slot, call, output, scratch, cancel);
    }
    let kept = output
        .try_clone()
        .map_err(JudgingError::disk("share the output in", scratch))?;
    let stderr =
        tempfile::tempfile_in(scratch).map_err(JudgingError::disk("create a file in", scratch))?;
    let spec = validator.spec(
        call,
        Input::Fd(output.into()),
        capture(&stderr, scratch)?,
        &stderr,
        Duration::ZERO,
    )?;
    let activity = format!("running {} on {}", validator.name, call.testcase.name);
    let facts = slot.run(Role::Jury, spec, &activity, cancel)?;
    let said = validator.answer(&call.testcase.name, call.meaning, facts, stderr)?;
    match (validator.then.as_deref(), said.answer) {
        (Some(then), Answer::Accepted) => {
            let mut next = validate(then, slot, call, kept, scratch, cancel)?;
            // The score is that of the last one that gives one.
            next.feedback.award = next.feedback.award.or(said.feedback.award);
            Ok(next)
        }
        _ => Ok(said),
    }
}
