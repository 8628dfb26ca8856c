//! Following submissions until they are judged.

mod display;
mod poll;

pub use display::Display;
pub use poll::{Following, Tracked};
