//! What do settings of the host cost that `assize doctor` names, as far as that
//! can be tried without changing the host?

use crate::program::compile;
use crate::sample::Sample;
use crate::spec::run;
use crate::{Bench, spec_of};
use assize_sandbox::{Input, Mode};
use std::fmt::Write as _;
use std::fs::File;
use std::time::Duration;

const ROUNDS: usize = 100;
/// Pauses between runs.
const RESTS: [Duration; 3] = [
    Duration::ZERO,
    Duration::from_millis(10),
    Duration::from_millis(100),
];

pub(crate) fn table(bench: &Bench<'_>) {
    let mut jail = bench.jail();
    println!(
        "{:<46}{:>10}{:>10}{:>12}",
        "CPU time, us", "median", "p90/p10", "deviation"
    );
    let row = |name: &str, sample: &Sample| {
        println!(
            "{name:<46}{:>10.0}{:>10.3}{:>10.2} %",
            sample.median(),
            sample.quantile(90) / sample.quantile(10),
            100.0 * sample.deviation() / sample.mean(),
        );
    };
    let sorts = compile("numbers.cpp", bench.directory);
    let input = bench.directory.join("numbers.txt");
    std::fs::write(&input, numbers()).unwrap();
    let (mut random, mut fixed) = (Sample::default(), Sample::default());
    for _ in 0..bench.rounds(ROUNDS) {
        for (sample, fixed_layout) in [(&mut random, false), (&mut fixed, true)] {
            let mut spec = spec_of(&sorts, &[]);
            spec.stdin = Input::Fd(File::open(&input).unwrap().into());
            spec.fixed_layout = fixed_layout;
            sample.add(run(&mut jail, spec).cpu_time);
        }
    }
    row("sorts numbers, layout as it comes", &random);
    row("sorts numbers, layout fixed", &fixed);

    let touches = compile("touch.c", bench.directory);
    let (mut small, mut huge) = (Sample::default(), Sample::default());
    for _ in 0..bench.rounds(ROUNDS) {
        for (sample, pages) in [(&mut small, "small"), (&mut huge, "huge")] {
            sample.add(run(&mut jail, spec_of(&touches, &[pages, "256"])).cpu_time);
        }
    }
    row("touches 256 MiB in small pages", &small);
    row("touches 256 MiB in huge pages", &huge);

    println!(
        "\n{:<46}{:>10}{:>10}{:>10}",
        "us on the clock, trivial run after a pause", "median", "p90", "most"
    );
    let trivial = compile("trivial.c", bench.directory);
    for mode in [Mode::Unshare, Mode::Ptrace] {
        for rest in RESTS {
            let mut sample = Sample::default();
            for _ in 0..bench.rounds(ROUNDS) {
                std::thread::sleep(rest);
                let mut spec = spec_of(&trivial, &[]);
                spec.mode = mode;
                sample.time(|| drop(run(&mut jail, spec)));
            }
            println!(
                "{:<46}{:>10.0}{:>10.0}{:>10.0}",
                format!("{mode:?}, {} ms", rest.as_millis()),
                sample.median(),
                sample.quantile(90),
                sample.quantile(100),
            );
        }
    }
}

/// As `numbers.cpp` reads them.
fn numbers() -> String {
    let mut value: u32 = 1;
    let mut text = "200000".to_owned();
    for _ in 0..200_000 {
        value = value.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        write!(text, "\n{}", value >> 2).unwrap();
    }
    text
}
