//! The Postgres and the RabbitMQ of `tests/with-services`, shared by tests that
//! leave them alone: each has a database and queues of its own there.

use assize_common::Lane;
use assize_common::amqp::{AmqpUrl, Connection, Role, Topology};
use reqwest::Url;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, PgPool};
use uuid::Uuid;

/// A database and queues of a test's own.
#[derive(Debug)]
pub struct Services {
    name: String,
    server: Url,
    /// The broker, with its password.
    pub amqp_url: String,
}

impl Services {
    /// Makes an empty database.
    ///
    /// # Panics
    /// When `tests/with-services` does not run us.
    pub async fn new() -> Self {
        let server = variable("DATABASE_URL");
        let services = Self {
            name: format!("test-{}", Uuid::now_v7().simple()),
            server: server.parse().expect("DATABASE_URL is a URL"),
            amqp_url: variable("ASSIZE_TEST_AMQP_URL"),
        };
        services.execute("CREATE DATABASE").await;
        services
    }

    /// The URL of the database.
    #[must_use]
    pub fn database_url(&self) -> String {
        let mut url = self.server.clone();
        url.set_path(&self.name);
        url.to_string()
    }

    /// The first part of the names of exchanges and queues.
    #[must_use]
    pub fn amqp_prefix(&self) -> &str {
        &self.name
    }

    /// Connects to the database.
    ///
    /// # Panics
    /// When that fails.
    pub async fn connect(&self) -> PgPool {
        let pool = PgPool::connect(&self.database_url()).await;
        pool.expect("the test's database answers")
    }

    /// The queues that messages wait in, by name: none when all work is done.
    ///
    /// # Panics
    /// When the broker does not answer.
    pub async fn waiting_messages(&self) -> Vec<(String, u32)> {
        let topology = Topology::new(&self.name);
        let url: AmqpUrl = self
            .amqp_url
            .parse()
            .expect("ASSIZE_TEST_AMQP_URL is a URL");
        let connection = Connection::open(&url, "tests", &topology, Role::Scheduler)
            .await
            .unwrap();
        let lanes = Lane::ALL.map(|lane| topology.lane(lane));
        let mut waiting = Vec::new();
        for queue in lanes
            .into_iter()
            .chain([topology.reports(), topology.dead()])
        {
            let messages = connection.waiting_messages(&queue).await.unwrap();
            if messages > 0 {
                waiting.push((queue, messages));
            }
        }
        waiting
    }

    /// Drops the database. Queues stay until the broker ends, empty.
    ///
    /// # Panics
    /// When Postgres refuses.
    pub async fn remove(self) {
        self.execute("DROP DATABASE").await;
    }

    async fn execute(&self, verb: &str) {
        let mut server = PgConnection::connect(self.server.as_str())
            .await
            .expect("Postgres answers");
        let force = if verb.starts_with("DROP") {
            "WITH (FORCE)"
        } else {
            ""
        };
        let statement = format!(r#"{verb} "{}" {force}"#, self.name);
        sqlx::query(AssertSqlSafe(statement))
            .execute(&mut server)
            .await
            .unwrap();
    }
}

fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| {
        panic!("{name} is not set: run this by tests/run, or below tests/with-services")
    })
}
