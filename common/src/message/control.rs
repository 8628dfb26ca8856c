//! Control: what schedulers tell all workers. A hint that may get lost: whoever
//! misses a cancel judges in vain, and a mode is told again with every heartbeat.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::HeldJudgement;
use crate::id::WorkerId;

/// What workers are told. Those it is not meant for ignore it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Control {
    /// Nobody wants the attempt any more.
    Cancel(HeldJudgement),
    /// How a worker is to work from now on.
    Mode {
        /// Which worker.
        worker_id: WorkerId,
        /// How.
        mode: WorkerMode,
    },
}

/// How a worker works.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum WorkerMode {
    /// It takes tasks.
    Run,
    /// It takes none, and waits for better times.
    Cordon,
    /// It takes none, and ends when it has finished what it holds.
    Drain,
}

impl WorkerMode {
    const ALL: [Self; 3] = [Self::Run, Self::Cordon, Self::Drain];

    /// Its name in JSON and in the database.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Run => "run",
            Self::Cordon => "cordon",
            Self::Drain => "drain",
        }
    }
}

impl fmt::Display for WorkerMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A text that names no mode.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{text:?} is not the mode of a worker: expected run, cordon or drain")]
pub struct UnknownWorkerMode {
    text: String,
}

impl FromStr for WorkerMode {
    type Err = UnknownWorkerMode;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|mode| mode.name() == text);
        found.ok_or_else(|| UnknownWorkerMode {
            text: text.to_owned(),
        })
    }
}
