//! The jail against real kernels: ordinary programs and hostile ones.
//! Needs root, as the sandbox does.
#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests fail by panicking, like the tests themselves"
)]

mod activity;
mod cancel;
mod collect;
mod descriptors;
mod executing;
mod forbidden;
mod harness;
mod host;
mod inheritance;
mod isolation;
mod layout;
mod leaks;
mod leftovers;
mod memory;
mod mounts;
mod moves;
mod outcomes;
mod output;
mod paths;
mod policy;
mod processes;
mod races;
mod runtimes;
mod scratch;
mod scripts;
mod specification;
mod stages;
mod time;
mod tracer;
mod wall;
