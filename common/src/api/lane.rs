//! Lanes.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::Lane;

/// A lane and what waits in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LaneInfo {
    /// Which lane.
    pub lane: Lane,
    /// Judgements that wait.
    pub queued: u64,
    /// Judgements that workers have.
    pub running: u64,
    /// Why and since when its waiting tasks are held back, if they are.
    pub paused: Option<PausedLane>,
}

/// A lane whose waiting tasks are held back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PausedLane {
    /// Why, for other admins.
    pub reason: String,
    /// Since when.
    pub since: DateTime<Utc>,
}

/// All lanes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LaneList {
    /// The most urgent first.
    pub lanes: Vec<LaneInfo>,
}

/// Asks for a lane to be paused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PauseLane {
    /// Why, for other admins.
    pub reason: String,
}
