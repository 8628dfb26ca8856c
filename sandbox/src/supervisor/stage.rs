//! The supervisor's end of a stage.

use super::setup::Setup;
use crate::protocol::{Channel, Failure, Shape};
use crate::sys::seccomp::Listener;
use std::os::fd::{AsFd, OwnedFd};

/// A stage that waits for an order. Dropping it ends it.
#[derive(Debug)]
pub(super) struct Stage {
    pub(super) channel: Channel,
    /// Hears of forbidden calls. None with a tracer, and where the filter kills.
    pub(super) listener: Option<Listener>,
    shape: Shape,
}

impl Setup {
    /// The stage that waits, if it has the shape, or else a new one. What may be
    /// wrong with that is told in answer to its first order.
    pub(super) fn stage(&mut self, shape: Shape, mounts: &[OwnedFd]) -> Result<Stage, Failure> {
        if let Some(stage) = self.idle.take_if(|stage| stage.shape == shape) {
            return Ok(stage);
        }
        self.idle = None;
        let (channel, theirs) = Channel::pair().map_err(Failure::step("make a socket pair"))?;
        let mut descriptors = vec![theirs.as_fd()];
        descriptors.extend(mounts.iter().map(AsFd::as_fd));
        self.zygote
            .send(&shape, &descriptors)
            .map_err(Failure::step("ask the zygote for a stage"))?;
        Ok(Stage {
            channel,
            listener: None,
            shape,
        })
    }
}
