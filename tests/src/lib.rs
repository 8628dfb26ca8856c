//! What the tests of the whole share. The tests themselves are modules of
//! `all.rs`, one binary, so that they are linked once.
#![forbid(unsafe_code)]
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that can't go on fails"
)]

pub mod double;
pub mod invariants;
pub mod program;
pub mod scheduler;
pub mod services;
pub mod system;
pub mod tree;
