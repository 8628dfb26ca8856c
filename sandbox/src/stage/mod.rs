//! A stage: what runs of one shape need of mounts and filter, prepared once.
//!
//! It is a process in a mount namespace of its own, with a *partner* that shares
//! its memory and has the policy's filter. For each run the partner clones an
//! init into a fresh pid namespace. When that is dead, and with it everything in
//! the run, the stage proves that nothing is left of it, or puts a new scratch in
//! the place of one in which there is. If neither can be done it ends, and the next
//! run has a new one.
//!
//! Only one of stage, partner, init and (until its exec) program works at a time. If
//! init is killed before it only waits, who knows in what it was interrupted: the
//! stage ends at once.

mod collect;
mod files;
mod image;
mod mounts;
mod proof;
mod wall;

use crate::facts::Left;
use crate::init::{self, Announcement, Launch, Life};
use crate::policy::Effective;
use crate::protocol::{Channel, Descriptors, Failure, FromStage, Order, Shape};
use crate::spec::{Mode, Scratch};
use crate::sys::calls::{Calls, Stack};
use crate::sys::partner::Partner;
use crate::sys::process;
use crate::tracer::Charge;
use nix::errno::Errno;
use nix::sched::{CloneFlags, unshare};
use nix::sys::prctl;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::stat::{Mode as FileMode, umask};
use proof::Proof;
pub(crate) use proof::used;
use std::fs::File;
use std::io::Read;
use std::mem::ManuallyDrop;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
pub(crate) use wall::FIRST_VERSION as LANDLOCK_FIRST;
use wall::Wall;

/// The program's user and group inside the jail.
pub(crate) const PROGRAM_ID: u32 = 1000;

/// Each run mounts its /proc over the last one's, and a scratch over one that was
/// written to, because to unmount takes longer than the rest of a run. After this
/// many the stage is replaced.
const RUNS_MAX: u32 = 64;

/// What a stage is made with.
#[derive(Debug)]
pub(crate) struct Props<'a> {
    pub(crate) shape: &'a Shape,
    pub(crate) mounts: Vec<OwnedFd>,
    pub(crate) policy: &'a Effective,
    /// What a stop for the tracer costs, if there is one.
    pub(crate) charge: Option<&'a Charge>,
}

/// A stage's life; returns the exit code.
pub(crate) fn live(channel: &Channel, props: &Props<'_>) -> i32 {
    let mut stage = match Stage::set_up(channel, props) {
        Ok(stage) => stage,
        Err(failure) => return tell(channel, &FromStage::Failed(failure), &[]),
    };
    loop {
        let received = match channel.receive::<Order>() {
            Ok(Some(order)) => order,
            Ok(None) => return 0,
            Err(_) => return 1,
        };
        let (order, descriptors) = received;
        match stage.run(&order, descriptors) {
            Ok((ended, contents)) => {
                let goes_on = matches!(
                    ended,
                    FromStage::Ended { left, .. } | FromStage::Killed { left, .. }
                        if left.spares_stage()
                );
                let told = tell(channel, &ended, &contents);
                if told != 0 || !goes_on {
                    return told;
                }
            }
            Err(failure) => return tell(channel, &FromStage::Failed(failure), &[]),
        }
    }
}

/// The exit code: whether the supervisor could be told. It can't be told otherwise.
fn tell(channel: &Channel, message: &FromStage, descriptors: &[OwnedFd]) -> i32 {
    let borrowed: Vec<_> = descriptors.iter().map(AsFd::as_fd).collect();
    i32::from(channel.send(message, &borrowed).is_err())
}

#[derive(Debug)]
struct Stage<'a> {
    props: &'a Props<'a>,
    channel: &'a Channel,
    calls: Calls,
    partner: Partner,
    stacks: [Stack; 2],
    wall: Wall,
    null: File,
    announcement: Vec<u8>,
    scratches: Vec<(&'a Scratch, Proof)>,
    /// The supervisor knows the scratches that count as output, as they are.
    room_is_told: bool,
    runs: u32,
}

impl<'a> Stage<'a> {
    fn set_up(channel: &'a Channel, props: &'a Props<'a>) -> Result<Self, Failure> {
        process::default_signals().map_err(Failure::step("reset signals"))?;
        umask(FileMode::from_bits_truncate(0o022));
        prctl::set_no_new_privs().map_err(Failure::step("forbid new privileges"))?;
        if props.policy.allows_ipc {
            unshare(CloneFlags::CLONE_NEWIPC).map_err(Failure::step("make an ipc namespace"))?;
        }
        mounts::prepare(props.shape, &props.mounts)?;
        let scratches = props
            .shape
            .scratch
            .iter()
            .map(|scratch| Ok((scratch, Proof::record(&scratch.target)?)))
            .collect::<std::io::Result<_>>()
            .map_err(Failure::step("look at the scratches"))?;
        let null = File::options().read(true).write(true).open("/dev/null");
        // Whoever has a tracer installs the filter itself; there is none to open.
        let mut key = [0; 8];
        if props.shape.mode == Mode::Unshare {
            File::open("/dev/urandom")
                .and_then(|mut random| random.read_exact(&mut key))
                .map_err(Failure::step("draw a key"))?;
        }
        let key = u64::from_ne_bytes(key);
        let calls = Calls::new(key);
        let partner = Partner::start(calls).map_err(Failure::step("start the stage's partner"))?;
        // What is copied, compared and removed here is not urgent.
        calls
            .take_turns()
            .map_err(Failure::step("take turns with others"))?;
        let mut stage = Self {
            props,
            channel,
            calls,
            partner,
            stacks: [Stack::new(), Stack::new()],
            wall: Wall::plan(props.shape)?,
            null: null.map_err(Failure::step("open /dev/null"))?,
            announcement: Channel::text(&FromStage::Started)
                .map_err(Failure::step("prepare a message"))?,
            scratches,
            room_is_told: false,
            runs: 0,
        };
        stage.confine_partner(key)?;
        Ok(stage)
    }

    /// What all its descendants inherit.
    fn confine_partner(&mut self, key: u64) -> Result<(), Failure> {
        let mut confined = Ok(None);
        let calls = self.calls;
        let filters = match self.props.shape.mode {
            // With a tracer the program has to install it, when there is one.
            Mode::Ptrace => None,
            Mode::Unshare => {
                let killing = self.props.policy.keyed(key)?;
                Some((killing.holding(), killing))
            }
        };
        in_partner(&mut self.partner, &mut || {
            confined = set_common_limits().and_then(|()| match &filters {
                // A tracer yields to whom it traces, on the same core.
                None => calls
                    .take_turns()
                    .map(|()| None)
                    .map_err(Failure::step("take turns with the program")),
                Some((holding, killing)) => holding
                    .install_with_listener(calls)
                    .map(Some)
                    // A filter around us has the one listener that there can be.
                    .or_else(|_| killing.install(calls).map(|()| None))
                    .map_err(Failure::step("install the system call filter")),
            });
        });
        // The supervisor alone keeps it: whoever has it can let calls go on.
        confined?.map_or(Ok(()), |listener| {
            self.channel
                .send(&FromStage::Listener, &[listener.as_fd()])
                .map_err(Failure::step("hand over the filter's listener"))
        })
    }

    fn run(
        &mut self,
        order: &Order,
        descriptors: Vec<OwnedFd>,
    ) -> Result<(FromStage, Vec<OwnedFd>), Failure> {
        self.runs += 1;
        let descriptors = Descriptors::split(order, descriptors)?;
        files::copy_in(order, &descriptors.files)?;
        if !self.room_is_told || !order.files.is_empty() {
            self.tell_room()?;
        }
        let wall = self.wall.build(&descriptors)?;
        let (policy, charge) = (self.props.policy, self.props.charge);
        let null = self.null.as_raw_fd();
        let launch = Launch::new(order, descriptors, policy, wall, charge, null)?;
        let Some(ended) = self.act(&launch)? else {
            let message = FromStage::Killed {
                files: self.files_in_counted()?,
                left: self.look_for_what_is_left()?,
            };
            return Ok((message, Vec::new()));
        };
        let crashed = ended.waited.term_signal().is_some();
        let oversized = crashed && image::exceeds_memory(order, launch.executable());
        let taken = collect::take(&order.collect).map_err(Failure::step("take files out"))?;
        let message = FromStage::Ended {
            status: ended.waited.status,
            wall_us: u64::try_from(ended.wall.as_micros()).unwrap_or(u64::MAX),
            oversized,
            collected: taken.collected,
            unfit: taken.unfit,
            forbidden: ended.forbidden,
            activity: ended.activity,
            files: self.files_in_counted()?,
            left: self.look_for_what_is_left()?,
        };
        Ok((message, taken.contents))
    }

    /// Lets the supervisor look into the scratches that count as output while the program runs.
    fn tell_room(&mut self) -> Result<(), Failure> {
        let before = self.files_in_counted()?;
        let directories: Vec<_> = self.counted().map(AsFd::as_fd).collect();
        self.channel
            .send(&FromStage::Room { before }, &directories)
            .map_err(Failure::step("show the scratches"))?;
        self.room_is_told = true;
        Ok(())
    }

    fn files_in_counted(&self) -> Result<u64, Failure> {
        self.counted()
            .map(used)
            .sum::<std::io::Result<_>>()
            .map_err(Failure::step("look at the scratches"))
    }

    fn counted(&self) -> impl Iterator<Item = &Proof> {
        let scratches = self.scratches.iter();
        scratches.filter_map(|(scratch, proof)| scratch.counted.then_some(proof))
    }

    /// Has the partner clone the run's init, and waits until that is dead. None when
    /// it was killed while it did nothing but wait.
    fn act(&mut self, launch: &Launch<'_>) -> Result<Option<init::Ended>, Failure> {
        // Whoever is killed may have written half of it.
        let mut life = ManuallyDrop::new(Life::default());
        let mut over = None;
        let calls = self.calls;
        let to = Announcement {
            socket: self.channel.as_fd().as_raw_fd(),
            text: &self.announcement,
        };
        let [of_init, of_program] = &mut self.stacks;
        in_partner(&mut self.partner, &mut || {
            let flags = libc::CLONE_NEWPID | libc::CLONE_FILES | libc::CLONE_PIDFD;
            let born = calls.vfork(flags, of_init, &mut |own| {
                init::live(calls, of_program, launch, to, own, &mut life)
            });
            over = Some(born.and_then(|born| {
                let waited = calls.wait(Some(born.pid))?.ok_or(Errno::ECHILD)?;
                calls.close(born.pidfd)?;
                Ok(waited)
            }));
        });
        let waited = over
            .unwrap_or(Err(Errno::EPROTO))
            .map_err(Failure::step("clone the run's init"))?;
        if waited.term_signal().is_none() {
            return ManuallyDrop::into_inner(life).conclude(launch).map(Some);
        }
        if life.is_sound() {
            return Ok(None);
        }
        process::exit_now(1)
    }

    /// Makes sure that the next run would find nothing of this one.
    fn look_for_what_is_left(&mut self) -> Result<Left, Failure> {
        // Nobody looks into an ipc namespace: it ends with the stage.
        if self.props.shape.observe || self.props.policy.allows_ipc {
            return Ok(Left::Unknown);
        }
        if self.runs >= RUNS_MAX {
            return Ok(Left::WornOut);
        }
        let mut left = Left::Nothing;
        for (scratch, proof) in &mut self.scratches {
            let path = &scratch.target;
            let failed = || format!("look at {}", path.display());
            if proof.holds().map_err(Failure::step(failed()))? {
                continue;
            }
            left = Left::Files;
            if !self.props.shape.has_nothing_in(path) || !proof.empty(path) {
                return Ok(Left::TooMuch);
            }
            mounts::mount_scratch(scratch)?;
            self.room_is_told = false;
            *proof = Proof::record(path).map_err(Failure::step(failed()))?;
        }
        if left == Left::Files {
            self.wall = Wall::plan(self.props.shape)?;
        }
        Ok(left)
    }
}

/// Has the partner do something while we stand still.
fn in_partner(partner: &mut Partner, task: &mut dyn FnMut()) {
    if partner.run(task).is_err() {
        // It was killed, at whatever it was.
        process::exit_now(1);
    }
}

fn set_common_limits() -> Result<(), Failure> {
    /// The kernel's own choice depends on the host's memory.
    const WAITING_SIGNALS: u64 = 1024;
    let set = |resource, value| {
        setrlimit(resource, value, value)
            .map_err(Failure::step(format!("limit {resource:?} to {value}")))
    };
    // Not 0, with which a host's core dump handler would still be started: 1 is the
    // kernel's own mark for processes that it hands to none. The policy keeps it so.
    set(Resource::RLIMIT_CORE, 1)?;
    set(Resource::RLIMIT_MEMLOCK, 0)?;
    set(Resource::RLIMIT_MSGQUEUE, 0)?;
    set(Resource::RLIMIT_NICE, 0)?;
    set(Resource::RLIMIT_RTPRIO, 0)?;
    // Here, because what the user namespace is made with counts for all jails together.
    let (_, allowed) = getrlimit(Resource::RLIMIT_SIGPENDING)
        .map_err(Failure::step("ask how many signals may wait"))?;
    set(Resource::RLIMIT_SIGPENDING, allowed.min(WAITING_SIGNALS))
}
