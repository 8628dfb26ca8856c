//! What an attack could have changed on the host, looked for in a way that
//! what others do there at the same time is not taken for.

use assize_sandbox::Jail;
use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// Jails have two user ids each from here, as docs/operations.md says.
const FIRST_USER: u32 = 60_600;

/// Stages at the same time, of which one may be on its way out; the others wait
/// for their next run.
pub(super) const STAGES_MAX: usize = 5;
/// Control groups at the same time. All but two rest until they can be used again.
const GROUPS_MAX: usize = 18;

pub(super) struct KnownJail {
    pub(super) jail: Jail,
    pub(super) supervisor: u32,
}

/// A jail and the process that is its supervisor: the only new child, so all tests here start
/// theirs by this.
pub(super) fn start_alone() -> KnownJail {
    static STARTING: Mutex<()> = Mutex::new(());
    let one_at_a_time = STARTING.lock().unwrap();
    let before = jails();
    let jail = Jail::start(&super::config()).unwrap();
    let after = jails();
    drop(one_at_a_time);
    let supervisor = *after.difference(&before).next().unwrap();
    KnownJail { jail, supervisor }
}

/// Children of this process that are supervisors.
fn jails() -> BTreeSet<u32> {
    let is_jail = |pid: &u32| {
        fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|name| name == "assize-jail\n")
    };
    children(std::process::id())
        .into_iter()
        .filter(is_jail)
        .collect()
}

pub(super) fn children(parent: u32) -> Vec<u32> {
    let threads = fs::read_dir(format!("/proc/{parent}/task"));
    let threads = threads.into_iter().flatten().flatten();
    let lists = threads.map(|thread| fs::read_to_string(thread.path().join("children")));
    lists
        .flat_map(|list| {
            let list = list.unwrap_or_default();
            let pids: Vec<u32> = list.split(' ').filter_map(|pid| pid.parse().ok()).collect();
            pids
        })
        .collect()
}

/// The host as it was before any attack.
pub(super) struct Host {
    supervisor: u32,
    zygote: u32,
    /// Root's and the program's.
    users: [u32; 2],
    /// Where the kernel lists the mounts that are looked at, and what it listed.
    mount_list: String,
    mounts: BTreeSet<String>,
    /// The jail's directories of control groups.
    homes: Vec<PathBuf>,
}

impl Host {
    pub(super) fn of(supervisor: u32) -> Self {
        Self::with_mounts_of(supervisor, std::process::id())
    }

    /// The same, with the mounts of another process than this one.
    pub(super) fn with_mounts_of(supervisor: u32, pid: u32) -> Self {
        let zygotes = children(supervisor);
        assert_eq!(zygotes.len(), 1, "children of the supervisor: {zygotes:?}");
        let user = Path::new("/proc")
            .join(zygotes[0].to_string())
            .metadata()
            .unwrap()
            .uid();
        assert!(user >= FIRST_USER, "the zygote is user {user}");
        let homes = homes((user - FIRST_USER) / 2);
        assert!(!homes.is_empty(), "no control groups of user {user}");
        let mount_list = format!("/proc/{pid}/mountinfo");
        Self {
            supervisor,
            zygote: zygotes[0],
            users: [user, user + 1],
            mounts: mounts(&mount_list),
            mount_list,
            homes,
        }
    }

    /// The host's user that programs of the jail are.
    pub(super) fn program(&self) -> u32 {
        self.users[1]
    }

    /// What supervisor and zygote have open but for files of control groups, and
    /// their memory in KiB. How many groups there may be is looked at by itself.
    pub(super) fn holdings(&self) -> (usize, u64) {
        let processes =
            [self.supervisor, self.zygote].map(|pid| PathBuf::from(format!("/proc/{pid}")));
        let is_group = |file: &PathBuf| file.starts_with("/sys/fs/cgroup");
        let open = |process: &PathBuf| {
            let files = fs::read_dir(process.join("fd")).unwrap().flatten();
            let names = files.flat_map(|file| fs::read_link(file.path()));
            names.filter(|name| !is_group(name)).count()
        };
        let resident = |process: &PathBuf| -> u64 {
            let status = fs::read_to_string(process.join("status")).unwrap();
            let line = status
                .lines()
                .find_map(|line| line.strip_prefix("RssAnon:"));
            line.unwrap()
                .trim()
                .trim_end_matches(" kB")
                .parse()
                .unwrap()
        };
        (
            processes.iter().map(open).sum(),
            processes.iter().map(resident).sum(),
        )
    }

    /// What is not as before, in words.
    pub(super) fn traces(&self) -> Vec<String> {
        let mut traces = Vec::new();
        // Stages that wait for another run are no trace of the last one.
        let stages = children(self.zygote);
        let partners: Vec<u32> = stages.iter().flat_map(|stage| children(*stage)).collect();
        let below = partners.iter().flat_map(|partner| children(*partner));
        if children(self.supervisor) != [self.zygote]
            || stages.len() > STAGES_MAX
            || partners.len() > stages.len()
            || below.count() > 0
        {
            traces.push("a process below the supervisor".to_owned());
        }
        traces.extend(self.remains());
        traces
    }

    /// The same, of a jail that may be dead itself.
    pub(super) fn remains(&self) -> Vec<String> {
        let mut traces = Vec::new();
        let now = mounts(&self.mount_list);
        let new = now.difference(&self.mounts);
        traces.extend(new.map(|mount| format!("the mount {mount}")));
        let lost = self.mounts.difference(&now);
        traces.extend(lost.map(|mount| format!("no mount {mount}")));
        for place in [
            "/",
            "/tmp",
            "/var/tmp",
            "/dev",
            "/dev/shm",
            "/dev/mqueue",
            "/run",
        ] {
            for entry in fs::read_dir(place).into_iter().flatten().flatten() {
                if entry
                    .metadata()
                    .is_ok_and(|data| self.users.contains(&data.uid()))
                {
                    traces.push(format!("the file {}", entry.path().display()));
                }
            }
        }
        for kind in ["shm", "sem", "msg"] {
            let list = fs::read_to_string(format!("/proc/sysvipc/{kind}")).unwrap_or_default();
            let users = self.users.map(|user| user.to_string());
            let is_ours = |line: &&str| {
                line.split_whitespace()
                    .any(|word| users.contains(&word.to_owned()))
            };
            traces.extend(
                list.lines()
                    .filter(is_ours)
                    .map(|line| format!("{kind} {line}")),
            );
        }
        self.look_for_processes(&mut traces);
        self.look_at_groups(&mut traces);
        traces
    }

    /// Whoever has the program's user, wherever it hangs in the tree.
    fn look_for_processes(&self, traces: &mut Vec<String>) {
        for entry in fs::read_dir("/proc").unwrap().flatten() {
            let is_number = entry.file_name().to_string_lossy().parse::<u32>().is_ok();
            if is_number
                && entry
                    .metadata()
                    .is_ok_and(|data| data.uid() == self.users[1])
            {
                traces.push(format!("process {}", entry.path().display()));
            }
        }
    }

    /// The jail's control groups hold nobody, and no groups but those of runs.
    fn look_at_groups(&self, traces: &mut Vec<String>) {
        for home in &self.homes {
            let runs = folders(home);
            if runs.len() > GROUPS_MAX {
                traces.push(format!("groups {runs:?}"));
            }
            for run in runs {
                let inside = fs::read_to_string(run.join("cgroup.procs")).unwrap_or_default();
                if !inside.is_empty() || !folders(&run).is_empty() {
                    traces.push(format!("something in {}", run.display()));
                }
            }
        }
    }
}

/// A jail's directories, one in each hierarchy; groups of a dead jail are removed.
fn homes(jail: u32) -> Vec<PathBuf> {
    let root = PathBuf::from("/sys/fs/cgroup");
    let hierarchies = folders(&root).into_iter().chain([root]);
    hierarchies
        .map(|hierarchy| hierarchy.join(format!("assize/jail-{jail}")))
        .filter(|home| home.is_dir())
        .collect()
}

fn folders(path: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(path).into_iter().flatten().flatten();
    entries
        .map(|entry| entry.path())
        .filter(|path| path.is_dir())
        .collect()
}

/// Other tests mount small disks in places of their own.
fn mounts(list: &str) -> BTreeSet<String> {
    let theirs = std::env::temp_dir().display().to_string();
    let text = fs::read_to_string(list).unwrap();
    let lines = text.lines().filter(|line| {
        !line
            .split(' ')
            .nth(4)
            .unwrap_or_default()
            .starts_with(&theirs)
    });
    lines.map(str::to_owned).collect()
}
