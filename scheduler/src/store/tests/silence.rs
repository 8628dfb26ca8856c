//! A database that says nothing any more, and another connection to it that does.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use crate::store::silence::round_within;
use crate::store::{FOR_ALL_ELSE, OUTBOX_CHANNEL, Store, StoreError, begin};

const SHORT: Duration = Duration::from_millis(300);
const PATIENCE: Duration = Duration::from_secs(60);

/// A way to the database that forgets connections without telling anybody.
struct Way {
    address: SocketAddr,
    forgotten: watch::Sender<()>,
    carrying: JoinHandle<()>,
}

impl Way {
    async fn to(socket: PathBuf) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let forgotten = watch::Sender::new(());
        let forgetting = forgotten.clone();
        let carrying = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let (client, _) = listener.accept().await.unwrap();
                connections.spawn(carry(client, socket.clone(), forgetting.subscribe()));
            }
        });
        Self {
            address,
            forgotten,
            carrying,
        }
    }

    /// A store over one connection that leads this way.
    fn store(&self, options: &PgConnectOptions) -> Store {
        let options = PgConnectOptions::new_without_pgpass()
            .host("127.0.0.1")
            .port(self.address.port())
            .ssl_mode(PgSslMode::Disable)
            .username(options.get_username())
            .database(options.get_database().unwrap());
        Store::new(&options.into(), 1)
    }
}

impl Drop for Way {
    fn drop(&mut self) {
        self.carrying.abort();
    }
}

async fn carry(mut client: TcpStream, socket: PathBuf, mut forgotten: watch::Receiver<()>) {
    let mut server = UnixStream::connect(socket).await.unwrap();
    tokio::select! {
        _ = copy_bidirectional(&mut client, &mut server) => {}
        _ = forgotten.changed() => std::future::pending().await,
    }
}

fn socket(options: &PgConnectOptions) -> PathBuf {
    let directory = options
        .get_socket()
        .expect("tests have Postgres behind a socket");
    directory.join(format!(".s.PGSQL.{}", options.get_port()))
}

#[sqlx::test(migrations = "../migrations")]
async fn who_listens_learns_that_nobody_is_there(pool: PgPool) {
    let options = pool.connect_options();
    let way = Way::to(socket(&options)).await;
    let store = way.store(&options);
    let listener = store.listen(OUTBOX_CHANNEL).await.unwrap();
    let mut listener = listener.with_quiet(SHORT);
    // It asks several times, and hears what is said meanwhile.
    let quiet = tokio::time::timeout(4 * SHORT, listener.next()).await;
    assert!(quiet.is_err(), "{quiet:?}");
    let notify = "SELECT pg_notify('assize_outbox', 'live')";
    sqlx::query(notify).execute(&pool).await.unwrap();
    assert_eq!(listener.next().await.unwrap().payload(), "live");

    way.forgotten.send_replace(());
    // As the one does who looks by timer as well.
    let learning = async {
        while let Ok(Some(_)) | Err(_) = tokio::time::timeout(SHORT, listener.next()).await {}
    };
    let learnt = tokio::time::timeout(PATIENCE, learning).await;
    learnt.expect("the connection counts as lost");
    store
        .listen(OUTBOX_CHANNEL)
        .await
        .expect("another one is there");
}

/// Whatever was given up, there are as many connections as before.
async fn all_come_back(store: &Store) {
    let coming_back = async {
        let mut all = Vec::new();
        while all.len() < usize::try_from(FOR_ALL_ELSE).unwrap() {
            all.extend(store.begin().await.ok());
        }
    };
    let came_back = tokio::time::timeout(PATIENCE, coming_back).await;
    came_back.expect("the pool has all its connections again");
}

#[sqlx::test(migrations = "../migrations")]
async fn work_that_is_given_up_takes_no_connection_with_it(pool: PgPool) {
    let options = pool.connect_options();
    let way = Way::to(socket(&options)).await;
    let store = way.store(&options);
    let mut transaction = store.begin().await.unwrap();
    way.forgotten.send_replace(());
    // Since then the latest answer is too old to be believed.
    tokio::time::sleep(Duration::from_secs(1)).await;
    let work = async {
        let one = sqlx::query_scalar!(r#"SELECT 1 AS "one!""#);
        let one = one.fetch_one(&mut *transaction).await;
        one.map_err(StoreError::on("ask for one"))?;
        Store::commit(transaction).await
    };
    let error = round_within(SHORT, work).await.unwrap_err();
    assert!(matches!(error, StoreError::Silent { .. }), "{error:?}");
    assert!(error.is_transient());
    all_come_back(&store).await;
}

#[sqlx::test(migrations = "../migrations")]
async fn nor_does_beginning_it(pool: PgPool) {
    let options = pool.connect_options();
    let way = Way::to(socket(&options)).await;
    let store = way.store(&options);
    let mut beginning = Box::pin(begin(&store.pool, "BEGIN; SELECT pg_sleep(30)"));
    let sleeps = "SELECT EXISTS (SELECT FROM pg_stat_activity
                  WHERE datname = current_database() AND wait_event = 'PgSleep')";
    tokio::select! {
        _ = &mut beginning => panic!("it sleeps"),
        () = async { while !sqlx::query_scalar::<_, bool>(sleeps).fetch_one(&pool).await.unwrap() {} } => {}
    }
    way.forgotten.send_replace(());
    drop(beginning);
    all_come_back(&store).await;
}
