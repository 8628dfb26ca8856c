//! The option `--language-table`.

use std::path::PathBuf;

use assize_common::language::{LanguageTable, LanguageTableError};
use clap::Args;

use crate::exit::{self, Failure};

/// Which languages there are.
#[derive(Debug, Args)]
pub struct LanguageTableOption {
    /// A language table other than the built-in one
    #[arg(
        long,
        value_name = "FILE",
        env = "ASSIZE_LANGUAGE_TABLE",
        hide_env_values = true
    )]
    language_table: Option<PathBuf>,
}

impl LanguageTableOption {
    /// Reads it.
    ///
    /// # Errors
    /// When it can't be read or is not valid.
    pub fn read(&self) -> Result<LanguageTable, LanguageTableError> {
        LanguageTable::load(self.language_table.as_deref())
    }

    /// Reads it for a command that can do nothing without.
    ///
    /// # Errors
    /// The same, as the command's failure.
    pub fn load(&self) -> Result<LanguageTable, Failure> {
        self.read()
            .map_err(|error| Failure::new(exit::USAGE, "unusable language table").because(error))
    }
}
