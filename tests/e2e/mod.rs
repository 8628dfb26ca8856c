//! The whole system, by real processes.

mod audits;
mod backup;
mod contest;
mod deaths;
mod full_disk;
mod refusals;
mod rejudging;
mod rejudging_races;
mod rejudging_reasons;
mod replay;
mod starts;
mod up;
mod validated_again;
