//! Checking a request and turning what it gives of the host into what the
//! jail can take.

use super::pump::Pump;
use crate::protocol::{Descriptors, Failure, Order, Shape, SinkRequest};
use crate::sys::mount::{self, NO_DEVICES, NO_SUID, READ_ONLY};
use nix::fcntl::OFlag;
use nix::unistd::pipe2;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Component, Path};
use std::time::Duration;

const IDLE_MIN: Duration = Duration::from_millis(100);

/// Refuses what could not mean what it says.
pub(super) fn check(order: &Order) -> Result<(), Failure> {
    if order.args.is_empty() {
        return Err(invalid("no arguments, not even a program".to_owned()));
    }
    if !order.executable && !order.args.first().is_some_and(|path| path.starts_with('/')) {
        return Err(invalid(format!(
            "the program {:?} is not an absolute path",
            order.args.first()
        )));
    }
    let paths = order
        .mounts
        .iter()
        .chain(order.scratch.iter().map(|scratch| &scratch.target))
        .chain(order.files.iter().map(|file| &file.path))
        .chain(order.collect.iter().map(|file| &file.path))
        .chain([&order.directory]);
    for path in paths {
        check_path(path)?;
    }
    for target in order
        .mounts
        .iter()
        .chain(order.scratch.iter().map(|scratch| &scratch.target))
    {
        if target.parent().is_none() || target.starts_with("/proc") {
            return Err(invalid(format!("{} can't be a target", target.display())));
        }
    }
    let inside = |path: &Path| {
        path.starts_with("/tmp")
            || order
                .scratch
                .iter()
                .any(|scratch| path.starts_with(&scratch.target))
    };
    let files = order.files.iter().map(|file| &file.path);
    for path in files.chain(order.collect.iter().map(|file| &file.path)) {
        if !inside(path) {
            return Err(invalid(format!("{} is in no scratch", path.display())));
        }
    }
    for scratch in &order.scratch {
        // Zero means no limit to tmpfs.
        if scratch.size.as_u64() == 0 {
            return Err(invalid(format!(
                "the scratch {} has no size",
                scratch.target.display()
            )));
        }
    }
    if order.limits.memory.as_u64() == 0 {
        return Err(invalid("no memory allowed".to_owned()));
    }
    // The kernel accounts up to a tick late, and a quarter must have several.
    if let Some(idle) = order.limits.idle_time
        && idle < IDLE_MIN
    {
        return Err(invalid(format!(
            "an idle limit of {idle:?}; {IDLE_MIN:?} is the least"
        )));
    }
    if order.limits.processes == 0 {
        return Err(invalid("no process allowed".to_owned()));
    }
    Ok(())
}

fn check_path(path: &Path) -> Result<(), Failure> {
    let plain = path
        .components()
        .all(|part| matches!(part, Component::RootDir | Component::Normal(_)));
    if path.is_absolute() && plain {
        return Ok(());
    }
    Err(invalid(format!(
        "{} is not an absolute path without dots",
        path.display()
    )))
}

/// Host files as detached read-only mounts.
pub(super) fn detach_mounts(shape: &Shape, sources: &[OwnedFd]) -> Result<Vec<OwnedFd>, Failure> {
    let detached = shape.mounts.iter().zip(sources).map(|(shown, source)| {
        let attempt = || format!("show a mount at {}", shown.target.display());
        let tree = mount::clone_tree(source.as_fd(), c"").map_err(Failure::step(attempt()))?;
        mount::restrict(tree.as_fd(), READ_ONLY | NO_SUID | NO_DEVICES)
            .map_err(Failure::step(attempt()))?;
        Ok(tree)
    });
    detached.collect()
}

/// Replaces the sinks to be captured by pipes, and returns their pumps.
pub(super) fn make_pumps(
    order: &Order,
    descriptors: &mut Descriptors,
) -> Result<Vec<Pump>, Failure> {
    let sinks = [
        (order.stdout, &mut descriptors.stdout),
        (order.stderr, &mut descriptors.stderr),
    ];
    let mut pumps = Vec::new();
    for (request, sink) in sinks {
        if let (SinkRequest::Capture { keep }, Some(target)) = (request, sink) {
            let (reader, writer) = pipe2(OFlag::O_CLOEXEC).map_err(Failure::step("make a pipe"))?;
            let target: OwnedFd = std::mem::replace(target, writer);
            pumps.push(Pump::new(reader, target, keep.as_u64())?);
        }
    }
    Ok(pumps)
}

fn invalid(problem: String) -> Failure {
    Failure::InvalidSpec { problem }
}
