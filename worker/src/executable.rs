//! A compiled program: shown to or copied into runs, and how it is started.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use assize_common::ContentHash;
use assize_common::language::Language;
use assize_common::package;
use assize_sandbox::{FileIn, LayerOf, Mount, PolicyLayer, Scratch, Spec};
use bytesize::ByteSize;
use walkdir::WalkDir;

use crate::command::{Placeholders, expand};
use crate::disk_cache::Entry;
use crate::judging_error::JudgingError;
use crate::sources::Sources;

/// The artifacts within a cache entry, beside the report.
pub(crate) const BOX: &str = "box";

/// A program ready to run.
#[derive(Debug)]
pub(crate) struct Executable {
    entry: Arc<Entry>,
    sources: Sources,
    pub(crate) language: Language,
    /// The hash of its artifacts.
    pub(crate) hash: ContentHash,
    /// The rules that the language adds where a tracer enforces them.
    pub(crate) layers: Vec<PolicyLayer>,
}

impl Executable {
    /// The program of a cache entry, compiled from these sources.
    pub(crate) fn new(
        entry: Arc<Entry>,
        sources: Sources,
        language: &Language,
        hash: ContentHash,
    ) -> Result<Self, JudgingError> {
        let layers = language.layers.iter();
        let layers = layers.map(|layer| PolicyLayer::parse(LayerOf::Language, layer));
        let layers = layers.collect::<Result<_, _>>().map_err(|error| {
            JudgingError::LanguageUnavailable {
                id: language.id.clone(),
                reason: format!("its policies can't be enforced: {error}"),
            }
        })?;
        Ok(Self {
            entry,
            sources,
            language: language.clone(),
            hash,
            layers,
        })
    }

    /// The directory of artifacts and of the files they were made from.
    pub(crate) fn directory(&self) -> PathBuf {
        self.entry.path().join(BOX)
    }

    /// Shows the program at `target` of a run.
    pub(crate) fn mount(&self, spec: &mut Spec, target: &Path) -> Result<(), JudgingError> {
        let directory = self.directory();
        let source = File::open(&directory).map_err(JudgingError::disk("open", &directory))?;
        spec.mounts.push(Mount {
            source: source.into(),
            target: target.to_owned(),
        });
        Ok(())
    }

    /// Copies the program into the directory `target` of a run, with `files` laid
    /// over it and `room` for more.
    pub(crate) fn copy(
        &self,
        spec: &mut Spec,
        target: &Path,
        files: &[package::File],
        room: ByteSize,
    ) -> Result<(), JudgingError> {
        let directory = self.directory();
        let open = |path: &Path| File::open(path).map_err(JudgingError::disk("open", path));
        let mut placed: BTreeMap<PathBuf, PathBuf> = BTreeMap::new();
        for entry in WalkDir::new(&directory) {
            let entry = entry
                .map_err(io::Error::from)
                .map_err(JudgingError::disk("list", &directory))?;
            if let Some(name) = entry.path().strip_prefix(&directory).ok()
                && entry.file_type().is_file()
            {
                placed.insert(name.to_owned(), entry.path().to_owned());
            }
        }
        let files = files.iter();
        placed.extend(files.map(|file| (PathBuf::from(&file.name), file.path.clone())));
        let mut size = room.as_u64();
        for (name, path) in placed {
            let content = open(&path)?;
            let metadata = content
                .metadata()
                .map_err(JudgingError::disk("look at", &path))?;
            // Whole pages, and one for a directory.
            size += metadata.len().next_multiple_of(4096) + 8192;
            spec.files.push(FileIn {
                path: target.join(name),
                content: content.into(),
                executable: metadata.permissions().mode() & 0o111 != 0,
            });
        }
        spec.scratch.push(Scratch {
            target: target.to_owned(),
            size: ByteSize(size),
            counted: true,
        });
        Ok(())
    }

    /// The entry point as the package format tells it: a class where languages have
    /// such, else a file.
    pub(crate) fn main(&self) -> String {
        let class = self.language.entry_point.is_some();
        let file = self.sources.main(&self.language).filter(|_| !class);
        file.unwrap_or(&self.sources.entry).to_owned()
    }

    /// The argument list that runs the program.
    pub(crate) fn command(&self, memory: ByteSize, args: &[String]) -> Vec<String> {
        let names = self.sources.names(&self.language);
        let placeholders = Placeholders {
            sources: &names,
            entry: &self.sources.entry,
            main: self.sources.main(&self.language).unwrap_or_default(),
            memory,
        };
        let mut command = expand(&self.language.run, placeholders);
        command.extend(args.iter().cloned());
        command
    }
}
