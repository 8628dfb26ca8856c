//! Whoever reads the results may go away: `assize … | head -1`.

use std::io;
use std::process::Stdio;

use crate::Assize;

#[test]
fn results_that_nobody_reads_end_the_command_quietly() {
    let assize = Assize::new();
    for args in [&["completions", "bash"][..], &["doctor", "--json"]] {
        let (reader, writer) = io::pipe().unwrap();
        drop(reader);
        let mut command = assize.command();
        command.args(args).stdout(writer).stderr(Stdio::piped());
        let output = command.output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{args:?}");
        assert_eq!(output.status.code(), Some(141), "{args:?}");
    }
}
