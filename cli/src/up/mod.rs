//! `assize up`: a whole installation on one machine. Postgres, RabbitMQ, a
//! scheduler and workers run as children, are watched, and end with us.

use std::path::PathBuf;

mod account;
mod announce;
mod daemon;
pub(crate) mod data_dir;
mod installation;
mod languages;
mod log_file;
mod options;
mod ports;
mod postgres;
mod process;
mod rabbitmq;
mod running;
mod stamp;
mod start;
mod supervisor;

pub use announce::Announce;
pub use installation::Installation;
pub use options::Options;

/// The servers that are started beside our own: where each is installed, or why
/// it can't be used.
pub fn servers() -> [(&'static str, anyhow::Result<PathBuf>); 2] {
    [
        ("postgres", postgres::installed()),
        ("rabbitmq", rabbitmq::installed()),
    ]
}
