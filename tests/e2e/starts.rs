//! Daemons that can't start say what is in their way, how to mend it, and
//! whether trying again is worth it.

use std::net::TcpListener;
use std::process::Output;

use assize_tests::program::{command, complaint};
use assize_tests::scheduler::Scheduler;
use assize_tests::services::Services;
use assize_tests::system::PATIENCE;

/// Nothing listens on port 1: it needs a privilege, and nobody uses it.
const NOBODY: &str = "127.0.0.1:1";

async fn end_of(mut command: tokio::process::Command) -> Output {
    let output = tokio::time::timeout(PATIENCE, command.output()).await;
    output.expect("it gives up").unwrap()
}

#[track_caller]
fn assert_ended(output: &Output, code: i32, words: &[&str]) {
    let said = complaint(output);
    assert_eq!(output.status.code(), Some(code), "{said}");
    for word in words {
        assert!(said.contains(word), "{word:?} is not in: {said}");
    }
}

#[tokio::test]
#[ignore = "needs the daemons, which tests/run builds"]
async fn a_scheduler_without_postgres_says_so_and_may_be_started_again_later() {
    let data = tempfile::tempdir().unwrap();
    let mut scheduler = command("assize-scheduler");
    scheduler
        .env(
            "ASSIZE_DATABASE_URL",
            format!("postgres://someone:secret@{NOBODY}/assize"),
        )
        .env("ASSIZE_AMQP_URL", format!("amqp://{NOBODY}"))
        .env("ASSIZE_DATABASE_WAIT_SECONDS", "1")
        .env("ASSIZE_LISTEN", "127.0.0.1:0")
        .env("ASSIZE_DATA_DIR", data.path());
    let output = end_of(scheduler).await;
    assert_ended(
        &output,
        75,
        &["cannot reach Postgres", NOBODY, "ASSIZE_DATABASE_URL"],
    );
    assert!(!complaint(&output).contains("secret"));
}

#[tokio::test]
#[ignore = "needs the daemons, which tests/run builds"]
async fn a_scheduler_without_its_bucket_says_so_and_may_be_started_again_later() {
    let data = tempfile::tempdir().unwrap();
    let mut scheduler = command("assize-scheduler");
    scheduler
        .env("ASSIZE_DATABASE_URL", format!("postgres://{NOBODY}/assize"))
        .env("ASSIZE_AMQP_URL", format!("amqp://{NOBODY}"))
        .env("ASSIZE_LISTEN", "127.0.0.1:0")
        .env("ASSIZE_DATA_DIR", data.path())
        .env("ASSIZE_BLOB_STORE", "s3://bucket/contest")
        .env("AWS_ENDPOINT_URL", format!("http://{NOBODY}"))
        .env("AWS_ALLOW_HTTP", "true")
        .env("AWS_ACCESS_KEY_ID", "someone")
        .env("AWS_SECRET_ACCESS_KEY", "secret");
    let output = end_of(scheduler).await;
    assert_ended(
        &output,
        75,
        &["s3://bucket/contest", "AWS_ENDPOINT_URL", NOBODY],
    );
    assert!(!complaint(&output).contains("secret"));

    let mut scheduler = command("assize-scheduler");
    scheduler.args(["--blob-store", "bucket"]);
    assert_ended(&end_of(scheduler).await, 2, &["s3://BUCKET/PREFIX"]);
}

#[tokio::test]
#[ignore = "needs the daemons, which tests/run builds"]
async fn a_port_in_use_is_named_with_the_setting() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let data = tempfile::tempdir().unwrap();
    let mut scheduler = command("assize-scheduler");
    scheduler
        .env("ASSIZE_DATABASE_URL", format!("postgres://{NOBODY}/assize"))
        .env("ASSIZE_AMQP_URL", format!("amqp://{NOBODY}"))
        .env("ASSIZE_LISTEN", &address)
        .env("ASSIZE_DATA_DIR", data.path());
    let output = end_of(scheduler).await;
    assert_ended(&output, 1, &[&address, "in use", "ASSIZE_LISTEN"]);
}

#[tokio::test]
#[ignore = "needs the daemons, which tests/run builds"]
async fn settings_that_are_missing_or_wrong_are_named() {
    let output = end_of(command("assize-scheduler")).await;
    assert_ended(&output, 1, &["ASSIZE_AMQP_URL is not set"]);

    let mut scheduler = command("assize-scheduler");
    scheduler
        .env("ASSIZE_DATABASE_URL", "mysql://nobody")
        .env("ASSIZE_AMQP_URL", format!("amqp://{NOBODY}"));
    let output = end_of(scheduler).await;
    assert_ended(&output, 1, &["ASSIZE_DATABASE_URL", "postgres://"]);

    let mut scheduler = command("assize-scheduler");
    scheduler
        .env("ASSIZE_DATABASE_URL", format!("postgres://{NOBODY}/assize"))
        .env("ASSIZE_AMQP_URL", "http://nobody");
    let output = end_of(scheduler).await;
    assert_ended(&output, 1, &["ASSIZE_AMQP_URL", "amqp://"]);

    let mut scheduler = command("assize-scheduler");
    scheduler.args(["--lease", "soon"]);
    assert_ended(
        &end_of(scheduler).await,
        2,
        &["--lease", "number of seconds"],
    );
}

/// Without a broker submissions are taken and wait, so a scheduler starts
/// without it, and says in its readiness that it is missing.
#[tokio::test]
#[ignore = "needs tests/with-services"]
async fn a_scheduler_without_rabbitmq_takes_submissions_and_says_what_is_missing() {
    let services = Services::new().await;
    let place = tempfile::tempdir().unwrap();
    let broker = format!("amqp://{NOBODY}");
    let scheduler = Scheduler::start(&services, &broker, &place.path().join("data")).await;
    let ready = scheduler.api().readiness().await.unwrap();
    assert!(ready.ready && ready.database && !ready.broker, "{ready:?}");
    scheduler.kill().await;
    services.remove().await;
}

#[tokio::test]
#[ignore = "needs the daemons, which tests/run builds"]
async fn up_looks_at_its_options_before_anything_starts() {
    let data = tempfile::tempdir().unwrap();
    let directory = data.path().join("data");
    for (option, value, words) in [
        ("--languages", "klingon", "klingon"),
        ("--amqp-url", "http://localhost", "not an AMQP URL"),
    ] {
        let mut up = command("assize");
        up.args(["up", "--listen", "127.0.0.1:0", option, value])
            .arg("--data-dir")
            .arg(&directory);
        assert_ended(&end_of(up).await, 2, &[option, words]);
        assert!(!directory.join("postgres").exists());
    }
}
