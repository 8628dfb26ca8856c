//! The host after a jail: as before.

use crate::harness::*;
use assize_sandbox::{Jail, JailConfig, Sink};
use nix::sched::{CpuSet, sched_getaffinity};
use nix::unistd::Pid;
use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// What a process and its descendants are on the host, in a way that can't be
/// taken for what somebody else does there at the same time.
#[derive(Debug)]
struct Traces {
    /// Pid and start time.
    processes: BTreeSet<(u32, String)>,
    /// Path and inode of their control groups.
    groups: BTreeSet<(PathBuf, u64)>,
}

impl Traces {
    fn of(ancestor: u32) -> Self {
        let mut traces = Self {
            processes: BTreeSet::new(),
            groups: BTreeSet::new(),
        };
        let mut waiting = vec![ancestor];
        while let Some(parent) = waiting.pop() {
            for pid in children(parent) {
                // Other tests' processes come and go meanwhile.
                if let Some(start) = start_time(pid) {
                    traces.processes.insert((pid, start));
                    traces.add_groups(pid);
                    waiting.push(pid);
                }
            }
        }
        traces
    }

    fn add_groups(&mut self, pid: u32) {
        let groups = fs::read_to_string(format!("/proc/{pid}/cgroup")).unwrap_or_default();
        for line in groups.lines().filter(|line| line.contains("/assize/")) {
            let path = line.rsplit(':').next().unwrap().trim_start_matches('/');
            let root = Path::new("/sys/fs/cgroup");
            let hierarchies = fs::read_dir(root).unwrap();
            // Version 2 has one, at the root itself.
            let roots = hierarchies.map(|hierarchy| hierarchy.unwrap().path());
            for group in roots.chain([root.to_owned()]).map(|root| root.join(path)) {
                if let Ok(metadata) = group.metadata() {
                    self.groups.insert((group, metadata.ino()));
                }
            }
        }
    }

    /// Their real-time priorities, 0 for none.
    fn priorities(&self) -> BTreeSet<u32> {
        let stats = self.processes.iter().map(|(pid, _)| stat(*pid));
        stats
            .flatten()
            .map(|fields| fields[37].parse().unwrap())
            .collect()
    }

    fn assert_gone(&self) {
        for (pid, start) in &self.processes {
            // A dying process closes its files a moment before it is dead.
            let patience = Instant::now() + Duration::from_secs(10);
            while start_time(*pid).as_ref() == Some(start) {
                assert!(Instant::now() < patience, "process {pid}");
                std::thread::yield_now();
            }
        }
        for (group, inode) in &self.groups {
            let now = group.metadata().map(|metadata| metadata.ino());
            assert!(
                now.is_err() || now.unwrap() != *inode,
                "{}",
                group.display()
            );
        }
    }
}

fn children(parent: u32) -> Vec<u32> {
    let threads = fs::read_dir(format!("/proc/{parent}/task"));
    threads
        .into_iter()
        .flatten()
        .flatten()
        .flat_map(|thread| {
            let list = fs::read_to_string(thread.path().join("children")).unwrap_or_default();
            list.split(' ')
                .filter_map(|pid| pid.parse().ok())
                .collect::<Vec<_>>()
        })
        .collect()
}

fn start_time(pid: u32) -> Option<String> {
    stat(pid)?.get(19).cloned()
}

/// The fields of proc(5) from the third; none of one that has ended.
fn stat(pid: u32) -> Option<Vec<String>> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let fields = stat.rsplit(") ").next()?;
    // A zombie only waits for somebody to ask how it ended.
    if fields.starts_with('Z') {
        return None;
    }
    Some(fields.split(' ').map(str::to_owned).collect())
}

/// Whether we have `CAP_SYS_NICE`: then supervisors have real-time priority.
fn may_be_urgent() -> bool {
    const NICE: u64 = 1 << 23;
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let set = status
        .lines()
        .find_map(|line| line.strip_prefix("CapEff:\t"));
    u64::from_str_radix(set.unwrap(), 16).unwrap() & NICE != 0
}

fn mounts() -> BTreeSet<String> {
    let text = fs::read_to_string("/proc/self/mountinfo").unwrap();
    text.lines().map(str::to_owned).collect()
}

/// A process that owns a jail with a running program, for the test below to
/// kill. The program holds standard output, the jail standard error.
#[test]
#[ignore = "started by another test"]
fn owner_of_a_jail() {
    // All on one core: whoever does not sleep there keeps the others from ending.
    let allowed = sched_getaffinity(Pid::from_raw(0)).unwrap();
    let mut config = JailConfig::new(0).unwrap();
    config.core = (0..CpuSet::count()).find(|core| allowed.is_set(*core).unwrap());
    let mut jail = Jail::start(&config).unwrap();
    let mut spec = command(&["/bin/sh", "-c", "sleep 1000 & echo started; wait"]);
    let stdout = std::io::stdout();
    spec.stdout = Sink::Fd(
        std::os::fd::AsFd::as_fd(&stdout)
            .try_clone_to_owned()
            .unwrap(),
    );
    spec.limits.wall_time = Duration::from_secs(1000);
    jail.run(spec).unwrap();
}

#[test]
fn jail_without_its_worker_leaves_nothing() {
    let before = mounts();
    let mut owner = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "host::owner_of_a_jail",
            "--ignored",
            "--nocapture",
        ])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdout = BufReader::new(owner.stdout.take().unwrap());
    let mut line = String::new();
    while !line.contains("started") {
        line.clear();
        assert_ne!(stdout.read_line(&mut line).unwrap(), 0);
    }
    let traces = Traces::of(owner.id());
    // Supervisor, zygote, init, shell and sleep.
    assert!(traces.processes.len() >= 5, "{traces:?}");
    assert!(!traces.groups.is_empty(), "{traces:?}");
    // The program, and the jail's processes and the supervisor before it.
    let expected: &[u32] = if may_be_urgent() { &[0, 1, 2] } else { &[0] };
    assert_eq!(
        traces.priorities(),
        BTreeSet::from_iter(expected.to_owned())
    );

    owner.kill().unwrap();
    owner.wait().unwrap();
    // Both ends come when the last holder is dead.
    let mut rest = Vec::new();
    stdout.read_to_end(&mut rest).unwrap();
    owner.stderr.take().unwrap().read_to_end(&mut rest).unwrap();
    traces.assert_gone();
    assert_eq!(mounts(), before);
}

#[test]
fn dropped_jail_leaves_nothing() {
    let before = mounts();
    let mut jail = start();
    for args in [
        ["end", "abort"],
        ["memory", "grow"],
        ["processes", "bomb"],
        ["time", "spin"],
    ] {
        let [name, way] = args;
        let mut spec = program(name, &[way]);
        spec.limits.cpu_time = Duration::from_millis(300);
        jail.run(spec).unwrap();
    }
    let own = std::process::id();
    let traces = Traces::of(own);
    drop(jail);
    let left = Traces::of(own);
    // Other tests have jails of their own; this one's are among those gone.
    assert!(traces.processes.difference(&left.processes).count() >= 2);
    assert_eq!(mounts(), before);
}

#[test]
fn many_jails_work_side_by_side() {
    let threads: Vec<_> = (0..4)
        .map(|slot| {
            std::thread::spawn(move || {
                let mut jail = Jail::start(&JailConfig::new(slot).unwrap()).unwrap();
                let script = format!("echo {slot} > /tmp/mine; sleep 0.05; cat /tmp/*; id -u");
                for _ in 0..3 {
                    assert_eq!(shell(&mut jail, &script), format!("{slot}\n1000\n"));
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
}

#[test]
fn missing_binary_is_named() {
    let mut config = JailConfig::new(0).unwrap();
    config.jail_binary = Path::new("/missing/assize-jail").to_owned();
    let error = Jail::start(&config).unwrap_err();
    assert!(
        error.to_string().contains("/missing/assize-jail"),
        "{error}"
    );
}

#[test]
fn missing_tree_is_named() {
    let mut config = JailConfig::new(0).unwrap();
    config.trees.push(assize_sandbox::Tree {
        source: "/missing/tree".into(),
        target: "/opt/tree".into(),
    });
    let error = Jail::start(&config).unwrap_err();
    assert!(error.to_string().contains("/missing/tree"), "{error}");
}
