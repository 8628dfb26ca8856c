//! What to run: one program, its descriptors, files and limits.

use crate::audit::AuditLevel;
use crate::limits::Limits;
use crate::units::bytes;
use assize_policy::{PolicyLayer, PolicyName};
use bytesize::ByteSize;
use serde::{Deserialize, Serialize};
use std::os::fd::OwnedFd;
use std::path::PathBuf;

/// One run. Everything from the host travels as a descriptor, so that no path
/// of the host is looked up on behalf of a program.
#[derive(Debug)]
pub struct Spec {
    /// The argument vector. Without `executable`, `args[0]` is also the
    /// absolute path inside the jail of the program to execute.
    pub args: Vec<String>,
    /// Execute this file instead of the path `args[0]`. It must be executable
    /// for everyone, and an ELF file (a `#!` script can't be opened again). Its
    /// name on the host shows in `/proc/self/exe`, unless it is [`crate::nameless()`].
    pub executable: Option<OwnedFd>,
    /// The whole environment; nothing is inherited.
    pub env: Vec<(String, String)>,
    /// Working directory inside the jail.
    pub directory: PathBuf,
    /// Standard input.
    pub stdin: Input,
    /// Standard output.
    pub stdout: Sink,
    /// Standard error.
    pub stderr: Sink,
    /// Host files and directories shown read-only to this run.
    pub mounts: Vec<Mount>,
    /// Fresh writable directories of this run. `/tmp` is always there and need
    /// not be named, unless to choose its size: by itself it is counted, and has room for a
    /// page more than the output limit allows, files copied in included.
    pub scratch: Vec<Scratch>,
    /// Files copied into a scratch before the start.
    pub files: Vec<FileIn>,
    /// Files taken out of a scratch after everything in the run is dead.
    pub collect: Vec<FileOut>,
    /// What the run may use.
    pub limits: Limits,
    /// How system calls are controlled.
    pub mode: Mode,
    /// Which system calls are allowed.
    pub policy: PolicyName,
    /// Rules over the policy's own: those of languages, problems and flags, each
    /// kind in any order; see [`PolicyLayer`].
    pub layers: Vec<PolicyLayer>,
    /// How much the tracer records; nothing does in `Mode::Unshare`.
    pub audit: AuditLevel,
    /// Let through what the tracer would kill for, and record it: only the
    /// namespaces confine the program then. Never for a verdict.
    pub observe: bool,
    /// Lay the program out at the same addresses in each run: its image, stack,
    /// heap and libraries. Times of programs whose speed depends on addresses
    /// then repeat better; a program that is attacked through its input is
    /// easier to attack.
    pub fixed_layout: bool,
}

/// Where standard input comes from.
#[derive(Debug)]
pub enum Input {
    /// `/dev/null`.
    Null,
    /// This descriptor, as it is. Of a file, the name on the host shows in
    /// `/proc/self/fd/0`, unless it is [`crate::nameless()`].
    Fd(OwnedFd),
}

/// Where standard output or standard error goes.
#[derive(Debug)]
pub enum Sink {
    /// `/dev/null`.
    Null,
    /// This descriptor, as it is: the end of a pipe to another jail, say.
    /// What is written there is not counted against `Limits::output`;
    /// [`crate::Relay`] counts it.
    Fd(OwnedFd),
    /// Copied by the supervisor and counted against `Limits::output`.
    Capture {
        /// A file to write to, at its current position.
        to: OwnedFd,
        /// Bytes written to `to` at most; what comes after is counted and
        /// thrown away.
        keep: ByteSize,
    },
}

/// A host file or directory shown read-only, nosuid and nodev to one run.
#[derive(Debug)]
pub struct Mount {
    /// The file or directory, opened with `O_PATH` or `O_RDONLY`. The program
    /// reads it as an unprivileged user, so everyone must be allowed to.
    pub source: OwnedFd,
    /// Absolute path inside the jail; made when it does not exist.
    pub target: PathBuf,
}

/// A fresh tmpfs owned by the program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scratch {
    /// Absolute path inside the jail; made when it does not exist.
    pub target: PathBuf,
    /// Bytes it can hold.
    #[serde(rename = "size_bytes", with = "bytes")]
    pub size: ByteSize,
    /// Whether files that the program writes there count against `Limits::output`. It
    /// is then to have room for more than that, because who finds it full is told by
    /// the kernel alone.
    pub counted: bool,
}

/// A file to be copied into a scratch; the program owns the copy.
#[derive(Debug)]
pub struct FileIn {
    /// Absolute path inside the jail, below a scratch; missing directories
    /// are made.
    pub path: PathBuf,
    /// A readable file; copied whole, from its start.
    pub content: OwnedFd,
    /// Mode 0755 instead of 0644.
    pub executable: bool,
}

/// A file to be taken out of a scratch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileOut {
    /// Absolute path inside the jail, below a scratch. It is opened inside the
    /// jail without following any link; only a regular file is taken.
    pub path: PathBuf,
    /// A larger file is not taken.
    #[serde(rename = "max_size_bytes", with = "bytes")]
    pub max_size: ByteSize,
}

/// How system calls are controlled. Both modes have the same isolation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Namespaces and a static filter: no cost per system call.
    Unshare,
    /// Additionally a tracer that decides and records the calls which the
    /// policy names.
    Ptrace,
}
