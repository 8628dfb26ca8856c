//! The supervisor's end of its stages.

use super::request;
use super::room::Room;
use super::setup::Setup;
use crate::protocol::{Channel, Failure, Shape};
use crate::sys::seccomp::Listener;
use std::os::fd::{AsFd, OwnedFd};

/// Stages that wait at the same time: for a compiler and its programs, say, in both
/// modes.
const WAITING_MAX: usize = 4;

/// A stage that waits for an order. Dropping it ends it.
#[derive(Debug)]
pub(super) struct Stage {
    pub(super) channel: Channel,
    /// Hears of forbidden calls. None with a tracer, and where the filter kills.
    pub(super) listener: Option<Listener>,
    /// Where files count as output; None until it has told.
    pub(super) room: Option<Room>,
    shape: Shape,
    /// Open so that nothing else can have their identities, by which the shape
    /// knows them.
    _sources: Vec<OwnedFd>,
}

impl Setup {
    /// A stage that waits, if one has the shape, or else a new one. What may be
    /// wrong with that is told in answer to its first order.
    pub(super) fn stage(&mut self, shape: Shape, sources: Vec<OwnedFd>) -> Result<Stage, Failure> {
        let waiting = &mut self.waiting;
        if let Some(index) = waiting.iter().position(|stage| stage.shape == shape) {
            return Ok(waiting.remove(index));
        }
        // They would see what this one needs in the root directory.
        let entries = shape.top_level();
        waiting.retain(|stage| stage.shape.top_level() == entries);
        let trees = request::detach_mounts(&shape, &sources)?;
        let (channel, theirs) = Channel::pair().map_err(Failure::step("make a socket pair"))?;
        let mut descriptors = vec![theirs.as_fd()];
        descriptors.extend(trees.iter().map(AsFd::as_fd));
        self.zygote
            .send(&shape, &descriptors)
            .map_err(Failure::step("ask the zygote for a stage"))?;
        Ok(Stage {
            channel,
            listener: None,
            room: None,
            shape,
            _sources: sources,
        })
    }

    /// Takes back a stage that goes on. The one that has waited longest ends if
    /// there are too many.
    pub(super) fn take_back(&mut self, stage: Stage) {
        self.waiting.push(stage);
        if self.waiting.len() > WAITING_MAX {
            self.waiting.remove(0);
        }
    }
}
