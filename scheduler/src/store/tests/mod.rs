//! Storage against a real Postgres, one database per test.

mod constraints;
mod outbox;
mod problems;
mod submissions;
mod transitions;
