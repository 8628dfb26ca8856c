//! Finding out what language a program is in.

use std::collections::BTreeSet;

use super::model::{Kind, Package, Program};
use crate::language::{Language, LanguageTable};

/// Why a program's language can't be told.
#[derive(Debug, thiserror::Error)]
pub enum UnknownLanguage {
    /// The package names a language that the table lacks.
    #[error("{program}: language {code:?} is not in the language table")]
    Code {
        /// The program.
        program: String,
        /// The stated language code.
        code: String,
    },
    /// No file has an ending that the table knows.
    #[error("{program}: no language has files with such endings: {files}")]
    Endings {
        /// The program.
        program: String,
        /// Its files.
        files: String,
    },
    /// The files are of several languages.
    #[error("{program}: its files are of more than one language: {languages}")]
    Ambiguous {
        /// The program.
        program: String,
        /// The ids of the candidates.
        languages: String,
    },
}

impl Package {
    /// The language of a submission to this problem; none for outputs.
    ///
    /// # Errors
    /// As [`Program::find_language`].
    pub fn submission_language<'a>(
        &self,
        program: &Program,
        table: &'a LanguageTable,
    ) -> Result<Option<&'a Language>, UnknownLanguage> {
        match self.kind {
            Kind::SubmitAnswer => Ok(None),
            _ => program.find_language(table).map(Some),
        }
    }
}

impl Program {
    /// The language of the program: the stated one, else the one that all files
    /// with a known ending share.
    ///
    /// # Errors
    /// When there is no such language, or more than one.
    pub fn find_language<'a>(
        &self,
        table: &'a LanguageTable,
    ) -> Result<&'a Language, UnknownLanguage> {
        let program = self.name.clone();
        if let Some(code) = &self.language {
            // Beyond the format, an id of the table may be named too.
            let stated = table.by_code(code).or_else(|| table.get(code).ok());
            return stated.ok_or_else(|| UnknownLanguage::Code {
                program,
                code: code.clone(),
            });
        }
        let codes: BTreeSet<&str> = self
            .files
            .iter()
            .filter_map(|file| table.by_file_name(&file.name))
            .map(|found| found.code.as_str())
            .collect();
        // Headers and helpers of C count as C++ beside it.
        let code = match codes.iter().copied().collect::<Vec<_>>().as_slice() {
            [] => {
                let files: Vec<_> = self
                    .files
                    .iter()
                    .map(|file| file.name.as_str())
                    .take(8)
                    .collect();
                return Err(UnknownLanguage::Endings {
                    program,
                    files: files.join(", "),
                });
            }
            [only] => *only,
            ["c", "cpp"] => "cpp",
            several => {
                return Err(UnknownLanguage::Ambiguous {
                    program,
                    languages: several.join(", "),
                });
            }
        };
        table.by_code(code).ok_or_else(|| UnknownLanguage::Code {
            program,
            code: code.to_owned(),
        })
    }
}
