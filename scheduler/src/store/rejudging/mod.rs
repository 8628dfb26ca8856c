//! Rejudgings: new judgements beside those that count.
//!
//! A rejudging's members are fixed when it is made ([`create`]). Their judgements
//! are made bit by bit, as workers get through them ([`feed`]), so that a large
//! rejudging can be paused and cancelled and does not crowd the outbox. Applying
//! and undoing ([`switch`]) exchange the judgements that count in one transaction:
//! readers see all of it or nothing. A claim for each open member keeps others
//! from rejudging or switching the same submission meanwhile.

mod cancel;
mod create;
mod feed;
mod read;
mod review;
mod switch;

/// With more members, Postgres must learn of them and of their judgements before it
/// can plan well; by itself it does so too late.
const MANY: i64 = 1000;

pub(super) use cancel::rejudging_is_paused;
pub(crate) use create::NewStoredRejudging;
pub use create::{CreatedRejudging, PackageProblem};
pub(crate) use feed::rejudging_feed;
pub(super) use switch::exchange_lock;
pub use switch::{SwitchRefusal, Switched};
