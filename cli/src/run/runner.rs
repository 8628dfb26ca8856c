//! Running a program once or many times, in one jail or several.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use assize_common::SandboxMode;
use assize_worker::cancel::Cancel;
use assize_worker::judging_error::JudgingError;
use assize_worker::sandbox::{
    AuditLevel, Jail, JailConfig, JailError, Limits, Mode, Mount, PolicyLayer, PolicyName, Spec,
};
use assize_worker::slot::run_in;

use super::facts::Measured;
use super::program::Program;
use super::streams::Streams;
use crate::exit::{self, Failure};

/// What to run, and how.
#[derive(Debug)]
pub struct Order {
    /// The program.
    pub program: Program,
    /// Its arguments.
    pub args: Vec<String>,
    /// What it reads and where it writes.
    pub streams: Streams,
    /// A directory of the host, shown read-only as its working directory.
    pub directory: Option<PathBuf>,
    /// What it may use.
    pub limits: Limits,
    /// Over the policy of contestants' programs, the lowest first.
    pub layers: Vec<PolicyLayer>,
    /// How its system calls are controlled.
    pub sandbox: SandboxMode,
    /// Have programs laid out at the same addresses each time.
    pub fixed_layout: bool,
}

/// Jails that are ready.
#[derive(Debug)]
pub struct Runner {
    jails: Vec<Jail>,
}

impl Runner {
    /// Starts one jail for each of `cores`, pinned to it where one is given.
    ///
    /// # Errors
    /// A [`Failure`] of code [`exit::JUDGING_ERROR`] when the host is unfit.
    pub fn start(cores: &[Option<usize>]) -> Result<Self, Failure> {
        let start = |(slot, core): (u16, &Option<usize>)| {
            let config = JailConfig {
                core: *core,
                ..JailConfig::new(slot)?
            };
            Jail::start(&config)
        };
        let jails: Result<_, JailError> = (0..).zip(cores).map(start).collect();
        let jails = jails.map_err(|source| {
            Failure::new(exit::JUDGING_ERROR, "cannot start a jail").because(source)
        })?;
        Ok(Self { jails })
    }

    /// Does `runs` runs with all jails at once; returns them with the time they
    /// took together.
    ///
    /// # Errors
    /// The first error of a run, which ends all others.
    pub fn repeat(
        &mut self,
        order: &Order,
        runs: usize,
        cancel: &Cancel,
    ) -> anyhow::Result<(Vec<Measured>, Duration)> {
        let next = AtomicUsize::new(0);
        let work = |jail: &mut Jail| {
            let mut measured = Vec::new();
            while next.fetch_add(1, Ordering::Relaxed) < runs {
                let run = order.run(jail, cancel);
                // Nobody wants more runs after an error.
                measured.push(run.inspect_err(|_| next.store(runs, Ordering::Relaxed))?);
            }
            Ok(measured)
        };
        let begin = Instant::now();
        let results: Vec<anyhow::Result<Vec<Measured>>> = std::thread::scope(|scope| {
            let threads: Vec<_> = self
                .jails
                .iter_mut()
                .map(|jail| scope.spawn(|| work(jail)))
                .collect();
            threads
                .into_iter()
                .map(|thread| {
                    thread
                        .join()
                        .unwrap_or_else(|_| Err(anyhow::anyhow!("a thread has panicked")))
                })
                .collect()
        });
        let elapsed = begin.elapsed();
        let mut all = Vec::with_capacity(runs);
        for result in results {
            all.extend(result?);
        }
        Ok((all, elapsed))
    }

    /// Does one run.
    ///
    /// # Errors
    /// When a file can't be opened or the jail fails.
    pub fn once(&mut self, order: &Order, cancel: &Cancel) -> anyhow::Result<Measured> {
        let jail = self.jails.first_mut().context("no jail was started")?;
        order.run(jail, cancel)
    }
}

impl Order {
    fn run(&self, jail: &mut Jail, cancel: &Cancel) -> anyhow::Result<Measured> {
        let spec = self.spec()?;
        let activity = format!("running {}", self.program.name());
        let begin = Instant::now();
        let facts = run_in(jail, spec, &activity, cancel);
        let total = begin.elapsed();
        match facts {
            Ok(facts) => Ok(Measured { facts, total }),
            Err(error) => Err(Failure::new(code_of(&error), "no facts")
                .because(error)
                .into()),
        }
    }

    fn spec(&self) -> anyhow::Result<Spec> {
        let (stdin, stdout, stderr) = self.streams.open(self.limits.output)?;
        let shown = Path::new("/box");
        let mut mounts = Vec::new();
        if let Some(directory) = &self.directory {
            let source = open_directory(directory)?;
            mounts.push(Mount {
                source: source.into(),
                target: shown.to_owned(),
            });
        }
        let name = self.program.name().to_owned();
        let env = [
            ("HOME", "/tmp"),
            ("LANG", "C.UTF-8"),
            ("PATH", "/usr/bin:/bin"),
        ];
        Ok(Spec {
            args: std::iter::once(name).chain(self.args.clone()).collect(),
            executable: self.program.descriptor()?,
            env: env
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into(),
            directory: if mounts.is_empty() {
                Path::new("/tmp")
            } else {
                shown
            }
            .to_owned(),
            stdin,
            stdout,
            stderr,
            mounts,
            scratch: Vec::new(),
            files: Vec::new(),
            collect: Vec::new(),
            limits: self.limits.clone(),
            mode: match self.sandbox {
                SandboxMode::Unshare => Mode::Unshare,
                SandboxMode::Ptrace => Mode::Ptrace,
            },
            policy: PolicyName::Contestant,
            layers: self.layers.clone(),
            audit: AuditLevel::Decisions,
            observe: false,
            fixed_layout: self.fixed_layout,
        })
    }
}

fn open_directory(path: &Path) -> Result<File, Failure> {
    let refused = |source| {
        Failure::new(
            exit::USAGE,
            format!("cannot show the directory {}", path.display()),
        )
        .because(source)
    };
    let file = File::open(path).map_err(refused)?;
    let metadata = file.metadata().map_err(refused)?;
    if !metadata.is_dir() {
        return Err(refused(std::io::ErrorKind::NotADirectory.into()));
    }
    Ok(file)
}

/// A run that can't be done as asked is a matter of the arguments.
const fn code_of(error: &JudgingError) -> u8 {
    match error {
        JudgingError::Jail {
            source: JailError::InvalidSpec { .. } | JailError::Exec { .. },
            ..
        } => exit::USAGE,
        _ => exit::JUDGING_ERROR,
    }
}
