//! Compiling, in a jail, into a cache.
//!
//! Compilers run hostile input, so they are confined like any other program. They
//! always run under `unshare`: both modes isolate the same, and a program in the
//! cache is good for both.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Instant;

use assize_common::ContentHash;
use assize_common::content_hash::ContentHasher;
use assize_common::language::Language;
use assize_common::message::CompileReport;
use assize_common::package;
use assize_sandbox::{Collected, Facts, KillCause, Outcome};
use walkdir::WalkDir;

use crate::cancel::Cancel;
use crate::compile_limits::CompileLimits;
use crate::disk_cache::{CacheError, DiskCache};
use crate::executable::{BOX, Executable};
use crate::judging_error::JudgingError;
use crate::rejections::Rejections;
use crate::slot::{Role, Slot};
use crate::sources::Sources;
use crate::toolchain::{Toolchain, Toolchains, read_start};
use crate::workshop::{ARTIFACT_MAX, OUTPUT_KEPT, Workshop};

const REPORT: &str = "compile.json";
/// The hash of the artifacts, in hexadecimal.
const HASH: &str = "sha256";

/// What a program is made of.
#[derive(Debug)]
pub(crate) struct Recipe {
    pub(crate) sources: Sources,
    pub(crate) toolchain: Toolchain,
    /// The hash of the sources.
    pub(crate) sources_hash: ContentHash,
    /// The hash of all that determines the program.
    pub(crate) hash: ContentHash,
}

impl Recipe {
    /// The hash of all that determines what comes of compiling within limits.
    pub(crate) fn within(&self, limits: CompileLimits) -> ContentHash {
        let mut hash = ContentHasher::default();
        hash.update_framed(self.hash.as_bytes());
        hash.update_framed(format!("{limits:?}"));
        hash.finish()
    }
}

/// What came of compiling.
#[derive(Debug)]
pub(crate) enum Compilation {
    Program(Box<Executable>, CompileReport),
    Rejected(CompileReport),
}

/// Compiles with what is known of this host.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Compiler<'a> {
    pub(crate) cache: &'a DiskCache,
    pub(crate) rejections: &'a Rejections,
    pub(crate) toolchains: &'a Toolchains,
    /// Where temporary files are made.
    pub(crate) scratch: &'a Path,
}

#[derive(Debug, thiserror::Error)]
enum NotCompiled {
    #[error("the compiler rejected the program")]
    Rejected(CompileReport),
    #[error(transparent)]
    Failed(#[from] JudgingError),
}

impl Compiler<'_> {
    /// Finds out what determines the program of these sources.
    pub(crate) fn recipe(
        &self,
        slot: &mut Slot,
        language: &Language,
        sources: Sources,
        cancel: &Cancel,
    ) -> Result<Recipe, JudgingError> {
        let toolchain = self.toolchains.get(slot, language, cancel)?;
        let sources_hash = hash_files(&sources.files)?;
        let mut hash = ContentHasher::default();
        hash.update_framed("assize program 2");
        hash.update_framed(entry_hash(language).as_bytes());
        hash.update_framed(&toolchain.version);
        hash.update_framed(toolchain.program.as_bytes());
        hash.update_framed(&sources.entry);
        hash.update_framed(sources_hash.as_bytes());
        Ok(Recipe {
            sources,
            toolchain,
            sources_hash,
            hash: hash.finish(),
        })
    }

    /// Compiles, or takes the result from the cache, or from whoever was compiling the
    /// same.
    pub(crate) fn compile(
        &self,
        slot: &mut Slot,
        role: Role,
        language: &Language,
        recipe: Recipe,
        limits: CompileLimits,
        cancel: &Cancel,
    ) -> Result<Compilation, JudgingError> {
        let Recipe {
            sources,
            toolchain,
            hash,
            ..
        } = recipe;
        let key = limits.cache_key(hash, role, &sources.as_submitted());
        if sources.names(language).is_empty() {
            let endings = language.extensions.join(", .");
            return Ok(Compilation::Rejected(rejected(format!(
                "no source file: {} has .{endings}",
                language.name
            ))));
        }
        let mut cached = true;
        let asked = Instant::now();
        let given_up = || cancel.is_cancelled();
        let filled = self.cache.get_or_fill_unless(key, given_up, |directory| {
            if let Some(report) = self.rejections.since(asked, key) {
                return Err(NotCompiled::Rejected(report));
            }
            cached = false;
            self.fill(
                slot, role, language, &toolchain, &sources, limits, cancel, directory,
            )
        });
        match filled {
            Ok(None) => Err(JudgingError::Cancelled),
            Ok(Some(entry)) => {
                let report = CompileReport {
                    cached,
                    ..read_report(entry.path())?
                };
                let hash = read_hash(entry.path())?;
                let executable = Executable::new(entry, sources, language, hash)?;
                Ok(Compilation::Program(Box::new(executable), report))
            }
            Err(CacheError::Fill(NotCompiled::Rejected(report))) => {
                if !cached {
                    self.rejections.add(key, report.clone());
                }
                Ok(Compilation::Rejected(report))
            }
            Err(CacheError::Fill(NotCompiled::Failed(error))) => Err(error),
            Err(CacheError::Disk {
                attempt,
                path,
                source,
            }) => Err(JudgingError::Disk {
                attempt,
                path,
                source,
            }),
        }
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "the context of one call, split off for the cache's sake"
    )]
    fn fill(
        &self,
        slot: &mut Slot,
        role: Role,
        language: &Language,
        toolchain: &Toolchain,
        sources: &Sources,
        limits: CompileLimits,
        cancel: &Cancel,
        directory: &Path,
    ) -> Result<(), NotCompiled> {
        let artifacts = directory.join(BOX);
        make_directory(&artifacts)?;
        let mut report = rejected(String::new());
        if let Some(file) = sources
            .files
            .iter()
            .find(|file| is_artifact(language, file))
        {
            report.output = format!(
                "a file called {:?} could be taken for what the compiler makes: rename it",
                file.name
            );
            return Err(NotCompiled::Rejected(report));
        }
        if !language.compile.is_empty() {
            let output = tempfile::tempfile_in(self.scratch)
                .map_err(JudgingError::disk("create a file in", self.scratch))?;
            let workshop = Workshop {
                language,
                limits,
                output: &output,
                scratch: self.scratch,
            };
            let mut spec = workshop.spec_of(sources)?;
            let prepared = self.prepared(slot, language, toolchain, sources, cancel)?;
            if let Some(prepared) = &prepared {
                spec.mounts.push(prepared.mount()?);
            }
            let facts = slot.run(
                role,
                spec,
                &format!("compiling {}", sources.program),
                cancel,
            )?;
            let printed = read_start(output, OUTPUT_KEPT)
                .map_err(JudgingError::disk("read a file in", self.scratch))?;
            report = describe(&facts, printed);
            if let Some(problem) = complaint(&facts, limits) {
                report.output = join_lines(&problem, &report.output);
                return Err(NotCompiled::Rejected(report));
            }
            keep(facts.collected, &artifacts)?;
        }
        let runs_sources = language.artifacts.iter().any(|it| it == "{sources}");
        let is_run = |file: &package::File| runs_sources || !language.is_source(&file.name);
        // What is no source is data that the program may open, in any language.
        for file in sources.files.iter().filter(|file| is_run(file)) {
            add_file(&artifacts, file)?;
        }
        for artifact in &language.artifacts {
            if artifact != "{sources}" && !artifacts.join(artifact).exists() {
                let problem =
                    format!("the compiler left no file {artifact:?} of at most {ARTIFACT_MAX}");
                report.output = join_lines(&problem, &report.output);
                return Err(NotCompiled::Rejected(report));
            }
        }
        write_hash(directory, &artifacts)?;
        // What validators look at, and no part of the program.
        for file in sources.as_submitted().iter().filter(|file| !is_run(file)) {
            add_file(&artifacts, file)?;
        }
        report.success = true;
        let path = directory.join(REPORT);
        let json = serde_json::to_vec(&report).map_err(io::Error::from);
        json.and_then(|json| fs::write(&path, json))
            .map_err(JudgingError::disk("write", &path))?;
        Ok(())
    }
}

/// Copies a file into a directory that jails are shown.
pub(crate) fn add_file(directory: &Path, file: &package::File) -> Result<(), JudgingError> {
    let content = File::open(&file.path).map_err(JudgingError::disk("open", &file.path))?;
    write_artifact(directory, Path::new(&file.name), content, 0o644)
}

/// Whether a source has the name of what is taken out after compiling: a compiler that
/// makes nothing of it, and says so to nobody, would leave it there to be run.
fn is_artifact(language: &Language, file: &package::File) -> bool {
    let made = language.artifacts.iter();
    made.filter(|artifact| *artifact != "{sources}")
        .any(|artifact| *artifact == file.name)
}

/// The report of a program that did not get as far as a compiler.
pub(crate) const fn rejected(output: String) -> CompileReport {
    CompileReport {
        success: false,
        cached: false,
        cpu_time_ms: 0,
        wall_time_ms: 0,
        memory_bytes: 0,
        output,
    }
}

fn describe(facts: &Facts, output: String) -> CompileReport {
    CompileReport {
        success: false,
        cached: false,
        cpu_time_ms: crate::report::milliseconds(facts.cpu_time),
        wall_time_ms: crate::report::milliseconds(facts.wall_time),
        memory_bytes: facts.memory_peak.as_u64(),
        output,
    }
}

/// Why compiling failed, or nothing if it did not. A compiler that runs into a
/// limit is the program's fault, as the format says.
pub(crate) fn complaint(facts: &Facts, limits: CompileLimits) -> Option<String> {
    match &facts.outcome {
        Outcome::Exited { code: 0 } => None,
        Outcome::Exited { .. } => Some(String::new()),
        Outcome::Signalled { signal } => Some(format!("the compiler was ended by signal {signal}")),
        Outcome::Killed { cause } => Some(match cause {
            KillCause::CpuTime => {
                format!("the compiler used more than {:?} of CPU time", limits.time)
            }
            KillCause::WallTime => "the compiler took too long".to_owned(),
            KillCause::Idle => "the compiler did nothing any more".to_owned(),
            KillCause::Memory => format!("the compiler used more than {} of memory", limits.memory),
            KillCause::Output => "the compiler wrote too much".to_owned(),
            KillCause::Processes => "the compiler started too many processes".to_owned(),
            KillCause::Policy { syscall } => {
                format!(
                    "the compiler made a forbidden system call: {}",
                    syscall.as_deref().unwrap_or("unknown")
                )
            }
            KillCause::Cancelled => "compiling was cancelled".to_owned(),
        }),
    }
}

fn join_lines(first: &str, rest: &str) -> String {
    if first.is_empty() {
        rest.to_owned()
    } else {
        format!("{first}\n{rest}")
    }
}

/// Keeps what came out of a jail's `/box` below `root`.
pub(crate) fn keep(collected: Vec<Collected>, root: &Path) -> Result<(), JudgingError> {
    for file in collected {
        let name = file.path.strip_prefix("/box").unwrap_or(&file.path);
        write_artifact(root, name, File::from(file.content), 0o755)?;
    }
    Ok(())
}

/// The hash of a language table's entry. Its policies are not part of it.
pub(crate) fn entry_hash(language: &Language) -> ContentHash {
    // The entry is plain data, which always has a JSON form.
    ContentHash::of(&serde_json::to_vec(language).unwrap_or_default())
}

/// The hash of the names and contents of files.
pub(crate) fn hash_files(files: &[package::File]) -> Result<ContentHash, JudgingError> {
    let mut hash = ContentHasher::default();
    for file in files {
        let content = fs::read(&file.path).map_err(JudgingError::disk("read", &file.path))?;
        hash.update_framed(&file.name);
        hash.update_framed(content);
    }
    Ok(hash.finish())
}

/// Notes the hash of the artifacts beside them: they are hashed once.
fn write_hash(entry: &Path, artifacts: &Path) -> Result<(), JudgingError> {
    let mut files = Vec::new();
    for file in WalkDir::new(artifacts).sort_by_file_name() {
        let file = file
            .map_err(io::Error::from)
            .map_err(JudgingError::disk("list", artifacts))?;
        if let Ok(name) = file.path().strip_prefix(artifacts)
            && file.file_type().is_file()
        {
            files.push(package::File {
                name: name.to_string_lossy().into_owned(),
                path: file.path().to_owned(),
            });
        }
    }
    let path = entry.join(HASH);
    fs::write(&path, hash_files(&files)?.to_string()).map_err(JudgingError::disk("write", &path))
}

fn read_hash(entry: &Path) -> Result<ContentHash, JudgingError> {
    let path = entry.join(HASH);
    fs::read_to_string(&path)
        .and_then(|text| text.parse().map_err(io::Error::other))
        .map_err(JudgingError::disk("read", &path))
}

fn read_report(entry: &Path) -> Result<CompileReport, JudgingError> {
    let path = entry.join(REPORT);
    let json = fs::read(&path).map_err(JudgingError::disk("read", &path))?;
    serde_json::from_slice(&json)
        .map_err(io::Error::from)
        .map_err(JudgingError::disk("understand", &path))
}

/// The program that reads it is another user than ours, whatever our umask is.
pub(crate) fn make_directory(path: &Path) -> Result<(), JudgingError> {
    fs::create_dir_all(path)
        .and_then(|()| fs::set_permissions(path, fs::Permissions::from_mode(0o755)))
        .map_err(JudgingError::disk("create", path))
}

fn write_artifact(
    root: &Path,
    name: &Path,
    mut content: File,
    mode: u32,
) -> Result<(), JudgingError> {
    for parent in name
        .ancestors()
        .skip(1)
        .filter(|parent| !parent.as_os_str().is_empty())
    {
        make_directory(&root.join(parent))?;
    }
    let path = root.join(name);
    let mut write = || {
        let mut file = File::create_new(&path)?;
        io::copy(&mut content, &mut file)?;
        file.set_permissions(fs::Permissions::from_mode(mode))
    };
    write().map_err(JudgingError::disk("write", &path))
}
