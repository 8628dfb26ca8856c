//! Holding still everything that could change what a call means.
//!
//! Between our look at a path and the kernel's, another thread could change
//! the bytes in memory, and another process of the run a link on the way. So
//! while a call that a path decides about is looked at and made, nothing else
//! of the run is let run: every other task stands in a ptrace stop. Nobody
//! outside has that memory or can write to those files.

use super::{Tracer, alive, nothing_left};
use crate::protocol::Failure;
use crate::sys::process::{self, Waited};
use crate::sys::ptrace;
use nix::unistd::Pid;

impl Tracer<'_> {
    /// Has everything but this thread stop, and returns when it has. Returns
    /// whether there is anything else: also what stands still already must not
    /// be let go on before the call has been made.
    pub(super) fn freeze(&mut self, thread: Pid) -> Result<bool, Failure> {
        let mut others = self.tasks.running_besides(thread);
        while !others.is_empty() {
            for other in &others {
                alive(ptrace::interrupt(*other), "interrupt a thread")?;
            }
            // Whoever does not stop ends; each is heard of.
            while others.iter().any(|other| self.tasks.get(*other).running) {
                let waited = process::wait(None)
                    .map_err(Failure::step("wait for a thread to stop"))?
                    .ok_or_else(nothing_left)?;
                self.put_off(waited);
                others.retain(|other| *other != waited.pid);
            }
            others = self.tasks.running_besides(thread);
        }
        Ok(!self.tasks.is_one())
    }

    /// Has this thread make its call while everything else stands still, and
    /// returns when the kernel does not look at any path any more.
    pub(super) fn make_call(&mut self, thread: Pid) -> Result<(), Failure> {
        let resumed = ptrace::resume_to_return(thread, 0);
        if alive(resumed, "have a call made")?.is_none() {
            return Ok(());
        }
        self.tasks.get(thread).running = true;
        loop {
            let waited =
                process::wait_now(Some(thread)).map_err(Failure::step("wait for a call"))?;
            if let Some(waited) = waited {
                return self.take(waited);
            }
            // Opening a named pipe waits for its other end, which stands still.
            // Asleep it has the file and will not look for it again.
            if is_asleep(thread) {
                return Ok(());
            }
            // It is on our core.
            std::thread::yield_now();
        }
    }

    pub(super) fn put_off(&mut self, waited: Waited) {
        self.tasks.get(waited.pid).running = false;
        self.waiting.push_back(waited);
    }
}

fn is_asleep(thread: Pid) -> bool {
    let stat = std::fs::read(format!("/proc/{thread}/stat")).unwrap_or_default();
    // The name before it is in brackets and may hold anything.
    let end = stat.iter().rposition(|byte| *byte == b')');
    end.is_some_and(|end| stat.get(end + 2) == Some(&b'S'))
}
