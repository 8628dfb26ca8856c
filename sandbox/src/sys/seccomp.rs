//! Installing a compiled filter, and hearing of the calls that it holds.

use super::calls::Calls;
use super::check;
use nix::errno::Errno;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

/// A compiled filter program.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    instructions: Vec<libc::sock_filter>,
}

impl Program {
    /// Reads a program as libseccomp exports it: an array of `sock_filter` in
    /// the machine's byte order. None when it is empty or not such an array:
    /// an empty filter must never pass for a policy.
    pub(crate) fn parse(exported: &[u8]) -> Option<Self> {
        let (chunks, rest) = exported.as_chunks::<8>();
        if chunks.is_empty() || !rest.is_empty() {
            return None;
        }
        let instructions = chunks
            .iter()
            .map(|&[c0, c1, jt, jf, k0, k1, k2, k3]| libc::sock_filter {
                code: u16::from_ne_bytes([c0, c1]),
                jt,
                jf,
                k: u32::from_ne_bytes([k0, k1, k2, k3]),
            })
            .collect();
        Some(Self { instructions })
    }

    /// This program behind others, which may jump to its start.
    pub(crate) fn after(&self, mut first: Vec<libc::sock_filter>) -> Self {
        first.extend_from_slice(&self.instructions);
        Self {
            instructions: first,
        }
    }

    /// This program with calls held that it would kill for: they wait, and a
    /// [`Listener`] hears of them.
    pub(crate) fn holding(&self) -> Self {
        let mut instructions = self.instructions.clone();
        for instruction in &mut instructions {
            let returns = u32::from(instruction.code) == libc::BPF_RET | libc::BPF_K;
            if returns && instruction.k == libc::SECCOMP_RET_KILL_PROCESS {
                instruction.k = libc::SECCOMP_RET_USER_NOTIF;
            }
        }
        Self { instructions }
    }

    #[cfg(test)]
    pub(crate) fn instructions(&self) -> &[libc::sock_filter] {
        &self.instructions
    }

    /// Installs the program for the calling process and all its descendants.
    /// `no_new_privs` must be set already.
    pub(crate) fn install(&self, calls: Calls) -> Result<(), Errno> {
        self.install_with(calls, 0).map(drop)
    }

    /// The same; what hears of the calls that it holds is closed on exec.
    ///
    /// # Errors
    /// `EBUSY` when a filter around this one has a listener: there can be one
    /// only.
    pub(crate) fn install_with_listener(&self, calls: Calls) -> Result<Listener, Errno> {
        let listening = libc::SECCOMP_FILTER_FLAG_NEW_LISTENER;
        // Whoever was heard of goes on for nothing but its death; since Linux 5.19.
        let killable = libc::SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
        let listener = match self.install_with(calls, listening | killable) {
            Err(Errno::EINVAL) => self.install_with(calls, listening)?,
            other => other?,
        };
        let listener = i32::try_from(listener).map_err(|_| Errno::EBADF)?;
        // SAFETY: with the flag the kernel returns a fresh descriptor, which
        // nobody else owns.
        Ok(Listener(unsafe { OwnedFd::from_raw_fd(listener) }))
    }

    fn install_with(&self, calls: Calls, flags: libc::c_ulong) -> Result<usize, Errno> {
        let length = u16::try_from(self.instructions.len()).map_err(|_| Errno::E2BIG)?;
        let flags = usize::try_from(flags).map_err(|_| Errno::EINVAL)?;
        // The kernel copies and verifies the instructions, and does not write
        // through the pointer.
        let program = libc::sock_fprog {
            len: length,
            filter: self.instructions.as_ptr().cast_mut(),
        };
        calls.install(&program, flags)
    }
}

/// Whether a filter can have a listener here. Tried on a thread, which has the
/// filter to its end.
pub(crate) fn can_listen() -> bool {
    let try_it = || -> Result<(), Errno> {
        nix::sys::prctl::set_no_new_privs()?;
        let code = u16::try_from(libc::BPF_RET | libc::BPF_K).unwrap_or_default();
        let allow = Program {
            instructions: vec![libc::sock_filter {
                code,
                jt: 0,
                jf: 0,
                k: libc::SECCOMP_RET_ALLOW,
            }],
        };
        allow.install_with_listener(Calls::new(0)).map(drop)
    };
    std::thread::spawn(try_it)
        .join()
        .is_ok_and(|tried| tried.is_ok())
}

/// Hears of the calls that a filter holds. Readable (`POLLIN`) while there is one.
/// When it is closed they fail with `ENOSYS`.
#[derive(Debug)]
pub(crate) struct Listener(OwnedFd);

/// A call that a filter holds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HeldCall {
    /// `AUDIT_ARCH_*` of the table that the number is of.
    pub(crate) arch: u32,
    /// As for [`StoppedCall`](super::ptrace::StoppedCall).
    pub(crate) number: u64,
}

impl Listener {
    /// What another process has sent.
    pub(crate) fn new(descriptor: OwnedFd) -> Self {
        Self(descriptor)
    }

    /// The next call; None when who made it was interrupted or has died since. Only
    /// for a listener that is readable: it may wait otherwise. The call stays held.
    pub(crate) fn take(&self) -> io::Result<Option<HeldCall>> {
        // SAFETY: all fields are numbers, for which zero is valid.
        let mut held: libc::seccomp_notif = unsafe { std::mem::zeroed() };
        // SAFETY: the kernel writes to `held`, whose size is part of the
        // request's number, and which outlives the call.
        let result = unsafe {
            libc::ioctl(
                self.0.as_raw_fd(),
                libc::SECCOMP_IOCTL_NOTIF_RECV,
                &raw mut held,
            )
        };
        match check(result.into()) {
            Ok(_) => Ok(Some(HeldCall {
                arch: held.data.arch,
                number: i64::from(held.data.nr).cast_unsigned(),
            })),
            Err(error) if error.raw_os_error() == Some(libc::ENOENT) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

impl AsFd for Listener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
