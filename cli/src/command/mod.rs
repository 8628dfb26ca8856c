//! The subcommands, one per file: each has its arguments and runs them.

pub mod completions;
pub mod doctor;
pub mod judge;
pub mod run;
pub mod up;
