//! Two releases that follow each other understand each other: what version N−1
//! wrote is read, and what is written has everything that N−1 reads.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{Control, Task, WorkerReport, decode, encode};

/// One message of each kind as the release before wrote it. After a release,
/// replace them by what that release writes; never mend them to make a test pass.
const TASK: &str = r#"{"v":1,"judgement_id":"00000000-0000-0000-0000-000000000001","attempt":2,
    "submission_id":"00000000-0000-0000-0000-000000000003","lane":"live",
    "package":"0e5a2b1ac2d54ef8ca9ef0f2e5a1a2ed6d5d8f6f43d5e2dd8f8e0d6e4aa3a111","language":"cpp20",
    "files":[{"name":"a.cpp","sha256":"1e5a2b1ac2d54ef8ca9ef0f2e5a1a2ed6d5d8f6f43d5e2dd8f8e0d6e4aa3a111","size_bytes":6}],
    "entry_point":null,"sandbox":{"mode":"unshare","reason":"live lane"}}"#;
const REPORTS: [&str; 8] = [
    r#"{"kind":"registered","name":"w","version":"0.1.0","slots":2,"lanes":["live"],
        "languages":[{"id":"cpp20","version":"g++ 12"}]}"#,
    r#"{"kind":"heartbeat","held":[{"judgement_id":"00000000-0000-0000-0000-000000000001","attempt":2}]}"#,
    r#"{"kind":"started","judgement_id":"00000000-0000-0000-0000-000000000001","attempt":2,"at":"2026-11-24T18:00:00Z"}"#,
    r#"{"kind":"progress","judgement":{"judgement_id":"00000000-0000-0000-0000-000000000001","attempt":2},
        "testcases_done":1,"testcases_total":2}"#,
    r#"{"kind":"finished","judgement_id":"00000000-0000-0000-0000-000000000001","attempt":2,
        "started_at":"2026-11-24T18:00:00Z","finished_at":"2026-11-24T18:00:01Z",
        "outcome":{"outcome":"verdict","verdict":"WA",
            "compile":{"success":true,"cached":false,"cpu_time_ms":1,"wall_time_ms":2,"memory_bytes":3,"output":""},
            "runs":[{"testcase":"secret/01","verdict":"WA","cpu_time_ms":1,"wall_time_ms":2,"memory_bytes":3,
                "exit":{"how":"exited","code":0},"kill_cause":null,"message":null}]}}"#,
    r#"{"kind":"finished","judgement_id":"00000000-0000-0000-0000-000000000001","attempt":2,
        "started_at":"2026-11-24T18:00:00Z","finished_at":"2026-11-24T18:00:01Z",
        "outcome":{"outcome":"judging_error","reason":"no disk"}}"#,
    r#"{"kind":"handed_back","judgement_id":"00000000-0000-0000-0000-000000000001","attempt":2,
        "reason":"the worker stops","earlier_deliveries":1}"#,
    r#"{"kind":"stopped"}"#,
];
const CONTROLS: [&str; 2] = [
    r#"{"v":1,"kind":"cancel","judgement_id":"00000000-0000-0000-0000-000000000001","attempt":2}"#,
    r#"{"v":1,"kind":"mode","worker_id":"00000000-0000-0000-0000-000000000001","mode":"drain"}"#,
];

/// Reads what N−1 wrote and writes it again: everything that N−1 reads must be there as before.
fn goes_both_ways<T: Serialize + DeserializeOwned>(text: &str) {
    let message: T = decode(text.as_bytes()).unwrap_or_else(|error| panic!("{error}: {text}"));
    let written: Value = serde_json::from_slice(&encode(&message).unwrap()).unwrap();
    let expected: Value = serde_json::from_str(text).unwrap();
    assert_within(&expected, &written, text);
}

fn assert_within(expected: &Value, written: &Value, text: &str) {
    match (expected, written) {
        (Value::Object(expected), Value::Object(written)) => {
            for (name, value) in expected {
                let found = written.get(name);
                // What may be missing is the same as nothing.
                let found = found.unwrap_or(&Value::Null);
                assert_within(value, found, text);
            }
        }
        (Value::Array(expected), Value::Array(written)) => {
            assert_eq!(expected.len(), written.len(), "{text}");
            for (expected, written) in expected.iter().zip(written) {
                assert_within(expected, written, text);
            }
        }
        _ => assert_eq!(expected, written, "{text}"),
    }
}

#[test]
fn tasks_reports_and_controls_go_both_ways() {
    goes_both_ways::<Task>(TASK);
    for report in REPORTS {
        let report = format!(
            r#"{{"v":1,"worker_id":"00000000-0000-0000-0000-000000000009","report":{report}}}"#
        );
        goes_both_ways::<WorkerReport>(&report);
    }
    for control in CONTROLS {
        goes_both_ways::<Control>(control);
    }
}

/// A release may add fields: the one before must not stumble over them.
#[test]
fn what_is_not_known_yet_is_ignored() {
    let task = TASK.replacen(r#"{"v":1,"#, r#"{"v":1,"from_the_future":{"a":[1]},"#, 1);
    assert!(decode::<Task>(task.as_bytes()).is_ok());
    for report in REPORTS {
        let report = report.replacen('{', r#"{"from_the_future":1,"#, 1);
        let report = format!(
            r#"{{"v":1,"worker_id":"00000000-0000-0000-0000-000000000009","report":{report}}}"#
        );
        assert!(
            decode::<WorkerReport>(report.as_bytes()).is_ok(),
            "{report}"
        );
    }
}

/// A rule that the worker does not understand must not be left out.
#[test]
fn unknown_scrutiny_is_refused() {
    let with = |scrutiny: &str| {
        let start = format!(r#"{{"v":1,"scrutiny":{scrutiny},"#);
        decode::<Task>(TASK.replacen(r#"{"v":1,"#, &start, 1).as_bytes())
    };
    assert!(with(r#"{"audit":"full"}"#).is_ok());
    assert!(with(r#"{"from_the_future":1}"#).is_err());
}
