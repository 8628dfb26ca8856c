//! The command line of Assize, as a library, so that tests start services by
//! the very code that users run.
#![forbid(unsafe_code)]

pub mod blocking;
pub mod client;
pub mod command;
pub mod doctor;
pub mod exit;
pub mod host;
pub mod interrupt;
pub mod judge;
pub mod local_judge;
pub mod run;
pub mod sandbox_option;
pub mod up;
