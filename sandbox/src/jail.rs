//! The handle to one `assize-jail` process.

use crate::cancel::Canceller;
use crate::config::JailConfig;
use crate::error::JailError;
use crate::facts::Facts;
use crate::spec::Spec;
use std::cell::Cell;
use std::marker::PhantomData;

/// One reusable jail: `Send`, not `Sync`. Dropping it ends its process and
/// everything inside.
#[derive(Debug)]
pub struct Jail {
    not_sync: PhantomData<Cell<()>>,
}

impl Jail {
    /// Starts `assize-jail` and waits until it is ready for runs.
    ///
    /// # Errors
    /// When the binary is missing or the host is unfit; the error names what.
    pub fn start(config: &JailConfig) -> Result<Self, JailError> {
        Err(JailError::BinaryMissing {
            beside: config.jail_binary.clone(),
        })
    }

    /// Runs one program and blocks until it and all its children are dead.
    ///
    /// # Errors
    /// When the run could not be done as asked; see [`JailError::is_fatal`].
    pub fn run(&mut self, spec: Spec) -> Result<Facts, JailError> {
        drop(spec);
        Err(JailError::Gone)
    }

    /// A handle that ends the **next** run of this jail from another thread:
    /// take a new one before each run. It does nothing to any other run, so a
    /// late cancel can't hit the wrong program; a cancel before the run has
    /// begun ends it at its start.
    pub fn canceller(&self) -> Canceller {
        Canceller {}
    }
}
