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
    validator.answer(&call.testcase.name, call.meaning, facts, stderr)
}
