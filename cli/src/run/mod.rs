//! `assize run`: one program in the jail, facts out.

mod facts;
mod program;
mod runner;
mod streams;
mod summary;

pub use facts::Measured;
pub use program::Program;
pub use runner::{Order, Runner};
pub use streams::{Source, Streams, Target};
pub use summary::Summary;
