//! System calls from processes that share memory with others: past libc, so
//! that none of them allocates or writes to memory but its own results.
//!
//! Each call carries a key in a register that the kernel does not look at.
//! A filter with the same key in it lets it pass; see `policy/keyed.rs`.

use super::process::Waited;
use super::raw::{clone, outcome, system_call};
use nix::errno::Errno;
use nix::unistd::Pid;
use std::ffi::CStr;
use std::os::fd::RawFd;
use std::time::Duration;

/// The calls made here: those that a key opens.
pub(crate) const NUMBERS: [libc::c_long; 27] = [
    libc::SYS_capset,
    libc::SYS_chdir,
    libc::SYS_clock_gettime,
    libc::SYS_clone,
    libc::SYS_close_range,
    libc::SYS_dup3,
    libc::SYS_execveat,
    libc::SYS_exit_group,
    libc::SYS_getrusage,
    libc::SYS_kill,
    libc::SYS_landlock_restrict_self,
    libc::SYS_mount,
    libc::SYS_personality,
    libc::SYS_prctl,
    libc::SYS_prlimit64,
    libc::SYS_pwrite64,
    libc::SYS_readv,
    libc::SYS_sched_setscheduler,
    libc::SYS_seccomp,
    libc::SYS_sendmsg,
    libc::SYS_setpgid,
    libc::SYS_setresgid,
    libc::SYS_setresuid,
    libc::SYS_unshare,
    libc::SYS_wait4,
    libc::SYS_waitid,
    libc::SYS_writev,
];

/// Makes system calls with a key.
#[derive(Clone, Copy)]
pub(crate) struct Calls {
    pub(super) key: u64,
}

impl std::fmt::Debug for Calls {
    /// The key is in no log.
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        to.write_str("Calls")
    }
}

/// Memory for a process that shares the rest of it.
#[derive(Debug)]
pub(crate) struct Stack(Vec<u128>);

impl Stack {
    const BYTES: usize = 256 * 1024;

    pub(crate) fn new() -> Self {
        // Not filled: pages that are never used are never made.
        Self(Vec::with_capacity(Self::BYTES / size_of::<u128>()))
    }

    /// Where it begins: it grows down.
    pub(super) fn top(&mut self) -> usize {
        self.0.spare_capacity_mut().as_mut_ptr_range().end.addr()
    }
}

/// One more process of the same memory.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Born {
    pub(crate) pid: Pid,
    /// Its pidfd, if `CLONE_PIDFD` was asked for.
    pub(crate) pidfd: RawFd,
}

const FLAGS_NONE: usize = 0;

impl Calls {
    pub(crate) fn new(key: u64) -> Self {
        Self { key }
    }

    /// # Safety
    /// As the call itself.
    unsafe fn make(self, number: libc::c_long, arguments: [usize; 5]) -> Result<usize, Errno> {
        // SAFETY: the caller's; the key is in a register that none of
        // `NUMBERS` has an argument in.
        outcome(unsafe { system_call(number, arguments, self.key) })
    }

    /// For calls whose arguments are plain numbers, or pointers that the kernel
    /// only reads as long as the call takes.
    fn plain(self, number: libc::c_long, arguments: [usize; 5]) -> Result<usize, Errno> {
        // SAFETY: private to this module, where every pointer passed is that of
        // a reference that outlives the call and is not written through.
        unsafe { self.make(number, arguments) }
    }

    /// Runs `work` in a child in new namespaces and in the memory of the calling
    /// process, which stands still until the child has executed a program or
    /// ended. When `work` returns, the child ends with the code it returns.
    ///
    /// What `work` writes to its variables, the caller reads. If the child is
    /// killed inside an allocation, the memory is not sound any more.
    pub(crate) fn vfork(
        self,
        flags: libc::c_int,
        stack: &mut Stack,
        work: &mut dyn FnMut(RawFd) -> i32,
    ) -> Result<Born, Errno> {
        let mut pidfd: libc::c_int = -1;
        let mut errand = Errand {
            calls: self,
            pidfd: &raw const pidfd,
            work,
        };
        let flags = flags | libc::CLONE_VM | libc::CLONE_VFORK | libc::SIGCHLD;
        // SAFETY: the errand, what it refers to, and the stack outlive the
        // child's use of them, because CLONE_VFORK holds the caller until the
        // child has a memory of its own or is dead. Nobody else runs in this
        // memory meanwhile (see `Partner`), and `run_errand` never returns.
        let result = unsafe {
            clone(
                self.key,
                flags,
                stack.top(),
                &raw mut pidfd,
                std::ptr::null_mut(),
                run_errand,
                (&raw mut errand).cast(),
            )
        };
        born(result, pidfd)
    }

    /// Ends the calling process.
    pub(crate) fn exit(self, code: i32) -> ! {
        loop {
            // It can't fail. If a filter were wrong, a signal would have come.
            if self
                .plain(
                    libc::SYS_exit_group,
                    [code.cast_unsigned() as usize, 0, 0, 0, 0],
                )
                .is_err()
            {
                super::process::exit_now(code)
            }
        }
    }

    /// The time of the clock that only goes forward.
    pub(crate) fn now(self) -> Result<Duration, Errno> {
        let mut now = libc::timespec {
            tv_sec: 0,
            tv_nsec: 0,
        };
        let clock = libc::CLOCK_MONOTONIC.cast_unsigned() as usize;
        let arguments = [clock, (&raw mut now).addr(), 0, 0, 0];
        // SAFETY: the kernel writes to `now`, which outlives the call.
        unsafe { self.make(libc::SYS_clock_gettime, arguments) }?;
        Ok(Duration::new(
            now.tv_sec.unsigned_abs(),
            u32::try_from(now.tv_nsec).unwrap_or_default(),
        ))
    }

    /// Waits for a child, any if none is given. None when there is none.
    pub(crate) fn wait(self, pid: Option<Pid>) -> Result<Option<Waited>, Errno> {
        match self.wait_for(pid) {
            Err(Errno::ECHILD) => Ok(None),
            waited => waited.map(Some),
        }
    }

    /// Whether there is any child or tracee, dead or alive. Whatever there is to be heard of
    /// them still is afterwards: a stop that nobody hears of lasts for ever.
    pub(crate) fn has_children(self) -> Result<bool, Errno> {
        let flags = libc::WNOHANG | libc::WNOWAIT | libc::WEXITED | libc::WSTOPPED | libc::__WALL;
        let flags = flags.cast_unsigned() as usize;
        match self.plain(libc::SYS_waitid, [libc::P_ALL as usize, 0, 0, flags, 0]) {
            Err(Errno::ECHILD) => Ok(false),
            waited => waited.map(|_| true),
        }
    }

    fn wait_for(self, pid: Option<Pid>) -> Result<Waited, Errno> {
        let mut status: libc::c_int = 0;
        let target = pid.map_or(-1, Pid::as_raw) as isize;
        let flags = libc::__WALL.cast_unsigned() as usize;
        let arguments = [
            target.cast_unsigned(),
            (&raw mut status).addr(),
            flags,
            0,
            0,
        ];
        loop {
            // SAFETY: the kernel writes to `status`, which outlives the call.
            match unsafe { self.make(libc::SYS_wait4, arguments) } {
                Err(Errno::EINTR) => {}
                other => {
                    let pid = i32::try_from(other?).map_err(|_| Errno::ERANGE)?;
                    return Ok(Waited {
                        pid: Pid::from_raw(pid),
                        status,
                    });
                }
            }
        }
    }

    /// Kills everybody that the caller can see, but itself.
    pub(crate) fn kill_all(self) -> Result<(), Errno> {
        let signal = libc::SIGKILL.cast_unsigned() as usize;
        match self.plain(libc::SYS_kill, [usize::MAX, signal, 0, 0, 0]) {
            Err(Errno::ESRCH) => Ok(()),
            other => other.map(drop),
        }
    }

    /// What was counted of all that the caller has reaped.
    pub(crate) fn usage_of_the_dead(self) -> Result<libc::rusage, Errno> {
        // SAFETY: all fields are numbers, for which zero is valid.
        let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
        let who = (libc::RUSAGE_CHILDREN as isize).cast_unsigned();
        let arguments = [who, (&raw mut usage).addr(), 0, 0, 0];
        // SAFETY: the kernel writes to `usage`, which outlives the call.
        unsafe { self.make(libc::SYS_getrusage, arguments) }?;
        Ok(usage)
    }

    /// Takes the count of an eventfd, waiting for one.
    pub(crate) fn take_event(self, event: RawFd) -> Result<(), Errno> {
        let mut count = 0_u64;
        let part = libc::iovec {
            iov_base: (&raw mut count).cast(),
            iov_len: size_of::<u64>(),
        };
        let arguments = [number(event), (&raw const part).addr(), 1, 0, 0];
        loop {
            // SAFETY: the kernel writes to `count`, which outlives the call.
            match unsafe { self.make(libc::SYS_readv, arguments) } {
                Err(Errno::EINTR) => {}
                other => return other.map(drop),
            }
        }
    }

    /// Adds one to the count of an eventfd.
    pub(crate) fn raise_event(self, event: RawFd) -> Result<(), Errno> {
        let mut one = 1_u64;
        let part = libc::iovec {
            iov_base: (&raw mut one).cast(),
            iov_len: size_of::<u64>(),
        };
        let arguments = [number(event), (&raw const part).addr(), 1, 0, 0];
        self.plain(libc::SYS_writev, arguments).map(drop)
    }

    /// Sends a packet with one descriptor beside it.
    pub(crate) fn send(self, socket: RawFd, text: &[u8], descriptor: RawFd) -> Result<(), Errno> {
        /// A header and one descriptor, as the kernel lays them out.
        #[repr(C, align(8))]
        struct Rights {
            length: usize,
            level: libc::c_int,
            kind: libc::c_int,
            descriptor: libc::c_int,
            padding: libc::c_int,
        }
        let mut rights = Rights {
            length: std::mem::offset_of!(Rights, padding),
            level: libc::SOL_SOCKET,
            kind: libc::SCM_RIGHTS,
            descriptor,
            padding: 0,
        };
        let mut part = libc::iovec {
            iov_base: text.as_ptr().cast_mut().cast(),
            iov_len: text.len(),
        };
        // SAFETY: all fields are numbers or pointers, for which zero is valid.
        let mut message: libc::msghdr = unsafe { std::mem::zeroed() };
        message.msg_iov = &raw mut part;
        message.msg_iovlen = 1;
        message.msg_control = (&raw mut rights).cast();
        message.msg_controllen = size_of::<Rights>();
        let flags = libc::MSG_NOSIGNAL.cast_unsigned() as usize;
        let arguments = [number(socket), (&raw const message).addr(), flags, 0, 0];
        self.plain(libc::SYS_sendmsg, arguments).map(drop)
    }

    /// Goes first no more: takes turns with everybody else who is not urgent, and has
    /// timers that end as late as theirs.
    pub(crate) fn take_turns(self) -> Result<(), Errno> {
        let policy = libc::SCHED_OTHER.cast_unsigned() as usize;
        let priority: libc::c_int = 0;
        let arguments = [0, policy, (&raw const priority).addr(), 0, 0];
        self.plain(libc::SYS_sched_setscheduler, arguments)?;
        let slack = libc::PR_SET_TIMERSLACK.cast_unsigned() as usize;
        self.plain(
            libc::SYS_prctl,
            [slack, super::priority::TIMER_SLACK, 0, 0, 0],
        )
        .map(drop)
    }

    /// Leads a process group of its own: signals to "my group" reach nobody else.
    pub(crate) fn start_group(self) -> Result<(), Errno> {
        self.plain(libc::SYS_setpgid, [0; 5]).map(drop)
    }

    /// Mounts a /proc of the caller's pid namespace: only processes, and of
    /// them only the looker's own.
    pub(crate) fn mount_proc(self) -> Result<(), Errno> {
        let flags = libc::MS_NOSUID | libc::MS_NODEV | libc::MS_NOEXEC;
        let arguments = [
            c"proc".as_ptr().addr(),
            c"/proc".as_ptr().addr(),
            c"proc".as_ptr().addr(),
            usize::try_from(flags).map_err(|_| Errno::EINVAL)?,
            c"hidepid=invisible,subset=pid".as_ptr().addr(),
        ];
        self.plain(libc::SYS_mount, arguments).map(drop)
    }

    /// Makes descriptor number `target` a copy of `source`, inherited by exec.
    /// They must differ.
    pub(crate) fn place(self, source: RawFd, target: RawFd) -> Result<(), Errno> {
        let arguments = [number(source), number(target), FLAGS_NONE, 0, 0];
        self.plain(libc::SYS_dup3, arguments).map(drop)
    }

    pub(crate) fn close(self, descriptor: RawFd) -> Result<(), Errno> {
        let descriptor = number(descriptor);
        self.plain(
            libc::SYS_close_range,
            [descriptor, descriptor, FLAGS_NONE, 0, 0],
        )
        .map(drop)
    }

    /// Has exec close every descriptor from `first` on.
    pub(crate) fn close_on_exec_from(self, first: libc::c_uint) -> Result<(), Errno> {
        let flags = libc::CLOSE_RANGE_CLOEXEC as usize;
        let last = libc::c_uint::MAX as usize;
        self.plain(libc::SYS_close_range, [first as usize, last, flags, 0, 0])
            .map(drop)
    }

    /// Enters the control group with this open `cgroup.procs` or `tasks`.
    pub(crate) fn enter(self, group: RawFd) -> Result<(), Errno> {
        let arguments = [number(group), b"0".as_ptr().addr(), 1, 0, 0];
        self.plain(libc::SYS_pwrite64, arguments).map(drop)
    }

    /// Moves into a new control group namespace.
    pub(crate) fn hide_group(self) -> Result<(), Errno> {
        let flags = libc::CLONE_NEWCGROUP.cast_unsigned() as usize;
        self.plain(libc::SYS_unshare, [flags, 0, 0, 0, 0]).map(drop)
    }

    /// Sets both the soft and the hard limit.
    pub(crate) fn limit(self, resource: u32, value: u64) -> Result<(), Errno> {
        let limit = libc::rlimit64 {
            rlim_cur: value,
            rlim_max: value,
        };
        let arguments = [0, resource as usize, (&raw const limit).addr(), 0, 0];
        self.plain(libc::SYS_prlimit64, arguments).map(drop)
    }

    /// Has what is executed always lie at the same addresses.
    pub(crate) fn fix_layout(self) -> Result<(), Errno> {
        let persona = libc::ADDR_NO_RANDOMIZE.cast_unsigned() as usize;
        self.plain(libc::SYS_personality, [persona, 0, 0, 0, 0])
            .map(drop)
    }

    /// Becomes one user and group for good. The zygote has left all other groups.
    pub(crate) fn become_user(self, id: u32) -> Result<(), Errno> {
        let id = id as usize;
        self.plain(libc::SYS_setresgid, [id, id, id, 0, 0])?;
        self.plain(libc::SYS_setresuid, [id, id, id, 0, 0])
            .map(drop)
    }

    /// Empties the effective, permitted and inheritable sets.
    pub(crate) fn drop_capabilities(self) -> Result<(), Errno> {
        let (header, none) = super::credentials::NO_CAPABILITIES;
        let arguments = [
            (&raw const header).addr(),
            (&raw const none).addr(),
            0,
            0,
            0,
        ];
        self.plain(libc::SYS_capset, arguments).map(drop)
    }

    /// Is killed when the parent has ended.
    pub(crate) fn die_with_parent(self) -> Result<(), Errno> {
        let option = libc::PR_SET_PDEATHSIG.cast_unsigned() as usize;
        let signal = libc::SIGKILL.cast_unsigned() as usize;
        self.plain(libc::SYS_prctl, [option, signal, 0, 0, 0])
            .map(drop)
    }

    pub(crate) fn change_directory(self, path: &CStr) -> Result<(), Errno> {
        self.plain(libc::SYS_chdir, [path.as_ptr().addr(), 0, 0, 0, 0])
            .map(drop)
    }

    /// Confines the calling process and its descendants by a Landlock ruleset.
    pub(crate) fn stand_behind(self, ruleset: RawFd) -> Result<(), Errno> {
        let arguments = [number(ruleset), FLAGS_NONE, 0, 0, 0];
        self.plain(libc::SYS_landlock_restrict_self, arguments)
            .map(drop)
    }

    /// Installs a filter for the calling process and its descendants. Returns a
    /// descriptor if the flags ask for one.
    pub(super) fn install(self, program: &libc::sock_fprog, flags: usize) -> Result<usize, Errno> {
        let mode = libc::SECCOMP_SET_MODE_FILTER as usize;
        let arguments = [mode, flags, std::ptr::from_ref(program).addr(), 0, 0];
        self.plain(libc::SYS_seccomp, arguments)
    }

    /// Executes; returns only the reason why not. Both arrays end with null and
    /// point to C strings.
    pub(super) fn execute(
        self,
        directory: RawFd,
        path: &CStr,
        arguments: &[*const libc::c_char],
        environment: &[*const libc::c_char],
        flags: libc::c_int,
    ) -> Errno {
        let arguments = [
            number(directory),
            path.as_ptr().addr(),
            arguments.as_ptr().addr(),
            environment.as_ptr().addr(),
            flags.cast_unsigned() as usize,
        ];
        match self.plain(libc::SYS_execveat, arguments) {
            Ok(_) => Errno::EINVAL,
            Err(errno) => errno,
        }
    }
}

/// A descriptor as the kernel takes it: `AT_FDCWD` is negative.
fn number(descriptor: RawFd) -> usize {
    (descriptor as isize).cast_unsigned()
}

/// What a child in shared memory has to do.
struct Errand<'a> {
    calls: Calls,
    pidfd: *const libc::c_int,
    work: &'a mut dyn FnMut(RawFd) -> i32,
}

extern "C" fn run_errand(argument: *mut libc::c_void) -> ! {
    // SAFETY: the argument is the pointer made in `vfork`, whose frame stands
    // still, and nobody else uses the errand.
    let errand = unsafe { &mut *argument.cast::<Errand<'_>>() };
    // SAFETY: lives in the same frame; the kernel has written it before the
    // child's start.
    let pidfd = unsafe { errand.pidfd.read_volatile() };
    let code = (errand.work)(pidfd);
    errand.calls.exit(code)
}

fn born(result: libc::c_long, pidfd: RawFd) -> Result<Born, Errno> {
    let pid = i32::try_from(outcome(result)?).map_err(|_| Errno::ERANGE)?;
    Ok(Born {
        pid: Pid::from_raw(pid),
        pidfd,
    })
}
