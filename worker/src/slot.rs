//! A slot: one core with the two jails that work on it.

use assize_common::telemetry::error_chain;
use assize_sandbox::{Facts, Jail, JailConfig, KillCause, Outcome, Spec, Tree};

use crate::cancel::Cancel;
use crate::judging_error::JudgingError;

/// One core of a worker: a jail for contestants' programs and compilers, another
/// for the jury's, so that neither leaves anything for the other. Jails are
/// started when first needed and replaced when they fail.
#[derive(Debug)]
pub struct Slot {
    number: u16,
    core: Option<usize>,
    trees: Vec<Tree>,
    contestant: Option<Jail>,
    jury: Option<Jail>,
}

/// Whose program a jail runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Contestant,
    Jury,
}

impl Slot {
    /// A slot without jails yet. Its jails show `trees` and are pinned to `core`.
    #[must_use]
    pub const fn new(number: u16, core: Option<usize>, trees: Vec<Tree>) -> Self {
        Self {
            number,
            core,
            trees,
            contestant: None,
            jury: None,
        }
    }

    /// The slot's number within the worker.
    #[must_use]
    pub const fn number(&self) -> u16 {
        self.number
    }

    /// The core its jails are pinned to.
    #[must_use]
    pub const fn core(&self) -> Option<usize> {
        self.core
    }

    /// Runs a program in the jail of its role; `activity` is for errors.
    pub(crate) fn run(
        &mut self,
        role: Role,
        spec: Spec,
        activity: &str,
        cancel: &Cancel,
    ) -> Result<Facts, JudgingError> {
        let jail = self.jail(role).map_err(|source| JudgingError::Jail {
            activity: activity.to_owned(),
            source,
        })?;
        let result = run_in(jail, spec, activity, cancel);
        self.replace_if_broken(role, result.as_ref().err());
        result
    }

    /// Both jails at once, for programs that talk to each other.
    pub(crate) fn both(&mut self, activity: &str) -> Result<(&mut Jail, &mut Jail), JudgingError> {
        for role in [Role::Contestant, Role::Jury] {
            self.jail(role).map_err(|source| JudgingError::Jail {
                activity: activity.to_owned(),
                source,
            })?;
        }
        match (&mut self.contestant, &mut self.jury) {
            (Some(contestant), Some(jury)) => Ok((contestant, jury)),
            _ => Err(JudgingError::Jail {
                activity: activity.to_owned(),
                source: assize_sandbox::JailError::Gone,
            }),
        }
    }

    /// Drops a jail that failed: the next run gets a fresh one.
    pub(crate) fn replace_if_broken(&mut self, role: Role, error: Option<&JudgingError>) {
        if let Some(JudgingError::Jail { source, .. }) = error
            && source.is_fatal()
            && self.place(role).take().is_some()
        {
            metrics::counter!("assize_jails_lost_total", "reason" => source.kind()).increment(1);
            tracing::warn!(
                slot = self.number,
                jail = ?role,
                error = %error_chain(source),
                "a jail failed and is thrown away"
            );
        }
    }

    const fn place(&mut self, role: Role) -> &mut Option<Jail> {
        match role {
            Role::Contestant => &mut self.contestant,
            Role::Jury => &mut self.jury,
        }
    }

    fn jail(&mut self, role: Role) -> Result<&mut Jail, assize_sandbox::JailError> {
        if self.place(role).is_none() {
            let config = JailConfig {
                core: self.core,
                trees: self.trees.clone(),
                ..JailConfig::new(self.number)?
            };
            *self.place(role) = Some(Jail::start(&config)?);
        }
        self.place(role)
            .as_mut()
            .ok_or(assize_sandbox::JailError::Gone)
    }
}

/// Runs a program in a jail so that `cancel` ends it; `activity` is for errors.
///
/// # Errors
/// When the jail fails, or somebody cancelled.
pub fn run_in(
    jail: &mut Jail,
    spec: Spec,
    activity: &str,
    cancel: &Cancel,
) -> Result<Facts, JudgingError> {
    let _watch = cancel.watch(jail.canceller())?;
    let facts = jail.run(spec).map_err(|source| JudgingError::Jail {
        activity: activity.to_owned(),
        source,
    })?;
    metrics::counter!("assize_runs_total", "left" => facts.left.name()).increment(1);
    if facts.outcome
        == (Outcome::Killed {
            cause: KillCause::Cancelled,
        })
        && cancel.is_cancelled()
    {
        return Err(JudgingError::Cancelled);
    }
    Ok(facts)
}
