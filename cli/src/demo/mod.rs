//! `assize demo`: an example contest through the whole system.

mod contest;
mod outcome;

pub use contest::{Contest, Entry};
pub use outcome::{Outcome, Outcomes};
