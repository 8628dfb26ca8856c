//! From a child of init to the program: the protections, in their order.

use crate::limits::Limits;
use crate::policy::Effective;
use crate::protocol::{Descriptors, Failure, Order};
use crate::spec::Mode;
use crate::stage::PROGRAM_ID;
use crate::sys::calls::Calls;
use crate::sys::clone::{Cloned, fork_into};
use crate::sys::exec::Image;
use crate::sys::process;
use crate::tracer::{self, Charge, Tracer};
use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::sched::CloneFlags;
use nix::unistd::pipe2;
use std::ffi::CString;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsRawFd, IntoRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;

/// All that it takes to start a program, made ready before: the last steps are done
/// in memory that others go on with, and must not allocate.
#[derive(Debug)]
pub(crate) struct Launch<'a> {
    order: &'a Order,
    policy: &'a Effective,
    /// A ruleset of Landlock, where the kernel has that.
    wall: Option<OwnedFd>,
    charge: Option<&'a Charge>,
    image: Image,
    directory: CString,
    executable: Option<OwnedFd>,
    audit: Option<OwnedFd>,
    groups: Vec<OwnedFd>,
    /// By number, because init closes them: those given, and then what the
    /// program has at 0, 1 and 2.
    given: [Option<RawFd>; 3],
    streams: [RawFd; 3],
}

/// A step that could not be done, in a form that needs no allocation.
#[derive(Clone, Copy, Debug)]
pub(super) enum Refused {
    Step(&'static str, Errno),
    Directory(Errno),
    Exec(Errno),
}

impl Refused {
    /// For `map_err`: what was attempted.
    pub(super) fn step(step: &'static str) -> impl FnOnce(Errno) -> Self {
        move |errno| Self::Step(step, errno)
    }
}

impl<'a> Launch<'a> {
    /// `null` is an open /dev/null.
    pub(crate) fn new(
        order: &'a Order,
        descriptors: Descriptors,
        policy: &'a Effective,
        wall: Option<OwnedFd>,
        charge: Option<&'a Charge>,
        null: RawFd,
    ) -> Result<Self, Failure> {
        let directory = CString::new(order.directory.as_os_str().as_bytes());
        let directory = directory.map_err(|error| Failure::InvalidSpec {
            problem: format!("working directory: {error}"),
        })?;
        let image = image(order)?;
        let given = [descriptors.stdin, descriptors.stdout, descriptors.stderr]
            .map(|stream| stream.map(IntoRawFd::into_raw_fd));
        Ok(Self {
            order,
            policy,
            wall,
            charge,
            image,
            directory,
            executable: descriptors.executable,
            audit: descriptors.audit,
            groups: descriptors.groups,
            given,
            streams: given.map(|stream| stream.unwrap_or(null)),
        })
    }

    pub(crate) fn mode(&self) -> Mode {
        self.order.mode
    }

    /// The file to be executed, if one was given.
    pub(crate) fn executable(&self) -> Option<&OwnedFd> {
        self.executable.as_ref()
    }

    /// Closes the program's streams here: nobody but the run's own processes may
    /// keep a pipe open.
    pub(super) fn close_streams(&self, calls: Calls) -> Result<(), Refused> {
        self.given
            .into_iter()
            .flatten()
            .try_for_each(|stream| calls.close(stream))
            .map_err(Refused::step("close the program's streams"))
    }

    /// A failure as it is told.
    pub(super) fn explain(&self, refused: Refused) -> Failure {
        match refused {
            Refused::Step(step, errno) => Failure::step(step)(errno),
            Refused::Directory(errno) => Failure::InvalidSpec {
                problem: format!(
                    "working directory {}: {}",
                    self.order.directory.display(),
                    io::Error::from(errno)
                ),
            },
            Refused::Exec(errno) => Failure::Exec {
                program: self.order.args.first().cloned().unwrap_or_default(),
                errno: errno as i32,
            },
        }
    }

    /// Everything that stands between a copy of init and hostile code. Returns
    /// only if something fails, and that ends the run before the program has begun.
    pub(super) fn become_program(&self, calls: Calls) -> Refused {
        if let Err(refused) = self.enter_groups(calls) {
            return refused;
        }
        match self.confine(calls) {
            // The kernel's memory for what follows is the program's already.
            Err(Refused::Step(_, Errno::ENOMEM)) => Refused::Exec(Errno::ENOMEM),
            Err(refused) => refused,
            Ok(()) => {
                let executable = self.executable.as_ref().map(AsRawFd::as_raw_fd);
                Refused::Exec(self.image.execute(calls, executable))
            }
        }
    }

    fn enter_groups(&self, calls: Calls) -> Result<(), Refused> {
        // First: not every group lets somebody urgent in.
        calls
            .take_turns()
            .map_err(Refused::step("take turns with others"))?;
        // A session of its own as well would have the kernel make, and later free, a
        // scheduling group for it. The jail's has no terminal, which none but its
        // leader could give it.
        calls
            .start_group()
            .map_err(Refused::step("start a process group"))?;
        for (stream, number) in self.streams.into_iter().zip(0..) {
            calls
                .place(stream, number)
                .map_err(Refused::step("place the standard streams"))?;
        }
        // Memory and time count from here.
        for group in &self.groups {
            calls
                .enter(group.as_raw_fd())
                .map_err(Refused::step("enter the control group"))?;
        }
        Ok(())
    }

    fn confine(&self, calls: Calls) -> Result<(), Refused> {
        // Hidden by a namespace that has the group as its root.
        calls
            .hide_group()
            .map_err(Refused::step("hide the control group"))?;
        let traced = self.mode() == Mode::Ptrace;
        if traced {
            tracer::stay_with_tracer().map_err(Refused::step("stay on the tracer's core"))?;
        }
        set_limits(calls, &self.order.limits, self.mode())?;
        if self.order.fixed_layout {
            calls
                .fix_layout()
                .map_err(Refused::step("fix the layout"))?;
        }
        calls
            .become_user(PROGRAM_ID)
            .map_err(Refused::step("change user and group"))?;
        calls
            .drop_capabilities()
            .map_err(Refused::step("drop all capabilities"))?;
        calls
            .die_with_parent()
            .map_err(Refused::step("tie the program's life"))?;
        calls
            .change_directory(&self.directory)
            .map_err(Refused::Directory)?;
        // Whatever is still open, known to us or not, is gone with exec.
        calls
            .close_on_exec_from(3)
            .map_err(Refused::step("close all descriptors"))?;
        if let Some(wall) = &self.wall {
            calls
                .stand_behind(wall.as_raw_fd())
                .map_err(Refused::step("apply the Landlock ruleset"))?;
        }
        if !traced {
            // The stage's partner has it, and so has whoever descends from it.
            return Ok(());
        }
        // Last: the filter forbids some of what was done above.
        self.policy
            .filter
            .install(calls)
            .map_err(Refused::step("install the system call filter"))
    }

    /// Starts the program under a tracer; it stands at the start of its own code then.
    ///
    /// A tracer can't stand still until the program is executed: it has to follow
    /// it there. So this one is a copy that tells of its failure through a pipe.
    pub(super) fn start_traced(&self, calls: Calls) -> Result<Box<Tracer<'a>>, Failure> {
        let (Some(audit), Some(charge)) = (&self.audit, self.charge) else {
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
                let failure = match wait_at(gate) {
                    Ok(()) => self.explain(self.become_program(calls)),
                    Err(failure) => failure,
                };
                // Unheard, the failure is still one: init sees this exit code.
                let told = serde_json::to_vec(&failure)
                    .map_err(io::Error::other)
                    .and_then(|text| File::from(report).write_all(&text));
                process::exit_now(if told.is_ok() { 127 } else { 126 })
            }
            Cloned::Parent { pid, .. } => {
                drop(report);
                let mut tracer = Tracer::attach(pid, self.order, self.policy, audit, charge)?;
                drop(gate);
                tracer.until_executed()?;
                let mut text = Vec::new();
                File::from(outcome)
                    .read_to_end(&mut text)
                    .map_err(Failure::step("hear from the program"))?;
                if text.is_empty() {
                    return Ok(Box::new(tracer));
                }
                Err(serde_json::from_slice(&text)
                    .map_err(Failure::step("hear from the program"))?)
            }
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

fn image(order: &Order) -> Result<Image, Failure> {
    let args = c_strings(order.args.iter().cloned())?;
    let env = order
        .env
        .iter()
        .map(|(key, value)| format!("{key}={value}"));
    Ok(Image::new(args, c_strings(env)?))
}

fn c_strings(strings: impl Iterator<Item = String>) -> Result<Vec<CString>, Failure> {
    strings
        .map(CString::new)
        .collect::<Result<_, _>>()
        .map_err(|error| Failure::InvalidSpec {
            problem: format!("argument or environment: {error}"),
        })
}

fn set_limits(calls: Calls, limits: &Limits, mode: Mode) -> Result<(), Refused> {
    let set = |resource, value, step| calls.limit(resource, value).map_err(Refused::step(step));
    // The supervisor's timer ends the run at the limit; this is the backstop.
    // It knows nothing of what tracing costs, which can be ten times the rest.
    let cpu_time = limits.cpu_time.as_secs().saturating_add(2);
    let factor = if mode == Mode::Ptrace { 16 } else { 1 };
    let cpu_time = cpu_time.saturating_mul(factor);
    let open_files = limits.open_files.into();
    set(libc::RLIMIT_CPU, cpu_time, "limit the CPU time")?;
    set(
        libc::RLIMIT_FSIZE,
        limits.file_size.as_u64(),
        "limit the size of files",
    )?;
    set(libc::RLIMIT_STACK, limits.stack.as_u64(), "limit the stack")?;
    set(libc::RLIMIT_NOFILE, open_files, "limit the open files")?;
    // The pids controller limits and tells; this is the backstop, counted by
    // user and so with room for what another run of the jail leaves dying.
    let processes = u64::from(limits.processes) + 64;
    set(libc::RLIMIT_NPROC, processes, "limit the processes")
}
