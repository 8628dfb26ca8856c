//! `assize up`: a whole installation on one machine. Postgres, RabbitMQ, a
//! scheduler and workers run as children, are watched, and end with us.

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
mod stamp;
mod supervisor;

pub use announce::Announce;
pub use installation::Installation;
pub use options::Options;
