//! The descriptors that travel beside an order, by what they are for.

use super::{Failure, Order, SinkRequest};
use crate::spec::Mode;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// The descriptors of one run.
#[derive(Debug, Default)]
pub(crate) struct Descriptors {
    pub(crate) executable: Option<OwnedFd>,
    pub(crate) stdin: Option<OwnedFd>,
    pub(crate) stdout: Option<OwnedFd>,
    pub(crate) stderr: Option<OwnedFd>,
    /// Where the tracer records.
    pub(crate) audit: Option<OwnedFd>,
    pub(crate) mounts: Vec<OwnedFd>,
    pub(crate) files: Vec<OwnedFd>,
    /// Entrances of the run's control group; only from supervisor to stage.
    pub(crate) groups: Vec<OwnedFd>,
}

impl Descriptors {
    /// In the order in which they are sent.
    pub(crate) fn all(&self) -> Vec<BorrowedFd<'_>> {
        let single = [&self.executable, &self.stdin, &self.stdout, &self.stderr];
        single
            .into_iter()
            .chain([&self.audit])
            .flatten()
            .chain(&self.mounts)
            .chain(&self.files)
            .chain(&self.groups)
            .map(AsFd::as_fd)
            .collect()
    }

    /// Tells received descriptors apart by what the order announces.
    pub(crate) fn split(order: &Order, received: Vec<OwnedFd>) -> Result<Self, Failure> {
        let mut rest = received.into_iter();
        let mut next = |wanted: bool| match wanted.then(|| rest.next()) {
            Some(None) => Err(Failure::InvalidSpec {
                problem: "fewer descriptors than announced".to_owned(),
            }),
            Some(Some(descriptor)) => Ok(Some(descriptor)),
            None => Ok(None),
        };
        let mut these = Self {
            executable: next(order.executable)?,
            stdin: next(order.stdin)?,
            stdout: next(order.stdout != SinkRequest::Null)?,
            stderr: next(order.stderr != SinkRequest::Null)?,
            audit: next(order.mode == Mode::Ptrace)?,
            ..Self::default()
        };
        for _ in &order.mounts {
            these.mounts.extend(next(true)?);
        }
        for _ in &order.files {
            these.files.extend(next(true)?);
        }
        these.groups = rest.collect();
        Ok(these)
    }
}
