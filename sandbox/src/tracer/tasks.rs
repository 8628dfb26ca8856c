//! The threads that are traced, and what each is at.

use crate::audit::Entry;
use nix::unistd::Pid;
use std::collections::BTreeMap;

/// One traced thread. There is an entry for every thread from its parent's
/// word on that there is one.
#[derive(Debug, Default)]
pub(super) struct Task {
    /// Let go on by us, or just born, and not seen since.
    pub(super) running: bool,
    /// In the kernel, and will stop before it runs code again: it waits for
    /// the child of a vfork.
    pub(super) held: bool,
    /// Runs no code again, but may still write to its memory.
    pub(super) ending: bool,
    /// A call whose result is still to be recorded.
    pub(super) call: Option<Entry>,
}

#[derive(Debug, Default)]
pub(super) struct Tasks {
    /// Looked into several times at each stop, and small: no hashing.
    by_thread: BTreeMap<i32, Task>,
}

impl Tasks {
    pub(super) fn get(&mut self, thread: Pid) -> &mut Task {
        self.by_thread.entry(thread.as_raw()).or_default()
    }

    pub(super) fn know(&self, thread: Pid) -> bool {
        self.by_thread.contains_key(&thread.as_raw())
    }

    /// Takes in who is yet to be heard of, if it has not been.
    pub(super) fn enter_born(&mut self, thread: Pid) {
        self.by_thread.entry(thread.as_raw()).or_insert(Task {
            running: true,
            ..Task::default()
        });
    }

    pub(super) fn remove(&mut self, thread: Pid) -> Option<Task> {
        self.by_thread.remove(&thread.as_raw())
    }

    /// Whether there is one thread only.
    pub(super) fn is_one(&self) -> bool {
        self.by_thread.len() == 1
    }

    /// Threads other than this one that may be running code of the program's.
    pub(super) fn running_besides(&self, thread: Pid) -> Vec<Pid> {
        self.besides(thread, |task| task.running && !task.held && !task.ending)
    }

    /// Threads other than this one that are on their way out.
    pub(super) fn ending_besides(&self, thread: Pid) -> Vec<Pid> {
        self.besides(thread, |task| task.ending)
    }

    fn besides(&self, thread: Pid, which: impl Fn(&Task) -> bool) -> Vec<Pid> {
        self.by_thread
            .iter()
            .filter(|(other, task)| **other != thread.as_raw() && which(task))
            .map(|(other, _)| Pid::from_raw(*other))
            .collect()
    }
}
