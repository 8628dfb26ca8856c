//! How long it takes to judge submissions again after one answer file of their
//! package was mended, or all of them: from scratch, and with what is taken over and
//! outputs that are validated again.
//!
//! The programs are in the worker's cache both times, as those of a contest under
//! way are. Needs the right to start jails, and a C compiler.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a bench reports on standard output, and ends when anything is wrong"
)]

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use assize_common::id::JudgementId;
use assize_common::language::LanguageTable;
use assize_common::package::Package;
use assize_common::{SandboxMode, Stop, Verdict};
use assize_worker::cancel::Cancel;
use assize_worker::disk_cache::DiskCache;
use assize_worker::judge::{Judge, Judged, Request, RunSettings};
use assize_worker::look::USUAL;
use assize_worker::outputs::Outputs;
use assize_worker::reuse::Earlier;
use assize_worker::slot::Slot;
use assize_worker::toolchain::Toolchains;
use bytesize::ByteSize;
use serde_json::json;

/// As many as a problem of a large contest has.
const TESTCASES: usize = 60;
/// Enough for a mean: each submission is judged by itself.
const SUBMISSIONS: usize = 30;

/// Computes for about ten milliseconds.
fn source(number: usize) -> String {
    format!(
        "#include <stdio.h>\nint main(void) {{ unsigned n, sum = {number}; scanf(\"%u\", &n);\n\
         for (volatile unsigned i = 0; i < 10000000; i++) sum += i & n;\n\
         printf(\"%u\\n\", n); return 0; }}\n"
    )
}

#[derive(Clone, Copy)]
enum Wrong {
    None,
    One,
    All,
}

fn write_package(root: &Path, wrong: Wrong) {
    let head = "problem_format_version: 2025-09\nname: Bench\nuuid: x\nlimits:\n  time_limit: 5\n";
    for directory in ["data/secret", "submissions/mixed"] {
        std::fs::create_dir_all(root.join(directory)).unwrap();
    }
    std::fs::write(root.join("problem.yaml"), head).unwrap();
    for number in 0..SUBMISSIONS {
        let path = root.join(format!("submissions/mixed/{number}.c"));
        std::fs::write(path, source(number)).unwrap();
    }
    for number in 0..TESTCASES {
        let answer = match wrong {
            Wrong::All => 9999,
            Wrong::One if number == TESTCASES / 2 => 9999,
            Wrong::None | Wrong::One => number,
        };
        let path = |ending| root.join(format!("data/secret/{number:03}.{ending}"));
        std::fs::write(path("in"), format!("{number}\n")).unwrap();
        std::fs::write(path("ans"), format!("{answer}\n")).unwrap();
    }
}

struct Court {
    judge: Judge,
    slot: Slot,
}

impl Court {
    fn judge(&mut self, package: &Package, number: usize, earlier: &Earlier) -> Judged {
        let request = Request {
            package,
            program: &package.submissions[number].program,
            language: Some(self.judge.languages().get("c").unwrap()),
            sandbox: SandboxMode::Unshare,
            look: &USUAL,
            stop: Stop::End,
            earlier: Some(earlier),
        };
        let cancel = Cancel::default();
        self.judge
            .judge(&mut self.slot, request, &mut |_| (), &cancel)
            .unwrap()
    }

    /// The time for all submissions, which are right now.
    fn rejudge(&mut self, package: &Package, earlier: &[Earlier]) -> Duration {
        let begin = Instant::now();
        for (number, earlier) in earlier.iter().enumerate() {
            let judged = self.judge(package, number, earlier);
            assert_eq!(judged.verdict, Verdict::Ac);
        }
        begin.elapsed()
    }
}

fn main() {
    let directory = tempfile::tempdir().unwrap();
    let cache = DiskCache::open(&directory.path().join("cache"), ByteSize::gib(1)).unwrap();
    let languages = LanguageTable::embedded().unwrap();
    let languages = languages.restricted_to(&["c"]).unwrap();
    let toolchains = Toolchains::find(languages.iter());
    let scratch = directory.path().to_owned();
    let judge = Judge::new(languages, toolchains, Arc::new(cache), scratch);
    let judge = judge.running(RunSettings {
        kept_outputs: ByteSize::mib(16),
        ..RunSettings::default()
    });
    let slot = judge.slot(0, None);
    let mut court = Court { judge, slot };

    let root = directory.path().join("package");
    for (wrong, mended) in [
        (Wrong::One, "an answer file was"),
        (Wrong::All, "all answer files were"),
    ] {
        write_package(&root, wrong);
        let before = Package::read(&root).unwrap();
        let judged = (0..SUBMISSIONS).map(|number| {
            let judged = court.judge(&before, number, &Earlier::nothing());
            assert_eq!(judged.verdict, Verdict::Wa);
            earlier(judged)
        });
        let earlier: Vec<_> = judged.collect();
        write_package(&root, Wrong::None);
        let after = Package::read(&root).unwrap();
        // The test data is hashed once for all submissions.
        court.judge(&after, 0, &Earlier::nothing());

        let nothing = vec![Earlier::nothing(); SUBMISSIONS];
        let from_scratch = court.rejudge(&after, &nothing);
        let incremental = court.rejudge(&after, &earlier);
        println!(
            "{}",
            json!({
                "bench": format!("rejudging after {mended} mended"),
                "submissions": SUBMISSIONS, "testcases": TESTCASES,
                "from_scratch_seconds": from_scratch.as_secs_f64(),
                "incremental_seconds": incremental.as_secs_f64(),
                "times_faster": from_scratch.as_secs_f64() / incremental.as_secs_f64(),
            })
        );
    }
}

/// With its outputs as a scheduler has them.
fn earlier(judged: Judged) -> Earlier {
    let outputs = judged.outputs.encode().unwrap();
    let id = JudgementId::generate();
    Earlier::new(id, judged.compile, &judged.provenance, judged.runs)
        .with_outputs(move || Outputs::decode(&outputs).unwrap())
}
