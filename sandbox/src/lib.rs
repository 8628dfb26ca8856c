//! Runs one program under limits and reports facts.
//!
//! A [`Jail`] is a reusable sandbox: `Jail::start` starts the binary
//! `assize-jail`, which sets namespaces and mounts up once; each [`Jail::run`]
//! takes a [`Spec`] and returns [`Facts`]. Theory of operation and threat
//! model: `docs/sandbox.md`.
//!
//! This crate knows no verdict, no language and no queue.

mod affinity;
mod audit;
mod cancel;
mod cgroup;
mod config;
mod error;
mod facts;
mod init;
mod jail;
mod limits;
mod nameless;
mod pipe;
mod policy;
mod preflight;
mod protocol;
mod relay;
mod rootless;
mod spec;
mod stage;
mod supervisor;
mod sys;
mod tracer;
mod units;
mod zygote;

pub use affinity::stay_on_core;
pub use assize_policy::{LayerOf, PolicyLayer, PolicyLayerError, PolicyName};
pub use audit::{Audit, AuditEntry, AuditFileError, AuditLevel, AuditLog, CallSummary, Decision};
pub use cancel::Canceller;
pub use config::{JailConfig, Tree};
pub use error::JailError;
pub use facts::{Activity, Collected, Facts, KillCause, Left, Outcome, Stalls};
pub use jail::Jail;
pub use limits::Limits;
pub use nameless::nameless;
pub use pipe::has_no_writer;
pub use policy::{CallRule, Difference, EffectivePolicy, Explanation, TracerRule, shipped_rules};
pub use preflight::{Finding, Grade, PinError, examine_cores, preflight};
pub use relay::{Ends, Relay, RelayStop, Relayed, Remark, Speaker, Transcript};
pub use rootless::become_root_of_namespace;
#[doc(hidden)]
pub use supervisor::serve;

pub use spec::{FileIn, FileOut, Input, Mode, Mount, Scratch, Sink, Spec};
