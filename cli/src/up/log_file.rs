//! Log files of services: a fresh one at each start of `assize up`, a few old
//! ones beside it.

use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

/// How many earlier logs are kept.
const KEPT: u32 = 3;
/// How much of a log is looked at for its last lines.
const TAIL_BYTES: u64 = 16 * 1024;

/// Moves the log of an earlier start out of the way; the oldest one goes.
///
/// # Errors
/// When a file can't be renamed.
pub(super) fn rotate(log: &Path) -> io::Result<()> {
    for age in (0..KEPT).rev() {
        match fs::rename(aged(log, age), aged(log, age + 1)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

fn aged(log: &Path, age: u32) -> PathBuf {
    if age == 0 {
        return log.to_owned();
    }
    let mut name = log.as_os_str().to_owned();
    name.push(format!(".{age}"));
    name.into()
}

/// Opens a log for a service to append to.
///
/// # Errors
/// When it can't be created.
pub(super) fn open(log: &Path) -> io::Result<File> {
    File::options().create(true).append(true).open(log)
}

/// The last lines of a log, indented, for an error message; empty if there are none.
#[must_use]
pub(super) fn last_lines(log: &Path, count: usize) -> String {
    let tail = || -> io::Result<String> {
        let mut file = File::open(log)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(TAIL_BYTES)))?;
        let mut bytes = Vec::new();
        file.take(TAIL_BYTES).read_to_end(&mut bytes)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    };
    // Without a log there is nothing to show, and the error at hand matters more.
    let text = tail().unwrap_or_default();
    let lines: Vec<&str> = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .collect();
    let first = lines.len().saturating_sub(count);
    lines
        .iter()
        .skip(first)
        .map(|line| format!("\n    {line}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_logs_are_kept_but_not_for_ever() {
        let directory = tempfile::tempdir().unwrap();
        let log = directory.path().join("x.log");
        for start in 0..6 {
            rotate(&log).unwrap();
            fs::write(&log, format!("start {start}\n")).unwrap();
        }
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 4);
        assert_eq!(last_lines(&log, 5), "\n    start 5");
        assert_eq!(fs::read_to_string(aged(&log, 3)).unwrap(), "start 2\n");
    }

    #[test]
    fn the_last_lines_of_a_long_log() {
        let directory = tempfile::tempdir().unwrap();
        let log = directory.path().join("x.log");
        let text: String = (0..10_000).map(|line| format!("line {line}\n\n")).collect();
        fs::write(&log, text).unwrap();
        assert_eq!(last_lines(&log, 2), "\n    line 9998\n    line 9999");
        assert_eq!(last_lines(&directory.path().join("none"), 2), "");
    }
}
