//! A server of S3 of the installation's own, in which it keeps packages and sources.

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use assize_tests::tree;
use tokio::net::TcpStream;
use tokio::process::Child;

use super::frame::Protocol;
use super::proxy::{Proxy, Target};
use super::service::{PATIENCE, as_service, free_ports};

/// Ends with us. What is in it is in its memory, so it never breaks itself: only the ways to it do.
#[derive(Debug)]
pub(super) struct Bucket {
    address: SocketAddr,
    _server: Child,
}

impl Bucket {
    /// Starts one below a directory of the services' account.
    pub(super) async fn start(directory: &Path) -> Self {
        // The account may not be able to enter ours.
        let program = directory.join("s3-server");
        fs::copy(tree::root().join("tests/s3-server"), &program).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        let [port] = free_ports();
        let log = fs::File::create(directory.join("s3.log")).unwrap();
        let mut server = as_service(&program);
        server
            .arg(port.to_string())
            .arg(directory)
            .env("HOME", directory)
            .stdout(Stdio::null())
            .stderr(log)
            .kill_on_drop(true);
        let bucket = Self {
            address: ([127, 0, 0, 1], port).into(),
            _server: server.spawn().unwrap(),
        };
        let listening = async {
            while TcpStream::connect(bucket.address).await.is_err() {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        tokio::time::timeout(PATIENCE, listening)
            .await
            .expect("the server of S3 listens");
        bucket
    }

    /// A way to it.
    pub(super) async fn proxy(&self) -> Proxy {
        Proxy::start(Protocol::Http, Target::Tcp(vec![self.address])).await
    }
}

/// What a scheduler must know to use it by that way.
pub(super) fn environment(proxy: &Proxy) -> [(&'static str, String); 6] {
    [
        ("ASSIZE_BLOB_STORE", "s3://assize/faults".to_owned()),
        ("AWS_ENDPOINT_URL", format!("http://{}", proxy.address)),
        ("AWS_ALLOW_HTTP", "true".to_owned()),
        ("AWS_REGION", "us-east-1".to_owned()),
        ("AWS_ACCESS_KEY_ID", "tests:assize".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "assize".to_owned()),
    ]
}
