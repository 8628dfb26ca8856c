//! Workers, languages and readiness.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::Lane;
use crate::id::WorkerId;
use crate::message::{LanguageVersion, WorkerMode};

/// A worker as the scheduler knows it from its reports.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WorkerInfo {
    /// The worker's id.
    pub id: WorkerId,
    /// The name for people.
    pub name: String,
    /// The version of the worker.
    pub version: String,
    /// How many judgements it runs at once.
    pub slots: u32,
    /// The lanes it consumes.
    pub lanes: Vec<String>,
    /// The languages it tested at start.
    pub languages: Vec<LanguageVersion>,
    /// Its latest sign of life.
    pub last_seen_at: DateTime<Utc>,
    /// Whether it said good-bye.
    pub stopped: bool,
    /// How it is to work.
    pub mode: WorkerMode,
    /// Why, if that is not an admin's doing: its canaries take longer than at first, or it fails on what others judge.
    #[serde(default)]
    pub mode_reason: Option<String>,
    /// From then on, what it judged is not to be trusted.
    #[serde(default)]
    pub suspect_since: Option<DateTime<Utc>>,
    /// Until then; without an end if there is none.
    #[serde(default)]
    pub suspect_until: Option<DateTime<Utc>>,
    /// What canaries take on its slots.
    #[serde(default)]
    pub canaries: Vec<CanaryInfo>,
    /// How many judgements it holds.
    pub busy: u32,
}

impl WorkerInfo {
    /// Whether what it judges now is not to be trusted.
    #[must_use]
    pub const fn is_suspect(&self) -> bool {
        self.suspect_since.is_some() && self.suspect_until.is_none()
    }
}

/// What a program that always does the same takes on a slot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CanaryInfo {
    /// The slot's number within the worker.
    pub slot: u32,
    /// Which: `cpu`, `memory`, `syscalls` or `java`.
    pub program: String,
    /// The median of what it took the first few times; unknown until then.
    pub usual_ms: Option<u64>,
    /// What it took the last time.
    pub latest_ms: u64,
    /// When that was.
    pub ran_at: DateTime<Utc>,
}

/// Says how a worker is to work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetWorkerMode {
    /// How.
    pub mode: WorkerMode,
}

/// All workers seen lately.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WorkerList {
    /// The latest seen first.
    pub workers: Vec<WorkerInfo>,
}

/// An enabled language.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LanguageInfo {
    /// The id that submissions name.
    pub id: String,
    /// The name for people.
    pub name: String,
    /// Endings of source files, without the dot.
    pub extensions: Vec<String>,
}

/// All enabled languages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LanguageList {
    /// In the order of the language table.
    pub languages: Vec<LanguageInfo>,
}

/// Whether the scheduler can do its work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Readiness {
    /// Whether submissions are taken.
    pub ready: bool,
    /// Whether Postgres answers.
    pub database: bool,
    /// Whether RabbitMQ is connected. Without it submissions are taken and wait.
    pub broker: bool,
    /// The languages in which submissions wait that no worker of their lane has.
    #[serde(default)]
    pub languages_missing: Vec<String>,
    /// The lanes in which submissions wait and that no worker takes.
    #[serde(default)]
    pub lanes_missing: Vec<Lane>,
    /// How many problems and languages are paused since judging of them failed.
    #[serde(default)]
    pub pauses: u32,
}
