//! `assize judge`: a package's submissions judged on this machine.

mod report;
mod selection;
mod session;
mod table;

pub use report::Report;
pub use selection::{Selected, select};
pub use session::Session;
pub use table::Table;
