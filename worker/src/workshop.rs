//! Where a compiler works: a jail with a directory to write in, and what is kept of it.

use std::fs::File;
use std::path::Path;
use std::time::Duration;

use assize_common::language::Language;
use assize_sandbox::{
    AuditLevel, FileIn, FileOut, Input, Limits, Mode, PolicyName, Scratch, Sink, Spec,
};
use bytesize::ByteSize;

use crate::command::{Placeholders, environment, expand, join};
use crate::compile_limits::CompileLimits;
use crate::judging_error::JudgingError;
use crate::sources::Sources;

/// What the compiler printed is kept up to this size.
pub(crate) const OUTPUT_KEPT: u64 = 64 << 10;
/// More than any program needs; it keeps a runaway linker off our disk.
pub(crate) const ARTIFACT_MAX: ByteSize = ByteSize::mib(512);

/// Where a compiler works.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Workshop<'a> {
    pub(crate) language: &'a Language,
    pub(crate) limits: CompileLimits,
    /// Gets what it prints.
    pub(crate) output: &'a File,
    pub(crate) scratch: &'a Path,
}

impl Workshop<'_> {
    /// How the language's commands compile `sources`.
    pub(crate) fn spec_of(self, sources: &Sources) -> Result<Spec, JudgingError> {
        let names = sources.names(self.language);
        let placeholders = Placeholders {
            sources: &names,
            entry: &sources.entry,
            main: sources.main(self.language).unwrap_or_default(),
            memory: self.limits.memory,
        };
        let commands = self.language.compile.iter();
        let commands = commands.map(|command| expand(command, placeholders));
        let files = sources.files.iter().map(|file| {
            let content = File::open(&file.path).map_err(JudgingError::disk("open", &file.path))?;
            Ok(FileIn {
                path: Path::new("/box").join(&file.name),
                content: content.into(),
                executable: false,
            })
        });
        let artifacts = self.language.artifacts.iter();
        let artifacts = artifacts.filter(|artifact| *artifact != "{sources}");
        self.spec(
            commands.collect(),
            files.collect::<Result<_, JudgingError>>()?,
            artifacts,
        )
    }

    /// How `commands` run beside `files`, and what of theirs is kept.
    pub(crate) fn spec<'a>(
        self,
        commands: Vec<Vec<String>>,
        files: Vec<FileIn>,
        artifacts: impl IntoIterator<Item = &'a String>,
    ) -> Result<Spec, JudgingError> {
        let limits = self.limits;
        let capture = || -> Result<Sink, JudgingError> {
            let to = self
                .output
                .try_clone()
                .map_err(JudgingError::disk("share a file in", self.scratch))?;
            Ok(Sink::Capture {
                to: to.into(),
                keep: ByteSize(OUTPUT_KEPT),
            })
        };
        Ok(Spec {
            args: join(commands),
            executable: None,
            env: environment(self.language),
            directory: "/box".into(),
            stdin: Input::Null,
            stdout: capture()?,
            stderr: capture()?,
            mounts: Vec::new(),
            scratch: ["/box", "/tmp"]
                .map(|target| Scratch {
                    target: target.into(),
                    size: limits.memory,
                    // What a compiler writes for its own use is no output.
                    counted: false,
                })
                .into(),
            files,
            collect: artifacts
                .into_iter()
                .map(|artifact| FileOut {
                    path: Path::new("/box").join(artifact),
                    max_size: ARTIFACT_MAX,
                })
                .collect(),
            limits: Limits {
                cpu_time: limits.time,
                wall_time: limits.time * 2 + Duration::from_secs(1),
                idle_time: None,
                memory: limits.memory,
                output: ByteSize::mib(16),
                stack: ByteSize::mib(256),
                processes: 256,
                open_files: 1024,
                file_size: ARTIFACT_MAX,
            },
            mode: Mode::Unshare,
            policy: PolicyName::Compiler,
            layers: Vec::new(),
            audit: AuditLevel::Summary,
            observe: false,
            fixed_layout: false,
        })
    }
}
