//! Multi-pass problems, interactive ones too.

use assize_common::Stop;
use assize_common::Verdict;

use crate::court::{TestPackage, chain, judge, try_judge};

/// Wants the input plus one, in as many passes as the answer file says, and counts
/// them in the feedback directory.
const COUNTING: &str = "import os, sys\n\
    start = int(open(sys.argv[1]).read())\n\
    wanted = int(open(sys.argv[2]).read())\n\
    count = sys.argv[3] + 'deep/count'\n\
    os.makedirs(sys.argv[3] + 'deep', exist_ok=True)\n\
    passes = int(open(count).read()) + 1 if os.path.exists(count) else 1\n\
    open(count, 'w').write(str(passes))\n\
    assert not os.path.exists(sys.argv[3] + 'nextpass.in')\n\
    open(sys.argv[3] + 'judgemessage.txt', 'a').write(f'pass {passes} from {start}\\n')\n\
    got = sys.stdin.readline().split()\n\
    if got != [str(start + 1)]: sys.exit(43)\n\
    if passes < wanted: open(sys.argv[3] + 'nextpass.in', 'w').write(str(start + 1))\n\
    sys.exit(42)\n";

fn counting(kind: &str, validator: &str) -> TestPackage {
    let problem = format!("type: {kind}\nlimits:\n  time_limit: 2\n  validation_passes: 3\n");
    TestPackage::new(&problem)
        .with_testcase("secret/1", "5\n", "3\n")
        .with("output_validator/counting.py", validator)
        .with("submissions/accepted/next.py", "print(int(input()) + 1)\n")
        .with(
            "submissions/wrong_answer/to_six.py",
            "print(min(int(input()) + 1, 6))\n",
        )
        .with(
            "submissions/run_time_error/to_six.c",
            "#include <stdio.h>\nint main(void) { int n; scanf(\"%d\", &n); if (n > 5) return 1; printf(\"%d\\n\", n + 1); }\n",
        )
}

#[test]
fn the_feedback_directory_is_kept_between_passes() {
    let package = counting("multi-pass", COUNTING);
    let judged = judge(&package, "next.py");
    assert_eq!(judged.verdict, Verdict::Ac, "{judged:?}");
    assert_eq!(
        judged.runs[0].message.as_deref(),
        Some("pass 1 from 5\npass 2 from 6\npass 3 from 7")
    );
    assert_eq!(judge(&package, "to_six.py").verdict, Verdict::Wa);
    let failed = judge(&package, "to_six.c");
    assert_eq!(failed.verdict, Verdict::Rte);
    let message = failed.runs[0].message.as_deref().unwrap();
    assert!(
        message.ends_with("; the validator said of the pass before: pass 1 from 5"),
        "{message}"
    );
}

#[test]
fn too_many_passes_are_the_validators_fault() {
    let package = counting("multi-pass", COUNTING).with("data/secret/1.ans", "4\n");
    let error = chain(&try_judge(&package, "next.py", Stop::End).unwrap_err());
    assert!(error.contains("output_validator/counting.py"), "{error}");
    assert!(error.contains("more than 3 passes"), "{error}");
}

#[test]
fn a_rejected_pass_has_no_next() {
    let validator = "import sys\nopen(sys.argv[3] + 'nextpass.in', 'w').write('1')\nsys.exit(43)\n";
    let package = counting("multi-pass", validator);
    let error = chain(&try_judge(&package, "next.py", Stop::End).unwrap_err());
    assert!(error.contains("nextpass.in"), "{error}");
}

#[test]
fn conversations_in_passes() {
    // The submission gets its number from the validator here.
    let talk = COUNTING.replace("got = sys", "print(start, flush=True)\ngot = sys");
    let package = counting("[multi-pass, interactive]", &talk);
    let judged = judge(&package, "next.py");
    assert_eq!(judged.verdict, Verdict::Ac, "{judged:?}");
    assert!(judged.runs[0].transcripts.is_empty());
    let judged = judge(&package, "to_six.py");
    assert_eq!(judged.verdict, Verdict::Wa);
    // Of each pass what was said, also of those before the one that failed.
    let passes = judged.runs[0].transcripts.iter().map(|transcript| {
        let words = transcript.start.iter().map(|it| it.words.as_bytes());
        (transcript.pass, words.collect::<Vec<_>>().concat())
    });
    let passes: Vec<_> = passes.collect();
    assert_eq!(passes, [(1, b"5\n6\n".to_vec()), (2, b"6\n6\n".to_vec())]);
}
