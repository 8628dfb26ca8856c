//! What `assize up` can't start with: a clear word, the right exit code, and no
//! process left behind.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use assize::exit;
use assize_tests::program::{command, complaint};
use assize_tests::system::{PATIENCE, data_directory, turn};

use super::{NOTHING, processes_of};

/// Runs `assize up`, which must fail on the way; returns what it said.
async fn refused(data: &Path, arguments: &[&str]) -> String {
    ended(data, arguments, exit::FAILURE).await
}

/// Runs `assize up`, which must end with this exit code; returns what it said.
async fn ended(data: &Path, arguments: &[&str], code: u8) -> String {
    let mut command = command("assize");
    command
        .args(["up", "--workers", "0", "--data-dir"])
        .arg(data)
        .args(arguments);
    let output = tokio::time::timeout(PATIENCE, command.output()).await;
    let output = output.expect("it gives up").unwrap();
    let said = complaint(&output);
    assert_eq!(output.status.code(), Some(code.into()), "{said}");
    assert_eq!(processes_of(data), NOTHING, "{said}");
    said
}

#[tokio::test]
#[ignore = "needs the daemons, which tests/run builds"]
async fn a_port_in_use_is_named() {
    let _turn = turn().await;
    let root = data_directory();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let said = refused(&root.path().join("data"), &["--listen", &address]).await;
    assert!(
        said.contains(&address) && said.contains("--listen"),
        "{said}"
    );
    // Known before Postgres was set up.
    assert!(
        !root.path().join("data/postgres/cluster").exists(),
        "{said}"
    );
}

#[tokio::test]
#[ignore = "needs the daemons, which tests/run builds"]
async fn a_url_that_is_none_is_refused_without_its_password() {
    let _turn = turn().await;
    let root = data_directory();
    let servers = [
        "--amqp-url",
        "amqp://someone:secret@127.0.0.1:1",
        "--postgres-url",
        "mysql://someone:secret@127.0.0.1:1",
    ];
    let said = refused(&root.path().join("data"), &servers).await;
    assert!(said.contains("postgres://"), "{said}");
    assert!(!said.contains("secret"), "{said}");
}

#[tokio::test]
#[ignore = "needs the daemons, which tests/run builds"]
async fn a_directory_of_something_else_is_left_alone() {
    let root = data_directory();
    fs::write(root.path().join("thesis.tex"), "").unwrap();
    let said = refused(root.path(), &[]).await;
    assert!(said.contains("holds other things"), "{said}");
    assert_eq!(fs::read_dir(root.path()).unwrap().count(), 1);
}

#[tokio::test]
#[ignore = "needs the daemons, which tests/run builds"]
async fn languages_and_users_that_are_not_there_are_named() {
    let _turn = turn().await;
    let root = data_directory();
    let data = root.path().join("data");
    let said = ended(&data, &["--languages", "cobol"], exit::USAGE).await;
    assert!(said.contains("unknown language \"cobol\""), "{said}");
    // Who is not root becomes nobody else.
    if fs::metadata("/proc/self").unwrap().uid() == 0 {
        let said = refused(&data, &["--service-user", "nobody-of-this-name"]).await;
        assert!(said.contains("useradd"), "{said}");
    }
}
