//! What killed workers may leave on the host.

use std::collections::BTreeSet;
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
        alive.chain(ours).collect()
    }
}

/// When a process started, in ticks; none if it is gone, or only its parent has not noticed.
fn start_of(process: u32) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let (_, after_name) = stat.rsplit_once(") ")?;
    let fields: Vec<&str> = after_name.split(' ').collect();
    (fields.first() != Some(&"Z")).then(|| fields.get(19).map(ToString::to_string))?
}
