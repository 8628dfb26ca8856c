//! One C++ submission on a hundred small tests, against one compilation and the bare
//! program's runs.

use std::fs::File;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::court::{Court, compile};
use crate::median;

const TESTS: u32 = 100;
const ROUNDS: usize = 5;

const SUM: &str = "#include <iostream>\n\
    int main() { long long sum = 0, number; while (std::cin >> number) sum += number; std::cout << sum << '\\n'; }\n";

pub(crate) fn measure() {
    let (mut judged, mut warm, mut compiled, mut ran) = (vec![], vec![], vec![], vec![]);
    for _ in 0..ROUNDS {
        // Each time a new cache: the submission is compiled.
        let mut court = Court::new();
        court.describe("limits: {time_limit: 2}\n");
        for test in 0..TESTS {
            let name = format!("data/secret/{test:03}");
            let numbers: String = (0..100)
                .map(|number| format!("{} ", number * test))
                .collect();
            court.write(&format!("{name}.in"), &numbers);
            court.write(&format!("{name}.ans"), &format!("{}\n", 4950 * test));
        }
        let source = court.write("submissions/accepted/sum.cpp", SUM);
        let package = court.package();
        let mut timed = || {
            let began = Instant::now();
            court.judge(&package);
            began.elapsed()
        };
        judged.push(timed());
        warm.push(timed());

        let program = court.path("bare");
        let began = Instant::now();
        compile(&source, &program);
        compiled.push(began.elapsed());
        let began = Instant::now();
        for test in 0..TESTS {
            let input = court.path(&format!("data/secret/{test:03}.in"));
            let output = File::create(court.path("output")).unwrap();
            let mut bare = Command::new(&program);
            bare.stdin(File::open(input).unwrap()).stdout(output);
            assert!(bare.stderr(Stdio::null()).status().unwrap().success());
        }
        ran.push(began.elapsed());
    }
    let [judged, warm, compiled, ran] = [judged, warm, compiled, ran].map(median);
    let ms = |duration: Duration| duration.as_secs_f64() * 1000.0;
    println!("{TESTS} small tests, ms, medians of {ROUNDS}");
    println!("  judged, compiled in a jail   {:8.1}", ms(judged));
    println!(
        "  bare: compiled {:.1}, run {:.1}  {:8.1}",
        ms(compiled),
        ms(ran),
        ms(compiled + ran)
    );
    println!(
        "  ratio (bar 1.3)              {:8.2}",
        ms(judged) / ms(compiled + ran)
    );
    println!("  judged, compiled before      {:8.1}", ms(warm));
    println!("  of the bare runs             {:8.2}", ms(warm) / ms(ran));
}
