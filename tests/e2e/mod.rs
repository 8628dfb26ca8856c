//! The whole system, by real processes.

mod contest;
mod deaths;
mod full_disk;
mod refusals;
mod starts;
mod up;
