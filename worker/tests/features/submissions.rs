//! What submissions are, find, and may do.

use assize_common::language::LanguageTable;
use assize_common::message::Failure;
use assize_common::{SandboxMode, Stop, Verdict};

use crate::court::{TestPackage, judge, judge_by, new_judge_of};

const LIMIT: &str = "limits:\n  time_limit: 2\n";

#[test]
fn answers_without_programs() {
    let package = TestPackage::new(&format!("type: submit-answer\n{LIMIT}"))
        .with_testcase("secret/1", "", "seven\n")
        .with_testcase("secret/2", "", "eight\n")
        .with("submissions/accepted/both/1.out", "seven\n")
        .with("submissions/accepted/both/2.txt", "eight\n")
        .with("submissions/wrong_answer/one/secret/1.out", "seven\n");
    assert_eq!(judge(&package, "both").verdict, Verdict::Ac);
    let judged = judge(&package, "one");
    assert_eq!(judged.verdict, Verdict::Wa);
    let message = judged.runs[1].message.as_deref().unwrap();
    assert!(message.contains("nothing was submitted"), "{message}");
}

/// Whatever the compiler leaves, nothing that was sent is run as what it has made.
#[test]
fn a_source_is_never_taken_for_the_program() {
    let package = TestPackage::new(LIMIT)
        .with_testcase("secret/1", "", "")
        .with(
            "submissions/mixed/both/it.c",
            "int main(void) { return 0; }\n",
        )
        .with("submissions/mixed/both/program", "#!/bin/sh\n");
    let judged = judge(&package, "both");
    assert_eq!(judged.verdict, Verdict::Ce, "{judged:?}");
    let said = &judged.compile.output;
    assert!(said.contains("\"program\" could be taken for"), "{said}");
}

#[test]
fn sources_are_looked_at() {
    let check = "import os, sys\n\
        language, entry, feedback, word = sys.argv[1:]\n\
        source = open(entry).read()\n\
        assert language == 'python3' and os.path.isdir(feedback)\n\
        if word in source:\n\
        \x20   open(feedback + 'judgemessage.txt', 'w').write('found ' + word)\n\
        \x20   sys.exit(43)\n\
        sys.exit(42)\n";
    let package = TestPackage::new(LIMIT)
        .with_testcase("secret/1", "", "3\n")
        .with(
            "data/secret/test_group.yaml",
            "static_validation_score: pass-fail\nstatic_validator_args: [eval]\n",
        )
        .with("static_validator/check.py", check)
        .with("submissions/accepted/plain.py", "print(3)\n")
        .with("submissions/wrong_answer/sly.py", "print(eval('1+2'))\n");
    let judged = judge(&package, "plain.py");
    assert_eq!(
        (judged.verdict, judged.runs.len()),
        (Verdict::Ac, 2),
        "{judged:?}"
    );
    let judged = judge(&package, "sly.py");
    assert_eq!((judged.verdict, judged.runs.len()), (Verdict::Wa, 1));
    assert_eq!(judged.runs[0].message.as_deref(), Some("found eval"));
    assert_eq!(judged.runs[0].testcase, "secret (static validation)");
}

#[test]
fn sources_of_compiled_programs_are_looked_at_too() {
    let check = "import os, sys\n\
        language, entry = sys.argv[1:3]\n\
        sys.exit(42 if entry == 'sum.c' and {'sum.c', 'more.h'} < set(os.listdir()) else 43)\n";
    let package = TestPackage::new(LIMIT)
        .with_testcase("secret/1", "", "7\n")
        .with(
            "data/secret/test_group.yaml",
            "static_validation_score: pass-fail\n",
        )
        .with("static_validator/check.py", check)
        .with("submissions/accepted/s/more.h", "#include <stdio.h>\n")
        .with(
            "submissions/accepted/s/sum.c",
            "#include \"more.h\"\nint main(void) { puts(\"7\"); }\n",
        );
    let judged = judge(&package, "accepted/s");
    assert_eq!(judged.verdict, Verdict::Ac, "{judged:?}");
}

/// Says what is in its working directory.
const LISTS: &str = "import os, sys\n\
    names = sorted(os.path.join(at, name)[2:] for at, _, names in os.walk('.') for name in names)\n\
    open(sys.argv[3] + 'judgemessage.txt', 'w').write(' '.join(names))\n\
    sys.exit(42)\n";

/// The words of a validator that [`LISTS`].
fn listed(package: &TestPackage, submission: &str) -> String {
    let judged = judge(package, submission);
    assert_eq!(judged.verdict, Verdict::Ac, "{judged:?}");
    judged.runs[0].message.clone().unwrap()
}

#[test]
fn validators_have_what_was_submitted_around_them() {
    for kind in ["pass-fail", "interactive", "multi-pass"] {
        let package = TestPackage::new(&format!("type: {kind}\n{LIMIT}"))
            .with_testcase("secret/1", "", "")
            .with("data/secret/1.files/given.txt", "")
            .with("output_validator/check.py", LISTS)
            .with("output_validator/own.txt", "")
            .with("include/c/more.h", "")
            .with(
                "submissions/accepted/s/it.c",
                "int main(void) { return 0; }\n",
            )
            .with("submissions/accepted/s/words.txt", "")
            .with("submissions/accepted/it.py", "");
        assert_eq!(
            listed(&package, "accepted/s"),
            "it.c more.h program words.txt"
        );
        assert_eq!(listed(&package, "it.py"), "it.py");
    }
    let outputs = (0..300).fold(
        TestPackage::new(&format!("type: submit-answer\n{LIMIT}")),
        |package, number| {
            package.with(
                &format!("submissions/accepted/many/secret/{number:03}.out"),
                "",
            )
        },
    );
    let package = outputs
        .with_testcase("secret/001", "", "")
        .with("output_validator/check.py", LISTS);
    let names: Vec<_> = (0..300)
        .map(|number| format!("secret/{number:03}.out"))
        .collect();
    assert_eq!(listed(&package, "many"), names.join(" "));
}

/// What it is called by whoever sends it later is no matter of what was compiled before.
#[test]
fn equal_programs_of_other_names_are_told_apart() {
    let java = LanguageTable::embedded()
        .unwrap()
        .restricted_to(&["java", "python3"])
        .unwrap();
    let directory = tempfile::tempdir().unwrap();
    let judge = new_judge_of(&directory, java);
    let source = "public class Main { public static void main(String[] a) { } }\n";
    let package = TestPackage::new(LIMIT)
        .with_testcase("secret/1", "", "")
        .with("output_validator/check.py", LISTS)
        .with("submissions/accepted/one.java", source)
        .with("submissions/accepted/two.java", source);
    for name in ["one.java", "two.java"] {
        let judged = judge_by(
            &judge,
            SandboxMode::Unshare,
            &package,
            name,
            Stop::FirstFailure,
        )
        .unwrap();
        let said = judged.runs[0].message.as_deref().unwrap();
        assert!(said.contains(name), "{said}");
    }
}

#[test]
fn validators_of_before_have_their_own_files_around_them() {
    let package = TestPackage::bare(
        "problem.yaml",
        "problem_format_version: legacy\nname: Test\nvalidation: custom\n",
    )
    .with(".timelimit", "2")
    .with_testcase("secret/1", "", "")
    .with("output_validators/check/check.py", LISTS)
    .with("output_validators/check/own.txt", "")
    .with("submissions/accepted/it.py", "");
    assert_eq!(listed(&package, "it.py"), "check.py own.txt");
}

#[test]
fn python_3_has_two_endings() {
    let package = TestPackage::new(LIMIT)
        .with_testcase("secret/1", "", "7\n")
        .with("submissions/accepted/seven.py3", "print(7)\n");
    assert_eq!(judge(&package, "seven.py3").verdict, Verdict::Ac);
}

#[test]
fn files_of_test_cases() {
    let read = "print(open('deep/data.txt').read(), end='')\n";
    let package = TestPackage::new(LIMIT)
        .with_testcase("secret/1", "", "seven\n")
        .with("data/secret/1.files/deep/data.txt", "seven\n")
        .with_testcase("secret/2", "", "eight\n")
        .with("data/secret/2.files/deep/data.txt", "eight\n")
        .with("submissions/accepted/read.py", read);
    assert_eq!(judge(&package, "read.py").verdict, Verdict::Ac);
}

#[test]
fn files_of_submissions() {
    let write = "open('x', 'w').write('7\\n')\nprint(open('x').read(), end='')\n";
    let package = |rule: &str| {
        TestPackage::new(&format!("{rule}{LIMIT}"))
            .with_testcase("secret/1", "", "7\n")
            .with("submissions/accepted/write.py", write)
            .with("submissions/accepted/more/main.py", "import lib\nlib.f()\n")
            .with(
                "submissions/accepted/more/lib.py",
                "def f():\n    open('lib.py', 'a').write('#')\n    print(7)\n",
            )
    };
    let allowed = package("allow_file_writing: true\n");
    assert_eq!(judge(&allowed, "write.py").verdict, Verdict::Ac);
    assert_eq!(judge(&allowed, "more").verdict, Verdict::Ac);
    assert_eq!(judge(&package(""), "write.py").verdict, Verdict::Rte);
}

#[test]
fn an_included_driver_runs_first() {
    let package = TestPackage::new(LIMIT)
        .with_testcase("secret/1", "", "7\n")
        .with(
            "include/python3/__main__.py",
            "import solution\nprint(solution.seven())\n",
        )
        .with(
            "submissions/accepted/solution.py",
            "def seven():\n    return 7\n",
        );
    assert_eq!(judge(&package, "solution.py").verdict, Verdict::Ac);
    // It can't be gone around.
    let package = package.with(
        "submissions/submissions.yaml",
        "accepted/solution.py:\n  entrypoint: solution.py\n",
    );
    let judged = judge(&package, "solution.py");
    assert_eq!(judged.verdict, Verdict::Ce);
    assert!(judged.compile.output.contains("brings its own, __main__"));
}

#[test]
fn files_beside_the_sources_are_there_in_every_language() {
    let c = "#include <stdio.h>\nint main(void) { char word[9]; FILE *file = fopen(NAME, \"r\");\n\
             return file && fscanf(file, \"%8s\", word) == 1 ? !puts(word) : 1; }\n";
    let python = "print(open(NAME).read())\n";
    let mut package = TestPackage::new(LIMIT)
        .with_testcase("secret/1", "", "hello\n")
        .with("include/default/words.txt", "hello")
        .with("include/default/own.txt", "for all")
        // Over that for all languages.
        .with("include/c/own.txt", "hello")
        .with("include/python3/own.txt", "hello");
    for (ending, source) in [("c", c), ("py", python)] {
        for name in ["words", "own", "sent"] {
            let directory = format!("submissions/accepted/{name}-{ending}");
            let source = source.replace("NAME", &format!("\"{name}.txt\""));
            package = package.with(&format!("{directory}/main.{ending}"), &source);
            if name == "sent" {
                package = package.with(&format!("{directory}/sent.txt"), "hello");
            }
        }
    }
    for name in [
        "words-c", "own-c", "sent-c", "words-py", "own-py", "sent-py",
    ] {
        let judged = judge(&package, name);
        assert_eq!(judged.verdict, Verdict::Ac, "{name}: {judged:?}");
    }
}

#[test]
fn constants_in_all_programs_of_the_package() {
    let check =
        "import sys\nsys.exit(42 if sys.stdin.read().split() == ['{{n}}', 'seven'] else 43)\n";
    let package = TestPackage::new(&format!(
        "constants:\n  n:\n    value: 7\n    word: seven\n{LIMIT}"
    ))
    .with_testcase("secret/1", "", "")
    .with("output_validator/check.py", check)
    .with("include/python3/known.py", "word = '{{n.word}}'\n")
    .with(
        "submissions/accepted/a.py",
        "import known\nprint({{n}}, known.word)\n",
    );
    assert_eq!(judge(&package, "a.py").verdict, Verdict::Ac);
}

#[test]
fn failures_have_reasons_where_the_language_tells() {
    let package = TestPackage::new("limits:\n  time_limit: 5\n  memory: 64\n")
        .with_testcase("secret/1", "", "")
        .with(
            "submissions/run_time_error/deep.py",
            "def f(n): return f(n + 1)\nf(0)\n",
        )
        .with(
            "submissions/run_time_error/memory.py",
            "raise MemoryError\n",
        )
        .with("submissions/run_time_error/odd.py", "int('x')\n")
        .with(
            "submissions/run_time_error/quiet.py",
            "import sys\nsys.exit(1)\n",
        );
    let reason = |name: &str| judge(&package, name).runs[0].failure;
    assert_eq!(reason("deep.py"), Some(Failure::StackOverflow));
    assert_eq!(reason("memory.py"), Some(Failure::OutOfMemory));
    assert_eq!(reason("odd.py"), Some(Failure::UncaughtException));
    assert_eq!(reason("quiet.py"), None);
}

/// Unwinding the stack takes several times its size, and not the same each time.
#[test]
fn a_stack_overflow_in_java_is_no_matter_of_memory() {
    let source = "public class Main {\n\
        static int deep(int n) { return deep(n + 1) + 1; }\n\
        public static void main(String[] args) { System.out.println(deep(0)); }\n}\n";
    let package = TestPackage::new("limits:\n  time_limit: 10\n  memory: 64\n")
        .with_testcase("secret/1", "", "")
        .with("submissions/run_time_error/Main.java", source);
    let directory = tempfile::tempdir().unwrap();
    let java = LanguageTable::embedded().unwrap().restricted_to(&["java"]);
    let court = new_judge_of(&directory, java.unwrap());
    let (mode, stop) = (SandboxMode::Unshare, Stop::FirstFailure);
    for _ in 0..6 {
        let judged = judge_by(&court, mode, &package, "Main.java", stop).unwrap();
        let run = &judged.runs[0];
        let told = (run.verdict, run.failure);
        assert_eq!(
            told,
            (Verdict::Rte, Some(Failure::StackOverflow)),
            "{run:?}"
        );
    }
}

#[test]
fn the_first_difference_is_reported_in_parts() {
    let package = TestPackage::new("limits:\n  time_limit: 5\n")
        .with_testcase("secret/1", "", "1\n2 3\n")
        .with("submissions/wrong_answer/it.py", "print('1\\n2 4')\n");
    let run = &judge(&package, "it.py").runs[0];
    let difference = run.difference.as_ref().unwrap();
    assert_eq!((difference.line, difference.offset_bytes), (2, 4));
    assert_eq!(difference.expected.as_deref(), Some("\"3\""));
    assert_eq!(difference.got.as_deref(), Some("\"4\""));
}

#[test]
fn all_of_several_validators_must_accept() {
    let validator = |wrong: &str| {
        format!(
            "import sys\nopen(sys.argv[3] + 'judgemessage.txt', 'w').write('not {wrong}')\n\
             sys.exit(43 if sys.stdin.read().split() == ['{wrong}'] else 42)\n"
        )
    };
    let package = TestPackage::bare("problem.yaml", "name: Test\nvalidation: custom\n")
        .with(".timelimit", "5\n")
        .with_testcase("secret/1", "", "")
        .with("output_validators/first.py", &validator("1"))
        .with("output_validators/second.py", &validator("2"))
        .with("submissions/wrong_answer/one.py", "print(1)\n")
        .with("submissions/wrong_answer/two.py", "print(2)\n")
        .with("submissions/accepted/three.py", "print(3)\n");
    for (name, verdict, message) in [
        ("one.py", Verdict::Wa, "not 1"),
        ("two.py", Verdict::Wa, "not 2"),
        ("three.py", Verdict::Ac, "not 2"),
    ] {
        let judged = judge(&package, name);
        assert_eq!(judged.verdict, verdict, "{name}");
        assert_eq!(judged.runs[0].message.as_deref(), Some(message), "{name}");
    }
}

/// A test case's name may tell what is in it, and where files are is nobody's business.
#[test]
fn inputs_have_no_names() {
    let program = "import os, sys\n\
        names = [os.readlink('/proc/self/fd/%d' % fd) for fd in range(3)]\n\
        assert sys.stdin.read() == open('/dev/stdin').read() == 'in'\n\
        print(*(name.split(':')[0] for name in names))\n";
    let package = TestPackage::new(LIMIT)
        .with_testcase("secret/1-telling", "in", "/ pipe pipe\n")
        .with("submissions/accepted/names.py", program);
    let judged = judge(&package, "names.py");
    assert_eq!(judged.verdict, Verdict::Ac, "{:?}", judged.runs);
}
