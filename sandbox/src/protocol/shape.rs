//! What a run needs of its stage.

use super::{Failure, Order};
use crate::audit::AuditLevel;
use crate::limits::Limits;
use crate::spec::{Mode, Scratch};
use crate::sys::inode::{self, Identity};
use assize_policy::{PolicyLayer, PolicyName};
use bytesize::ByteSize;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

/// What a run needs of its stage. Runs of one shape can have the same stage, one
/// after the other.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Shape {
    pub(crate) mode: Mode,
    pub(crate) policy: PolicyName,
    pub(crate) layers: Vec<PolicyLayer>,
    pub(crate) audit: AuditLevel,
    pub(crate) observe: bool,
    /// With the one at /tmp.
    pub(crate) scratch: Vec<Scratch>,
    pub(crate) mounts: Vec<Shown>,
}

/// A file or directory of the host, shown to a run.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Shown {
    pub(crate) target: PathBuf,
    pub(crate) is_directory: bool,
    source: Identity,
}

/// An entry of the root directory that one shape needs and others do not see.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct TopLevel {
    pub(crate) path: PathBuf,
    pub(crate) is_directory: bool,
}

impl Shape {
    /// Takes out of an order what its stage is to know. `mounts` are the sources
    /// of its mounts; their identities hold as long as they are open.
    pub(crate) fn take(order: &mut Order, mounts: &[OwnedFd]) -> Result<Self, Failure> {
        let mut scratch = order.scratch.clone();
        let tmp = PathBuf::from("/tmp");
        if !scratch.iter().any(|scratch| scratch.target == tmp) {
            // A page more, so that too much can be told from just enough.
            let room = order.limits.file_room().saturating_add(Limits::page());
            scratch.push(Scratch {
                target: tmp,
                size: order.limits.memory.min(ByteSize::b(room)),
                counted: true,
            });
        }
        let targets = std::mem::take(&mut order.mounts).into_iter();
        let shown = targets.zip(mounts).map(|(target, source)| {
            let (source, is_directory) = inode::identify(source.as_fd())
                .map_err(Failure::step("look at what is to be mounted"))?;
            Ok(Shown {
                target,
                is_directory,
                source,
            })
        });
        Ok(Self {
            mode: order.mode,
            policy: order.policy,
            layers: std::mem::take(&mut order.layers),
            audit: order.audit,
            observe: order.observe,
            scratch,
            mounts: shown.collect::<Result<_, _>>()?,
        })
    }

    /// Entries of the root directory on the way to the targets.
    pub(crate) fn top_level(&self) -> BTreeSet<TopLevel> {
        let mounts = self.mounts.iter().filter_map(|shown| {
            let is_file = shown.target.components().count() == 2 && !shown.is_directory;
            top_level(&shown.target, !is_file)
        });
        let scratches = self.scratch.iter();
        mounts
            .chain(scratches.filter_map(|scratch| top_level(&scratch.target, true)))
            .collect()
    }

    /// Whether nothing is mounted below `target`.
    pub(crate) fn has_nothing_in(&self, target: &Path) -> bool {
        let scratches = self.scratch.iter().map(|scratch| &scratch.target);
        let mounts = self.mounts.iter().map(|shown| &shown.target);
        scratches
            .chain(mounts)
            .all(|other| other == target || !other.starts_with(target))
    }
}

fn top_level(target: &Path, is_directory: bool) -> Option<TopLevel> {
    let top = target.components().nth(1)?;
    Some(TopLevel {
        path: Path::new("/").join(top),
        is_directory,
    })
}
