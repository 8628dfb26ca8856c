//! The whole system, by real processes.

mod full_disk;
mod refusals;
mod starts;
