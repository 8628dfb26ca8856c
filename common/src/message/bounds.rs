//! What a report may claim. Whoever holds a worker's credential can write anything
//! into a report that is about no attempt, and nothing of that may be more than
//! schedulers can add up, store or go through in no time.

use super::{Registered, Report};

/// The judgements that a worker may run at once, and so hold.
pub const MOST_SLOTS: u16 = 128;
/// The length of a worker's name, in bytes.
pub const LONGEST_NAME: usize = 200;

/// The length of any other name: of a lane, a language, a canary, a version.
const LONGEST_WORD: usize = 100;
/// What a compiler says of its version; workers read no more than 4 KiB, and what of
/// that is no text takes three times as much.
const LONGEST_VERSION: usize = 12 << 10;
const MOST_LANES: usize = 32;
const MOST_LANGUAGES: usize = 256;
const MOST_READINGS: usize = 32;
/// A canary takes less than two seconds.
const LONGEST_CANARY_MS: u64 = 3_600_000;

/// A claim that no worker makes.
#[derive(Debug, thiserror::Error)]
#[error("the report's `{field}` is {found}: a worker's is {least} at least and {most} at most")]
pub struct OutOfBounds {
    field: &'static str,
    found: u64,
    least: u64,
    most: u64,
}

impl Report {
    /// Whether all that it claims is within bounds. What is said of an attempt, for
    /// which a ticket is wanted, is only bounded by the size of a message.
    pub(super) fn check(&self) -> Result<(), OutOfBounds> {
        match self {
            Self::Registered(registered) => check_registered(registered),
            Self::Heartbeat { held } => at_most("held", held.len(), MOST_SLOTS.into()),
            Self::Canaries(canaries) => {
                within("slot", canaries.slot.into(), 0, u64::from(MOST_SLOTS) - 1)?;
                at_most("readings", canaries.readings.len(), MOST_READINGS)?;
                canaries.readings.iter().try_for_each(|reading| {
                    at_most("program", reading.program.len(), LONGEST_WORD)?;
                    within("cpu_time_ms", reading.cpu_time_ms, 0, LONGEST_CANARY_MS)
                })
            }
            Self::Started(_)
            | Self::Progress { .. }
            | Self::Finished(_)
            | Self::HandedBack(_)
            | Self::Stopped => Ok(()),
        }
    }
}

fn check_registered(registered: &Registered) -> Result<(), OutOfBounds> {
    at_most("name", registered.name.len(), LONGEST_NAME)?;
    at_most("version", registered.version.len(), LONGEST_WORD)?;
    within("slots", registered.slots.into(), 1, MOST_SLOTS.into())?;
    at_most("lanes", registered.lanes.len(), MOST_LANES)?;
    for lane in &registered.lanes {
        at_most("lanes", lane.len(), LONGEST_WORD)?;
    }
    at_most("languages", registered.languages.len(), MOST_LANGUAGES)?;
    registered.languages.iter().try_for_each(|language| {
        at_most("id", language.id.len(), LONGEST_WORD)?;
        at_most("version", language.version.len(), LONGEST_VERSION)
    })
}

/// A number, or the length of something.
fn at_most(field: &'static str, found: usize, most: usize) -> Result<(), OutOfBounds> {
    within(field, found as u64, 0, most as u64)
}

fn within(field: &'static str, found: u64, least: u64, most: u64) -> Result<(), OutOfBounds> {
    if (least..=most).contains(&found) {
        return Ok(());
    }
    Err(OutOfBounds {
        field,
        found,
        least,
        most,
    })
}

#[cfg(test)]
mod tests {
    use super::super::{DecodeError, TicketedReport, WorkerReport, decode};
    use serde_json::json;

    fn read(report: serde_json::Value) -> Result<TicketedReport, DecodeError> {
        let worker_id = "00000000-0000-0000-0000-000000000002";
        let message = json!({"v": 1, "worker_id": worker_id, "report": report}).to_string();
        // Dead letters are read without tickets, and found to be as wrong.
        let alone: Result<WorkerReport, _> = decode(message.as_bytes());
        let read = decode(message.as_bytes());
        assert_eq!(alone.is_ok(), read.is_ok());
        read
    }

    fn refusal(report: serde_json::Value) -> String {
        crate::telemetry::error_chain(&read(report).unwrap_err()).to_string()
    }

    #[test]
    fn a_worker_claims_no_more_than_it_can_have() {
        let registered = |change: serde_json::Value| {
            let mut report = json!({"kind": "registered", "name": "a", "version": "1", "slots": 4, "lanes": ["live"],
                "languages": [{"id": "c", "version": "gcc"}]});
            let change = change.as_object().unwrap().clone();
            report.as_object_mut().unwrap().extend(change);
            report
        };
        read(registered(json!({}))).unwrap();
        read(registered(json!({"slots": 128}))).unwrap();
        let long = "x".repeat(20_000);
        for (change, field) in [
            (json!({"slots": 129}), "slots"),
            (json!({"slots": i32::MAX}), "slots"),
            (json!({"slots": 0}), "slots"),
            (json!({"name": long}), "name"),
            (json!({"version": long}), "version"),
            (json!({"lanes": vec!["live"; 100]}), "lanes"),
            (json!({"lanes": [long]}), "lanes"),
            (
                json!({"languages": vec![json!({"id": "c", "version": ""}); 300]}),
                "languages",
            ),
            (json!({"languages": [{"id": long, "version": ""}]}), "id"),
            (
                json!({"languages": [{"id": "c", "version": long}]}),
                "version",
            ),
        ] {
            let refused = refusal(registered(change));
            assert!(refused.contains(&format!("`{field}` is ")), "{refused}");
        }
    }

    #[test]
    fn a_heartbeat_names_no_more_judgements_than_a_worker_has_slots() {
        let held = |number: usize| {
            let one = json!({"judgement_id": "00000000-0000-0000-0000-000000000001", "attempt": 1});
            json!({"kind": "heartbeat", "held": vec![one; number]})
        };
        read(held(128)).unwrap();
        assert!(refusal(held(129)).contains("`held` is 129"));
    }

    #[test]
    fn a_canary_is_one_of_a_few_and_takes_no_age() {
        let canaries = |slot: u32, program: &str, cpu_time_ms: u64, number: usize| {
            let reading = json!({"program": program, "cpu_time_ms": cpu_time_ms});
            json!({"kind": "canaries", "slot": slot, "at": "2026-11-24T18:00:00Z",
                "readings": vec![reading; number]})
        };
        read(canaries(127, "cpu", 100, 4)).unwrap();
        assert!(refusal(canaries(128, "cpu", 100, 4)).contains("`slot`"));
        assert!(refusal(canaries(0, &"x".repeat(101), 100, 4)).contains("`program`"));
        assert!(refusal(canaries(0, "cpu", u64::MAX, 4)).contains("`cpu_time_ms`"));
        assert!(refusal(canaries(0, "cpu", 100, 33)).contains("`readings`"));
    }
}
