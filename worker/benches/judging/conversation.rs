//! A conversation, against the same two programs on bare pipes: the round trip of
//! small words, and large pieces.

use std::path::{Path, PathBuf};
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

/// Large pieces: as many MiB from the validator as the input says, then as many back.
const TELLER: &str = "#include <stdio.h>\n#include <unistd.h>\n\
    static char block[1 << 16];\n\
    int main(int n, char **args) {\n\
    long say, hear, got;\n\
    FILE *input = fopen(args[1], \"r\");\n\
    if (!input || fscanf(input, \"%ld %ld\", &say, &hear) != 2) return 1;\n\
    char head[33]; sprintf(head, \"%15ld %15ld\\n\", say, hear); write(1, head, 32);\n\
    for (say <<= 4; say > 0; say--) if (write(1, block, sizeof block) != sizeof block) return 1;\n\
    for (hear <<= 20; hear > 0; hear -= got) if ((got = read(0, block, sizeof block)) <= 0) return 43;\n\
    return 42; }\n";
const LISTENER: &str = "#include <stdio.h>\n#include <unistd.h>\n\
    static char block[1 << 16];\n\
    int main(void) {\n\
    long hear, say, got; char head[33] = {0};\n\
    if (read(0, head, 32) != 32 || sscanf(head, \"%ld %ld\", &hear, &say) != 2) return 1;\n\
    for (hear <<= 20; hear > 0; hear -= got) if ((got = read(0, block, sizeof block)) <= 0) return 2;\n\
    for (say <<= 4; say > 0; say--) if (write(1, block, sizeof block) != sizeof block) return 3;\n\
    return 0; }\n";
const MIB: u32 = 2048;

/// Two programs that talk to each other, judged and bare.
struct Talk {
    court: Court,
    validator: PathBuf,
    submission: PathBuf,
}

impl Talk {
    fn new(validator: &str, submission: &str) -> Self {
        let court = Court::new();
        court.describe("type: interactive\nlimits: {time_limit: 20, output: 4096}\n");
        court.write("data/secret/1.ans", "");
        let validator = court.write("output_validator/ask.c", validator);
        let submission = court.write("submissions/accepted/say.c", submission);
        Self {
            validator,
            submission,
            court,
        }
    }

    /// The median times of a conversation about this input.
    fn times(&mut self, input: &str) -> Times {
        let court = &mut self.court;
        let input = court.write("data/secret/1.in", input);
        let package = court.package();
        // Compiled by the first judgement, and no part of the runs' times.
        let judged = (0..ROUNDS).map(|_| {
            let judged = court.judge(&package);
            Duration::from_millis(judged.runs[0].wall_time_ms)
        });
        let judged = median(judged.collect());
        let (asking, saying) = (court.path("asks"), court.path("says"));
        compile(&self.validator, &asking);
        compile(&self.submission, &saying);
        let bare = |cores: &str| {
            let rounds = (0..ROUNDS).map(|_| bare(&asking, &saying, &input, cores));
            median(rounds.collect())
        };
        Times {
            judged,
            bare: bare("0"),
            bare_anywhere: bare("0-1"),
        }
    }
}

/// The median times of one conversation.
struct Times {
    judged: Duration,
    /// Over bare pipes, on the core that all of a slot is on.
    bare: Duration,
    /// Over bare pipes, wherever the kernel puts both sides.
    bare_anywhere: Duration,
}

/// The time of a conversation over bare pipes.
fn bare(asking: &Path, saying: &Path, input: &Path, cores: &str) -> Duration {
    let began = Instant::now();
    let mut says = Command::new("taskset")
        .args(["--cpu-list", cores])
        .arg(saying)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut asks = Command::new("taskset");
    asks.args(["--cpu-list", cores]).arg(asking).arg(input);
    asks.stdin(says.stdout.take().unwrap());
    asks.stdout(says.stdin.take().unwrap());
    let status = asks.status().unwrap();
    drop(asks);
    assert_eq!(status.code(), Some(42));
    says.wait().unwrap();
    began.elapsed()
}

/// The round trip of small words.
pub(crate) fn measure(title: &str) {
    let Times { judged, bare, .. } = Talk::new(VALIDATOR, SUBMISSION).times(&format!("{TRIPS}\n"));
    let trip = |time: Duration| time.as_secs_f64() * 1e6 / f64::from(TRIPS);
    println!("{title}, us a round trip, medians of {ROUNDS}");
    println!("  judged                       {:8.1}", trip(judged));
    println!("  bare pipes                   {:8.1}", trip(bare));
    println!(
        "  above (bar 15)               {:8.1}",
        trip(judged) - trip(bare)
    );
}

/// Large pieces, one direction after the other.
pub(crate) fn measure_large() {
    println!("large pieces, MiB/s, medians of {ROUNDS}, of bare pipes (bar 0.8)");
    let mut talk = Talk::new(TELLER, LISTENER);
    for (direction, input) in [
        ("to the submission", format!("{MIB} 0\n")),
        ("to the validator", format!("0 {MIB}\n")),
    ] {
        let times = talk.times(&input);
        let speed = |time: Duration| f64::from(MIB) / time.as_secs_f64();
        let judged = speed(times.judged);
        println!("  {direction:20} {judged:8.0}");
        for (place, bare) in [
            ("bare, on its core", speed(times.bare)),
            ("bare, on any core", speed(times.bare_anywhere)),
        ] {
            println!("    {place:18} {bare:8.0} {:8.2}", judged / bare);
        }
    }
}
