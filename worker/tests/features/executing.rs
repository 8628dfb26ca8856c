//! Programs that compile and can't be executed.

use assize_common::Verdict;

use crate::court::{TestPackage, judge};

/// Statically linked, and yet it names an interpreter, which is not there.
const NO_INTERPRETER: &str = "
__attribute__((section(\".interp\"))) const char interpreter[] = \"/nope\";
int main(void) { return 0; }
";

#[test]
fn a_program_that_can_not_be_executed_is_a_runtime_error() {
    let validator = "import sys\nsys.stdin.read()\nsys.exit(42)\n";
    for kind in ["pass-fail", "interactive"] {
        let package = TestPackage::new(&format!("type: {kind}\nlimits:\n  time_limit: 1\n"))
            .with("output_validator/it.py", validator)
            .with_testcase("secret/1", "", "")
            .with("submissions/mixed/it.c", NO_INTERPRETER);
        let judged = judge(&package, "it.c");
        assert_eq!(judged.verdict, Verdict::Rte, "{kind}: {judged:?}");
        let message = judged.runs[0].message.as_deref().unwrap();
        assert!(
            message.starts_with("could not execute /box/program: "),
            "{kind}: {message}"
        );
    }
}
