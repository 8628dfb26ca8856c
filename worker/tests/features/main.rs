//! What packages can ask for, in packages written for this test, judged in real
//! jails. Needs root, Python and a C compiler.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod court;
mod endings;
mod executing;
mod formats;
mod passes;
mod policies;
mod polygon;
mod preparation;
mod reuse;
mod scores;
mod submissions;
mod verify;
