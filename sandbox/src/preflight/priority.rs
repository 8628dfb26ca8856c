//! Whether supervisors may have a real-time priority, which ends programs in time.

use super::Finding;
use crate::sys::priority;
use crate::zygote;
use std::thread;

/// Tries it, in a thread that is over then: neither capabilities nor limits tell,
/// because they may be those of a namespace, or refused for other reasons.
pub(super) fn finding() -> Finding {
    let name = "timing.priority";
    let tried = thread::spawn(|| priority::go_first(zygote::PRIORITY + 1)).join();
    if tried.is_ok_and(|tried| tried.is_ok()) {
        return Finding::good(name, "limits of time are enforced ahead of programs");
    }
    Finding::warning(
        name,
        "who enforces limits takes turns with the programs",
        "a program that has passed a limit of time lives up to a tick of the scheduler longer (4 ms \
         at 250 Hz); no verdict depends on it",
        "give the worker CAP_SYS_NICE, or LimitRTPRIO=2 in its service",
    )
}
