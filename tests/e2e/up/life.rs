//! Start, stop, start again: what is kept, and what is started again.

use std::path::Path;

use assize::client::Server;
use assize::up::{Announce, Installation, Options};
use assize_common::package::Package;
use assize_tests::system::{PATIENCE, PAUSE, data_directory, kill, patiently, turn};
use assize_tests::tree;
use tokio_util::sync::CancellationToken;

use super::{NOTHING, processes_of};

async fn start(data: &Path) -> anyhow::Result<Installation> {
    let options = Options {
        workers: 0,
        ..Options::at(data)
    };
    let (announce, _) = Announce::collect();
    Installation::start(&options, &announce, &CancellationToken::new()).await
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the daemons, which tests/run builds"]
async fn data_is_kept_and_belongs_to_one_at_a_time() {
    let _turn = turn().await;
    let root = data_directory();
    let data = root.path().join("data");
    let archive = Package::pack(&tree::root().join("tests/packages/greeting")).unwrap();

    let first = start(&data).await.unwrap();
    let api = first.api().clone();
    api.import_problem("greeting", archive).await.unwrap();
    let server = Server::of_installation(&data).unwrap();
    assert_eq!(server.url, api.url());

    let second = start(&data).await.unwrap_err().to_string();
    assert!(second.contains("another `assize up`"), "{second}");
    assert!(
        api.readiness().await.unwrap().ready,
        "the first one goes on"
    );

    first.stop().await.unwrap();
    assert_eq!(processes_of(&data), NOTHING);
    assert!(Server::of_installation(&data).is_err());

    let again = start(&data).await.unwrap();
    let problems = again.api().problems().await.unwrap().problems;
    assert_eq!(problems.len(), 1);
    assert_eq!(problems[0].short_name, "greeting");
    // Whoever holds the token can go on.
    assert_eq!(Server::of_installation(&data).unwrap().token, server.token);
    again.stop().await.unwrap();
    assert_eq!(processes_of(&data), NOTHING);

    // Its account has another home than ours, in which it may not look for passwords.
    let log = std::fs::read_to_string(data.join("logs/scheduler.log")).unwrap();
    assert!(!log.contains("pgpass"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the daemons, which tests/run builds"]
async fn whatever_dies_is_started_again_where_it_was() {
    let _turn = turn().await;
    let root = data_directory();
    let installation = start(&root.path().join("data")).await.unwrap();
    for service in ["postgres", "rabbitmq", "epmd", "scheduler"] {
        kill(&installation.processes(service).unwrap()).await;
        let back = tokio::time::timeout(PATIENCE, installation.ready_after(service, 1)).await;
        let starts = back.unwrap_or_else(|_| panic!("{service} did not come back"));
        assert_eq!(starts.unwrap(), 2, "{service}");
    }
    // Workers and clients know no other address.
    let api = installation.api();
    let works = patiently(PAUSE, async || {
        let readiness = api.readiness().await.ok()?;
        (readiness.ready && readiness.broker).then_some(())
    });
    works.await.unwrap();
    installation.stop().await.unwrap();
}
