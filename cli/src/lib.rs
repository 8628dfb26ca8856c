//! The command line of Assize, as a library, so that tests start services by
//! the very code that users run.
#![forbid(unsafe_code)]

pub mod client;
pub mod command;
pub mod exit;
pub mod interrupt;
pub mod up;
