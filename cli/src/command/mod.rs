//! The subcommands, one per file: each has its arguments and runs them.

pub mod audit;
pub mod completions;
pub mod dead;
pub mod demo;
pub mod doctor;
pub mod flag;
pub mod judge;
pub mod languages;
pub mod pause;
pub mod policy;
pub mod policy_record;
pub mod problem;
pub mod problem_generate;
pub mod problem_verify;
pub mod rejudge;
mod repeat_key;
pub mod replay;
pub mod run;
pub mod stop_rule;
pub mod submission;
pub mod submit;
pub mod up;
pub mod watch;
pub mod worker;
