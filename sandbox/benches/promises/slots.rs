//! Do two slots do twice the work of one?

use crate::program::compile;
use crate::spec::run;
use crate::{Bench, bare, jail, pin, spec_of};
use std::path::Path;
use std::sync::Barrier;
use std::time::Instant;

const RUNS: usize = 2000;

pub(crate) fn table(bench: &Bench<'_>) {
    let program = compile("trivial.c", bench.directory);
    let runs = bench.rounds(RUNS);
    println!(
        "{:<26}{:>12}{:>12}{:>10}",
        "runs/s of a trivial run", "one slot", "two slots", "times"
    );
    for (name, slot) in [
        ("bare", bare_slot as Slot),
        ("jail (bar: 1.8 times)", jail_slot),
    ] {
        let [one, _] = bench.cores;
        let alone = per_second(&[one], runs, slot, &program);
        let both = per_second(&bench.cores, runs, slot, &program);
        println!("{name:<26}{alone:>12.0}{both:>12.0}{:>10.2}", both / alone);
    }
}

/// Makes what does one run of a program on a core.
type Slot = fn(core: usize, program: &Path) -> Box<dyn FnMut() + Send + '_>;

fn per_second(cores: &[usize], runs: usize, slot: Slot, program: &Path) -> f64 {
    let ready = Barrier::new(cores.len() + 1);
    let slots: Vec<_> = cores.iter().map(|core| slot(*core, program)).collect();
    let began = std::thread::scope(|scope| {
        for (core, mut run) in cores.iter().zip(slots) {
            let ready = &ready;
            scope.spawn(move || {
                pin(*core);
                run();
                ready.wait();
                for _ in 0..runs {
                    run();
                }
            });
        }
        ready.wait();
        Instant::now()
    });
    (runs * cores.len()) as f64 / began.elapsed().as_secs_f64()
}

fn bare_slot(_core: usize, program: &Path) -> Box<dyn FnMut() + Send + '_> {
    Box::new(|| {
        bare::run(program, &[]);
    })
}

fn jail_slot(core: usize, program: &Path) -> Box<dyn FnMut() + Send + '_> {
    let mut jail = jail(core);
    Box::new(move || {
        run(&mut jail, spec_of(program, &[]));
    })
}
