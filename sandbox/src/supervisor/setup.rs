//! What is made once per jail.

use super::inheritance;
use super::stage::Stage;
use crate::affinity::stay_on_core;
use crate::cgroup::{Home, Layout};
use crate::preflight;
use crate::protocol::{Channel, Failure, FromZygote, SetupRequest};
use crate::sys::clone::{Cloned, fork_into};
use crate::sys::{priority, process};
use crate::zygote::{self, HostTrees, JAIL_NAMESPACES};
use nix::sys::prctl;
use nix::sys::signal::{SigSet, SigmaskHow, Signal, sigprocmask};
use nix::sys::stat::{Mode, umask};
use nix::unistd::Pid;
use std::os::fd::{AsFd, OwnedFd};

/// Above the jail's own processes, which are above the programs.
const PRIORITY: i32 = zygote::PRIORITY + 1;

/// A jail that waits for runs.
#[derive(Debug)]
pub(super) struct Setup {
    pub(super) home: Home,
    pub(super) zygote: Channel,
    /// Stages of earlier runs that are good for others of their shapes, the last
    /// one at the end.
    pub(super) waiting: Vec<Stage>,
    /// Readable when the current run is to be ended.
    pub(super) cancel: OwnedFd,
    /// Cores that a run can use at the same time.
    pub(super) cores: u32,
    zygote_pid: Pid,
    zygote_pidfd: OwnedFd,
}

impl Setup {
    pub(super) fn make(request: &SetupRequest, descriptors: Vec<OwnedFd>) -> Result<Self, Failure> {
        let Some(cancel) = descriptors.into_iter().next() else {
            return Err(Failure::InvalidSpec {
                problem: "no descriptor to cancel runs by".to_owned(),
            });
        };
        own_process()?;
        if let Some(core) = request.core {
            stay_on_core(core).map_err(Failure::step(format!("pin to core {core}")))?;
        }
        preflight::refuse()?;
        let trees = HostTrees::collect(&request.trees)?;
        let (zygote, theirs) = Channel::pair().map_err(Failure::step("make a socket pair"))?;
        let home = Home::claim(Layout::detect()?)?;
        let (pid, pidfd) = match fork_into(JAIL_NAMESPACES) {
            Ok(Cloned::Parent { pid, pidfd }) => (pid, pidfd),
            Ok(Cloned::Child) => {
                drop(zygote);
                zygote::live(theirs, trees)
            }
            Err(error) => {
                home.leave()?;
                return Err(no_namespaces(&error));
            }
        };
        drop(theirs);
        // Of our own alone: what is cloned inherits it. Otherwise the kernel may
        // wake us 50 us late.
        prctl::set_timerslack(1).map_err(Failure::step("ask for exact timers"))?;
        let setup = Self {
            home,
            zygote,
            waiting: Vec::new(),
            cancel,
            cores: cores(request.core),
            zygote_pid: pid,
            zygote_pidfd: pidfd,
        };
        match setup.finish() {
            Ok(()) => Ok(setup),
            Err(failure) => setup.end().and(Err(failure)),
        }
    }

    /// Gives the zygote its users and waits until it has made its root.
    fn finish(&self) -> Result<(), Failure> {
        let (root, program) = (self.home.root_id(), self.home.program_id());
        let map = format!("0 {root} 1\n1000 {program} 1\n");
        for name in ["uid_map", "gid_map"] {
            let path = format!("/proc/{}/{name}", self.zygote_pid);
            std::fs::write(&path, &map).map_err(Failure::step(format!("write {path}")))?;
        }
        // Where memory is short on the host, a contestant's program goes first. What was
        // inherited may forbid the kernel to choose it at all.
        let path = format!("/proc/{}/oom_score_adj", self.zygote_pid);
        std::fs::write(&path, "1000").map_err(Failure::step(format!("write {path}")))?;
        self.zygote
            .send(&(), &[])
            .map_err(Failure::step("speak to the zygote"))?;
        let answer = self
            .zygote
            .receive()
            .map_err(Failure::step("hear from the zygote"))?;
        match answer {
            Some((FromZygote::Ready, _)) => Ok(()),
            Some((FromZygote::Failed(failure), _)) => Err(failure),
            _ => Err(Failure::Step {
                step: "hear from the zygote".to_owned(),
                errno: libc::EPIPE,
            }),
        }
    }

    /// Ends the zygote, with it every process of the jail, and removes the
    /// control groups.
    pub(super) fn end(self) -> Result<(), Failure> {
        // It can't be gone: nobody but us reaps it.
        process::signal(self.zygote_pidfd.as_fd(), Signal::SIGKILL)
            .map_err(Failure::step("kill the zygote"))?;
        process::wait(Some(self.zygote_pid)).map_err(Failure::step("wait for the zygote"))?;
        self.home.leave()
    }
}

/// Frees this process of what it inherited from whoever started the worker.
fn own_process() -> Result<(), Failure> {
    // A Ctrl-C is for the worker, which then drains: it must not reach us.
    nix::unistd::setsid().map_err(Failure::step("start a session"))?;
    process::default_signals().map_err(Failure::step("reset signals"))?;
    sigprocmask(SigmaskHow::SIG_SETMASK, Some(&SigSet::empty()), None)
        .map_err(Failure::step("unblock signals"))?;
    process::ignore_pipe_signal().map_err(Failure::step("ignore SIGPIPE"))?;
    umask(Mode::from_bits_truncate(0o022));
    inheritance::shed()?;
    // Whoever has passed a limit is ended at once, not at the scheduler's next tick.
    // Without the right to that it is a little later: `assize doctor` tells.
    if let Err(error) = priority::go_first(PRIORITY) {
        tracing::debug!(%error, "no real-time priority");
    }
    std::env::set_current_dir("/").map_err(Failure::step("enter /"))
}

fn no_namespaces(error: &std::io::Error) -> Failure {
    Failure::Unfit {
        feature: "namespaces".to_owned(),
        problem: format!("the jail's namespaces can't be made ({error})"),
        fix: "run as root, and see that the user.max_*_namespaces settings of sysctl leave room"
            .to_owned(),
    }
}

fn cores(pinned: Option<usize>) -> u32 {
    if pinned.is_some() {
        return 1;
    }
    std::thread::available_parallelism()
        .ok()
        .and_then(|cores| u32::try_from(cores.get()).ok())
        .unwrap_or(1)
}
