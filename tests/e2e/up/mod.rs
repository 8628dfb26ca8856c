//! `assize up`: a whole installation with a Postgres and a RabbitMQ of its own.

mod crash;
mod life;
mod refusals;

use std::fs;
use std::path::Path;

/// No processes.
const NOTHING: [u32; 0] = [];

/// The processes of the installation in `data`, of whichever service.
fn processes_of(data: &Path) -> Vec<u32> {
    let mark = format!("ASSIZE_SERVICE={}//", data.display());
    let marked = |id: &u32| {
        // Those that end meanwhile are none of them any more.
        let environment = fs::read(format!("/proc/{id}/environ")).unwrap_or_default();
        let mut pairs = environment.split(|byte| *byte == 0);
        pairs.any(|pair| pair.starts_with(mark.as_bytes()))
    };
    let entries = fs::read_dir("/proc").unwrap();
    let ids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    ids.filter(marked).collect()
}
