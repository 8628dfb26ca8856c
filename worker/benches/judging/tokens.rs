//! The default validator on an output of many tokens, submitted as a file so that
//! nothing is run.

use std::fmt::Write as _;
use std::time::Instant;

use crate::court::Court;
use crate::median;

const ROUNDS: usize = 7;

pub(crate) fn measure() {
    let integers: String = (0..8_000_000_u64).fold(String::new(), |mut text, number| {
        let end = if number % 10 == 9 { '\n' } else { ' ' };
        write!(text, "{}{end}", number * 7919 % 1_000_000_007).unwrap();
        text
    });
    let floats: String = (0..4_000_000_u32).fold(String::new(), |mut text, number| {
        writeln!(text, "{:.9}", f64::from(number).sqrt()).unwrap();
        text
    });
    println!("default validator, MB/s of output, medians of {ROUNDS}");
    validate("integers", &integers, "");
    validate(
        "integers, exact spaces and case",
        &integers,
        "case_sensitive, space_change_sensitive",
    );
    validate(
        "floats with a tolerance",
        &floats,
        "float_tolerance, '1e-6'",
    );
}

fn validate(what: &str, text: &str, args: &str) {
    let mut court = Court::new();
    court.describe("type: submit-answer\nlimits: {code: 1048576}\n");
    court.write("data/secret/1.in", "");
    court.write(
        "data/secret/1.yaml",
        &format!("output_validator_args: [{args}]\n"),
    );
    court.write("data/secret/1.ans", text);
    court.write("submissions/accepted/all/1.out", text);
    let package = court.package();
    let times = (0..ROUNDS).map(|_| {
        let began = Instant::now();
        court.judge(&package);
        began.elapsed()
    });
    let seconds = median(times.collect()).as_secs_f64();
    println!("  {what:<34}{:8.0}", text.len() as f64 / 1e6 / seconds);
}
