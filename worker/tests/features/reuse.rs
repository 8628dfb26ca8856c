//! Whatever is changed of a package: taking results over from an earlier judgement, and
//! validating its outputs again, gives what judging from scratch does.

use std::collections::HashSet;

use assize_common::id::JudgementId;
use assize_common::message::{Changed, RunReport};
use assize_common::package::Package;
use assize_common::{SandboxMode, Stop, Verdict};
use assize_worker::cancel::Cancel;
use assize_worker::judge::{Judge, Judged, Request, RunSettings};
use assize_worker::look::USUAL;
use assize_worker::outputs::Outputs;
use assize_worker::reuse::Earlier;
use assize_worker::slot::Slot;
use bytesize::ByteSize;
use proptest::prelude::*;
use tempfile::TempDir;

use crate::court::{TestPackage, new_judge};

/// Accepts what differs from the answer by at most a number that the arguments give.
/// It wants to see the program, as validators may.
const NEARLY: &str = "import os, sys\n\
    if not any(name.endswith('.c') for name in os.listdir()): sys.exit(1)\n\
    far = int(sys.argv[4]) if len(sys.argv) > 4 else 0\n\
    got, want = int(sys.stdin.read()), int(open(sys.argv[2]).read())\n\
    open(sys.argv[3] + 'judgemessage.txt', 'w').write(f'{got} for {want}')\n\
    sys.exit(42 if abs(got - want) <= far else 43)\n";
const EXACTLY: &str = "import sys\n\
    sys.exit(42 if sys.stdin.read() == open(sys.argv[2]).read() else 43)\n";

/// Twice a number, for all numbers, for small ones, or until it crashes.
const PROGRAMS: [&str; 3] = ["right.c", "small.c", "crash.c"];

fn program(name: &str) -> String {
    let body = match name {
        "small.c" => "printf(\"%d\\n\", n < 5 ? 2 * n : 0);",
        "crash.c" => "if (n == 7) return 1; printf(\"%d\\n\", 2 * n);",
        _ => "printf(\"%d\\n\", 2 * n);",
    };
    format!("#include <stdio.h>\nint main(void) {{ int n; scanf(\"%d\", &n); {body} return 0; }}\n")
}

/// The input of the sample.
const SAMPLE: u8 = 2;

#[derive(Debug, Clone)]
struct Test {
    name: u8,
    input: u8,
    answer: u8,
}

#[derive(Debug, Clone)]
struct Problem {
    tests: Vec<Test>,
    seconds: u8,
    validator: Option<&'static str>,
    far: u8,
}

#[derive(Debug, Clone)]
enum Edit {
    Input(usize, u8),
    Answer(usize, u8),
    Add(u8),
    Remove(usize),
    Rename(usize, u8),
    TimeLimit(u8),
    Validator(Option<&'static str>),
    ValidatorArgs(u8),
}

impl Problem {
    fn new() -> Self {
        let tests = [1, 3, 6, 7, 9];
        let tests = (0..).zip(tests).map(|(name, input)| Test {
            name,
            input,
            answer: 2 * input,
        });
        Self {
            tests: tests.collect(),
            seconds: 5,
            validator: None,
            far: 0,
        }
    }

    fn apply(&mut self, edit: &Edit) {
        let count = self.tests.len();
        match *edit {
            Edit::Input(index, input) => self.tests[index % count].input = input,
            Edit::Answer(index, answer) => self.tests[index % count].answer = answer,
            Edit::Add(input) => self.tests.push(Test {
                name: 100 + u8::try_from(count).unwrap(),
                input,
                answer: 2 * input,
            }),
            Edit::Remove(index) if count > 1 => drop(self.tests.remove(index % count)),
            Edit::Remove(_) => {}
            Edit::Rename(index, name) => {
                if self.tests.iter().all(|test| test.name != name) {
                    self.tests[index % count].name = name;
                }
            }
            Edit::TimeLimit(seconds) => self.seconds = seconds,
            Edit::Validator(validator) => self.validator = validator,
            Edit::ValidatorArgs(far) => self.far = far,
        }
    }

    /// The input of a test case.
    fn input(&self, name: &str) -> u8 {
        let mut tests = self.tests.iter();
        let test = tests.find(|test| name == format!("secret/{:03}", test.name));
        test.map_or(SAMPLE, |test| test.input)
    }

    fn write(&self) -> TestPackage {
        let limits = format!("limits:\n  time_limit: {}\n", self.seconds);
        let mut package = TestPackage::new(&limits).with_testcase("sample/1", "2\n", "4\n");
        for Test {
            name,
            input,
            answer,
        } in &self.tests
        {
            let name = format!("secret/{name:03}");
            package = package.with_testcase(&name, &format!("{input}\n"), &format!("{answer}\n"));
        }
        if let Some(validator) = self.validator {
            let args = format!("output_validator_args: [\"{}\"]\n", self.far);
            package = package
                .with("output_validator/check.py", validator)
                .with("data/secret/test_group.yaml", &args);
        }
        for name in PROGRAMS {
            package = package.with(&format!("submissions/mixed/{name}"), &program(name));
        }
        package
    }
}

struct Court {
    judge: Judge,
    slot: Slot,
    _directory: TempDir,
}

impl Court {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let judge = new_judge(&directory).running(RunSettings {
            kept_outputs: ByteSize::mib(1),
            ..RunSettings::default()
        });
        Self {
            slot: judge.slot(0, None),
            judge,
            _directory: directory,
        }
    }

    fn judge(&mut self, package: &TestPackage, name: &str, earlier: &Earlier) -> Judged {
        self.judge_under(SandboxMode::Unshare, package, name, earlier)
    }

    fn judge_under(
        &mut self,
        sandbox: SandboxMode,
        package: &TestPackage,
        name: &str,
        earlier: &Earlier,
    ) -> Judged {
        let package = Package::read(package.path()).unwrap();
        let mut submissions = package.submissions.iter();
        let submission = submissions.find(|submission| submission.program.name.ends_with(name));
        let program = &submission.unwrap().program;
        let request = Request {
            package: &package,
            program,
            language: Some(self.judge.languages().get("c").unwrap()),
            sandbox,
            stop: Stop::FirstFailure,
            look: &USUAL,
            earlier: Some(earlier),
        };
        let cancel = Cancel::default();
        self.judge
            .judge(&mut self.slot, request, &mut |_| (), &cancel)
            .unwrap_or_else(|error| panic!("{name}: {error}"))
    }
}

fn earlier(judged: Judged) -> Earlier {
    // As they are stored.
    let outputs = judged.outputs.encode().unwrap();
    without_outputs(judged).with_outputs(move || Outputs::decode(&outputs).unwrap())
}

fn without_outputs(judged: Judged) -> Earlier {
    let id = JudgementId::generate();
    Earlier::new(id, judged.compile, &judged.provenance, judged.runs)
}

/// A run without what it took and where it was made.
fn result(run: &RunReport) -> RunReport {
    RunReport {
        cpu_time_ms: 0,
        wall_time_ms: 0,
        memory_bytes: 0,
        reused_from: None,
        validated_again: None,
        ..run.clone()
    }
}

fn results(judged: &Judged) -> (Verdict, Vec<RunReport>) {
    (judged.verdict, judged.runs.iter().map(result).collect())
}

fn reused(judged: &Judged) -> usize {
    let runs = judged.runs.iter();
    runs.filter(|run| run.reused_from.is_some()).count()
}

fn is_run(run: &RunReport) -> bool {
    run.reused_from.is_none() && run.validated_again.is_none()
}

/// What has changed for those that were validated again.
fn changes(judged: &Judged) -> Vec<Changed> {
    let runs = judged.runs.iter();
    runs.filter_map(|run| Some(run.validated_again.as_ref()?.changed))
        .collect()
}

fn edits() -> impl Strategy<Value = Vec<Edit>> {
    let validators = prop_oneof![Just(None), Just(Some(NEARLY)), Just(Some(EXACTLY))];
    let edit = prop_oneof![
        3 => (any::<usize>(), 0..10_u8).prop_map(|(index, input)| Edit::Input(index, input)),
        3 => (any::<usize>(), 0..20_u8).prop_map(|(index, answer)| Edit::Answer(index, answer)),
        1 => (0..10_u8).prop_map(Edit::Add),
        1 => any::<usize>().prop_map(Edit::Remove),
        1 => (any::<usize>(), 0..90_u8).prop_map(|(index, name)| Edit::Rename(index, name)),
        1 => (5..7_u8).prop_map(Edit::TimeLimit),
        2 => validators.prop_map(Edit::Validator),
        1 => (0..3_u8).prop_map(Edit::ValidatorArgs),
    ];
    proptest::collection::vec(edit, 1..4)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, max_shrink_iters: 20, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn taking_over_changes_no_result(edits in edits(), custom in any::<bool>()) {
        let mut court = Court::new();
        let mut problem = Problem::new();
        problem.validator = custom.then_some(NEARLY);
        let (before, since) = (problem.write(), problem.clone());
        for edit in &edits {
            problem.apply(edit);
        }
        let after = problem.write();
        for name in PROGRAMS {
            let first = court.judge(&before, name, &Earlier::nothing());
            let known: HashSet<u8> = first.runs.iter().map(|run| since.input(&run.testcase)).collect();
            let earlier = earlier(first);
            let incremental = court.judge(&after, name, &earlier);
            let from_scratch = court.judge(&after, name, &Earlier::nothing());
            prop_assert_eq!(reused(&from_scratch), 0);
            prop_assert_eq!(results(&incremental), results(&from_scratch), "{}", name);
            // The program is run on what it was not run on before, and on nothing else.
            for run in &incremental.runs {
                let is_known = since.seconds == problem.seconds && known.contains(&problem.input(&run.testcase));
                prop_assert_eq!(is_run(run), !is_known, "{} on {}", name, run.testcase);
            }
        }
    }
}

#[test]
fn only_what_has_changed_is_run_again() {
    let mut court = Court::new();
    let mut problem = Problem::new();
    problem.tests[4].answer = 0;
    let first = court.judge(&problem.write(), "right.c", &Earlier::nothing());
    assert_eq!(first.verdict, Verdict::Wa);
    let times: Vec<u64> = first.runs.iter().map(|run| run.wall_time_ms).collect();
    let earlier = earlier(first);

    let same = court.judge(&problem.write(), "right.c", &earlier);
    assert_eq!((same.verdict, reused(&same)), (Verdict::Wa, 6));
    let taken_over: Vec<u64> = same.runs.iter().map(|run| run.wall_time_ms).collect();
    assert_eq!(taken_over, times, "they are the very same");

    problem.apply(&Edit::Answer(4, 18));
    let mended = court.judge(&problem.write(), "right.c", &earlier);
    assert_eq!((mended.verdict, reused(&mended)), (Verdict::Ac, 5));
    assert_eq!(changes(&mended), [Changed::Answer]);
    assert!(mended.compile.cached && mended.outputs.is_empty());
    problem.apply(&Edit::Rename(0, 50));
    let renamed = court.judge(&problem.write(), "right.c", &earlier);
    assert_eq!(reused(&renamed), 5, "a name changes nothing");
    assert!(renamed.runs.iter().any(|run| run.testcase == "secret/050"));

    problem.apply(&Edit::TimeLimit(6));
    let longer = court.judge(&problem.write(), "right.c", &earlier);
    assert_eq!(reused(&longer), 0, "they may get further now");
    let traced = court.judge_under(SandboxMode::Ptrace, &problem.write(), "right.c", &earlier);
    let is_unknown = |run: &RunReport| run.key.is_none() && run.key_parts.is_none();
    assert!(traced.runs.iter().all(is_unknown));
    let other = court.judge(&problem.write(), "small.c", &earlier);
    assert_eq!(reused(&other), 0, "another program");
}

#[test]
fn what_did_not_compile_does_not_compile_again() {
    let mut court = Court::new();
    let package = |source: &str| {
        Problem::new()
            .write()
            .with("submissions/mixed/new.c", source)
    };
    let first = court.judge(&package("int main"), "new.c", &Earlier::nothing());
    assert_eq!((first.verdict, first.compile.cached), (Verdict::Ce, false));
    let earlier = earlier(first);
    let again = court.judge(&package("int main"), "new.c", &earlier);
    assert_eq!((again.verdict, again.compile.cached), (Verdict::Ce, true));
    let other = court.judge(&package(&program("right.c")), "new.c", &earlier);
    assert_eq!(other.verdict, Verdict::Ac);
}

#[test]
fn a_mended_validator_sees_what_the_one_before_has_seen() {
    let mut court = Court::new();
    let mut problem = Problem::new();
    problem.validator = Some(EXACTLY);
    problem.tests[2].answer = 11;
    let first = court.judge(&problem.write(), "right.c", &Earlier::nothing());
    assert_eq!((first.verdict, first.runs.len()), (Verdict::Wa, 4));
    let measured = |judged: &Judged| -> Vec<(u64, u64)> {
        let runs = judged.runs.iter();
        runs.map(|run| (run.wall_time_ms, run.memory_bytes))
            .collect()
    };
    let before = measured(&first);
    let earlier = earlier(first.clone());

    // It goes further now: what was run before is validated again, the rest is run.
    problem.validator = Some(NEARLY);
    problem.far = 1;
    let mended = court.judge(&problem.write(), "right.c", &earlier);
    assert_eq!((mended.verdict, mended.runs.len()), (Verdict::Ac, 6));
    assert_eq!(changes(&mended), [Changed::Validator; 4]);
    assert_eq!(measured(&mended)[..4], before);
    assert_eq!(mended.runs[3].message.as_deref(), Some("12 for 11"));

    // Whoever takes that over knows who has run the program.
    let origin = mended.runs[0].validated_again.unwrap().output_from;
    let id = JudgementId::generate();
    let later = Earlier::new(id, mended.compile, &mended.provenance, mended.runs);
    let outputs = first.outputs.clone();
    let later = later.with_outputs(move || outputs);
    let same = court.judge(&problem.write(), "right.c", &later);
    assert_eq!(reused(&same), 6);
    problem.far = 2;
    let again = court.judge(&problem.write(), "right.c", &later);
    let origins: Vec<_> = again.runs.iter().map(|run| run.validated_again).collect();
    assert!(
        origins[..4]
            .iter()
            .all(|from| from.unwrap().output_from == origin)
    );
    assert!(
        origins[4..].iter().all(Option::is_none),
        "not among those outputs"
    );
}

#[test]
fn what_was_not_kept_is_run_again() {
    let mut court = Court::new();
    let mut problem = Problem::new();
    problem.tests[4].answer = 0;
    let first = court.judge(&problem.write(), "right.c", &Earlier::nothing());
    problem.apply(&Edit::Answer(4, 18));
    let gone = without_outputs(first.clone()).with_outputs(Outputs::default);
    for earlier in [without_outputs(first), gone] {
        let mended = court.judge(&problem.write(), "right.c", &earlier);
        assert_eq!((mended.verdict, reused(&mended)), (Verdict::Ac, 5));
        assert_eq!(changes(&mended), []);
        assert!(!mended.outputs.is_empty(), "it is kept now");
    }
    let traced = court.judge_under(
        SandboxMode::Ptrace,
        &problem.write(),
        "right.c",
        &Earlier::nothing(),
    );
    assert!(traced.outputs.is_empty());
}

/// What a program writes, and how long it takes, need not be the same each time.
#[test]
fn test_cases_that_are_the_same_keep_their_own_outputs() {
    let echo = "import sys\n\
        open(sys.argv[3] + 'judgemessage.txt', 'w').write(sys.stdin.read())\nsys.exit(42)\n";
    let clock = "#include <stdio.h>\n#include <time.h>\nint main(void) { struct timespec now; \
        clock_gettime(CLOCK_MONOTONIC, &now); printf(\"%ld\\n\", now.tv_nsec); return 0; }\n";
    let package = |answer: &str| {
        TestPackage::new("limits:\n  time_limit: 5\n")
            .with("output_validator/echo.py", echo)
            .with("submissions/accepted/clock.c", clock)
            .with_testcase("secret/1", "", answer)
            .with_testcase("secret/2", "", answer)
    };
    let said = |judged: &Judged| -> Vec<_> {
        let runs = judged.runs.iter();
        runs.map(|run| run.message.clone().unwrap()).collect()
    };
    let mut court = Court::new();
    let first = court.judge(&package("1"), "clock.c", &Earlier::nothing());
    let expected = said(&first);
    assert_ne!(expected[0], expected[1]);
    let again = court.judge(&package("2"), "clock.c", &earlier(first));
    assert_eq!(changes(&again), [Changed::Answer; 2]);
    assert_eq!(said(&again), expected);
}
