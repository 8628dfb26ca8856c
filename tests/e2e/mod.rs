//! The whole system, by real processes.

mod audits;
mod backup;
mod contest;
mod deaths;
mod full_disk;
mod refusals;
mod rejudging;
mod replay;
mod starts;
mod up;
