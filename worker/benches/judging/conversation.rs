//! The round trip of a conversation, against the same two programs on bare pipes.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::court::{Court, compile};
use crate::median;

const ROUNDS: usize = 7;
const TRIPS: u32 = 20_000;

/// Asks, and wants what it asked.
const VALIDATOR: &str = "#include <stdio.h>\n\
    int main(int n, char **args) {\n\
    int trips, got;\n\
    FILE *input = fopen(args[1], \"r\");\n\
    if (!input || fscanf(input, \"%d\", &trips) != 1) return 1;\n\
    for (int i = 0; i < trips; i++) {\n\
    printf(\"%d\\n\", i); fflush(stdout);\n\
    if (scanf(\"%d\", &got) != 1 || got != i) return 43;\n\
    }\n\
    return 42; }\n";
const SUBMISSION: &str = "#include <stdio.h>\n\
    int main(void) { int n; while (scanf(\"%d\", &n) == 1) { printf(\"%d\\n\", n); fflush(stdout); } }\n";

pub(crate) fn measure(title: &str) {
    let mut court = Court::new();
    court.describe("type: interactive\nlimits: {time_limit: 20}\n");
    let input = court.write("data/secret/1.in", &format!("{TRIPS}\n"));
    court.write("data/secret/1.ans", "");
    let validator = court.write("output_validator/ask.c", VALIDATOR);
    let submission = court.write("submissions/accepted/say.c", SUBMISSION);
    let package = court.package();
    // Compiled by the first judgement, and no part of the runs' times.
    let judged = (0..ROUNDS).map(|_| {
        let judged = court.judge(&package);
        Duration::from_millis(judged.runs[0].wall_time_ms)
    });
    let judged = median(judged.collect());

    let (asking, saying) = (court.path("asks"), court.path("says"));
    compile(&validator, &asking);
    compile(&submission, &saying);
    let bare = (0..ROUNDS).map(|_| {
        let began = Instant::now();
        let mut says = Command::new("taskset")
            .args(["--cpu-list", "0"])
            .arg(&saying)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut asks = Command::new("taskset");
        asks.args(["--cpu-list", "0"]).arg(&asking).arg(&input);
        asks.stdin(says.stdout.take().unwrap());
        asks.stdout(says.stdin.take().unwrap());
        let status = asks.status().unwrap();
        drop(asks);
        assert_eq!(status.code(), Some(42));
        says.wait().unwrap();
        began.elapsed()
    });
    let bare = median(bare.collect());
    let trip = |time: Duration| time.as_secs_f64() * 1e6 / f64::from(TRIPS);
    println!("{title}, us a round trip, medians of {ROUNDS}");
    println!("  judged                       {:8.1}", trip(judged));
    println!("  bare pipes                   {:8.1}", trip(bare));
    println!(
        "  above (bar 15)               {:8.1}",
        trip(judged) - trip(bare)
    );
}
