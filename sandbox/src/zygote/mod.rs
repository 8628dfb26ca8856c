//! The zygote: process 1 of the jail, made once. It owns the namespaces that
//! all runs share, and clones a stage for each shape of runs.

mod host;
mod root;

pub(crate) use host::HostTrees;
pub(crate) use root::{make_mount_point, place};

use crate::policy::Policies;
use crate::protocol::{Channel, Failure, FromStage, FromZygote, Shape, TopLevel};
use crate::spec::Mode;
use crate::stage::{self, Props};
use crate::sys::clone::{Cloned, fork_into};
use crate::sys::{credentials, descriptor, priority, process};
use crate::tracer::Charge;
use nix::sched::CloneFlags;
use nix::sys::prctl;
use nix::sys::signal::Signal;
use nix::unistd::{Gid, Uid, setgroups, setresgid, setresuid};
use std::collections::BTreeSet;
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

/// All namespaces of a jail, but those that each run gets anew.
pub(crate) const JAIL_NAMESPACES: CloneFlags = CloneFlags::CLONE_NEWUSER
    .union(CloneFlags::CLONE_NEWPID)
    .union(CloneFlags::CLONE_NEWNS)
    .union(CloneFlags::CLONE_NEWNET)
    .union(CloneFlags::CLONE_NEWIPC)
    .union(CloneFlags::CLONE_NEWUTS)
    .union(CloneFlags::CLONE_NEWCGROUP);

/// Of the zygote and whoever has to be as quick: it takes real-time priority from the
/// supervisor, if that has it.
pub(crate) const PRIORITY: i32 = 1;

/// The zygote's life. Starts with everything it inherited from the
/// supervisor, in namespaces whose user ids are not mapped yet.
pub(crate) fn live(socket: OwnedFd, trees: HostTrees) -> ! {
    let channel = Channel::new(socket);
    let code = match set_up(&channel, trees) {
        Ok(()) => serve(&channel),
        Err(failure) => {
            tell(&channel, &FromZygote::Failed(failure));
            1
        }
    };
    process::exit_now(code)
}

fn set_up(channel: &Channel, trees: HostTrees) -> Result<(), Failure> {
    priority::go_behind(PRIORITY).map_err(Failure::step("go behind the supervisor"))?;
    // The supervisor writes the id maps and then says so with any message.
    let told = channel
        .receive::<()>()
        .map_err(Failure::step("hear from the supervisor"))?;
    if told.is_none() {
        return Err(Failure::Step {
            step: "hear from the supervisor, which is gone".to_owned(),
            errno: libc::EPIPE,
        });
    }
    setresgid(Gid::from_raw(0), Gid::from_raw(0), Gid::from_raw(0))
        .map_err(Failure::step("become group 0 of the jail"))?;
    setgroups(&[]).map_err(Failure::step("leave all groups"))?;
    setresuid(Uid::from_raw(0), Uid::from_raw(0), Uid::from_raw(0))
        .map_err(Failure::step("become user 0 of the jail"))?;
    // After the change of user, which would clear it.
    prctl::set_pdeathsig(Signal::SIGKILL).map_err(Failure::step("tie the zygote's life"))?;
    // The supervisor ignores one of them.
    process::default_signals().map_err(Failure::step("reset signals"))?;
    nix::unistd::sethostname("jail").map_err(Failure::step("set the host name"))?;
    process::set_domain_name("(none)").map_err(Failure::step("set the domain name"))?;
    credentials::join_new_keyring().map_err(Failure::step("leave the host's keyring"))?;
    nix::unistd::setsid().map_err(Failure::step("start a session"))?;
    root::make(trees)?;
    keep_only(channel)?;
    // What ends in between stays no zombie.
    process::ignore_children().map_err(Failure::step("let stages end"))?;
    // Once for all runs: what the zygote and init can do does not depend on it.
    credentials::drop_bounding_set().map_err(Failure::step("empty the bounding set"))?;
    if tell(channel, &FromZygote::Ready) {
        Ok(())
    } else {
        Err(Failure::Step {
            step: "answer the supervisor".to_owned(),
            errno: libc::EPIPE,
        })
    }
}

/// Closes everything of the supervisor's but standard error.
fn keep_only(channel: &Channel) -> Result<(), Failure> {
    let close = || -> io::Result<()> {
        let null = std::fs::File::open("/dev/null")?;
        descriptor::place(null.as_fd(), 0)?;
        descriptor::place(null.as_fd(), 1)?;
        drop(null);
        let own = number(channel);
        descriptor::close_between(3, own.saturating_sub(1))?;
        descriptor::close_from(own + 1)
    };
    close().map_err(Failure::step("close the supervisor's descriptors"))
}

fn number(channel: &Channel) -> libc::c_uint {
    channel.as_fd().as_raw_fd().unsigned_abs()
}

/// Makes stages until the supervisor is gone; returns the exit code.
fn serve(channel: &Channel) -> i32 {
    let mut maker = StageMaker::default();
    loop {
        let (shape, descriptors) = match channel.receive::<Shape>() {
            Ok(Some(request)) => request,
            Ok(None) => return 0,
            Err(_) => return 1,
        };
        let mut descriptors = descriptors.into_iter();
        let Some(theirs) = descriptors.next() else {
            return 1;
        };
        let stage = Channel::new(theirs);
        if let Err(failure) = maker.make(channel, &stage, &shape, descriptors.collect()) {
            // As if the stage itself had failed.
            if stage.send(&FromStage::Failed(failure), &[]).is_err() {
                return 1;
            }
        }
    }
}

/// What is kept from stage to stage.
#[derive(Debug, Default)]
struct StageMaker {
    policies: Policies,
    /// What a stop costs; measured when it is first needed.
    charge: Option<Charge>,
    /// What the stages that live need in the root directory, and what of it was
    /// made for them.
    places: BTreeSet<TopLevel>,
    made: Vec<TopLevel>,
}

impl StageMaker {
    /// Clones a stage with `theirs` as its end of a socket to the supervisor. Those
    /// that need other entries of the root directory are used no more.
    fn make(
        &mut self,
        own: &Channel,
        theirs: &Channel,
        shape: &Shape,
        mounts: Vec<OwnedFd>,
    ) -> Result<(), Failure> {
        self.make_way(shape.top_level())?;
        let policy = self.policies.get(shape)?;
        if self.charge.is_none() && shape.mode == Mode::Ptrace {
            self.charge = Some(Charge::new(&mut self.policies)?);
        }
        // A copy of its own memory: a stage may end at any moment, inside an
        // allocation as well, and must not take the zygote along.
        match fork_into(CloneFlags::CLONE_NEWNS).map_err(Failure::step("clone a stage"))? {
            Cloned::Child => {
                // Nobody else may hold it open when the zygote is dead.
                let closed = descriptor::close_between(number(own), number(own));
                let props = Props {
                    shape,
                    mounts,
                    policy: &policy,
                    charge: self.charge.as_ref(),
                };
                process::exit_now(if closed.is_ok() {
                    stage::live(theirs, &props)
                } else {
                    1
                })
            }
            Cloned::Parent { .. } => Ok(()),
        }
    }

    /// Has the root directory just the entries that are needed.
    fn make_way(&mut self, wanted: BTreeSet<TopLevel>) -> Result<(), Failure> {
        if self.places == wanted {
            return Ok(());
        }
        // They are mounted on until the last stage that needed them is dead.
        while process::wait(None)
            .map_err(Failure::step("wait for the last stages"))?
            .is_some()
        {}
        self.places.clear();
        root::remove_entries(std::mem::take(&mut self.made))?;
        root::make_entries(&wanted, &mut self.made)?;
        self.places = wanted;
        Ok(())
    }
}

/// Whether the supervisor could be told; it can't be told otherwise.
fn tell(channel: &Channel, message: &FromZygote) -> bool {
    channel.send(message, &[]).is_ok()
}
