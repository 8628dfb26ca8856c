//! The form of system call policies, and of layers over them.
//!
//! Policies are data, in TOML (`docs/tracer.md`). Here is what they can say and
//! what is wrong with one by itself; the sandbox enforces them. This crate
//! makes no system call, so that whoever only takes rules in, such as a
//! scheduler that imports a package, can tell whether they will hold.

#![forbid(unsafe_code)]

mod consistency;
mod error_name;
mod form;
mod layer;
mod names;

pub use error_name::ErrorName;
pub use form::{Access, Action, Budget, Is, PathRule, Policy, PolicyName, Rule, Sequence, When};
pub use layer::{LayerOf, PolicyLayer, PolicyLayerError};
pub use names::check_name;
