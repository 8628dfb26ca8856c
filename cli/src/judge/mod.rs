//! `assize judge`: a package's submissions judged on this machine.

mod opened_package;
mod report;
mod selection;
mod session;
mod table;

pub use opened_package::OpenedPackage;
pub use report::Report;
pub use selection::{Selected, select};
pub use session::Session;
pub use table::Table;
