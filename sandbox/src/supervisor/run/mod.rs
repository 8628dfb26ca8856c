//! One run, seen from the host: an event loop over timers, pipes and what the
//! jail says. Every kill is decided and recorded here.

mod events;

use crate::audit::Call;
use crate::cgroup::Group;
use crate::facts::{Facts, KillCause};
use crate::limits::Limits;
use crate::protocol::{Channel, Descriptors, Failure, FromStage, Order, Shape};
use crate::spec::Mode;
use crate::supervisor::idleness::Idleness;
use crate::supervisor::own_time::own_time;
use crate::supervisor::pump::{Buffer, Pump};
use crate::supervisor::request;
use crate::supervisor::room::Room;
use crate::supervisor::setup::Setup;
use crate::supervisor::stage::Stage;
use crate::supervisor::state::{Ended, State};
use crate::supervisor::timer::Timer;
use crate::sys::process;
use crate::sys::seccomp::Listener;
use events::Events;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::Signal;
use std::fs::File;
use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Longest time for anything but the program itself: mounts, the exec, taking
/// files out. Only a broken host takes longer.
const PATIENCE: Duration = Duration::from_secs(30);
/// Shortest time between two looks at the CPU time used.
const TICK: Duration = Duration::from_micros(200);
/// How long the pipes are left alone after little was in them: seldom enough that we take
/// no core, and often enough that 64 KiB in a pipe are 300 MB/s.
const REST: Duration = Duration::from_micros(200);
/// Half of what a pipe holds.
const MUCH: u64 = 32 * 1024;
/// Longest time between two looks where the kernel does not tell of limits.
const LONG_TICK: Duration = Duration::from_millis(50);

/// How a run was finished.
#[derive(Debug)]
pub(super) enum Done {
    Facts {
        facts: Box<Facts>,
        collected: Vec<(PathBuf, u64)>,
        contents: Vec<OwnedFd>,
    },
    /// The worker closed its socket meanwhile; nobody wants the facts.
    WorkerGone,
}

pub(super) fn run(
    setup: &mut Setup,
    worker: &Channel,
    buffer: &mut Buffer,
    mut order: Order,
    descriptors: Vec<OwnedFd>,
) -> Result<Done, Failure> {
    let requested = Instant::now();
    request::check(&order)?;
    let mut descriptors = Descriptors::split(&order, descriptors)?;
    let pumps = request::make_pumps(&order, &mut descriptors)?;
    let sources = std::mem::take(&mut descriptors.mounts);
    let shape = Shape::take(&mut order, &sources)?;
    let mut stage = setup.stage(shape, sources)?;
    let group = setup.home.group(&order.limits)?;

    let mut all = descriptors.all();
    all.extend(group.entrances());
    // If it has ended already, it has said why.
    let sent = match stage.channel.send(&order, &all) {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        other => other.map_err(Failure::step("give the stage its order")),
    };
    let audit = descriptors.audit.take().map(File::from);
    drop(descriptors);
    let mut watch = Watch {
        setup,
        stage: &mut stage,
        worker,
        limits: &order.limits,
        group: &group,
        audit: audit.as_ref(),
        pumps,
        buffer,
        idleness: order.limits.idle_time.map(Idleness::new),
        deadline: Timer::default(),
        cpu_timer: Timer::default(),
        pump_timer: Timer::default(),
        requested,
        state: State::default(),
    };
    let watched = sent.and_then(|()| watch.until_gone());
    let mut state = watch.state;
    state.filter_kills = order.mode == Mode::Unshare && stage.listener.is_none();
    if watched.is_ok() && state.left.spares_stage() {
        setup.take_back(stage);
    } else {
        drop(stage);
    }
    let done = watched.and_then(|()| state.conclude(&group, &order.limits, audit.as_ref()));
    setup.home.take_back(group);
    done
}

struct Watch<'a> {
    setup: &'a Setup,
    stage: &'a mut Stage,
    worker: &'a Channel,
    limits: &'a Limits,
    group: &'a Group,
    /// What the tracer records in, which also says what it costs.
    audit: Option<&'a File>,
    pumps: Vec<Pump>,
    buffer: &'a mut Buffer,
    idleness: Option<Idleness>,
    /// The wall time limit while the program runs, our patience otherwise.
    deadline: Timer,
    cpu_timer: Timer,
    /// While set, nothing is taken out of the pipes.
    pump_timer: Timer,
    requested: Instant,
    state: State,
}

impl Watch<'_> {
    /// Returns when the run's init is dead, and so everything in the run.
    fn until_gone(&mut self) -> Result<(), Failure> {
        self.deadline.set(PATIENCE);
        while !self.state.finished {
            let events = self.poll()?;
            self.pump(events);
            if events.forbidden {
                // Before the run's end is heard of, if both have happened.
                self.forbid()?;
            }
            if events.jail {
                self.hear()?;
            }
            self.judge(events)?;
        }
        for pump in &mut self.pumps {
            self.state.output += pump.drain(self.buffer)?;
        }
        Ok(())
    }

    /// Moves what there is. After little the pipes are left alone for a moment, so
    /// that a program which writes a byte at a time does not wake us for each.
    fn pump(&mut self, events: Events) {
        if events.rested {
            self.pump_timer.unset();
        }
        let mut little = false;
        for (pump, ready) in self.pumps.iter_mut().zip(events.pumps) {
            if !ready {
                continue;
            }
            match pump.pump(self.buffer) {
                Ok(moved) => {
                    self.state.output += moved;
                    little |= moved < MUCH;
                }
                Err(failure) => {
                    self.state.failure.get_or_insert(failure);
                    self.state.abandoned = true;
                }
            }
        }
        if little {
            self.pump_timer.set(REST);
        }
    }

    /// Takes one message from stage or init.
    fn hear(&mut self) -> Result<(), Failure> {
        let heard = self
            .stage
            .channel
            .receive()
            .map_err(Failure::step("hear from the stage"))?;
        let Some((message, descriptors)) = heard else {
            // It ends when init was killed.
            self.state.finished = true;
            self.wait_for_init()?;
            return self.look_at_files();
        };
        match message {
            FromStage::Listener => {
                self.stage.listener = descriptors.into_iter().next().map(Listener::new);
            }
            FromStage::Room { before } => {
                self.stage.room = Some(Room::new(descriptors, before));
            }
            FromStage::Started => {
                let now = Instant::now();
                self.state.init = descriptors.into_iter().next();
                self.state.started = Some(now);
                self.state.setup_time = now.duration_since(self.requested);
                self.deadline.set(self.limits.wall_time);
                if self.state.killed.is_some() || self.state.abandoned {
                    self.deadline.set(PATIENCE);
                    self.strike()?;
                }
                if let Some(idleness) = &mut self.idleness {
                    idleness.begin(Duration::ZERO);
                }
                let patience = LONG_TICK.min(self.limits.cpu_time / self.setup.cores);
                self.cpu_timer.set(patience.max(TICK));
            }
            FromStage::Ended {
                status,
                wall_us,
                oversized,
                collected,
                unfit,
                forbidden,
                activity,
                files,
                left,
            } => {
                self.state.finished = true;
                self.state.left = left;
                self.note_files(files);
                self.state
                    .note_wall_time(Duration::from_micros(wall_us), self.limits);
                self.state.ended = Some(Ended {
                    status,
                    oversized,
                    collected,
                    unfit,
                    contents: descriptors,
                    forbidden,
                    activity,
                });
            }
            FromStage::Killed { files, left } => {
                self.state.finished = true;
                self.state.left = left;
                self.note_files(files);
            }
            FromStage::Failed(failure) => {
                self.state.failure.get_or_insert(failure);
                self.state.finished = true;
            }
        }
        Ok(())
    }

    /// Ends the run for a call that its filter holds. Everybody in it is of this run:
    /// the last one's are dead.
    fn forbid(&mut self) -> Result<(), Failure> {
        let Some(listener) = &self.stage.listener else {
            return Ok(());
        };
        let held = listener
            .take()
            .map_err(Failure::step("hear of a forbidden call"))?;
        let syscall = held.map(|held| Call::new(held.arch, held.number).name());
        self.kill(KillCause::Policy { syscall })
    }

    /// Waits until init is dead, and with it the run's whole pid namespace.
    fn wait_for_init(&self) -> Result<(), Failure> {
        let Some(init) = &self.state.init else {
            return Ok(());
        };
        let mut ended = [PollFd::new(init.as_fd(), PollFlags::POLLIN)];
        let patience = i32::try_from(PATIENCE.as_millis()).unwrap_or(i32::MAX);
        let patience = PollTimeout::try_from(patience).unwrap_or(PollTimeout::MAX);
        match poll(&mut ended, patience).map_err(Failure::step("wait for the run's init"))? {
            0 => Err(Failure::step("wait for the run's init")(Errno::ETIMEDOUT)),
            _ => Ok(()),
        }
    }

    /// Decides whether what happened is a reason to kill.
    fn judge(&mut self, events: Events) -> Result<(), Failure> {
        if events.worker {
            self.state.worker_gone = true;
            self.abandon()?;
        }
        if events.cancel {
            self.state.cancelled = true;
            self.kill(KillCause::Cancelled)?;
        }
        if self.state.abandoned {
            self.strike()?;
        }
        if events.processes {
            self.look_at_processes()?;
        }
        if self.state.started.is_some() && !self.state.finished {
            self.look_at_files()?;
        }
        if self
            .limits
            .output_is_over(self.state.output, self.state.files)
        {
            self.kill(KillCause::Output)?;
        }
        if events.cpu {
            self.look_at_usage()?;
        }
        if events.idle {
            self.look_at_idleness()?;
        }
        // The end may have been heard of in the same moment.
        if events.deadline && !self.state.finished {
            self.deadline_passed()?;
        }
        Ok(())
    }

    fn deadline_passed(&mut self) -> Result<(), Failure> {
        if self.state.started.is_some() && self.state.ended.is_none() && self.state.killed.is_none()
        {
            return self.kill(KillCause::WallTime);
        }
        Err(Failure::Step {
            step: "start or end the run in time".to_owned(),
            errno: libc::ETIMEDOUT,
        })
    }

    /// Kills when the CPU time is used up; otherwise looks again when, with
    /// all cores busy, it could be.
    fn look_at_usage(&mut self) -> Result<(), Failure> {
        if !self.group.tells() {
            self.look_at_processes()?;
            self.group.note_memory()?;
            if self.group.memory_kills()? > 0 {
                self.kill(KillCause::Memory)?;
            }
        }
        if self.state.ended.is_some() || self.state.killed.is_some() {
            self.cpu_timer.unset();
            return Ok(());
        }
        let used = own_time(self.group, self.audit)?;
        if used >= self.limits.cpu_time {
            self.cpu_timer.unset();
            return self.kill(KillCause::CpuTime);
        }
        let left = (self.limits.cpu_time - used) / self.setup.cores;
        let patience = match self.state.started {
            // For files alone: seldom, when the run has become twice as old.
            Some(started) if self.group.tells() => started.elapsed().max(LONG_TICK),
            _ => LONG_TICK,
        };
        self.cpu_timer.set(left.min(patience).max(TICK));
        Ok(())
    }

    /// The stage has found so much in files, when everything was dead.
    fn note_files(&mut self, used: u64) {
        let room = self.stage.room.as_ref();
        self.state.files = room.map_or(0, |room| room.of_the_run(used));
    }

    /// How much output is in files now.
    fn look_at_files(&mut self) -> Result<(), Failure> {
        if let Some(room) = &self.stage.room {
            self.state.files = room.written()?;
        }
        Ok(())
    }

    fn look_at_idleness(&mut self) -> Result<(), Failure> {
        let used = own_time(self.group, self.audit)?;
        let Some(idleness) = &mut self.idleness else {
            return Ok(());
        };
        if self.state.ended.is_some() || self.state.killed.is_some() {
            idleness.timer.unset();
            return Ok(());
        }
        if idleness.is_over(used) {
            self.kill(KillCause::Idle)?;
        }
        Ok(())
    }

    fn look_at_processes(&mut self) -> Result<(), Failure> {
        self.state.processes_refused = self.group.processes_refused()?;
        if self.state.processes_refused > 0 {
            self.kill(KillCause::Processes)?;
        }
        Ok(())
    }

    /// Ends the run and records why; the first cause stays.
    fn kill(&mut self, cause: KillCause) -> Result<(), Failure> {
        if self.state.killed.is_none() && self.state.ended.is_none() {
            self.state.killed = Some(cause);
            if let Some(started) = self.state.started {
                self.state.wall_time = started.elapsed();
            }
            self.deadline.set(PATIENCE);
            self.strike()?;
        }
        Ok(())
    }

    fn abandon(&mut self) -> Result<(), Failure> {
        self.state.abandoned = true;
        self.strike()
    }

    /// Kills the run's init, which takes its whole pid namespace along. Before
    /// the program has started there is only code of ours, in memory that must
    /// stay sound; then it waits for the start.
    fn strike(&self) -> Result<(), Failure> {
        let Some(init) = self.state.started.and(self.state.init.as_ref()) else {
            return Ok(());
        };
        match process::signal(init.as_fd(), Signal::SIGKILL) {
            Err(error) if error.raw_os_error() != Some(libc::ESRCH) => {
                Err(Failure::step("kill the run")(error))
            }
            _ => Ok(()),
        }
    }
}
