//! Where a run reads and writes.

use std::fs::File;
use std::io::{self, IsTerminal as _};
use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;

use assize_worker::sandbox::{Input, Sink};
use bytesize::ByteSize;

use crate::exit::{self, Failure};

/// Standard input of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// Nothing to read.
    Null,
    /// Our own standard input.
    Ours,
    /// A file of the host, from its start.
    File(PathBuf),
}

/// Standard output or standard error of a run. All but a closed one is counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// Counted and thrown away.
    Discard,
    /// Our own.
    Ours,
    /// A file of the host, made or emptied.
    File(PathBuf),
}

/// The three streams of a run.
#[derive(Debug, Clone)]
pub struct Streams {
    /// Standard input.
    pub stdin: Source,
    /// Standard output.
    pub stdout: Target,
    /// Standard error.
    pub stderr: Target,
}

impl Streams {
    /// Opens the streams for one run. What goes beyond `limit` is not kept.
    ///
    /// # Errors
    /// When a file can't be opened; a [`Failure`] of code [`exit::USAGE`].
    pub fn open(&self, limit: ByteSize) -> Result<(Input, Sink, Sink), Failure> {
        let stdin = match &self.stdin {
            Source::Null => Input::Null,
            Source::Ours => Input::Fd(our_stdin().map_err(|source| {
                Failure::new(exit::USAGE, "cannot use our standard input").because(source)
            })?),
            Source::File(path) => {
                Input::Fd(File::open(path).map_err(refused("read", path))?.into())
            }
        };
        let stdout = open(&self.stdout, &io::stdout())?;
        // One file for both is written in the order of arrival, not over itself.
        let stderr = match (&stdout, &self.stderr) {
            (descriptor, Target::File(path)) if self.stdout == self.stderr => {
                descriptor.try_clone().map_err(refused("share", path))?
            }
            _ => open(&self.stderr, &io::stderr())?,
        };
        let capture = |to| Sink::Capture { to, keep: limit };
        Ok((stdin, capture(stdout), capture(stderr)))
    }
}

fn refused(attempt: &'static str, path: &std::path::Path) -> impl FnOnce(io::Error) -> Failure {
    move |source| {
        Failure::new(exit::USAGE, format!("cannot {attempt} {}", path.display())).because(source)
    }
}

fn open(target: &Target, ours: &impl AsFd) -> Result<OwnedFd, Failure> {
    match target {
        Target::Discard => {
            let path = std::path::Path::new("/dev/null");
            let null = File::options().write(true).open(path);
            null.map(OwnedFd::from).map_err(refused("write", path))
        }
        Target::Ours => ours.as_fd().try_clone_to_owned().map_err(|source| {
            Failure::new(exit::USAGE, "cannot use our standard output").because(source)
        }),
        Target::File(path) => File::create(path)
            .map(OwnedFd::from)
            .map_err(refused("write", path)),
    }
}

/// A terminal is read by us and handed on through a pipe: its descriptor can
/// be written to as well, and more.
fn our_stdin() -> io::Result<OwnedFd> {
    let stdin = io::stdin();
    if !stdin.is_terminal() {
        return stdin.as_fd().try_clone_to_owned();
    }
    let (reader, mut writer) = io::pipe()?;
    // It ends with the process at the latest: nothing ends a read of a terminal.
    std::thread::spawn(move || {
        // The program need not read all that is typed.
        if let Err(error) = io::copy(&mut io::stdin(), &mut writer) {
            tracing::debug!(%error, "standard input is no longer read");
        }
    });
    Ok(reader.into())
}
