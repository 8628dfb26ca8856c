//! What should not come of faults, unless they are of a kind that must do it.

use std::collections::BTreeMap;

use super::fault::{Database, Fault, Files, Messages};
use super::installation::Installation;
use super::load::WHY_CANCELLED;

/// What there was since the start.
#[derive(Debug, Default)]
pub(super) struct Damage {
    /// Judgements that ended in a judging error.
    errors: u32,
    /// Messages that nobody could do anything with.
    dead: u32,
    /// How often daemons ended without being told to.
    ended: BTreeMap<String, u32>,
}

impl Installation {
    pub(super) async fn damage(&self) -> Damage {
        let count = async |of: &'static str| -> u32 {
            let count: i64 = sqlx::query_scalar(of)
                .fetch_one(&self.database)
                .await
                .unwrap();
            count.try_into().unwrap()
        };
        let errors = sqlx::query_scalar(
            "SELECT count(*)::integer FROM judgements WHERE state = 'error' AND error NOT LIKE '%' || $1",
        );
        let errors: i32 = errors
            .bind(WHY_CANCELLED)
            .fetch_one(&self.database)
            .await
            .unwrap();
        let dead = count("SELECT count(*) FROM dead_letters").await;
        let mut ended: BTreeMap<String, u32> = self
            .daemons()
            .map(|daemon| (daemon.name().to_owned(), daemon.surprises()))
            .collect();
        ended.insert("Postgres".to_owned(), self.postgres.surprises().await);
        ended.insert("RabbitMQ".to_owned(), self.rabbitmq.daemon.surprises());
        Damage {
            errors: errors.unsigned_abs(),
            dead,
            ended,
        }
    }
}

impl Damage {
    /// What came since `before` and is the work of none of the faults in between, in words.
    pub(super) fn beyond(&self, before: &Self, faults: &[Fault]) -> Vec<String> {
        let mut findings = Vec::new();
        let errors = self.errors - before.errors;
        if errors > 0 {
            findings.push(format!("{errors} judging errors"));
        }
        let dead = self.dead - before.dead;
        if dead > 0 && !faults.iter().any(makes_unreadable) {
            findings.push(format!("{dead} dead letters"));
        }
        for (name, times) in &self.ended {
            // A new server begins with none.
            let times = times.saturating_sub(before.ended.get(name).copied().unwrap_or(0));
            if times > 0 && !faults.iter().any(|fault| may_end(fault, name)) {
                findings.push(format!("{name} ended by itself {times} times"));
            }
        }
        findings
    }

    pub(super) const fn errors(&self) -> u32 {
        self.errors
    }
}

const fn makes_unreadable(fault: &Fault) -> bool {
    matches!(
        fault,
        Fault::Messages(Messages::Unreadable | Messages::GarbledReports | Messages::GarbledTasks)
    )
}

/// Whether a daemon may find that it can't go on, or can't start when another fault ended it.
fn may_end(fault: &Fault, name: &str) -> bool {
    match fault {
        Fault::Database(Database::DiskFull) => name == "Postgres",
        Fault::WorkerDiskFull => name.starts_with("worker"),
        Fault::Files(Files::Unmounted) => name.starts_with("scheduler"),
        _ => false,
    }
}
