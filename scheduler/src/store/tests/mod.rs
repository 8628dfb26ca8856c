//! Storage against a real Postgres, one database per test.

mod begin;
mod clock;
mod constraints;
mod elsewhere;
mod invariants;
mod lanes;
mod migrating;
mod outbox;
mod pauses;
mod problems;
mod provenance;
mod quarantine;
mod rejudging;
mod silence;
mod submissions;
mod transitions;
mod turns;
