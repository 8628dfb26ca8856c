//! Our programs as child processes.

use std::path::PathBuf;
use std::process::Output;

use tokio::process::Command;

/// A command that runs one of our programs with an environment free of settings.
///
/// # Panics
/// When it was not built.
#[must_use]
pub fn command(name: &str) -> Command {
    let path = path(name);
    assert!(
        path.exists(),
        "{} is missing: `cargo build --workspace --bins`",
        path.display()
    );
    let mut command = Command::new(path);
    for (variable, _) in std::env::vars_os() {
        if variable.to_string_lossy().starts_with("ASSIZE_") {
            command.env_remove(variable);
        }
    }
    command
        .kill_on_drop(true)
        .stdin(std::process::Stdio::null());
    command
}

/// Where cargo put our programs: two folders above this test's.
///
/// # Panics
/// When nobody knows where this program is.
#[must_use]
pub fn path(name: &str) -> PathBuf {
    let this = std::env::current_exe().expect("this program has a path");
    let folder = this.ancestors().nth(2).expect("tests are below deps");
    folder.join(name)
}

/// What a program said on standard error.
#[must_use]
pub fn complaint(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}
