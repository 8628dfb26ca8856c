//! What the users of `deploy/rabbitmq-definitions.json` may do, asked of a real
//! RabbitMQ by whoever stole their credentials.

use lapin::options::{
    BasicConsumeOptions, BasicGetOptions, BasicPublishOptions, ConfirmSelectOptions,
    ExchangeBindOptions, ExchangeDeclareOptions, ExchangeDeleteOptions, QueueBindOptions,
    QueueDeclareOptions, QueueDeleteOptions, QueuePurgeOptions,
};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{BasicProperties, Channel, ExchangeKind};

use super::{AmqpUrl, Connection, Role, Topology};
use crate::Lane;

/// The user of `role`, with the password that `tests/with-services` gives it.
fn url(user: &str) -> AmqpUrl {
    let url = std::env::var("ASSIZE_TEST_AMQP_URL")
        .expect("ASSIZE_TEST_AMQP_URL names a RabbitMQ to test with");
    let (_, rest) = url.split_once('@').unwrap();
    let (address, _) = rest.split_once('/').unwrap();
    format!("amqp://{user}:assize@{address}/assize")
        .parse()
        .unwrap()
}

/// The only topology of the virtual host: its users have no other prefix.
async fn scheduler() -> Connection {
    let topology = Topology::new("assize");
    Connection::open(&url("assize-scheduler"), "test", &topology, Role::Scheduler)
        .await
        .unwrap()
}

async fn worker() -> Connection {
    let topology = Topology::new("assize");
    Connection::open(&url("assize-worker"), "test", &topology, Role::Worker)
        .await
        .unwrap()
}

/// A stranger with a worker's credential.
struct Thief {
    connection: Connection,
    topology: Topology,
}

impl Thief {
    /// A channel of its own for each attempt: a refusal closes it.
    async fn channel(&self) -> Channel {
        self.connection.channel().await.unwrap()
    }

    fn every_queue(&self) -> Vec<String> {
        let lanes = Lane::ALL.map(|lane| self.topology.lane(lane));
        let others = [self.topology.reports(), self.topology.dead()];
        lanes.into_iter().chain(others).collect()
    }

    async fn publish(&self, exchange: &str, key: &str) -> lapin::Result<()> {
        let channel = self.channel().await;
        let confirms = ConfirmSelectOptions::default();
        channel.confirm_select(confirms).await?;
        let options = BasicPublishOptions {
            mandatory: true,
            ..Default::default()
        };
        let properties = BasicProperties::default();
        channel
            .basic_publish(exchange.into(), key.into(), options, b"{}", properties)
            .await?
            .await
            .map(drop)
    }

    async fn bind(&self, queue: &str, exchange: &str) -> lapin::Result<()> {
        let options = QueueBindOptions::default();
        self.channel()
            .await
            .queue_bind(
                queue.into(),
                exchange.into(),
                "stolen".into(),
                options,
                FieldTable::default(),
            )
            .await
    }
}

#[track_caller]
fn assert_refused<T: std::fmt::Debug>(result: lapin::Result<T>, what: &str) {
    let error = result.expect_err(what).to_string();
    assert!(error.contains("ACCESS_REFUSED"), "{what}: {error}");
}

#[tokio::test]
#[ignore = "needs ASSIZE_TEST_AMQP_URL"]
async fn a_stolen_credential_of_a_worker_is_good_for_little() {
    let scheduler = scheduler().await;
    let thief = Thief {
        connection: worker().await,
        topology: Topology::new("assize"),
    };
    let topology = &thief.topology;

    // Nothing is published but reports: not to lanes by whatever way, not to all workers.
    for queue in thief.every_queue() {
        for exchange in ["", "assize", "assize.dead-letter"] {
            let what = format!("publish to {queue} by {exchange:?}");
            assert_refused(thief.publish(exchange, &queue).await, &what);
        }
        let what = format!("delete {queue}");
        let options = QueueDeleteOptions::default();
        let channel = thief.channel().await;
        assert_refused(channel.queue_delete((&*queue).into(), options).await, &what);
        for exchange in ["assize", "assize.reports", "assize.control"] {
            let what = format!("bind {queue} to {exchange}");
            assert_refused(thief.bind(&queue, exchange).await, &what);
        }
        let channel = thief.channel().await;
        let (name, arguments) = ((&*queue).into(), FieldTable::default());
        let unbinding = channel.queue_unbind(name, "assize".into(), (&*queue).into(), arguments);
        assert_refused(unbinding.await, &format!("unbind {queue}"));
    }
    assert_refused(thief.publish("assize.control", "").await, "broadcast");

    // What others report and what is dead is not read, nor thrown away.
    for queue in [topology.reports(), topology.dead()] {
        let name = || (&*queue).into();
        let channel = thief.channel().await;
        let got = channel.basic_get(name(), BasicGetOptions::default()).await;
        assert_refused(got.map(drop), &format!("read {queue}"));
        let channel = thief.channel().await;
        let (options, arguments) = (BasicConsumeOptions::default(), FieldTable::default());
        let consuming = channel.basic_consume(name(), "".into(), options, arguments);
        assert_refused(consuming.await.map(drop), &format!("consume {queue}"));
        let channel = thief.channel().await;
        let purging = channel.queue_purge(name(), QueuePurgeOptions::default());
        assert_refused(purging.await, &format!("purge {queue}"));
    }

    // Nothing is declared but queues to hear broadcasts by, and those do not lead anywhere.
    for queue in ["mine", "assize.v2.live", "assize.v1.reports"] {
        let channel = thief.channel().await;
        let (options, arguments) = (QueueDeclareOptions::durable(), FieldTable::default());
        let declaring = channel.queue_declare(queue.into(), options, arguments);
        assert_refused(declaring.await, &format!("declare {queue}"));
    }
    for exchange in ["", "assize", "assize.dead-letter"] {
        let mut arguments = FieldTable::default();
        arguments.insert(
            "x-dead-letter-exchange".into(),
            AMQPValue::LongString(exchange.into()),
        );
        let live = topology.lane(Lane::Live);
        arguments.insert(
            "x-dead-letter-routing-key".into(),
            AMQPValue::LongString(live.into()),
        );
        let channel = thief.channel().await;
        let options = QueueDeclareOptions::default();
        let declaring = channel.queue_declare("assize.control.mine".into(), options, arguments);
        let what = format!("declare a queue whose dead letters go to {exchange:?}");
        assert_refused(declaring.await, &what);
    }
    for exchange in ["mine", "assize", "assize.reports", "assize.control"] {
        let channel = thief.channel().await;
        let options = ExchangeDeclareOptions::default();
        let (kind, arguments) = (ExchangeKind::Direct, FieldTable::default());
        let declaring = channel.exchange_declare(exchange.into(), kind, options, arguments);
        assert_refused(declaring.await, &format!("declare exchange {exchange}"));
        let channel = thief.channel().await;
        let deleting = channel.exchange_delete(exchange.into(), ExchangeDeleteOptions::default());
        assert_refused(deleting.await, &format!("delete exchange {exchange}"));
    }
    let channel = thief.channel().await;
    let options = ExchangeBindOptions::default();
    let binding = channel.exchange_bind(
        "assize".into(),
        "assize.control".into(),
        "".into(),
        options,
        FieldTable::default(),
    );
    assert_refused(binding.await, "bind exchange assize to assize.control");
    assert_refused(thief.bind("assize.control.mine", "assize").await, "listen");

    scheduler.close().await.unwrap();
}

/// Purging is no more than reading everything, and tasks that are lost are published again.
#[tokio::test]
#[ignore = "needs ASSIZE_TEST_AMQP_URL"]
async fn a_worker_may_do_what_it_does() {
    let scheduler = scheduler().await;
    let topology = Topology::new("assize");
    let tasks = scheduler.publisher().await.unwrap();
    let mut reports = scheduler.consume(&topology.reports(), 1).await.unwrap();

    let worker = worker().await;
    let mut told = worker.listen().await.unwrap();
    tasks.broadcast(b"hear").await.unwrap();
    assert_eq!(told.next().await.unwrap().body(), b"hear");
    let puller = worker.puller().await.unwrap();
    for lane in Lane::ALL {
        let queue = topology.lane(lane);
        tasks.publish(&queue, b"task").await.unwrap();
        let mut consumer = worker.consume(&queue, 1).await.unwrap();
        consumer.next().await.unwrap().ack().await.unwrap();
        consumer.stop().await.unwrap();
        assert!(puller.pull(&queue).await.unwrap().is_none());
    }
    let publisher = worker.publisher().await.unwrap();
    publisher
        .publish(&topology.reports(), b"report")
        .await
        .unwrap();
    let report = reports.next().await.unwrap();
    assert_eq!(report.body(), b"report");
    report.ack().await.unwrap();
    reports.stop().await.unwrap();
    worker.close().await.unwrap();
    scheduler.close().await.unwrap();
}

#[tokio::test]
#[ignore = "needs ASSIZE_TEST_AMQP_URL"]
async fn a_worker_says_what_no_scheduler_declared() {
    let url: AmqpUrl = std::env::var("ASSIZE_TEST_AMQP_URL")
        .unwrap()
        .parse()
        .unwrap();
    let topology = Topology::new("nobody");
    let error = Connection::open(&url, "test", &topology, Role::Worker).await;
    let error = error.unwrap_err().to_string();
    assert!(
        error.contains("exchange nobody.reports can't be found"),
        "{error}"
    );
    assert!(error.contains("ASSIZE_AMQP_PREFIX"), "{error}");
}
