//! What does a jail take to start, and to have?

use crate::program::compile;
use crate::sample::Sample;
use crate::spec::run;
use crate::{Bench, spec_of};
use assize_sandbox::Mode;
use std::collections::BTreeMap;

const STARTS: usize = 50;

pub(crate) fn table(bench: &Bench<'_>) {
    let program = compile("trivial.c", bench.directory);
    let mut starts = Sample::default();
    let mut firsts = Sample::default();
    for _ in 0..bench.rounds(STARTS) {
        let mut jail = None;
        starts.time(|| jail = Some(bench.jail()));
        let mut jail = jail.unwrap();
        firsts.time(|| drop(run(&mut jail, spec_of(&program, &[]))));
    }
    println!("{:<40}{:>10}{:>10}", "ms", "median", "p90");
    for (name, sample) in [
        ("jail start (bar: 10)", &starts),
        ("its first run", &firsts),
    ] {
        let [median, p90] = [50, 90].map(|percent| sample.quantile(percent) / 1e3);
        println!("{name:<40}{median:>10.1}{p90:>10.1}");
    }

    println!(
        "\n{:<40}{:>10}{:>12}",
        "idle jail (bar: 8 MiB)", "PSS, MiB", "processes"
    );
    let before = descendants();
    let mut jail = bench.jail();
    let say = |name: &str| {
        let mine: Vec<_> = descendants()
            .into_iter()
            .filter(|it| !before.contains(it))
            .collect();
        let kib: u64 = mine.iter().map(|process| proportional(*process)).sum();
        println!("{name:<40}{:>10.2}{:>12}", kib as f64 / 1024.0, mine.len());
    };
    say("started");
    for mode in [Mode::Unshare, Mode::Ptrace] {
        let mut spec = spec_of(&program, &[]);
        spec.mode = mode;
        run(&mut jail, spec);
        say(&format!("after a run in mode {mode:?}"));
    }
}

/// Memory in KiB, of which pages that are shared count in part. Processes of one
/// memory each count all of it, so that a sum is rather too large.
fn proportional(process: u32) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{process}/smaps_rollup")).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix("Pss:"));
    let kib = line.and_then(|rest| rest.trim().strip_suffix(" kB"));
    kib.unwrap().parse().unwrap()
}

/// Of this process.
fn descendants() -> Vec<u32> {
    let mut parents = BTreeMap::new();
    for entry in std::fs::read_dir("/proc").unwrap() {
        let name = entry.unwrap().file_name();
        let Some(process) = name.to_str().and_then(|name| name.parse::<u32>().ok()) else {
            continue;
        };
        // Some end while we look.
        let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
        let parent = status.lines().find_map(|line| line.strip_prefix("PPid:"));
        if let Some(parent) = parent.and_then(|parent| parent.trim().parse::<u32>().ok()) {
            parents.insert(process, parent);
        }
    }
    let ours = |process: &u32| {
        std::iter::successors(Some(*process), |process| parents.get(process).copied())
            .skip(1)
            .any(|ancestor| ancestor == std::process::id())
    };
    parents.keys().copied().filter(ours).collect()
}
