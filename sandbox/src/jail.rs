//! The handle to one `assize-jail` process.

use crate::audit::{self, Area, AuditLevel};
use crate::cancel::{Canceller, Shared};
use crate::config::JailConfig;
use crate::error::JailError;
use crate::facts::{Collected, Facts};
use crate::policy::RuleIds;
use crate::protocol::{
    Channel, Descriptors, FileRequest, Order, Report, SetupRequest, SinkRequest, ToSupervisor,
};
use crate::spec::{Input, Mode, Sink, Spec};
use bytesize::ByteSize;
use nix::fcntl::{FcntlArg, SealFlag, fcntl};
use nix::sys::memfd::{MFdFlags, memfd_create};
use std::cell::Cell;
use std::fs::File;
use std::io;
use std::marker::PhantomData;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

/// Descriptors of one run; a few more are added on the way, and one message
/// can carry 253.
const DESCRIPTORS_MAX: usize = 240;

/// One reusable jail: `Send`, not `Sync`. Dropping it ends its process and
/// everything inside.
#[derive(Debug)]
pub struct Jail {
    /// None once dropped: closing it is what ends the process.
    channel: Option<Channel>,
    process: Child,
    cancel: Arc<Shared>,
    rule_ids: RuleIds,
    patience: Duration,
    not_sync: PhantomData<Cell<()>>,
}

impl Jail {
    /// Starts `assize-jail` and waits until it is ready for runs.
    ///
    /// # Errors
    /// When the binary is missing or the host is unfit; the error names what.
    pub fn start(config: &JailConfig) -> Result<Self, JailError> {
        let spawn_error = |source| JailError::Spawn {
            binary: config.jail_binary.clone(),
            source,
        };
        let (channel, theirs) = Channel::pair().map_err(spawn_error)?;
        let cancel = Shared::new().map_err(spawn_error)?;
        // The environment may hold secrets, and the memory of the process is
        // what the jail's first process is a copy of.
        let process = Command::new(&config.jail_binary)
            .env_clear()
            .stdin(theirs)
            .stdout(Stdio::null())
            .spawn()
            .map_err(spawn_error)?;
        let mut jail = Self {
            channel: Some(channel),
            process,
            cancel,
            rule_ids: RuleIds::default(),
            patience: config.patience,
            not_sync: PhantomData,
        };
        let request = ToSupervisor::SetUp(SetupRequest {
            slot: config.slot,
            core: config.core,
            trees: config.trees.clone(),
        });
        let event = Arc::clone(&jail.cancel);
        jail.send(&request, &[event.event().as_fd()])?;
        match jail.receive(Duration::ZERO)? {
            (Report::Ready, _) => Ok(jail),
            (Report::Failed(failure), _) => Err(failure.into()),
            (Report::Done { .. }, _) => Err(confused()),
        }
    }

    /// Runs one program and blocks until it and all its children are dead.
    ///
    /// # Errors
    /// When the run could not be done as asked; see [`JailError::is_fatal`].
    pub fn run(&mut self, spec: Spec) -> Result<Facts, JailError> {
        // Also one that fails before it is asked for: a cancel of it is no other's.
        self.cancel.begin();
        let result = self.run_once(spec);
        self.cancel.end();
        result
    }

    fn run_once(&mut self, spec: Spec) -> Result<Facts, JailError> {
        let (mode, level, observe) = (spec.mode, spec.audit, spec.observe);
        let (name, layers) = (spec.policy, spec.layers.clone());
        let wall_time = spec.limits.wall_time;
        let (order, mut descriptors) = order(spec);
        let audit = match mode {
            Mode::Unshare => None,
            Mode::Ptrace => Some(audit_space(level)?),
        };
        if let Some(audit) = &audit {
            let shared = audit.try_clone().map_err(audit_error("share"))?;
            descriptors.audit = Some(shared.into());
        }
        let all = descriptors.all();
        if all.len() > DESCRIPTORS_MAX {
            return Err(JailError::InvalidSpec {
                problem: format!("{} descriptors; {DESCRIPTORS_MAX} is the most", all.len()),
            });
        }
        let sent = self.send(&ToSupervisor::Run(Box::new(order)), &all);
        // Who is at the other end of a pipe must see when the program closes it.
        drop(descriptors);
        let answer = match sent {
            // If it has ended, it has said why.
            Err(JailError::Gone) => self.receive(wall_time),
            sent => sent.and_then(|()| self.receive(wall_time)),
        };
        match answer? {
            (Report::Done { facts, collected }, contents) => Ok(Facts {
                collected: collected
                    .into_iter()
                    .zip(contents)
                    .map(|((path, size), content)| Collected {
                        path,
                        content,
                        size: ByteSize::b(size),
                    })
                    .collect(),
                audit: audit
                    .map(|space| {
                        let rules = self.rule_ids.get(name, layers);
                        audit::read(&space, level, observe, rules)
                    })
                    .transpose()
                    .map_err(audit_error("read"))?,
                ..*facts
            }),
            (Report::Failed(failure), _) => Err(failure.into()),
            (Report::Ready, _) => Err(confused()),
        }
    }

    /// A handle that ends the **next** run of this jail from another thread:
    /// take a new one before each run. It does nothing to any other run, so a
    /// late cancel can't hit the wrong program; a cancel before the run has
    /// begun ends it at its start.
    pub fn canceller(&self) -> Canceller {
        self.cancel.canceller()
    }

    fn send(
        &self,
        message: &ToSupervisor,
        descriptors: &[BorrowedFd<'_>],
    ) -> Result<(), JailError> {
        let channel = self.channel.as_ref().ok_or(JailError::Gone)?;
        match channel.send(message, descriptors) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Err(JailError::Gone),
            other => other.map_err(|source| JailError::Channel {
                attempt: "speak to",
                source,
            }),
        }
    }

    /// The answer to what takes this long, which ends a jail that gives none.
    fn receive(&mut self, takes: Duration) -> Result<(Report, Vec<OwnedFd>), JailError> {
        let unheard = |source| JailError::Channel {
            attempt: "hear from",
            source,
        };
        let channel = self.channel.as_ref().ok_or(JailError::Gone)?;
        let waited = takes.saturating_add(self.patience);
        if !channel.wait(waited).map_err(unheard)? {
            // Whatever holds it: dropping this waits for its end.
            self.process.kill().map_err(unheard)?;
            return Err(JailError::Silent { waited });
        }
        channel.receive().map_err(unheard)?.ok_or(JailError::Gone)
    }
}

impl Drop for Jail {
    fn drop(&mut self) {
        self.channel = None;
        if let Err(error) = self.process.wait() {
            tracing::warn!(%error, "the jail's process was not waited for");
        }
    }
}

/// Fresh memory for the tracer to record in. What is in it stays there when
/// the run and everything in the jail is dead.
fn audit_space(level: AuditLevel) -> Result<File, JailError> {
    let make = || -> io::Result<File> {
        let flags = MFdFlags::MFD_CLOEXEC | MFdFlags::MFD_ALLOW_SEALING;
        let space = File::from(memfd_create(c"audit", flags)?);
        space.set_len(Area::of(level).bytes() as u64)?;
        let seals = SealFlag::F_SEAL_SHRINK | SealFlag::F_SEAL_GROW | SealFlag::F_SEAL_SEAL;
        fcntl(&space, FcntlArg::F_ADD_SEALS(seals))?;
        Ok(space)
    };
    make().map_err(audit_error("make"))
}

fn audit_error(attempt: &str) -> impl FnOnce(io::Error) -> JailError {
    let step = format!("{attempt} the audit");
    move |source| JailError::Step { step, source }
}

fn confused() -> JailError {
    JailError::Channel {
        attempt: "understand",
        source: io::ErrorKind::InvalidData.into(),
    }
}

fn order(spec: Spec) -> (Order, Descriptors) {
    let mut descriptors = Descriptors {
        executable: spec.executable,
        ..Descriptors::default()
    };
    if let Input::Fd(input) = spec.stdin {
        descriptors.stdin = Some(input);
    }
    let (stdout, descriptor) = sink(spec.stdout);
    descriptors.stdout = descriptor;
    let (stderr, descriptor) = sink(spec.stderr);
    descriptors.stderr = descriptor;
    let mut mounts = Vec::new();
    for mount in spec.mounts {
        mounts.push(mount.target);
        descriptors.mounts.push(mount.source);
    }
    let mut files = Vec::new();
    for file in spec.files {
        files.push(FileRequest {
            path: file.path,
            executable: file.executable,
        });
        descriptors.files.push(file.content);
    }
    let order = Order {
        args: spec.args,
        executable: descriptors.executable.is_some(),
        env: spec.env,
        directory: spec.directory,
        stdin: descriptors.stdin.is_some(),
        stdout,
        stderr,
        mounts,
        scratch: spec.scratch,
        files,
        collect: spec.collect,
        limits: spec.limits,
        mode: spec.mode,
        policy: spec.policy,
        layers: spec.layers,
        audit: spec.audit,
        observe: spec.observe,
        fixed_layout: spec.fixed_layout,
    };
    (order, descriptors)
}

fn sink(sink: Sink) -> (SinkRequest, Option<OwnedFd>) {
    match sink {
        Sink::Null => (SinkRequest::Null, None),
        Sink::Fd(descriptor) => (SinkRequest::Fd, Some(descriptor)),
        Sink::Capture { to, keep } => (SinkRequest::Capture { keep }, Some(to)),
    }
}
