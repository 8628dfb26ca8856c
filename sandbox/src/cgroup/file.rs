//! Reading and writing the small files of a control group.

use crate::protocol::Failure;
use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::Path;

pub(super) fn open(path: &Path) -> Result<File, Failure> {
    File::open(path).map_err(Failure::step(format!("open {}", path.display())))
}

pub(super) fn open_to_write(path: &Path) -> Result<File, Failure> {
    OpenOptions::new()
        .write(true)
        .open(path)
        .map_err(Failure::step(format!("open {}", path.display())))
}

pub(super) fn open_both(path: &Path) -> Result<File, Failure> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .open(path)
        .map_err(Failure::step(format!("open {}", path.display())))
}

/// Sets a counter that stays open to zero.
pub(super) fn reset(file: &File) -> Result<(), Failure> {
    set(file, 0_u8)
}

/// Writes a number to a file that stays open.
pub(super) fn set(file: &File, value: impl ToString) -> Result<(), Failure> {
    let value = value.to_string();
    file.write_all_at(value.as_bytes(), 0)
        .map_err(Failure::step(format!(
            "write {value} to a control group's file"
        )))
}

pub(super) fn write(path: &Path, value: impl ToString) -> Result<(), Failure> {
    let value = value.to_string();
    std::fs::write(path, &value).map_err(Failure::step(format!(
        "write {value} to {}",
        path.display()
    )))
}

pub(super) fn read(path: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(path).map_err(Failure::step(format!("read {}", path.display())))
}

/// The one number in a file that stays open.
pub(super) fn number(file: &File) -> Result<u64, Failure> {
    parse(&reread(file)?)
}

/// The text of a file that stays open, from its start.
pub(super) fn reread(file: &File) -> Result<String, Failure> {
    let mut text = [0; 1024];
    let length = file
        .read_at(&mut text, 0)
        .map_err(Failure::step("read a control group's file"))?;
    Ok(String::from_utf8_lossy(text.get(..length).unwrap_or_default()).into_owned())
}

/// The number after `key` in a file of `key number` lines.
pub(super) fn number_after(file: &File, key: &str) -> Result<u64, Failure> {
    find(&reread(file)?, key)
}

/// The number after `key` in a text of `key number` lines.
pub(super) fn find(text: &str, key: &str) -> Result<u64, Failure> {
    text.lines()
        .find_map(|line| line.strip_prefix(key)?.strip_prefix(' '))
        .map_or_else(|| Err(unreadable(&format!("no {key}"))), parse)
}

fn parse(text: &str) -> Result<u64, Failure> {
    text.trim().parse().map_err(|_| unreadable(text.trim()))
}

pub(super) fn unreadable(what: &str) -> Failure {
    Failure::Step {
        step: format!("understand a control group's file: {what}"),
        errno: libc::EPROTO,
    }
}
