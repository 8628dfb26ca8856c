//! Whether a new submission can be judged at all: a pure check from what came in
//! to what may be stored. The first fault found is answered, with its field.

use std::path::Path;

use assize_common::api::{NewFile, NewSubmission};
use assize_common::language::{Language, LanguageTable, NO_LANGUAGE};
use bytesize::ByteSize;

use super::error::{ApiError, ErrorKind};
use crate::store::CurrentPackage;

const MAX_FILES: usize = 64;
/// Outputs are as many as test cases.
const MAX_OUTPUTS: usize = 1024;
const MAX_OUTPUT_DIRECTORIES: usize = 7;
const MAX_FILE_NAME_BYTES: usize = 255;
const MAX_LABEL_CHARS: usize = 128;
const MAX_FLAG_CHARS: usize = 500;

/// Checks what does not depend on the problem, and finds the language; none of outputs.
pub(super) fn check<'t>(
    new: &NewSubmission,
    table: &'t LanguageTable,
    is_admin: bool,
) -> Result<Option<&'t Language>, ApiError> {
    if !is_admin {
        let reserved = [
            ("sandbox", new.sandbox.is_some()),
            ("flag", new.flag.is_some()),
        ];
        if let Some((field, _)) = reserved.into_iter().find(|(_, given)| *given) {
            return Err(ApiError::new(
                ErrorKind::InsufficientScope,
                format!("only a token with the scope `admin` may set `{field}`"),
            )
            .in_field(field));
        }
    }
    let language = match new.language.as_str() {
        NO_LANGUAGE => None,
        id => Some(table.get(id).map_err(|error| {
            ApiError::new(ErrorKind::UnknownLanguage, error.to_string()).in_field("language")
        })?),
    };
    check_label("contest", new.contest.as_deref(), MAX_LABEL_CHARS)?;
    check_label("team", new.team.as_deref(), MAX_LABEL_CHARS)?;
    check_label("flag", new.flag.as_deref(), MAX_FLAG_CHARS)?;
    check_entry_point(new.entry_point.as_deref())?;
    check_files(&new.files, language)?;
    Ok(language)
}

/// Checks what depends on the problem.
pub(super) fn check_for_problem(
    new: &NewSubmission,
    language: Option<&Language>,
    problem: &CurrentPackage,
) -> Result<(), ApiError> {
    match (language, problem.takes_outputs) {
        (None, false) => {
            let detail = format!(
                "the problem {} takes programs: name the language of this one",
                new.problem
            );
            return Err(invalid("language", detail));
        }
        (Some(_), true) => {
            let detail = format!(
                "the problem {} takes outputs, not programs: leave the language out",
                new.problem
            );
            return Err(invalid("language", detail));
        }
        (Some(_), false) | (None, true) => {}
    }
    if let (Some(language), Some(codes)) = (language, &problem.language_codes)
        && !codes.contains(&language.code)
    {
        return Err(invalid(
            "language",
            format!(
                "the problem {} only takes {}",
                new.problem,
                codes.join(", ")
            ),
        ));
    }
    let size: usize = new.files.iter().map(|file| file.content.len()).sum();
    if size as u64 > problem.code_limit.as_u64() {
        return Err(ApiError::new(
            ErrorKind::SourceTooLarge,
            format!(
                "the files have {} in all and the problem {} allows {}",
                ByteSize(size as u64).display(),
                new.problem,
                problem.code_limit.display()
            ),
        )
        .in_field("files"));
    }
    Ok(())
}

fn invalid(field: impl Into<String>, detail: impl Into<String>) -> ApiError {
    ApiError::new(ErrorKind::InvalidField, detail).in_field(field)
}

fn check_files(files: &[NewFile], language: Option<&Language>) -> Result<(), ApiError> {
    if files.is_empty() {
        return Err(invalid("files", "a submission has at least one file"));
    }
    let (most, directories) = match language {
        Some(_) => (MAX_FILES, 0),
        None => (MAX_OUTPUTS, MAX_OUTPUT_DIRECTORIES),
    };
    if files.len() > most {
        return Err(invalid(
            "files",
            format!("a submission has at most {most} files"),
        ));
    }
    for (index, file) in files.iter().enumerate() {
        let field = || format!("files[{index}].name");
        if !is_name(&file.name, directories) {
            return Err(invalid(
                field(),
                format!(
                    "a file name has {}, begins with a letter, a digit or `_`, holds only letters, digits and `_.+-`, \
                     and has at most {MAX_FILE_NAME_BYTES} characters",
                    match directories {
                        0 => "no directories".to_owned(),
                        most => format!("at most {most} directories, each named as files are"),
                    }
                ),
            ));
        }
        if files[..index].iter().any(|other| other.name == file.name) {
            return Err(invalid(
                field(),
                format!("there is a second file named {}", file.name),
            ));
        }
        let is_below = |other: &&NewFile| Path::new(&other.name).starts_with(&file.name);
        if let Some(other) = files
            .iter()
            .filter(|it| it.name != file.name)
            .find(is_below)
        {
            return Err(invalid(
                field(),
                format!("{} is in a directory of this name: rename one", other.name),
            ));
        }
    }
    if let Some(language) = language
        && !files.iter().any(|file| language.is_source(&file.name))
    {
        return Err(invalid(
            "files",
            format!(
                "no file is a source of {}: their names end in .{}",
                language.id,
                language.extensions.join(", .")
            ),
        ));
    }
    Ok(())
}

/// Whether this may name a file, below at most so many directories.
fn is_name(name: &str, directories: usize) -> bool {
    let first = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let is_plain = |part: &str| {
        let bytes = part.as_bytes();
        bytes.first().is_some_and(first)
            && bytes
                .iter()
                .all(|byte| first(byte) || matches!(byte, b'.' | b'-' | b'+'))
    };
    name.len() <= MAX_FILE_NAME_BYTES
        && name.split('/').count() <= directories + 1
        && name.split('/').all(is_plain)
}

/// Entry points become arguments of commands: never options, never paths.
fn check_entry_point(entry_point: Option<&str>) -> Result<(), ApiError> {
    let Some(entry_point) = entry_point else {
        return Ok(());
    };
    let valid = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '$' | '-');
    if entry_point.is_empty()
        || entry_point.chars().count() > MAX_LABEL_CHARS
        || entry_point.starts_with(['-', '.'])
        || !entry_point.chars().all(valid)
    {
        return Err(invalid(
            "entry_point",
            "an entry point is a file or class name of letters, digits and `_.$-`",
        ));
    }
    Ok(())
}

fn check_label(field: &str, text: Option<&str>, max_chars: usize) -> Result<(), ApiError> {
    let Some(text) = text else { return Ok(()) };
    if text.trim().is_empty() {
        return Err(invalid(
            field,
            format!("`{field}` is empty: leave it out instead"),
        ));
    }
    if text.chars().count() > max_chars {
        return Err(invalid(
            field,
            format!("`{field}` has more than {max_chars} characters"),
        ));
    }
    if text.chars().any(char::is_control) {
        return Err(invalid(
            field,
            format!("`{field}` holds control characters"),
        ));
    }
    Ok(())
}
