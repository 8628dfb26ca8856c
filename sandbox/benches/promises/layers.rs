//! What does each layer cost by itself? The jail has no switches to leave one out,
//! so this does the kernel's part of each to a bare program.

use crate::Bench;
use crate::program::compile;
use std::path::{Path, PathBuf};
use std::process::Command;

const ROUNDS: usize = 500;

pub(crate) fn table(bench: &Bench<'_>) {
    let layers = compile("layers.c", bench.directory);
    let program = compile("trivial.c", bench.directory);
    let output = |args: &[&str]| {
        let output = Command::new(&layers).args(args).output().unwrap();
        let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
        match output.status.success() {
            true => Ok(String::from_utf8(output.stdout).unwrap()),
            false => Err(complaint.lines().next().unwrap_or_default().to_owned()),
        }
    };
    let group = group();
    let rounds = bench.rounds(ROUNDS).to_string();
    println!(
        "{:<30}{:>10}{:>10}{:>12}{:>10}",
        "fork, exec and wait, us", "bare", "with it", "difference", "p90"
    );
    for layer in output(&[]).unwrap().lines() {
        let args = [layer, &rounds, path(&program), path(&group)];
        match output(&args) {
            Ok(text) => {
                let numbers: Vec<f64> = text
                    .split_whitespace()
                    .map(|it| it.parse().unwrap())
                    .collect();
                let [bare, with, p90] = numbers[..] else {
                    panic!("{text}")
                };
                println!(
                    "{layer:<30}{:>10.0}{:>10.0}{:>12.0}{:>10.0}",
                    bare / 1e3,
                    with / 1e3,
                    (with - bare) / 1e3,
                    p90 / 1e3
                );
            }
            Err(why) => println!("{layer:<30}not here: {why}"),
        }
    }
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// One to be made, of the memory controller where that has a hierarchy of its own.
fn group() -> PathBuf {
    let root = Path::new("/sys/fs/cgroup");
    let memory = root.join("memory");
    let root = if memory.exists() { &memory } else { root };
    root.join(format!("assize-bench-{}", std::process::id()))
}
