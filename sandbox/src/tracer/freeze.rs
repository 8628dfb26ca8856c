//! Holding still everything that could change what a call means.
//!
//! Between our look at a path and the kernel's, another thread could change
//! the bytes in memory, and another process of the run a link on the way. So
//! while a call that a path decides about is looked at and made, nothing else
//! of the run is let run: every other task stands in a ptrace stop. Nobody
//! outside has that memory or can write to those files.

use super::{Tracer, alive, nothing_left, resolve};
use crate::protocol::Failure;
use crate::sys::process::{self, Stop, Waited};
use crate::sys::ptrace;
use nix::errno::Errno;
use nix::unistd::Pid;

/// What stands still while a thread's call is decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Others {
    Frozen,
    /// There are none.
    None,
    /// It makes this call no more: another one has ended it, or taken its place.
    EndedThis,
}

impl Tracer<'_> {
    /// Has everything but this thread stop, and returns when it has. What stands
    /// still already must not be let go on either before the call has been made.
    pub(super) fn freeze(&mut self, thread: Pid) -> Result<Others, Failure> {
        self.let_others_run(thread)?;
        self.turns.freeze();
        loop {
            // Once more each time: who executes something goes on under another number.
            for other in self.tasks.running_besides(thread) {
                let interrupted = ptrace::interrupt(other);
                if alive(interrupted, "interrupt a thread")?.is_none() {
                    // There it stands until that is looked at, if it was not killed before.
                    self.tasks.get(other).running = false;
                }
            }
            if self.tasks.running_besides(thread).is_empty() && !self.find_untold()? {
                break;
            }
            // Whoever does not stop ends; each is heard of.
            let waited = process::wait(None)
                .map_err(Failure::step("wait for a thread to stop"))?
                .ok_or_else(nothing_left)?;
            self.put_off(waited)?;
        }
        self.see_off(thread)?;
        // Or it has been replaced by another one of its process, that has executed something.
        let heard_of = self.waiting.iter().any(|waited| waited.pid == thread);
        let others = match self.tasks.get(thread) {
            task if task.ending || heard_of => Others::EndedThis,
            _ if self.tasks.is_one() => Others::None,
            _ => Others::Frozen,
        };
        Ok(others)
    }

    /// Waits for who is on the way out: the kernel clears a word in the memory of a
    /// thread that ends, and marks its futexes.
    fn see_off(&mut self, thread: Pid) -> Result<(), Failure> {
        // Who is put off meanwhile may be another one that ends, or this one, that has executed something.
        while let Some(other) = self.tasks.ending_besides(thread).first().copied() {
            if has_ended(other)? {
                let task = self.tasks.get(other);
                (task.ending, task.running) = (false, false);
                continue;
            }
            let waited =
                process::wait_now(None).map_err(Failure::step("wait for a thread to end"))?;
            match waited {
                Some(waited) => self.put_off(waited)?,
                // It is on our core.
                None => std::thread::yield_now(),
            }
        }
        Ok(())
    }

    /// Has this thread make its call while everything else stands still, and
    /// returns when the kernel does not look at any path any more.
    pub(super) fn make_call(&mut self, thread: Pid, executes: bool) -> Result<(), Failure> {
        // None if it has been killed, or executes nothing.
        let first = executes.then(|| process_of(thread)).transpose()?.flatten();
        let resumed = ptrace::resume_to_return(thread, 0);
        if alive(resumed, "have a call made")?.is_none() {
            return Ok(());
        }
        self.tasks.get(thread).running = true;
        // Whoever executes something waits for the ends of the other threads of its process.
        let of_whom = (!executes).then_some(thread);
        loop {
            let waited = process::wait_now(of_whom).map_err(Failure::step("wait for a call"))?;
            if let Some(waited) = waited {
                if waited.pid == thread || has_executed(&waited, thread)? {
                    return self.take(waited);
                }
                // Of any other process the end can wait, and must: its last words are written
                // to memory in which a path may stand.
                if is_ending(&waited) && process_of(waited.pid)? != first {
                    self.keep(waited);
                } else {
                    self.put_off(waited)?;
                }
                continue;
            }
            // It may have executed something, and goes on under the number of the first thread:
            // until it is heard of, only that can be looked at.
            let at = match (state(thread)?, first) {
                (None, Some(first)) => state(first)?,
                (at, _) => at,
            };
            match at {
                // Whoever is killed makes no call: of a process's first thread that is heard of
                // after the ends of the others, which stand still. Of any other thread it is at
                // once, or it is the first one that is seen there, which an exec removes.
                Some(b'Z' | b'X') if first.is_none_or(|first| first == thread) => return Ok(()),
                // It was killed on the way.
                None => {
                    self.gone(thread);
                    return Ok(());
                }
                // Who executes a script looks for its interpreter as well.
                Some(b'S') if !executes && self.has_its_file(thread) => return Ok(()),
                // It is on our core.
                Some(_) => std::thread::yield_now(),
            }
        }
    }

    /// Whether who sleeps in a call that opens something waits for another one of the run, and
    /// not for the way to it: for the other end of a named pipe, or for the holder of a lease.
    /// It has the file, and will not look for it again.
    fn has_its_file(&self, thread: Pid) -> bool {
        match &*place(thread) {
            b"wait_for_partner" | b"fifo_open" | b"__break_lease" => true,
            // Or it runs again.
            b"" | b"0" => !self.tells_places,
            _ => false,
        }
    }

    /// Notes whether this kernel tells what somebody sleeps in, of one who stands in a stop.
    pub(super) fn note_whether_places_are_told(&mut self, stopped: Pid) {
        self.tells_places = !matches!(&*place(stopped), b"" | b"0");
    }

    /// Keeps for later what has happened, except what others may be waiting for.
    pub(super) fn put_off(&mut self, waited: Waited) -> Result<(), Failure> {
        if is_ending(&waited) {
            // A thread that executes something waits for the ends of the others.
            self.waiting.retain(|earlier| earlier.pid != waited.pid);
            return self.take(waited);
        }
        match waited.stop().map(|stop| stop.event) {
            None => self.tasks.get(waited.pid).ending = true,
            Some(libc::PTRACE_EVENT_EXEC) => self.renumber(waited.pid)?,
            Some(_) => self.note_birth(&waited)?,
        }
        self.keep(waited);
        Ok(())
    }

    /// Keeps for later what has happened to who stands still now.
    fn keep(&mut self, waited: Waited) {
        self.waiting.retain(|earlier| earlier.pid != waited.pid);
        self.tasks.get(waited.pid).running = false;
        self.waiting.push_back(waited);
    }
}

/// Whether it has stopped at its end, with its memory.
fn is_ending(waited: &Waited) -> bool {
    let ending = |stop: Stop| stop.event == libc::PTRACE_EVENT_EXIT;
    waited.stop().is_some_and(ending)
}

/// The number of the first thread of its process; None when it has been killed.
fn process_of(thread: Pid) -> Result<Option<Pid>, Failure> {
    match resolve::group(thread.as_raw()) {
        Ok(first) => Ok(Some(Pid::from_raw(first))),
        Err(Errno::ESRCH) => Ok(None),
        Err(errno) => Err(Failure::step("look at a process")(errno)),
    }
}

/// Whether this is of who had that number before. It may be of another one, which has been
/// loading what it executes since its own turn.
fn has_executed(waited: &Waited, thread: Pid) -> Result<bool, Failure> {
    let executed = |stop: Stop| stop.event == libc::PTRACE_EVENT_EXEC;
    if !waited.stop().is_some_and(executed) {
        return Ok(false);
    }
    let former = ptrace::event_message(waited.pid, libc::PTRACE_EVENT_EXEC);
    Ok(alive(former, "look at an exec")? == Some(thread))
}

/// The function of the kernel that a thread sleeps in, or `0`.
fn place(thread: Pid) -> Vec<u8> {
    std::fs::read(format!("/proc/{thread}/wchan")).unwrap_or_default()
}

/// Has no memory any more. The first thread of a process can have ended long before it
/// is heard of.
pub(super) fn has_ended(thread: Pid) -> Result<bool, Failure> {
    Ok(matches!(state(thread)?, None | Some(b'Z' | b'X')))
}

/// The letter of `proc_pid_stat(5)`; None when there is no such thread any more.
pub(super) fn state(thread: Pid) -> Result<Option<u8>, Failure> {
    let stat = match resolve::told(thread.as_raw(), "stat") {
        Ok(stat) => stat,
        Err(Errno::ESRCH) => return Ok(None),
        Err(errno) => return Err(Failure::step("look at a thread's state")(errno)),
    };
    // The name before it is in brackets and may hold anything.
    let end = stat.iter().rposition(|byte| *byte == b')');
    Ok(end.and_then(|end| stat.get(end + 2).copied()))
}
