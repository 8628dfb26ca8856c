//! `assize up` as a process: what remains when it ends, in whatever way.

use std::path::Path;
use std::process::Stdio;

use assize_tests::program::command;
use assize_tests::system::{PATIENCE, PAUSE, data_directory, kill, patiently, turn};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use super::{NOTHING, processes_of};

/// Starts `assize up` and waits until it runs.
async fn up(data: &Path) -> Child {
    let mut command = command("assize");
    command
        .args(["up", "--workers", "0", "--listen", "127.0.0.1:0"])
        .arg("--data-dir")
        .arg(data);
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let line = tokio::time::timeout(PATIENCE, lines.next_line()).await;
    assert_eq!(line.unwrap().unwrap().as_deref(), Some("Assize runs."));
    // Read on, or it could not write the rest.
    tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
    child
}

#[tokio::test]
#[ignore = "needs the daemons, which tests/run builds"]
async fn a_signal_stops_everything() {
    let _turn = turn().await;
    let root = data_directory();
    let data = root.path().join("data");
    let mut child = up(&data).await;
    assert!(!processes_of(&data).is_empty());
    let script = format!("kill -s TERM {}", child.id().unwrap());
    let sent = Command::new("/bin/sh").args(["-c", &script]).status().await;
    assert!(sent.unwrap().success());
    let ended = tokio::time::timeout(PATIENCE, child.wait()).await.unwrap();
    assert_eq!(ended.unwrap().code(), Some(0));
    assert_eq!(processes_of(&data), NOTHING);
}

#[tokio::test]
#[ignore = "needs the daemons, which tests/run builds"]
async fn nothing_outlives_a_killed_one_and_the_next_takes_over() {
    let _turn = turn().await;
    let root = data_directory();
    let data = root.path().join("data");
    let mut child = up(&data).await;
    kill(&[child.id().unwrap()]).await;
    child.wait().await.unwrap();
    // At once: it waits for what is still about to stop.
    let mut next = up(&data).await;
    kill(&[next.id().unwrap()]).await;
    next.wait().await.unwrap();
    let gone = patiently(PAUSE, async || processes_of(&data).is_empty().then_some(()));
    gone.await.unwrap();
}
