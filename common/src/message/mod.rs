//! What travels over RabbitMQ: tasks to workers, reports back. Every message
//! carries the version of its format; a reader refuses versions it does not
//! know, and the refused message ends in the dead-letter queue.
//!
//! `docs/messages.md` describes the protocol.

mod audit;
mod bounds;
#[cfg(test)]
mod compatibility_tests;
mod control;
mod provenance;
mod report;
mod reuse;
mod task;
mod ticket;
mod transcript;

pub use audit::{AuditDecision, AuditReport, AuditedCall, RunAudit, UnknownAuditDecision};
pub use bounds::{LONGEST_NAME, MOST_SLOTS, OutOfBounds};
pub use control::{Control, UnknownWorkerMode, WorkerMode};
pub use provenance::{Host, Provenance, RunLimits};
pub use report::{
    Canaries, CanaryReading, CompileReport, Difference, Exit, Failure, Finished, HandedBack,
    HeldJudgement, Judged, KillCause, LanguageVersion, Registered, Report, RunReport, Started,
    VALIDATOR_SAID, VALIDATOR_SAID_BEFORE, WorkerReport,
};
pub use reuse::{Changed, KeyParts, MOST_OUTPUTS, ValidatedAgain};
pub use task::{LimitOverrides, SourceFile, Task};
pub use ticket::{InvalidTicket, Ticket, TicketedReport};
pub use transcript::{Remark, Speaker, Transcript, Words};

use serde::Serialize;
use serde::de::DeserializeOwned;

/// The version of the message format that this code writes and reads.
pub const VERSION: u32 = 1;

/// The largest message. RabbitMQ takes more, but who reads messages holds many of
/// them at a time.
pub const LARGEST_BYTES: usize = 4 << 20;

/// Why a message can't be read.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// More than anybody sends.
    #[error("the message is of {bytes} bytes: {LARGEST_BYTES} are the most")]
    TooLarge {
        /// The size of the message.
        bytes: usize,
    },
    /// Not JSON, or without a version.
    #[error("the message is not JSON with a version field `v`")]
    NoVersion(#[source] serde_json::Error),
    /// A version from another time.
    #[error("message version {found} is not supported: this program reads version {VERSION}")]
    Version {
        /// The version of the message.
        found: u32,
    },
    /// The right version but the wrong shape.
    #[error("the message does not have the shape of version {VERSION}")]
    Shape(#[source] serde_json::Error),
}

#[derive(serde::Deserialize)]
struct Envelope {
    v: u32,
}

#[derive(serde::Deserialize, Serialize)]
struct Versioned<T> {
    v: u32,
    #[serde(flatten)]
    body: T,
}

/// Encodes a message as JSON with its version.
///
/// # Errors
/// When the message can't be represented, which no value of our types causes.
pub fn encode<T: Serialize>(body: &T) -> Result<Vec<u8>, serde_json::Error> {
    serde_json::to_vec(&Versioned { v: VERSION, body })
}

/// Decodes a message of the supported version.
///
/// # Errors
/// When it is too large, no JSON, of an unknown version, or of another shape.
pub fn decode<T: DeserializeOwned>(payload: &[u8]) -> Result<T, DecodeError> {
    if payload.len() > LARGEST_BYTES {
        return Err(DecodeError::TooLarge {
            bytes: payload.len(),
        });
    }
    let Envelope { v } = serde_json::from_slice(payload).map_err(DecodeError::NoVersion)?;
    if v != VERSION {
        return Err(DecodeError::Version { found: v });
    }
    let Versioned { body, .. } = serde_json::from_slice(payload).map_err(DecodeError::Shape)?;
    Ok(body)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ContentHash, Lane, SandboxChoice, SandboxMode, Scrutiny};
    use uuid::Uuid;

    fn task() -> Task {
        Task {
            judgement_id: Uuid::from_u128(1).into(),
            attempt: 2,
            submission_id: Uuid::from_u128(3).into(),
            lane: Lane::Live,
            package: ContentHash::of(b"package"),
            language: "cpp20".into(),
            files: vec![SourceFile {
                name: "a.cpp".into(),
                sha256: ContentHash::of(b"source"),
                size_bytes: 6,
            }],
            entry_point: None,
            sandbox: SandboxChoice {
                mode: SandboxMode::Unshare,
                reason: "live lane".into(),
            },
            ticket: None,
            limits: LimitOverrides::default(),
            stop: None,
            scrutiny: Scrutiny::default(),
            earlier: None,
            avoid: Vec::new(),
            losses: 0,
        }
    }

    /// The written form is a contract between versions that run side by side:
    /// a change here is a change of `VERSION`.
    #[test]
    fn the_form_of_a_task() {
        let json: serde_json::Value = serde_json::from_slice(&encode(&task()).unwrap()).unwrap();
        insta::assert_json_snapshot!(json);
    }

    /// Reports of workers of the release before, and of the one after.
    #[test]
    fn reports_of_neighbouring_releases_are_read() {
        let report = |more: &str| {
            let outcome = r#""outcome": "verdict", "verdict": "CE", "runs": [], "compile": {"success": false,
                "cached": false, "cpu_time_ms": 1, "wall_time_ms": 1, "memory_bytes": 1, "output": "no"}"#;
            let finished = r#""judgement_id": "00000000-0000-0000-0000-000000000001", "attempt": 1,
                "started_at": "2026-11-24T18:00:00Z", "finished_at": "2026-11-24T18:00:00Z""#;
            format!(
                r#"{{"v": 1, "worker_id": "00000000-0000-0000-0000-000000000002", "report":
                    {{"kind": "finished", {finished}, "outcome": {{{outcome}{more}}}}}}}"#
            )
        };
        for more in ["", r#", "later": 1"#] {
            let read: WorkerReport = decode(report(more).as_bytes()).unwrap();
            let Report::Finished(finished) = read.report else {
                panic!("{read:?}");
            };
            assert!(matches!(
                finished.outcome,
                Judged::Verdict { audit: None, .. }
            ));
        }
    }

    #[test]
    fn round_trip() {
        assert_eq!(decode::<Task>(&encode(&task()).unwrap()).unwrap(), task());
    }

    /// Workers of the release before write verdicts like this one.
    #[test]
    fn verdicts_without_scores_are_read() {
        let old = br#"{"v": 1, "worker_id": "00000000-0000-0000-0000-000000000001", "report": {
            "kind": "finished", "judgement_id": "00000000-0000-0000-0000-000000000002", "attempt": 1,
            "started_at": "2026-11-24T10:00:00Z", "finished_at": "2026-11-24T10:00:01Z",
            "outcome": {"outcome": "verdict", "verdict": "WA",
                "compile": {"success": true, "cached": false, "cpu_time_ms": 1, "wall_time_ms": 1, "memory_bytes": 1,
                    "output": ""},
                "runs": [{"testcase": "sample/1", "verdict": "WA", "cpu_time_ms": 1, "wall_time_ms": 1,
                    "memory_bytes": 1, "exit": {"how": "exited", "code": 0}, "kill_cause": null, "message": null}]}}}"#;
        let report: WorkerReport = decode(old).unwrap();
        let Report::Finished(finished) = report.report else {
            panic!("{report:?}");
        };
        let Judged::Verdict {
            runs,
            score,
            groups,
            ..
        } = finished.outcome
        else {
            panic!("{finished:?}");
        };
        assert_eq!((score, groups.len()), (None, 0));
        assert_eq!((&runs[0].award, &runs[0].team_message), (&None, &None));
        // And a verdict without scores is written so that they can read it.
        let json = serde_json::to_value(&runs[0]).unwrap();
        assert!(json.get("award").is_none() && json.get("team_message").is_none());
    }

    #[test]
    fn other_versions_garbage_and_wrong_shapes_are_told_apart() {
        let mut padded = encode(&task()).unwrap();
        padded.resize(LARGEST_BYTES, b' ');
        assert!(decode::<Task>(&padded).is_ok());
        padded.push(b' ');
        assert!(matches!(
            decode::<Task>(&padded),
            Err(DecodeError::TooLarge { bytes }) if bytes == LARGEST_BYTES + 1
        ));
        let newer = String::from_utf8(encode(&task()).unwrap())
            .unwrap()
            .replace("\"v\":1", "\"v\":9");
        assert!(matches!(
            decode::<Task>(newer.as_bytes()),
            Err(DecodeError::Version { found: 9 })
        ));
        assert!(matches!(
            decode::<Task>(b"\xff\x00 garbage"),
            Err(DecodeError::NoVersion(_))
        ));
        assert!(matches!(
            decode::<Task>(b"{\"v\":1}"),
            Err(DecodeError::Shape(_))
        ));
    }
}
