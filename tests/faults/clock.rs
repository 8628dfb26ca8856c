//! A clock that a daemon believes in and that jumps, while the host's goes on.

use std::fs;
use std::path::{Path, PathBuf};

/// What daemons are told about their clocks by; Debian's libfaketime.
const LIBRARIES: &str = "/usr/lib";
const LIBRARY: &str = "faketime/libfaketimeMT.so.1";
/// Where the library leaves a trace of every process that was killed.
const TRACES: &str = "/dev/shm";
const TRACE_NAMES: [&str; 2] = ["faketime_shm_", "sem.faketime_sem_"];

/// The clock of a daemon: of what time it is, not of how much time passes, which
/// never jumps.
#[derive(Debug, Clone)]
pub(super) struct Clock(PathBuf);

impl Clock {
    /// One that is right; what it is wrong by is in a file.
    pub(super) fn new(file: PathBuf) -> Self {
        let clock = Self(file);
        clock.jump(0);
        clock
    }

    /// From within a second on it is wrong by so many seconds.
    pub(super) fn jump(&self, seconds: i64) {
        // Whoever looks sees all of it or what was there before.
        let next = self.0.with_extension("next");
        fs::write(&next, format!("{seconds:+}\n")).unwrap();
        fs::rename(next, &self.0).unwrap();
    }

    /// What makes a program believe in it.
    pub(super) fn environment(&self) -> [(&'static str, String); 5] {
        [
            ("LD_PRELOAD", library().display().to_string()),
            ("FAKETIME_TIMESTAMP_FILE", self.0.display().to_string()),
            ("FAKETIME_CACHE_DURATION", "1".to_owned()),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()),
            ("NO_FAKE_STAT", "1".to_owned()),
        ]
    }
}

fn library() -> PathBuf {
    let mut places = fs::read_dir(LIBRARIES).unwrap().flatten();
    let found = places.find_map(|place| {
        let library = place.path().join(LIBRARY);
        library.exists().then_some(library)
    });
    found.unwrap_or_else(|| panic!("{LIBRARY} is not below {LIBRARIES}: run `make setup`"))
}

/// Removes what the library left of processes that are gone.
pub(super) fn remove_traces() {
    for trace in fs::read_dir(TRACES).into_iter().flatten().flatten() {
        let name = trace.file_name().to_string_lossy().into_owned();
        let process = TRACE_NAMES
            .iter()
            .find_map(|prefix| name.strip_prefix(prefix));
        if process.is_some_and(|process| !Path::new("/proc").join(process).exists()) {
            // Or another trial is at it.
            let _gone = fs::remove_file(trace.path());
        }
    }
}
