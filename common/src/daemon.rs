//! What the daemons do alike at their start and end.

use std::error::Error;
use std::io::{Read as _, Write as _};

use crate::telemetry::error_chain;

/// Acts when standard input ends, which it does when the parent process dies, however it dies.
pub fn when_input_ends(act: impl FnOnce() + Send + 'static) {
    // A thread that nobody waits for: a read can't be interrupted.
    std::thread::spawn(move || {
        let mut buffer = [0; 256];
        while std::io::stdin()
            .read(&mut buffer)
            .is_ok_and(|read| read > 0)
        {}
        tracing::info!("standard input has ended: stopping");
        act();
    });
}

/// Says why the daemon ends to whoever started it: the log may not be set up yet.
pub fn complain(error: &(dyn Error + 'static)) {
    // Nothing is left to be done if even that fails.
    drop(writeln!(std::io::stderr(), "error: {}", error_chain(error)));
}
