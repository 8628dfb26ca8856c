//! A scheduler with a database, a broker's prefix and a data directory of its own.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use assize_common::ContentHash;
use assize_common::amqp::{AmqpUrl, Topology};
use assize_common::api::{Scope, Token};
use assize_common::id::TokenId;
use assize_common::language::LanguageTable;
use assize_scheduler::blob::BlobStore;
use assize_scheduler::pressure::Limits;
use assize_scheduler::serve::{Config, ServeError, serve};
use assize_scheduler::settings::{Escalation, Settings};
use assize_scheduler::store::{Activation, DatabaseUrl, NewPackage, RetryPolicy, Store};
use assize_scheduler::suspicion::SuspicionRules;
use bytesize::ByteSize;
use sqlx::{AssertSqlSafe, Executor as _, PgPool};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

#[derive(Clone)]
pub(crate) struct Installation {
    pub(crate) address: SocketAddr,
    pub(crate) token: String,
    pub(crate) amqp: AmqpUrl,
    pub(crate) topology: Topology,
    pool: PgPool,
    running: Arc<Running>,
}

struct Running {
    stop: CancellationToken,
    scheduler: tokio::sync::Mutex<Option<JoinHandle<Result<(), ServeError>>>>,
    _data: tempfile::TempDir,
    server: PgPool,
    database: String,
}

impl Installation {
    pub(crate) async fn start() -> Self {
        let variable = |name: &str| {
            std::env::var(name).unwrap_or_else(|_| panic!("{name} names a service to measure with"))
        };
        let server_url = variable("DATABASE_URL");
        let server = PgPool::connect(&server_url).await.unwrap();
        let fsync: String = sqlx::query_scalar("SHOW fsync")
            .fetch_one(&server)
            .await
            .unwrap();
        if fsync != "on" {
            eprintln!("Postgres runs with fsync {fsync}: its times are too good");
        }
        let database = format!("bench_{}", uuid::Uuid::now_v7().simple());
        let create = format!("CREATE DATABASE {database}");
        server.execute(AssertSqlSafe(create)).await.unwrap();
        let (start, options) = server_url.split_once('?').unwrap_or((&server_url, ""));
        let (host, _) = start.rsplit_once('/').unwrap();
        let url = format!("{host}/{database}?{options}");

        let data = tempfile::tempdir().unwrap();
        BlobStore::open(data.path()).unwrap();
        let address_file = data.path().join("address");
        let amqp: AmqpUrl = variable("ASSIZE_TEST_AMQP_URL").parse().unwrap();
        let database_url: DatabaseUrl = url.parse().unwrap();
        Store::migrate(&database_url).await.unwrap();
        let store = Store::new(&database_url, 2);
        let languages = LanguageTable::embedded().unwrap();
        store.language_list_replace(&languages).await.unwrap();
        let token = Token::new(TokenId::generate(), [7; 32]);
        store
            .token_create(
                token.id(),
                "bench",
                ContentHash::of(token.secret()),
                &[Scope::Submit, Scope::Read, Scope::Admin],
            )
            .await
            .unwrap();
        store
            .problem_import("sum", &package(), Activation::AtOnce, token.id())
            .await
            .unwrap();
        let config = Config {
            database: database_url,
            database_connections: 16,
            database_wait: Duration::from_secs(5),
            amqp: amqp.clone(),
            amqp_prefix: database.clone(),
            listen: "127.0.0.1:0".parse().unwrap(),
            address_file: Some(address_file.clone()),
            data_directory: data.path().to_owned(),
            bucket: None,
            languages,
            suspicion: SuspicionRules::load(None).unwrap(),
            max_package: ByteSize::mib(1),
            team_feedback: Vec::new(),
            settings: Settings {
                lease: Duration::from_secs(30),
                lost_task_age: Duration::from_secs(60),
                retry: RetryPolicy {
                    max_failures: 3,
                    first_delay: Duration::from_secs(1),
                },
                limits: Limits {
                    waiting: u32::MAX,
                    waiting_per_team: u32::MAX,
                    waiting_flagged: 100,
                    disk_reserve: ByteSize(0),
                },
                drift_percent: None,
                close_call_percent: 5,
                escalation: Escalation::Beside,
                audit_age: None,
                output_age: None,
                ticketless_reports: false,
            },
        };
        let stop = CancellationToken::new();
        let scheduler = tokio::spawn(serve(config, Arc::new(String::new), stop.clone()));
        let address = loop {
            if let Ok(address) = std::fs::read_to_string(&address_file) {
                break address.trim().parse().unwrap();
            }
            assert!(!scheduler.is_finished(), "{:?}", scheduler.await);
            tokio::time::sleep(Duration::from_millis(10)).await;
        };
        Self {
            address,
            token: token.reveal(),
            amqp,
            topology: Topology::new(&database),
            pool: PgPool::connect(&url).await.unwrap(),
            running: Arc::new(Running {
                stop,
                scheduler: tokio::sync::Mutex::new(Some(scheduler)),
                _data: data,
                server,
                database,
            }),
        }
    }

    /// Returns when no judgement is open any more.
    pub(crate) async fn all_judged(&self) {
        let open = "SELECT EXISTS (SELECT FROM judgements WHERE state IN ('queued', 'running'))";
        while sqlx::query_scalar::<_, bool>(open)
            .fetch_one(&self.pool)
            .await
            .unwrap()
        {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// A finished submission with this many judgements in the rejudge lane.
    pub(crate) async fn queue_rejudgements(&self, number: i32) {
        let mut client = crate::client::Client::connect(self).await;
        let id = client.submit(0).await;
        sqlx::query(
            "WITH copies AS (
                 INSERT INTO judgements (id, submission_id, package_id, is_current, lane, sandbox_mode, sandbox_reason,
                     testcases_total)
                 SELECT gen_random_uuid(), j.submission_id, j.package_id, false, 'rejudge', 'unshare', 'rejudge lane',
                     j.testcases_total
                 FROM judgements j, generate_series(1, $2) WHERE j.submission_id = $1
                 RETURNING id
             )
             INSERT INTO outbox (judgement_id, attempt, lane) SELECT id, 1, 'rejudge' FROM copies",
        )
        .bind(id.as_uuid())
        .bind(number)
        .execute(&self.pool)
        .await
        .unwrap();
        self.pool.execute("ANALYZE").await.unwrap();
    }

    /// This many more submissions like the only one, judged as it was.
    pub(crate) async fn copy_submission(&self, number: i32) {
        let copy = "WITH sent AS (
                 INSERT INTO submissions (id, problem_id, language_id, contest, team, submitted_by)
                 SELECT uuid_v7(), problem_id, language_id, contest, 'team ' || number % 500, submitted_by
                 FROM submissions, generate_series(1, $1) AS number
                 RETURNING id
             )
             INSERT INTO judgements (id, submission_id, package_id, is_current, lane, sandbox_mode, sandbox_reason,
                 testcases_total, testcases_done, state, verdict, compile, finished_at, max_cpu_time_ms)
             SELECT uuid_v7(), sent.id, j.package_id, true, j.lane, j.sandbox_mode, j.sandbox_reason,
                 j.testcases_total, j.testcases_done, j.state, j.verdict, j.compile, j.finished_at, j.max_cpu_time_ms
             FROM sent, judgements j WHERE j.is_current";
        let copied = sqlx::query(copy).bind(number).execute(&self.pool).await;
        copied.unwrap();
    }

    /// Judges all members of a rejudging, every twentieth with another verdict.
    pub(crate) async fn judge_members(&self, id: &str) {
        let mut transaction = self.pool.begin().await.unwrap();
        for statement in [
            "UPDATE rejudgings SET fed = true WHERE id = $1::uuid",
            "INSERT INTO judgements (id, submission_id, package_id, is_current, lane, sandbox_mode, sandbox_reason,
                 testcases_total, rejudging_id)
             SELECT uuid_v7(), submission_id, package_id, false, 'rejudge', 'unshare', 'rejudge lane', 10, $1::uuid
             FROM rejudging_members WHERE rejudging_id = $1::uuid
             ON CONFLICT (rejudging_id, submission_id, repetition) WHERE rejudging_id IS NOT NULL DO NOTHING",
            "DELETE FROM outbox WHERE judgement_id IN (SELECT id FROM judgements WHERE rejudging_id = $1::uuid)",
            "UPDATE judgements SET state = 'done', compile = '{}', started_at = now(), finished_at = now(),
                 verdict = CASE WHEN hashtext(id::text) % 20 = 0 THEN 'WA' ELSE 'AC' END
             WHERE rejudging_id = $1::uuid AND state <> 'done'",
        ] {
            let query = sqlx::query(statement).bind(id);
            query.execute(&mut *transaction).await.unwrap();
        }
        transaction.commit().await.unwrap();
    }

    pub(crate) async fn end(self) {
        self.running.stop.cancel();
        let scheduler = self.running.scheduler.lock().await.take().unwrap();
        scheduler.await.unwrap().unwrap();
        self.pool.close().await;
        let drop = format!("DROP DATABASE {} WITH (FORCE)", self.running.database);
        let dropped = self.running.server.execute(AssertSqlSafe(drop)).await;
        dropped.unwrap();
    }
}

fn package() -> NewPackage {
    NewPackage {
        content_hash: ContentHash::of(b"files"),
        archive_sha256: ContentHash::of(b"archive"),
        archive_size: ByteSize::kib(1),
        name: "Sum".into(),
        time_limit: Duration::from_secs(1),
        memory_limit: ByteSize::mib(256),
        code_limit: ByteSize::kib(128),
        testcases: 10,
        language_codes: None,
        has_rules: false,
        takes_outputs: false,
    }
}
