//! Encrypted connections to the RabbitMQ of `tests/with-services`, whose certificate
//! is of an authority that nobody knows, and for `localhost` only.

use std::path::PathBuf;

use super::{AmqpError, AmqpUrl, Connection, Role, Topology};
use crate::telemetry::error_chain;

fn url() -> AmqpUrl {
    let url = std::env::var("ASSIZE_TEST_AMQPS_URL");
    let url = url.expect("ASSIZE_TEST_AMQPS_URL names a RabbitMQ to test with");
    url.parse().unwrap()
}

fn authority() -> PathBuf {
    let path = std::env::var_os("ASSIZE_TEST_AMQP_CA");
    path.expect("ASSIZE_TEST_AMQP_CA names its authority")
        .into()
}

async fn open(url: &AmqpUrl) -> Result<Connection, AmqpError> {
    let topology = Topology::new(&format!("test-{}", uuid::Uuid::now_v7().simple()));
    Connection::open(url, "test", &topology, Role::Scheduler).await
}

#[tokio::test]
#[ignore = "needs ASSIZE_TEST_AMQPS_URL"]
async fn messages_go_over_an_encrypted_connection() {
    let url = url().trusting(&authority()).unwrap();
    let topology = Topology::new(&format!("test-{}", uuid::Uuid::now_v7().simple()));
    let connection = Connection::open(&url, "test", &topology, Role::Scheduler).await;
    let connection = connection.unwrap();
    let queue = topology.reports();
    let publisher = connection.publisher().await.unwrap();
    // Larger than a record of TLS.
    let message = vec![b'x'; 100_000];
    publisher.publish(&queue, &message).await.unwrap();
    let mut consumer = connection.consume(&queue, 1).await.unwrap();
    let delivery = consumer.next().await.unwrap();
    assert_eq!(delivery.body(), message);
    delivery.ack().await.unwrap();
    connection.close().await.unwrap();
}

#[tokio::test]
#[ignore = "needs ASSIZE_TEST_AMQPS_URL"]
async fn a_stranger_is_not_trusted() {
    let of_a_stranger = open(&url()).await.unwrap_err();
    let port = url().reveal().rsplit(':').next().unwrap().to_owned();
    let for_another_host: AmqpUrl = format!("amqps://assize:assize@127.0.0.1:{port}")
        .parse()
        .unwrap();
    let for_another_host = for_another_host.trusting(&authority()).unwrap();
    let for_another_host = open(&for_another_host).await.unwrap_err();
    for error in [of_a_stranger, for_another_host] {
        assert!(!error.is_refusal(), "{error:?}");
        let text = error_chain(&error).to_string();
        assert!(text.contains("ASSIZE_AMQP_CA"), "{text}");
        assert!(text.contains("certificate"), "{text}");
        assert!(!text.contains("assize:assize"), "{text}");
    }
}
