//! The scheduler: the HTTP API, all SQL, the outbox relay, the report consumer
//! and the reconciler. All its state is in Postgres, so that any number of
//! schedulers may run side by side.
#![forbid(unsafe_code)]

pub mod api;
mod batcher;
pub mod bell;
pub mod blob;
mod blob_collection;
mod broker;
#[cfg(test)]
mod broker_tests;
mod clock;
mod close_call;
mod control;
mod culprit;
mod dead_letters;
mod drift;
mod feeder;
mod filter;
#[cfg(test)]
mod fixture;
pub mod intake;
mod lost_tasks;
mod pauser;
pub mod pressure;
mod reconciler;
mod relay;
mod reports;
mod retention;
mod review;
pub mod serve;
pub mod settings;
pub mod store;
pub mod suspicion;
mod ticket;
mod window;
