//! How well does the CPU time repeat that is reported of the same work, while
//! the other slot is busy?

use crate::program::compile;
use crate::sample::Sample;
use crate::spec::run;
use crate::{Bench, bare, jail, pin, spec_of};
use std::sync::atomic::{AtomicBool, Ordering};

const RUNS: usize = 50;
/// About a second.
const WORK: [&str; 2] = ["900000", "0"];
/// What the other slot does, again and again.
const NOISE: [&str; 2] = ["50000", "5000"];

pub(crate) fn table(bench: &Bench<'_>) {
    let program = compile("work.c", bench.directory);
    let mut jail_of_ours = bench.jail();
    let (mut bare, mut jailed) = (Sample::default(), Sample::default());
    let enough = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let [_, other] = bench.cores;
            pin(other);
            let mut jail = jail(other);
            while !enough.load(Ordering::Relaxed) {
                run(&mut jail, spec_of(&program, &NOISE));
            }
        });
        for _ in 0..bench.rounds(RUNS) {
            bare.add(bare::run(&program, &WORK));
            jailed.add(run(&mut jail_of_ours, spec_of(&program, &WORK)).cpu_time);
        }
        enough.store(true, Ordering::Relaxed);
    });
    println!(
        "{:<30}{:>12}{:>12}{:>12}{:>12}{:>10}",
        "CPU time, us, other slot busy", "mean", "deviation", "p10", "p90", "times"
    );
    for (name, sample) in [("bare", &bare), ("jail (bar: 1.2 times)", &jailed)] {
        println!(
            "{name:<30}{:>12.0}{:>12.0}{:>12.0}{:>12.0}{:>10.2}",
            sample.mean(),
            sample.deviation(),
            sample.quantile(10),
            sample.quantile(90),
            sample.deviation() / bare.deviation(),
        );
    }
}
