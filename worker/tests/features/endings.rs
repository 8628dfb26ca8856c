//! Interactive problems: who ends first, how, and what the verdict is; and all that
//! a validator can do wrong.

use std::time::Duration;

use assize_common::Stop;
use assize_common::Verdict;
use assize_common::message::{Exit, RunReport};
use assize_worker::judge::RunSettings;

use crate::court::{TestPackage, chain, judge, judge_running, try_judge};

/// A validator that does what the input says, word by word.
const VALIDATOR: &str = "\
import os, sys, time
for word in open(sys.argv[1]).read().split():
    if word == 'hear': sys.stdin.buffer.read()
    elif word == 'deaf': os.close(0)
    elif word == 'mute': os.close(1)
    elif word == 'line': sys.stdin.readline()
    elif word == 'say': print('go', flush=True)
    elif word == 'flood':
        for _ in range(100): os.write(1, b'x' * 100000)
    elif word == 'spin':
        while True: pass
    elif word == 'sleep': time.sleep(60)
    elif word == 'crash': os.kill(os.getpid(), 11)
    elif word == 'eat': block = b'x' * (1 << 29)
    elif word == 'print': os.write(2, b'x' * (64 << 20))
    elif word == 'tell': open(sys.argv[3] + 'judgemessage.txt', 'w').write('seen it')
    elif word == 'score': open(sys.argv[3] + 'score.txt', 'w').write('1')
    elif word == 'pass': open(sys.argv[3] + 'nextpass.in', 'w').write('1')
    elif word.startswith('fill:'):
        try:
            with open(sys.argv[3] + word[5:], 'wb', 0) as full:
                for _ in range(32): full.write(b'x' * 65536)
        except OSError: pass
    else: sys.exit(int(word))
";

/// What submissions begin with.
const SUBMISSION: &str = "\
import os, sys, time
def hear():
    while os.read(0, 65536): pass
def crash(): os.kill(os.getpid(), 11)
def flood():
    while True: os.write(1, b'x' * 100000)
";

fn talk(behaviours: &[&str]) -> TestPackage {
    let limits = "limits:\n  time_limit: 1\n  validation_time: 1\n  validation_memory: 256\n  validation_output: 1\n";
    let package = TestPackage::new(&format!("type: interactive\n{limits}"))
        .with("output_validator/talk.py", VALIDATOR);
    behaviours
        .iter()
        .enumerate()
        .fold(package, |package, (at, behaviour)| {
            package.with_testcase(&format!("secret/{at}"), behaviour, "")
        })
}

/// The verdicts of a submission against validators that do what is listed.
fn verdicts(program: &str, behaviours: &[&str]) -> Vec<&'static str> {
    let package = talk(behaviours).with(
        "submissions/mixed/it.py",
        &format!("{SUBMISSION}{program}\n"),
    );
    let judged = try_judge(&package, "it.py", Stop::End);
    let judged = judged.unwrap_or_else(|error| panic!("{program}: {}", chain(&error)));
    judged.runs.iter().map(|run| run.verdict.id()).collect()
}

/// The validator hears the submission's end before it ends itself.
const LAST: [&str; 3] = ["hear 42", "hear 43", "flood hear 42"];
/// The submission hears the validator's end before it ends itself.
const FIRST: [&str; 3] = ["42", "43", "say 42"];

#[test]
fn the_submission_ends_first() {
    for (program, expected) in [
        ("sys.exit(0)", ["AC", "WA", "AC"]),
        ("sys.exit(3)", ["RTE", "RTE", "RTE"]),
        ("crash()", ["RTE", "RTE", "RTE"]),
        ("os.close(0); sys.exit(0)", ["AC", "WA", "AC"]),
        (
            "os.close(1); time.sleep(0.2); sys.exit(0)",
            ["AC", "WA", "AC"],
        ),
        // The validator ends first, because of this one's end of output.
        (
            "os.close(1); time.sleep(0.2); sys.exit(3)",
            ["RTE", "RTE", "RTE"],
        ),
        ("os.write(1, b'x' * 50000); sys.exit(0)", ["AC", "WA", "AC"]),
        // What the validator says then must not wait for a reader that reads.
        (
            "import fcntl; fcntl.fcntl(0, fcntl.F_SETFL, os.O_NONBLOCK); sys.exit(0)",
            ["AC", "WA", "AC"],
        ),
    ] {
        assert_eq!(verdicts(program, &LAST), expected, "{program}");
    }
}

/// Whatever it would do to the validator, which keeps in memory what it hears.
#[test]
fn a_submission_that_floods_the_validator_is_over_its_output_limit() {
    let once = "os.write(1, b'x' * (7 << 20)); os.write(2, b'x' * (2 << 20))";
    for program in ["flood()", once] {
        assert_eq!(verdicts(program, &LAST[..2]), ["OLE"; 2], "{program}");
    }
    let within = "os.write(1, b'x' * (7 << 20))";
    assert_eq!(verdicts(within, &LAST[..2]), ["AC", "WA"]);
    // The validator's own limits come too late to count.
    let behaviours = ["hear eat 42", "hear spin"];
    assert_eq!(verdicts("while True: pass", &behaviours), ["TLE"; 2]);
}

#[test]
fn the_validator_ends_first() {
    for (program, expected) in [
        ("hear(); sys.exit(0)", ["AC", "WA", "AC"]),
        ("hear(); sys.exit(3)", ["RTE", "WA", "RTE"]),
        ("hear(); crash()", ["RTE", "WA", "RTE"]),
        // Output after the end: nobody is there to take it.
        ("hear(); os.write(1, b'x')", ["RTE", "WA", "RTE"]),
        ("flood()", ["RTE", "WA", "RTE"]),
        ("while True: pass", ["TLE", "WA", "TLE"]),
    ] {
        assert_eq!(verdicts(program, &FIRST), expected, "{program}");
    }
}

/// It finds the end of its input, as over a plain pipe.
#[test]
fn a_validator_may_say_nothing_more_and_live_on() {
    let behaviours = ["say mute hear 42", "mute hear 43", "mute line line 42"];
    for (program, expected) in [
        ("hear(); os.write(1, b'x\\n')", ["AC", "WA", "AC"]),
        ("hear(); sys.exit(3)", ["RTE", "RTE", "RTE"]),
    ] {
        assert_eq!(verdicts(program, &behaviours), expected, "{program}");
    }
}

/// A program that does not handle it dies of the signal.
#[test]
fn a_broken_pipe_is_the_validators_end() {
    let program = "#include <unistd.h>\nint main(void) { for (;;) write(1, \"x\\n\", 2); }\n";
    let behaviours = ["deaf 42", "deaf 43", "42", "43"];
    let package = talk(&behaviours).with("submissions/mixed/it.c", program);
    let judged = try_judge(&package, "it.c", Stop::End).unwrap();
    let verdicts: Vec<_> = judged.runs.iter().map(|run| run.verdict.id()).collect();
    assert_eq!(verdicts, ["RTE", "WA", "RTE", "WA"], "{judged:?}");
    let sigpipe = Exit::Signalled { signal: 13 };
    assert_eq!(
        (judged.runs[0].exit, judged.runs[2].exit),
        (sigpipe, sigpipe)
    );
}

#[test]
fn both_wait_and_the_message_says_who() {
    let package = talk(&["line 42"]).with("submissions/mixed/it.py", "input()\n");
    let judged = judge(&package, "it.py");
    assert_eq!(judged.verdict, Verdict::Tle);
    let message = judged.runs[0].message.as_deref().unwrap();
    assert!(
        message.starts_with("both sides waited for each other: still running after"),
        "{message}"
    );
}

#[test]
fn the_idle_limit_says_who_waited_too() {
    let package = talk(&["line 42"]).with("submissions/mixed/it.py", "input()\n");
    let settings = RunSettings {
        idle_limit: Some(Duration::from_millis(700)),
        ..RunSettings::default()
    };
    let judged = judge_running(settings, &package, "it.py");
    assert_eq!(judged.verdict, Verdict::Tle);
    let message = judged.runs[0].message.as_deref().unwrap();
    assert!(
        message.starts_with("both sides waited for each other: did nothing any more"),
        "{message}"
    );
}

/// What both said in a run.
fn said(run: &RunReport) -> Vec<(&'static str, &[u8])> {
    let transcripts = run.transcripts.iter();
    let remarks = transcripts.flat_map(|transcript| transcript.start.iter().chain(&transcript.end));
    remarks
        .map(|remark| (remark.by.name(), remark.words.as_bytes()))
        .collect()
}

#[test]
fn what_was_said_is_kept_of_runs_that_fail() {
    let program = "sys.stdin.readline(); os.write(1, b'5\\n\\xff'); hear()";
    let package = talk(&["say line 42", "say line 43"]).with(
        "submissions/mixed/it.py",
        &format!("{SUBMISSION}{program}\n"),
    );
    let both = [("validator", &b"go\n"[..]), ("submission", b"5\n\xff")];
    let judged = judge(&package, "it.py");
    assert_eq!(judged.verdict, Verdict::Wa, "{judged:?}");
    assert_eq!(said(&judged.runs[0]), []);
    assert_eq!(said(&judged.runs[1]), both);
    let settings = RunSettings {
        all_transcripts: true,
        ..RunSettings::default()
    };
    let judged = judge_running(settings, &package, "it.py");
    assert_eq!(said(&judged.runs[0]), both);
}

#[test]
fn of_a_flood_the_start_and_the_end_are_kept() {
    let program = "print(len(sys.stdin.buffer.read(1000000)), flush=True)";
    let package = talk(&["flood line 43"]).with(
        "submissions/mixed/it.py",
        &format!("{SUBMISSION}{program}\nhear()\n"),
    );
    let judged = judge(&package, "it.py");
    assert_eq!(judged.verdict, Verdict::Wa, "{judged:?}");
    let [transcript] = &judged.runs[0].transcripts[..] else {
        panic!("{judged:?}");
    };
    let kept: usize = said(&judged.runs[0])
        .iter()
        .map(|(_, said)| said.len())
        .sum();
    let all = 10_000_000 + "1000000\n".len() as u64;
    assert_eq!(transcript.left_out_bytes + kept as u64, all);
    assert!(kept <= 64 << 10);
}

/// The validator computes for longer than the submission's clock allows for both.
#[test]
fn the_validators_time_is_not_the_submissions() {
    let validator = "import sys, time\n\
        while time.process_time() < 3.2: pass\n\
        print('go', flush=True)\n\
        sys.exit(42 if sys.stdin.readline() == 'went\\n' else 43)\n";
    let limits = "limits:\n  time_limit: 1\n  validation_time: 30\n";
    let package = TestPackage::new(&format!("type: interactive\n{limits}"))
        .with("output_validator/slow.py", validator)
        .with_testcase("secret/1", "", "")
        .with("submissions/accepted/it.py", "input()\nprint('went')\n");
    let judged = judge(&package, "it.py");
    assert_eq!(judged.verdict, Verdict::Ac, "{judged:?}");
}

#[test]
fn the_validators_words_are_kept_when_the_verdict_is_not_its_own() {
    let package = talk(&["tell hear 42"]).with("submissions/mixed/it.py", "1 / 0\n");
    let judged = judge(&package, "it.py");
    assert_eq!(judged.verdict, Verdict::Rte);
    let message = judged.runs[0].message.as_deref().unwrap();
    assert!(
        message.ends_with("; the validator said: seen it"),
        "{message}"
    );
}

/// Whatever a validator does but to answer is an error that names it and the test case.
#[test]
fn a_validator_that_misbehaves_is_named() {
    for (behaviour, part) in [
        ("0", "exit code 0, expected 42"),
        ("1", "exit code 1, expected 42"),
        ("44", "exit code 44"),
        ("tell 1", "judgemessage.txt says: seen it"),
        ("crash", "ended by signal 11"),
        // On a busy machine the clock is faster.
        ("spin", "time"),
        ("sleep", "did not end in time"),
        ("eat 42", "256.0 MiB of memory (validation_memory)"),
        ("print 42", "wrote more than 1.0 MiB (validation_output)"),
        (
            "fill:notes 42",
            "wrote more than 1.0 MiB (validation_output)",
        ),
    ] {
        for kind in ["pass-fail", "interactive"] {
            let problem = format!(
                "type: {kind}\nlimits:\n  time_limit: 1\n  validation_time: 1\n  validation_memory: 256\n  validation_output: 1\n"
            );
            let package = TestPackage::new(&problem)
                .with("output_validator/talk.py", VALIDATOR)
                .with_testcase("secret/1", behaviour, "")
                .with("submissions/accepted/it.py", "");
            let error = try_judge(&package, "it.py", Stop::FirstFailure);
            let error = chain(&error.expect_err(behaviour));
            assert!(
                error.contains("output_validator/talk.py on secret/1") && error.contains(part),
                "{behaviour} ({kind}): {error}"
            );
        }
    }
}

#[test]
fn feedback_that_must_not_be_is_an_error_too() {
    let scoring = |behaviour: &str| {
        TestPackage::new("type: scoring\nlimits:\n  time_limit: 1\n")
            .with("data/secret/test_group.yaml", "max_score: 10\n")
            .with("output_validator/talk.py", VALIDATOR)
            .with_testcase("secret/1", behaviour, "")
            .with("submissions/accepted/it.py", "")
    };
    let passes = |behaviour: &str| {
        TestPackage::new("type: multi-pass\nlimits:\n  time_limit: 1\n  validation_output: 1\n")
            .with("output_validator/talk.py", VALIDATOR)
            .with_testcase("secret/1", behaviour, "")
            .with("submissions/accepted/it.py", "")
    };
    for (package, part) in [
        (scoring("score 43"), "score.txt without accepting"),
        (passes("pass 43"), "nextpass.in without accepting"),
        // Nobody is to run on half of it.
        (passes("fill:nextpass.in 42"), "wrote more than 1.0 MiB"),
        (passes("fill:notes pass 42"), "wrote more than 1.0 MiB"),
    ] {
        let error = try_judge(&package, "it.py", Stop::FirstFailure);
        let error = chain(&error.expect_err(part));
        assert!(error.contains(part), "{error}");
    }
}
