//! How programs end.

use crate::harness::*;

#[test]
fn exit_code_and_output() {
    let mut jail = start();
    let (facts, stdout, stderr) = run_captured(
        &mut jail,
        command(&["/bin/sh", "-c", "echo out; echo err >&2; exit 3"]),
    );
    assert_eq!(facts.outcome, exited(3));
    assert_eq!((stdout.as_str(), stderr.as_str()), ("out\n", "err\n"));
    assert_eq!(facts.output.as_u64(), 8);
    assert_usable(&mut jail);
}
