//! A client of the scheduler's HTTP API, in the types of
//! [`assize_common::api`].

mod api;
mod audits;
mod error;
mod flags;
mod pauses;
mod rejudgings;
mod server;
mod stop_rules;

pub use api::{Api, SubmissionFilter};
pub use audits::AuditFilter;
pub use error::ClientError;
pub use server::{Server, ServerArguments};
