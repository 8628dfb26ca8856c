//! Judges submissions. As a daemon: takes a task, fetches what it names,
//! compiles, runs, validates and reports. As a library: judges a package
//! locally, by the very same code.
//!
//! A worker holds no database credential: a host that runs hostile code gets its
//! work by RabbitMQ and its files by hash over HTTP.
#![forbid(unsafe_code)]

mod answer_files;
pub mod audited_calls;
pub mod audits;
mod canary;
pub mod cancel;
mod command;
mod compile;
mod compile_limits;
pub mod daemon;
pub mod disk_cache;
mod executable;
mod failure;
mod generate;
pub mod grading;
pub mod judge;
pub mod judging_error;
mod jury_program;
pub mod look;
mod output_validator;
pub mod outputs;
mod preparation;
mod provenance;
mod rejections;
mod report;
pub mod reuse;
mod run_key;
pub mod runs;
mod selftest;
pub mod slot;
mod sources;
mod static_test;
mod testcase_run;
pub mod toolchain;
mod transcripts;
mod validation;
pub mod verdict;
pub mod verify;
mod workshop;

/// The sandbox, for those who may not depend on it themselves.
pub use assize_sandbox as sandbox;
