//! From a child of init to the program: the protections, in their order.

use crate::limits::Limits;
use crate::policy::Effective;
use crate::protocol::{Descriptors, Failure, Order};
use crate::spec::Mode;
use crate::stage::PROGRAM_ID;
use crate::sys::beside::beside;
use crate::sys::calls::{Calls, Stack};
use crate::sys::exec::Image;
use crate::tracer::{self, Charge, Tracer};
use nix::errno::Errno;
use nix::sys::eventfd::{EfdFlags, EventFd};
use std::ffi::CString;
use std::io;
use std::os::fd::{AsFd, AsRawFd, IntoRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::sync::OnceLock;

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

    /// Everything that stands between a child of init and hostile code. Returns
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
        set_limits(calls, &self.order.limits)?;
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
        if self.mode() == Mode::Unshare {
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
    /// A tracer has to follow it there, and so can't stand still meanwhile. Its filter needs
    /// a tracer, so it waits for that first.
    pub(super) fn start_traced(
        &self,
        calls: Calls,
        stack: &mut Stack,
    ) -> Result<Box<Tracer<'a>>, Failure> {
        let (Some(audit), Some(charge)) = (&self.audit, self.charge) else {
            return Err(Failure::InvalidSpec {
                problem: "no descriptor to record into".to_owned(),
            });
        };
        let event = EventFd::from_flags(EfdFlags::EFD_CLOEXEC);
        let event = event.map_err(Failure::step("make a gate"))?;
        let gate = event.as_fd().as_raw_fd();
        tracer::prepare()?;
        let refused = OnceLock::new();
        let work = || {
            let waited = calls.take_event(gate);
            let why = match waited.map_err(Refused::step("wait for the tracer")) {
                Ok(()) => self.become_program(calls),
                Err(refused) => refused,
            };
            i32::from(refused.set(why).is_ok()) * 127
        };
        let follow = |program| {
            let mut tracer = Tracer::attach(program, self.order, self.policy, audit, charge)?;
            calls
                .raise_event(gate)
                .map_err(Failure::step("let the program go on"))?;
            tracer.until_executed().map(|()| tracer)
        };
        let tracer =
            beside(calls, stack, &work, follow).map_err(Failure::step("fork the program"))??;
        match refused.into_inner() {
            Some(why) => Err(self.explain(why)),
            None => Ok(Box::new(tracer)),
        }
    }
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

/// None of CPU time: the supervisor's timer goes by the group's clock, and the kernel's own
/// limit, by another, with a signal that could be anybody's.
fn set_limits(calls: Calls, limits: &Limits) -> Result<(), Refused> {
    let set = |resource, value, step| calls.limit(resource, value).map_err(Refused::step(step));
    let open_files = limits.open_files.into();
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
