//! Following submissions until they are judged.

mod display;
mod poll;
mod silence;

pub use display::Display;
pub use poll::{Following, Tracked};
pub use silence::Silence;
