//! The command line of Assize, as a library, so that tests start services by
//! the very code that users run.
#![forbid(unsafe_code)]

pub mod audit;
pub mod blocking;
pub mod client;
mod columns;
pub mod command;
pub mod demo;
pub mod doctor;
pub mod exit;
pub mod follow;
pub mod host;
pub mod interrupt;
pub mod judge;
pub mod language_table_option;
pub mod local_judge;
pub mod opened_package;
mod output;
mod provenance;
pub mod replay;
pub mod run;
pub mod sandbox_option;
mod transcript;
pub mod up;
pub mod verify;
