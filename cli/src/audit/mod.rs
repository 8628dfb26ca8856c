//! Audits as `assize audit` finds, compares and shows them.

pub mod difference;
pub mod target;
pub mod text;
