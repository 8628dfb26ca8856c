//! What two or more crates of Assize must agree on, and nothing else: ids,
//! verdicts, the problem package, queue messages, HTTP API types and the AMQP
//! seam. No SQL and no system calls of its own.
#![forbid(unsafe_code)]

pub mod amqp;
pub mod api;
mod base64_content;
pub mod content_hash;
pub mod daemon;
pub mod id;
pub mod lane;
pub mod language;
pub mod message;
pub mod package;
pub mod sandbox_choice;
pub mod score;
pub mod scrutiny;
pub mod secret;
pub mod stop;
pub mod telemetry;
pub mod verdict;

pub use content_hash::ContentHash;
pub use lane::Lane;
pub use sandbox_choice::{SandboxChoice, SandboxMode};
pub use score::{Award, GroupScore, Score};
pub use scrutiny::Scrutiny;
pub use stop::Stop;
pub use verdict::Verdict;
