//! What keeps a worker from starting, and how it says so.

use std::net::TcpListener;
use std::process::Command;

use crate::fixture::Fixture;
use crate::worker::Worker;

/// Starts a worker that must fail, and returns its exit code and its words.
fn failure(fixture: &Fixture, change: impl FnOnce(&mut Command) -> &mut Command) -> (i32, String) {
    let directory = tempfile::tempdir().unwrap();
    let mut command = fixture.command(&directory);
    change(&mut command);
    let mut worker = Worker::spawn(command, directory);
    let code = worker.ended().code().expect("no signal");
    (code, worker.log())
}

#[tokio::test]
#[ignore = "needs ASSIZE_TEST_AMQP_URL"]
async fn wrong_configuration_is_named() {
    let fixture = Fixture::new().await;
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    let stranger = fixture
        .broker
        .url
        .reveal()
        .rsplit_once('@')
        .map(|(_, place)| format!("amqp://nobody:x@{place}"))
        .unwrap();
    type Change<'a> = Box<dyn FnOnce(&mut Command) -> &mut Command + 'a>;
    let cases: Vec<(Change<'_>, i32, &str)> = vec![
        (
            Box::new(|c| c.env_remove("ASSIZE_AMQP_URL")),
            2,
            "ASSIZE_AMQP_URL is not set",
        ),
        (
            Box::new(|c| c.env("ASSIZE_AMQP_URL", "http://x:hunter2@y")),
            2,
            "is not an AMQP URL",
        ),
        (
            Box::new(|c| c.env("ASSIZE_AMQP_URL", &stranger)),
            2,
            "RabbitMQ does not let us in",
        ),
        (
            Box::new(|c| c.env("ASSIZE_WORKER_TOKEN", "abc")),
            2,
            "ASSIZE_WORKER_TOKEN is not a token",
        ),
        (
            Box::new(|c| c.args(["--scheduler-url", "https://x"])),
            2,
            "https is not supported",
        ),
        (
            Box::new(|c| c.args(["--languages", "cobol"])),
            2,
            "unknown language \"cobol\"",
        ),
        (
            Box::new(|c| c.args(["--cache-dir", "/proc/nowhere"])),
            2,
            "cannot use the cache directory",
        ),
        (
            Box::new(|c| c.args(["--metrics-listen", &taken])),
            2,
            "--metrics-listen",
        ),
        (
            Box::new(|c| c.args(["--scheduler-url", "http://127.0.0.1:1", "--wait", "0.3"])),
            75,
            "cannot reach the scheduler at http://127.0.0.1:1/",
        ),
    ];
    for (change, code, words) in cases {
        let (ended, log) = failure(&fixture, change);
        assert_eq!(ended, code, "{log}");
        assert!(log.contains(words), "{words}: {log}");
        assert!(!log.contains("hunter2"), "{log}");
    }
    fixture.scheduler.revoke();
    let (code, log) = failure(&fixture, |command| command);
    assert_eq!(code, 2);
    assert!(
        log.contains("the scheduler refuses ASSIZE_WORKER_TOKEN"),
        "{log}"
    );
}

#[tokio::test]
#[ignore = "needs ASSIZE_TEST_AMQP_URL"]
async fn a_cache_has_one_worker() {
    let mut fixture = Fixture::new().await;
    let worker = fixture.worker(&[]).await;
    let cache = worker.directory().join("cache");
    let (code, log) = failure(&fixture, |command| command.arg("--cache-dir").arg(&cache));
    assert_eq!(code, 2);
    assert!(log.contains("belongs to another running process"), "{log}");
}

#[tokio::test]
#[ignore = "needs ASSIZE_TEST_AMQP_URL"]
async fn a_language_that_does_not_work_is_named_with_its_remedy() {
    let fixture = Fixture::new().await;
    let directory = tempfile::tempdir().unwrap();
    let table = directory.path().join("languages.toml");
    std::fs::write(
        &table,
        r#"
        [[language]]
        id = "absent"
        name = "Absent"
        code = "absent"
        extensions = ["abs"]
        default = true
        artifacts = ["{sources}"]
        run = ["/usr/bin/absent", "{entry}.abs"]
        version = ["/usr/bin/absent", "--version"]
        packages = ["absent-compiler"]
        self_test = "x"
        self_test_file = "main.abs"
        "#,
    )
    .unwrap();
    let (code, log) = failure(&fixture, |command| {
        command
            .args(["--languages", "absent", "--language-table"])
            .arg(&table)
    });
    assert_eq!(code, 3, "{log}");
    for words in [
        "absent: ",
        "Debian has it in: absent-compiler",
        "--languages",
    ] {
        assert!(log.contains(words), "{words}: {log}");
    }
}

#[tokio::test]
#[ignore = "needs ASSIZE_TEST_AMQP_URL"]
async fn a_host_without_jails_is_unfit() {
    let fixture = Fixture::new().await;
    let (code, log) = failure(&fixture, |command| command.env("ASSIZE_JAIL", "/nowhere"));
    assert_eq!(code, 3, "{log}");
    assert!(log.contains("could not start /nowhere"), "{log}");
}
