//! What the tests of the whole share. The tests themselves are modules of
//! `all.rs`, one binary, so that they are linked once.
#![forbid(unsafe_code)]

pub mod tree;
