//! What a language prepares once on a host, so that its programs compile sooner: the
//! same for everybody, made by the compiler where nothing of a contestant is.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use assize_common::content_hash::ContentHasher;
use assize_common::language::{Language, Preparation};
use assize_common::telemetry::error_chain;
use assize_sandbox::Mount;
use bytesize::ByteSize;

use crate::cancel::Cancel;
use crate::compile::{Compiler, complaint, entry_hash, keep, make_directory};
use crate::compile_limits::CompileLimits;
use crate::disk_cache::Entry;
use crate::executable::BOX;
use crate::judging_error::JudgingError;
use crate::slot::{Role, Slot};
use crate::sources::Sources;
use crate::toolchain::{Toolchain, read_start};
use crate::workshop::Workshop;

/// Where compilers see it.
const TARGET: &str = "/prepared";
/// Enough for the largest header there is, whatever a problem's limits are.
const LIMITS: CompileLimits = CompileLimits {
    time: Duration::from_secs(60),
    memory: ByteSize(2 * bytesize::GIB),
};
/// What a compiler that failed says of it, shortened.
const COMPLAINT_KEPT: u64 = 2000;

/// What was prepared, kept while somebody compiles.
#[derive(Debug)]
pub(crate) struct Prepared(Arc<Entry>);

impl Prepared {
    /// How compilers are shown it.
    pub(crate) fn mount(&self) -> Result<Mount, JudgingError> {
        let directory = self.0.path().join(BOX);
        let source = File::open(&directory).map_err(JudgingError::disk("open", &directory))?;
        Ok(Mount {
            source: source.into(),
            target: TARGET.into(),
        })
    }
}

impl Compiler<'_> {
    /// What these sources can make use of: from the cache, or made now. Where that
    /// fails, for whatever reason, programs compile without.
    pub(crate) fn prepared(
        &self,
        slot: &mut Slot,
        language: &Language,
        toolchain: &Toolchain,
        sources: &Sources,
        cancel: &Cancel,
    ) -> Result<Option<Prepared>, JudgingError> {
        let Some(preparation) = &language.prepare else {
            return Ok(None);
        };
        if self.toolchains.is_unprepared(&language.id) || !sources.mention(&preparation.used_by)? {
            return Ok(None);
        }
        let mut key = ContentHasher::default();
        key.update_framed("assize preparation");
        key.update_framed(entry_hash(language).as_bytes());
        key.update_framed(&toolchain.version);
        key.update_framed(toolchain.program.as_bytes());
        let given_up = || cancel.is_cancelled();
        let made = self
            .cache
            .get_or_fill_unless(key.finish(), given_up, |directory| {
                self.prepare(slot, language, preparation, directory, cancel)
            });
        match made.map_err(JudgingError::from) {
            Ok(Some(entry)) => Ok(Some(Prepared(entry))),
            Ok(None) | Err(JudgingError::Cancelled) => Err(JudgingError::Cancelled),
            Err(error) => {
                tracing::warn!(
                    language = language.id,
                    error = %error_chain(&error),
                    "could not prepare what makes programs compile sooner"
                );
                self.toolchains.give_up_preparing(&language.id);
                Ok(None)
            }
        }
    }

    fn prepare(
        &self,
        slot: &mut Slot,
        language: &Language,
        preparation: &Preparation,
        directory: &Path,
        cancel: &Cancel,
    ) -> Result<(), JudgingError> {
        let artifacts = directory.join(BOX);
        make_directory(&artifacts)?;
        let output = tempfile::tempfile_in(self.scratch)
            .map_err(JudgingError::disk("create a file in", self.scratch))?;
        let workshop = Workshop {
            language,
            limits: LIMITS,
            output: &output,
            scratch: self.scratch,
        };
        let spec = workshop.spec(
            preparation.commands.clone(),
            Vec::new(),
            &preparation.artifacts,
        )?;
        let activity = format!("preparing {}", language.name);
        let facts = slot.run(Role::Jury, spec, &activity, cancel)?;
        if let Some(problem) = complaint(&facts, LIMITS) {
            let printed = read_start(output, COMPLAINT_KEPT).unwrap_or_default();
            let reason = format!("its compiler can't prepare anything: {problem} {printed}");
            let id = language.id.clone();
            return Err(JudgingError::LanguageUnavailable { id, reason });
        }
        keep(facts.collected, &artifacts)
    }
}
