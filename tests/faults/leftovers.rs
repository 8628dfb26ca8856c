//! What killed workers may leave on the host.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::sync::Mutex;

use super::daemon::Daemon;
use super::disk;
use super::installation::Installation;

/// A process, by its id and when it started: ids are used again.
type Process = (u32, String);

/// The descendants of daemons that were killed.
#[derive(Debug, Default)]
pub(super) struct Leftovers(Mutex<BTreeSet<Process>>);

impl Installation {
    /// Remembers what must go with a daemon that is about to be killed.
    pub(super) fn note_descendants(&self, daemon: &Daemon) {
        let ours = daemon.descendants().into_iter();
        let started = ours.filter_map(|process| Some((process, start_of(process)?)));
        self.leftovers.0.lock().unwrap().extend(started);
    }

    /// Processes of killed daemons that still live, and mounts below our directory.
    pub(super) fn leftovers(&self) -> Vec<String> {
        let noted = self.leftovers.0.lock().unwrap();
        let alive = noted
            .iter()
            .filter(|(process, started)| start_of(*process).as_ref() == Some(started))
            .map(|(process, _)| {
                let name = fs::read_to_string(format!("/proc/{process}/comm"));
                format!("process {process} {}", name.unwrap_or_default().trim())
            });
        let place = self.place().display().to_string();
        let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap();
        let ours = mounts
            .lines()
            .filter(|line| line.contains(&place) && !line.contains(disk::NAME))
            .map(|line| format!("mount {line}"));
        alive.chain(ours).chain(orphans()).collect()
    }
}

/// Processes in jails' groups that no jail is left for: those that were started
/// between a look at a daemon and its end, for one.
fn orphans() -> Vec<String> {
    let groups = walkdir::WalkDir::new("/sys/fs/cgroup")
        .into_iter()
        .flatten();
    let of_jails = groups.filter(|entry| {
        let is_jails = |part: &OsStr| part == "assize";
        entry.file_name() == "cgroup.procs" && entry.path().iter().any(is_jails)
    });
    let processes = of_jails.flat_map(|entry| {
        let list = fs::read_to_string(entry.path()).unwrap_or_default();
        let of_group = list.lines().filter_map(|process| process.parse().ok());
        of_group.collect::<Vec<u32>>()
    });
    let orphans = processes.filter(|process| {
        fields_of(*process).is_some_and(|fields| fields.get(1).is_some_and(|parent| parent == "1"))
    });
    let orphans: BTreeSet<u32> = orphans.collect();
    let words = orphans
        .iter()
        .map(|process| format!("process {process} in a jail's group"));
    words.collect()
}

/// When a process started, in ticks; none if it is gone, or only its parent has not noticed.
fn start_of(process: u32) -> Option<String> {
    fields_of(process)?.get(19).cloned()
}

/// What the kernel says of a process, its state first; none if it is gone.
fn fields_of(process: u32) -> Option<Vec<String>> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let (_, after_name) = stat.rsplit_once(") ")?;
    let fields: Vec<String> = after_name.split(' ').map(str::to_owned).collect();
    (fields.first()? != "Z").then_some(fields)
}
