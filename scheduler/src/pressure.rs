//! How much is too much: looked at every second, so that submissions are
//! refused in time and politely, not when a disk is full.
//!
//! Refusing costs nothing that was accepted: what is stored stays and is judged.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use assize_common::telemetry::error_chain;
use bytesize::ByteSize;
use tokio_util::sync::CancellationToken;

use crate::store::{Store, StoreError, round};

const EVERY: Duration = Duration::from_secs(1);
/// With so many times the reserve the disk is short: nothing more is stored that can be done without.
const SHORT: u64 = 4;

/// What is enough.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// So many live submissions may wait to be published. Rejudgings don't
    /// count: they are asked for by admins, and wait for as long as it takes.
    pub waiting: u32,
    /// So many of one team in one contest.
    pub waiting_per_team: u32,
    /// With so many waiting in the flagged lane, suspicion alone sends nothing more there.
    pub waiting_flagged: u32,
    /// So much of the data directory's disk is left free.
    pub disk_reserve: ByteSize,
}

/// Why nothing more is taken at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// Too many submissions wait.
    Waiting,
    /// Too many of the team wait.
    Team,
    /// The disk is nearly full.
    Disk,
}

impl Refusal {
    const fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Team => "team",
            Self::Disk => "disk",
        }
    }
}

/// How it was at the latest look; clones see the same. Without any look
/// everything is fine: whoever can't ask the database can't store either.
#[derive(Debug, Clone, Default)]
pub struct Pressure(Arc<RwLock<Found>>);

#[derive(Debug, Default)]
struct Found {
    too_many: bool,
    disk_is_low: bool,
    disk_is_short: bool,
    flagged_lane_is_full: bool,
    /// Contest and team.
    busy_teams: HashSet<(String, String)>,
}

impl Pressure {
    /// Whether a team's submission is refused, and why.
    pub(crate) fn refuses(&self, contest: Option<&str>, team: Option<&str>) -> Option<Refusal> {
        let found = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let key = (contest.unwrap_or_default(), team.unwrap_or_default());
        let is_busy = || {
            let (contest, team) = key;
            found
                .busy_teams
                .contains(&(contest.to_owned(), team.to_owned()))
        };
        let refusal = if found.disk_is_low {
            Refusal::Disk
        } else if found.too_many {
            Refusal::Waiting
        } else if !found.busy_teams.is_empty() && is_busy() {
            Refusal::Team
        } else {
            return None;
        };
        drop(found);
        metrics::counter!("assize_refused_total", "reason" => refusal.name()).increment(1);
        Some(refusal)
    }

    /// Whether large things are refused: the disk is nearly full.
    pub(crate) fn disk_is_low(&self) -> bool {
        self.0
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .disk_is_low
    }

    /// Whether what can be done without is refused: there is less room than four times what is
    /// left free for what can't.
    pub(crate) fn disk_is_short(&self) -> bool {
        self.0
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .disk_is_short
    }

    /// Whether suspicion alone is no reason for the flagged lane.
    pub(crate) fn flagged_lane_is_full(&self) -> bool {
        self.0
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .flagged_lane_is_full
    }

    /// Looks once.
    pub(crate) async fn look(
        &self,
        store: &Store,
        data: &Path,
        limits: Limits,
    ) -> Result<(), StoreError> {
        let waiting = store.live_count_waiting(limits.waiting).await?;
        let busy_teams = store.team_list_busy(limits.waiting_per_team).await?;
        let flagged = store.flagged_count_waiting(limits.waiting_flagged).await?;
        let free = free_space(data);
        let less_than = |room: u64| free.is_some_and(|free| free.as_u64() < room);
        let reserve = limits.disk_reserve.as_u64();
        let found = Found {
            flagged_lane_is_full: flagged >= limits.waiting_flagged,
            too_many: waiting >= limits.waiting,
            disk_is_low: less_than(reserve),
            disk_is_short: less_than(reserve.saturating_mul(SHORT)),
            busy_teams: busy_teams.into_iter().collect(),
        };
        let mut before = self.0.write().unwrap_or_else(PoisonError::into_inner);
        for (name, was, is) in [
            (Refusal::Waiting.name(), before.too_many, found.too_many),
            (Refusal::Disk.name(), before.disk_is_low, found.disk_is_low),
        ] {
            if was != is {
                tracing::warn!(
                    reason = name,
                    refused = is,
                    "submissions are refused, or taken again"
                );
            }
        }
        *before = found;
        Ok(())
    }
}

/// Looks every second until stopped.
pub(crate) async fn watch(
    pressure: Pressure,
    store: Store,
    data: PathBuf,
    limits: Limits,
    stop: CancellationToken,
) {
    while stop
        .run_until_cancelled(tokio::time::sleep(EVERY))
        .await
        .is_some()
    {
        if let Err(error) = round(pressure.look(&store, &data, limits)).await {
            tracing::debug!(error = %error_chain(&error), "cannot see how much waits");
        }
    }
}

/// How much of the disk below `path` is free for us; nothing when nobody knows.
fn free_space(path: &Path) -> Option<ByteSize> {
    let disk = rustix::fs::statvfs(path).ok()?;
    let free = ByteSize(disk.f_bavail.saturating_mul(disk.f_frsize));
    #[expect(clippy::cast_precision_loss, reason = "a gauge need not be exact")]
    metrics::gauge!("assize_disk_free_bytes").set(free.as_u64() as f64);
    Some(free)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::Fixture;
    use sqlx::PgPool;

    const AMPLE: Limits = Limits {
        waiting: 10,
        waiting_per_team: 10,
        waiting_flagged: 10,
        disk_reserve: ByteSize(0),
    };

    #[sqlx::test(migrations = "../migrations")]
    async fn what_is_too_much_is_refused_until_it_is_less(pool: PgPool) {
        let fixture = Fixture::new(pool).await;
        fixture.submit_of("finals", "a").await;
        fixture.submit_of("finals", "a").await;
        fixture.submit_of("finals", "b").await;
        let pressure = Pressure::default();
        let data = std::env::temp_dir();
        let refuses = async |limits: Limits, team: &str| {
            pressure.look(&fixture.store, &data, limits).await.unwrap();
            pressure.refuses(Some("finals"), Some(team))
        };
        assert_eq!(refuses(AMPLE, "a").await, None);
        let few = Limits {
            waiting_per_team: 2,
            ..AMPLE
        };
        assert_eq!(refuses(few, "a").await, Some(Refusal::Team));
        assert_eq!(refuses(few, "b").await, None);
        let three = Limits {
            waiting: 3,
            ..AMPLE
        };
        assert_eq!(refuses(three, "b").await, Some(Refusal::Waiting));
        let roomy = Limits {
            disk_reserve: ByteSize::pib(1),
            ..AMPLE
        };
        assert_eq!(refuses(roomy, "b").await, Some(Refusal::Disk));
        assert!(pressure.disk_is_low() && pressure.disk_is_short());
        fixture.execute("DELETE FROM outbox").await.unwrap();
        assert_eq!(refuses(three, "b").await, None);
    }
}
