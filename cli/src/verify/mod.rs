//! `assize problem verify`: what came of it, for scripts, terminals and browsers.

mod cells;
mod html;
mod progress;
mod report;
mod table;

pub use html::page;
pub use progress::Progress;
pub use report::Report;
pub use table::Table;
