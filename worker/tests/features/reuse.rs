//! Whatever is changed of a package: taking results over from an earlier judgement
//! gives what judging from scratch does.

use assize_common::id::JudgementId;
use assize_common::message::RunReport;
use assize_common::package::Package;
use assize_common::{SandboxMode, Stop, Verdict};
use assize_worker::cancel::Cancel;
use assize_worker::judge::{Judge, Judged, Request};
use assize_worker::look::USUAL;
use assize_worker::reuse::Earlier;
use assize_worker::slot::Slot;
use proptest::prelude::*;
use tempfile::TempDir;

use crate::court::{TestPackage, new_judge};

/// Accepts what differs from the answer by at most a number that the arguments give.
const NEARLY: &str = "import sys\n\
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
        let judge = new_judge(&directory);
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
        let before = problem.write();
        for edit in &edits {
            problem.apply(edit);
        }
        let after = problem.write();
        for name in PROGRAMS {
            let earlier = earlier(court.judge(&before, name, &Earlier::nothing()));
            let incremental = court.judge(&after, name, &earlier);
            let from_scratch = court.judge(&after, name, &Earlier::nothing());
            prop_assert_eq!(reused(&from_scratch), 0);
            prop_assert_eq!(results(&incremental), results(&from_scratch), "{}", name);
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
    problem.apply(&Edit::Rename(0, 50));
    let renamed = court.judge(&problem.write(), "right.c", &earlier);
    assert_eq!(reused(&renamed), 5, "a name changes nothing");
    assert!(renamed.runs.iter().any(|run| run.testcase == "secret/050"));

    problem.apply(&Edit::TimeLimit(6));
    let longer = court.judge(&problem.write(), "right.c", &earlier);
    assert_eq!(reused(&longer), 0, "they may get further now");
    let traced = court.judge_under(SandboxMode::Ptrace, &problem.write(), "right.c", &earlier);
    assert!(traced.runs.iter().all(|run| run.key.is_none()));
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
