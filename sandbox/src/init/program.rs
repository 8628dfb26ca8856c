//! From a fork of init to the program: the protections, in their order.

use super::PROGRAM_ID;
use super::wall::Wall;
use crate::limits::Limits;
use crate::policy::Effective;
use crate::protocol::{Descriptors, Failure, Order};
use crate::spec::Mode;
use crate::sys::clone::{Cloned, fork_into, vfork_into};
use crate::sys::exec::Image;
use crate::sys::{credentials, descriptor, process};
use crate::tracer::{self, Tracer};
use nix::fcntl::OFlag;
use nix::sched::{CloneFlags, unshare};
use nix::sys::personality::{self, Persona};
use nix::sys::prctl;
use nix::sys::resource::{Resource, setrlimit};
use nix::sys::signal::Signal;
use nix::sys::stat::{Mode as FileMode, umask};
use nix::unistd::{Gid, Pid, Uid, pipe2, setgroups, setresgid, setresuid, setsid};
use std::convert::Infallible;
use std::ffi::CString;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

/// A program that has been started, and who follows it.
#[derive(Debug)]
pub(super) enum Started<'a> {
    Untraced(Pid),
    Traced(Box<Tracer<'a>>),
}

/// Starts the program; returns once it has been executed, or has ended before.
/// A traced one still stands at the start of its own code then.
pub(super) fn start<'a>(
    order: &Order,
    descriptors: &Descriptors,
    policy: &'a Effective,
    wall: &Wall,
    charge: Duration,
) -> Result<Started<'a>, Failure> {
    let launch = Launch {
        order,
        descriptors,
        policy,
        wall,
        charge,
        image: image(order)?,
    };
    match order.mode {
        Mode::Unshare => start_untraced(&launch).map(Started::Untraced),
        Mode::Ptrace => start_traced(&launch).map(Started::Traced),
    }
}

/// All that it takes, made ready before.
struct Launch<'a, 'p> {
    order: &'a Order,
    descriptors: &'a Descriptors,
    policy: &'p Effective,
    wall: &'a Wall,
    charge: Duration,
    image: Image,
}

fn image(order: &Order) -> Result<Image, Failure> {
    let args = c_strings(order.args.iter().cloned())?;
    let env = order
        .env
        .iter()
        .map(|(key, value)| format!("{key}={value}"));
    Ok(Image::new(args, c_strings(env)?))
}

fn start_untraced(launch: &Launch<'_, '_>) -> Result<Pid, Failure> {
    let mut failed = None;
    let pid = vfork_into(CloneFlags::empty(), || {
        let Err(failure) = become_program(launch);
        failed = Some(failure);
        127
    })
    .map_err(Failure::step("fork the program"))?;
    failed.map_or(Ok(pid), Err)
}

/// A tracer can't stand still until the program is executed: it has to follow
/// it there. So this one is a copy that tells of its failure through a pipe.
fn start_traced<'p>(launch: &Launch<'_, 'p>) -> Result<Box<Tracer<'p>>, Failure> {
    let Some(audit) = &launch.descriptors.audit else {
        return Err(Failure::InvalidSpec {
            problem: "no descriptor to record into".to_owned(),
        });
    };
    // Closed by a successful exec; carries the failure otherwise.
    let (outcome, report) = pipe2(OFlag::O_CLOEXEC).map_err(Failure::step("make a pipe"))?;
    let gate = pipe2(OFlag::O_CLOEXEC).map_err(Failure::step("make a pipe"))?;
    tracer::prepare()?;
    match fork_into(CloneFlags::empty()).map_err(Failure::step("fork the program"))? {
        Cloned::Child => {
            drop(outcome);
            let Err(failure) = wait_at(gate).and_then(|()| become_program(launch));
            // Unheard, the failure is still one: init sees this exit code.
            let told = serde_json::to_vec(&failure)
                .map_err(io::Error::other)
                .and_then(|text| File::from(report).write_all(&text));
            process::exit_now(if told.is_ok() { 127 } else { 126 })
        }
        Cloned::Parent { pid, .. } => {
            drop(report);
            let mut tracer =
                Tracer::attach(pid, launch.order, launch.policy, audit, launch.charge)?;
            drop(gate);
            tracer.until_executed()?;
            let mut text = Vec::new();
            File::from(outcome)
                .read_to_end(&mut text)
                .map_err(Failure::step("hear from the program"))?;
            if text.is_empty() {
                return Ok(Box::new(tracer));
            }
            Err(serde_json::from_slice(&text).map_err(Failure::step("hear from the program"))?)
        }
    }
}

/// The two ends of a pipe that the program waits at until its tracer is there,
/// because its filter needs one.
type Gate = (OwnedFd, OwnedFd);

fn wait_at((closed, key): Gate) -> Result<(), Failure> {
    drop(key);
    File::from(closed)
        .read_to_end(&mut Vec::new())
        .map(drop)
        .map_err(Failure::step("wait for the tracer"))
}

/// Everything that stands between a copy of init and hostile code. Whatever
/// fails here ends the run before the program has begun.
fn become_program(launch: &Launch<'_, '_>) -> Result<Infallible, Failure> {
    let (order, descriptors) = (launch.order, launch.descriptors);
    setsid().map_err(Failure::step("start a session"))?;
    place_standard_streams(descriptors)?;
    // Memory and time count from here.
    for group in &descriptors.groups {
        nix::unistd::write(group, b"0").map_err(Failure::step("enter the control group"))?;
    }
    match confine_and_execute(launch) {
        // The kernel's memory for what follows is the program's already.
        Err(Failure::Step { errno, .. }) if errno == libc::ENOMEM => Err(Failure::Exec {
            program: order.args.first().cloned().unwrap_or_default(),
            errno,
        }),
        other => other,
    }
}

fn confine_and_execute(launch: &Launch<'_, '_>) -> Result<Infallible, Failure> {
    let order = launch.order;
    // Hidden by a namespace that has the group as its root.
    unshare(CloneFlags::CLONE_NEWCGROUP).map_err(Failure::step("hide the control group"))?;
    if order.mode == Mode::Ptrace {
        tracer::stay_with_tracer()?;
    }
    set_limits(&order.limits, order.mode)?;
    if order.fixed_layout {
        personality::set(Persona::ADDR_NO_RANDOMIZE).map_err(Failure::step("fix the layout"))?;
    }
    umask(FileMode::from_bits_truncate(0o022));

    let (user, group) = (Uid::from_raw(PROGRAM_ID), Gid::from_raw(PROGRAM_ID));
    setresgid(group, group, group).map_err(Failure::step("change group"))?;
    setgroups(&[]).map_err(Failure::step("leave all groups"))?;
    setresuid(user, user, user).map_err(Failure::step("change user"))?;
    credentials::drop_capabilities().map_err(Failure::step("drop all capabilities"))?;
    prctl::set_pdeathsig(Signal::SIGKILL).map_err(Failure::step("tie the program's life"))?;
    prctl::set_no_new_privs().map_err(Failure::step("forbid new privileges"))?;

    std::env::set_current_dir(&order.directory).map_err(|error| Failure::InvalidSpec {
        problem: format!("working directory {}: {error}", order.directory.display()),
    })?;
    // Whatever is still open, known to us or not, is gone with exec.
    descriptor::close_on_exec_from(3).map_err(Failure::step("close all descriptors"))?;
    launch.wall.stand_behind()?;
    // Last: the filter forbids some of what was done above.
    launch
        .policy
        .filter
        .install()
        .map_err(Failure::step("install the system call filter"))?;
    let executable = launch.descriptors.executable.as_ref().map(AsFd::as_fd);
    let errno = launch.image.execute(executable);
    Err(Failure::Exec {
        program: order.args.first().cloned().unwrap_or_default(),
        errno: errno as i32,
    })
}

fn place_standard_streams(descriptors: &Descriptors) -> Result<(), Failure> {
    let place = || -> io::Result<()> {
        let null = OwnedFd::from(File::options().read(true).write(true).open("/dev/null")?);
        let streams = [
            (&descriptors.stdin, 0),
            (&descriptors.stdout, 1),
            (&descriptors.stderr, 2),
        ];
        for (stream, number) in streams {
            descriptor::place(stream.as_ref().unwrap_or(&null).as_fd(), number)?;
        }
        Ok(())
    };
    place().map_err(Failure::step("place the standard streams"))
}

fn set_limits(limits: &Limits, mode: Mode) -> Result<(), Failure> {
    let set = |resource, value| {
        setrlimit(resource, value, value)
            .map_err(Failure::step(format!("limit {resource:?} to {value}")))
    };
    // The supervisor's timer ends the run at the limit; this is the backstop.
    // It knows nothing of what tracing costs, which can be ten times the rest.
    let cpu_time = limits.cpu_time.as_secs().saturating_add(2);
    let factor = if mode == Mode::Ptrace { 16 } else { 1 };
    set(Resource::RLIMIT_CPU, cpu_time.saturating_mul(factor))?;
    set(Resource::RLIMIT_FSIZE, limits.file_size.as_u64())?;
    set(Resource::RLIMIT_STACK, limits.stack.as_u64())?;
    set(Resource::RLIMIT_NOFILE, limits.open_files.into())?;
    // Not 0, with which a host's core dump handler would still be started:
    // 1 is the kernel's own mark for processes that are never dumped.
    set(Resource::RLIMIT_CORE, 1)?;
    set(Resource::RLIMIT_MEMLOCK, 0)?;
    set(Resource::RLIMIT_MSGQUEUE, 0)?;
    set(Resource::RLIMIT_NICE, 0)?;
    set(Resource::RLIMIT_RTPRIO, 0)?;
    // The pids controller limits and tells; this is the backstop, counted by
    // user and so with room for what another run of the jail leaves dying.
    set(Resource::RLIMIT_NPROC, u64::from(limits.processes) + 64)
}

fn c_strings(strings: impl Iterator<Item = String>) -> Result<Vec<CString>, Failure> {
    strings
        .map(CString::new)
        .collect::<Result<_, _>>()
        .map_err(|error| Failure::InvalidSpec {
            problem: format!("argument or environment: {error}"),
        })
}
