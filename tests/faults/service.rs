//! How services of our own are started.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::process::Command;

/// What takes longer to start is broken.
pub(super) const PATIENCE: Duration = Duration::from_secs(120);

/// A command run as the account of services, ended with us.
pub(super) fn as_service(program: &Path) -> Command {
    let mut command = Command::new("/usr/bin/setpriv");
    command
        .args(["--reuid=assize", "--regid=assize", "--clear-groups"])
        .args(["--pdeathsig=KILL", "--"])
        .arg(program)
        .env_clear()
        .env("LANG", "C.UTF-8")
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
    command
}

/// The program of the newest installed version.
pub(super) fn newest(installed: &str, prefix: &str, program: &str) -> PathBuf {
    let versions = fs::read_dir(installed).into_iter().flatten().flatten();
    let found = versions.filter_map(|entry| {
        let name = entry.file_name().to_string_lossy().into_owned();
        let version: Vec<u32> = name
            .strip_prefix(prefix)?
            .split('.')
            .map(|part| part.parse().ok())
            .collect::<Option<_>>()?;
        let path = entry.path().join(program);
        path.exists().then_some((version, path))
    });
    let newest = found.max();
    newest
        .unwrap_or_else(|| panic!("{program} is not below {installed}: run `make setup`"))
        .1
}

/// Ports below those of outgoing connections, or one of these might take one before we do.
pub(super) fn free_ports<const N: usize>() -> [u16; N] {
    let mut candidates =
        (20_000..32_000).skip(usize::try_from(std::process::id() % 10_000).unwrap());
    let mut next = || {
        let is_free = |port: &u16| TcpListener::bind(("127.0.0.1", *port)).is_ok();
        candidates
            .by_ref()
            .find(is_free)
            .expect("some port is free")
    };
    std::array::from_fn(|_| next())
}

/// Makes a directory the account's own.
pub(super) async fn give_to_services(path: &Path) {
    let mut chown = Command::new("/usr/bin/chown");
    let status = chown.arg("assize:assize").arg(path).status().await;
    assert!(status.unwrap().success(), "run `make setup`");
}
