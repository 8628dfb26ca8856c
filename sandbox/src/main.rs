//! `assize-jail`: the supervisor of one jail. Started by the sandbox library,
//! never by hand; see `docs/sandbox.md`.

use std::process::ExitCode;

fn main() -> ExitCode {
    assize_sandbox::serve()
}
