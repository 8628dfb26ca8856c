//! The whole system, by real processes.

mod refusals;
mod starts;
