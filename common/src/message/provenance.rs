//! Where a judgement comes from: what was judged, by what, on what.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{ContentHash, Stop};

/// What the worker knows of an attempt's origin. Together with the package, the
/// sources and the sandbox, which the scheduler knows, it is all that a verdict
/// depends on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Provenance {
    /// The id of the language table's entry that it was judged by; `none` of outputs.
    pub language: String,
    /// The hash of that entry; none of outputs.
    pub language_entry: Option<ContentHash>,
    /// What the compiler or interpreter says of its version; none where nothing is compiled.
    pub compiler_version: Option<String>,
    /// The hash of the compiler's or interpreter's program.
    pub compiler: Option<ContentHash>,
    /// The hash of the names and contents of what was compiled, files that the
    /// package adds included.
    pub sources: ContentHash,
    /// The hash of all that determines what comes of compiling, its limits included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recipe: Option<ContentHash>,
    /// The hash of the program that came of it, if one did.
    pub executable: Option<ContentHash>,
    /// The hash of the rules about system calls: the shipped ones, and under ptrace
    /// those of language, problem and flags over them. None of outputs.
    pub policy: Option<ContentHash>,
    /// What a run was allowed; none of outputs, which are not run.
    pub limits: Option<RunLimits>,
    /// When judging ended; of a release before if `None`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop: Option<Stop>,
    /// The worker's host.
    pub host: Host,
}

/// What a run was allowed, as the language stretches it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RunLimits {
    /// CPU time.
    pub cpu_time_ms: u64,
    /// Memory.
    pub memory_bytes: u64,
    /// Standard output and standard error together.
    pub output_bytes: u64,
    /// Processes and threads at once.
    pub processes: u32,
}

/// A host and how it runs programs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Host {
    /// The version of the worker's program.
    pub worker_version: String,
    /// The kernel's release.
    pub kernel: String,
    /// What the processor calls itself.
    pub cpu: String,
    /// Whether programs have the same addresses in each run.
    pub fixed_layout: bool,
    /// How long a program may do nothing, if that is limited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idle_limit_ms: Option<u64>,
}
