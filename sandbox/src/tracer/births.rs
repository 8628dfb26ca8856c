//! Who is new.
//!
//! Who has just been born is on the way to a stop before its own code. On that way the kernel
//! writes its number to memory (`CLONE_CHILD_SETTID`), so it has to be known of before it stops.

use super::{Tracer, alive, freeze};
use crate::protocol::Failure;
use crate::sys::process::Waited;
use crate::sys::ptrace;
use nix::unistd::{Pid, getpid};
use std::io;

impl Tracer<'_> {
    /// Takes in whom a thread has made, if that is what has happened.
    pub(super) fn note_birth(&mut self, waited: &Waited) -> Result<(), Failure> {
        let event = waited.stop().map_or(0, |stop| stop.event);
        if !matches!(
            event,
            libc::PTRACE_EVENT_FORK | libc::PTRACE_EVENT_VFORK | libc::PTRACE_EVENT_CLONE
        ) {
            return Ok(());
        }
        match alive(
            ptrace::event_message(waited.pid, event),
            "look at a new thread",
        )? {
            Some(child) => self.tasks.enter_born(child),
            None => self.births_untold = true,
        }
        Ok(())
    }

    /// Takes in children whose maker was killed before he told of them; whether there are any.
    pub(super) fn find_untold(&mut self) -> Result<bool, Failure> {
        let mut found = false;
        if std::mem::take(&mut self.births_untold) {
            let failed = || Failure::step("look for new threads");
            for process in numbers("/proc").map_err(failed())? {
                for thread in numbers(&format!("/proc/{process}/task")).map_err(failed())? {
                    let thread = Pid::from_raw(thread);
                    if thread != getpid() && !self.tasks.know(thread) && !freeze::has_ended(thread)?
                    {
                        self.tasks.enter_born(thread);
                        found = true;
                    }
                }
            }
        }
        Ok(found)
    }
}

/// What is called by a number in a directory of /proc; nothing where there is none any more.
fn numbers(directory: &str) -> io::Result<Vec<i32>> {
    let listed = std::fs::read_dir(directory).and_then(|entries| {
        let names = entries.map(|entry| Ok(entry?.file_name()));
        names.collect::<io::Result<Vec<_>>>()
    });
    let names = match listed {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        listed => listed?,
    };
    let numbers = names.iter().filter_map(|name| name.to_str()?.parse().ok());
    Ok(numbers.collect())
}
