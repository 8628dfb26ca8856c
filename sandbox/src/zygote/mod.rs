//! The zygote: process 1 of the jail, made once. It owns the namespaces that
//! all runs share, and clones an init for each run.

mod host;
mod root;

pub(crate) use host::HostTrees;
pub(crate) use root::{is_directory, make_mount_point, place};

use crate::init;
use crate::policy::Policies;
use crate::protocol::{Channel, Descriptors, Failure, FromJail, Order};
use crate::spec::Mode;
use crate::sys::clone::{Cloned, fork_into};
use crate::sys::{credentials, descriptor, process};
use crate::tracer;
use nix::sched::CloneFlags;
use nix::sys::prctl;
use nix::sys::signal::Signal;
use nix::unistd::{Gid, Uid, setgroups, setresgid, setresuid};
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::time::Duration;

/// All namespaces of a jail, but those that each run gets anew.
pub(crate) const JAIL_NAMESPACES: CloneFlags = CloneFlags::CLONE_NEWUSER
    .union(CloneFlags::CLONE_NEWPID)
    .union(CloneFlags::CLONE_NEWNS)
    .union(CloneFlags::CLONE_NEWNET)
    .union(CloneFlags::CLONE_NEWIPC)
    .union(CloneFlags::CLONE_NEWUTS)
    .union(CloneFlags::CLONE_NEWCGROUP);

/// Not ipc: the filters refuse every call that could leave something there.
const RUN_NAMESPACES: CloneFlags = CloneFlags::CLONE_NEWPID.union(CloneFlags::CLONE_NEWNS);

/// The zygote's life. Starts with everything it inherited from the
/// supervisor, in namespaces whose user ids are not mapped yet.
pub(crate) fn live(socket: OwnedFd, trees: HostTrees, mut policies: Policies) -> ! {
    let channel = Channel::new(socket);
    let code = match set_up(&channel, trees) {
        Ok(()) => serve(&channel, &mut policies),
        Err(failure) => {
            tell(&channel, &FromJail::Failed(failure), &[]);
            1
        }
    };
    process::exit_now(code)
}

fn set_up(channel: &Channel, trees: HostTrees) -> Result<(), Failure> {
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
    // Once for all runs: what the zygote and init can do does not depend on it.
    credentials::drop_bounding_set().map_err(Failure::step("empty the bounding set"))?;
    if tell(channel, &FromJail::Ready, &[]) {
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
        let own = channel.as_fd().as_raw_fd().unsigned_abs();
        descriptor::close_between(3, own.saturating_sub(1))?;
        descriptor::close_from(own + 1)
    };
    close().map_err(Failure::step("close the supervisor's descriptors"))
}

/// Takes orders until the supervisor is gone; returns the exit code.
fn serve(channel: &Channel, policies: &mut Policies) -> i32 {
    let mut charge = None;
    loop {
        let (order, descriptors) = match channel.receive::<Order>() {
            Ok(Some(order)) => order,
            Ok(None) => return 0,
            Err(_) => return 1,
        };
        let done = match run(channel, &order, descriptors, policies, &mut charge) {
            Ok(()) => true,
            Err(failure) => tell(channel, &FromJail::Failed(failure), &[]),
        };
        if !done || !tell(channel, &FromJail::Gone, &[]) {
            return 1;
        }
    }
}

fn run(
    channel: &Channel,
    order: &Order,
    descriptors: Vec<OwnedFd>,
    policies: &mut Policies,
    charge: &mut Option<Duration>,
) -> Result<(), Failure> {
    let descriptors = Descriptors::split(order, descriptors)?;
    let policy = policies.get(order)?;
    // Measured when it is first needed.
    let charge = match (*charge, order.mode) {
        (None, Mode::Ptrace) => *charge.insert(tracer::charge::per_stop(policies)?),
        (known, _) => known.unwrap_or_default(),
    };
    let places = root::TopLevel::make(order, &descriptors)?;
    // A copy of its own memory: init may be killed at any moment, inside an
    // allocation as well, and must not take the zygote along.
    let pid = match fork_into(RUN_NAMESPACES).map_err(Failure::step("clone the run's init"))? {
        Cloned::Child => {
            process::exit_now(init::live(channel, order, &descriptors, &policy, charge))
        }
        Cloned::Parent { pid, .. } => pid,
    };
    process::wait(Some(pid)).map_err(Failure::step("wait for the run's init"))?;
    drop(descriptors);
    places.remove()
}

/// Whether the supervisor could be told; it can't be told otherwise.
fn tell(channel: &Channel, message: &FromJail, descriptors: &[OwnedFd]) -> bool {
    let borrowed: Vec<_> = descriptors.iter().map(AsFd::as_fd).collect();
    channel.send(message, &borrowed).is_ok()
}
