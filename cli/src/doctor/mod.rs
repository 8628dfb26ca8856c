//! `assize doctor`: what works on this host.

mod diagnosis;
mod languages;

pub use diagnosis::{Diagnosis, Service};
pub use languages::{LanguageState, try_all};
