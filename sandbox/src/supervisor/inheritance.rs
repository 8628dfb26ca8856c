//! What the supervisor has from whoever started the worker and must not pass on: no
//! verdict depends on an operator's shell or on the service's unit.

use crate::protocol::Failure;
use crate::sys::priority::TIMER_SLACK;
use crate::sys::process;
use nix::errno::Errno;
use nix::sys::personality::{self, Persona};
use nix::sys::prctl;
use nix::sys::resource::{RLIM_INFINITY, Resource, getrlimit, rlim_t, setrlimit};

/// Limits that neither we nor runs have, but for those that a run gets of its own.
const NONE: [Resource; 7] = [
    Resource::RLIMIT_AS,
    Resource::RLIMIT_CPU,
    Resource::RLIMIT_DATA,
    Resource::RLIMIT_FSIZE,
    Resource::RLIMIT_LOCKS,
    Resource::RLIMIT_RSS,
    Resource::RLIMIT_RTTIME,
];
/// Limits that every run gets of its own, which a lower one would forbid.
const RAISED: [Resource; 3] = [
    Resource::RLIMIT_CORE,
    Resource::RLIMIT_NPROC,
    Resource::RLIMIT_STACK,
];
/// More than any run is given.
const OPEN_FILES: rlim_t = 65_536;

/// Makes this process, and so all that descend from it, like one of a freshly started host.
pub(super) fn shed() -> Result<(), Failure> {
    process::schedule_normally().map_err(|error| Failure::Unfit {
        feature: "scheduling".to_owned(),
        problem: format!(
            "a nice value, scheduling policy or I/O class was inherited and can't be left ({error})"
        ),
        fix: "start it without nice, chrt and ionice, or Nice= and the like of its service; or as root".to_owned(),
    })?;
    personality::set(Persona::empty()).map_err(Failure::step("set the personality"))?;
    prctl::set_timerslack(TIMER_SLACK as u64).map_err(Failure::step("set the timer slack"))?;
    prctl::set_thp_disable(false).map_err(Failure::step("allow huge pages"))?;
    process::merge_no_pages().map_err(Failure::step("have no pages merged"))?;
    for resource in NONE {
        set(resource, |_| [RLIM_INFINITY; 2])?;
    }
    let raised = RAISED.map(|resource| set(resource, |soft| [soft, RLIM_INFINITY]));
    let enough = set(Resource::RLIMIT_NOFILE, |soft| {
        [soft.min(OPEN_FILES), OPEN_FILES]
    });
    as_many_signals_as_allowed()?;
    // Who may not have so much has less; a run that is to have more fails.
    raised
        .into_iter()
        .chain([enough])
        .filter(|done| !matches!(done, Err(Failure::Unfit { .. })))
        .collect()
}

/// What a user namespace is made with is a limit for all that are in such namespaces
/// together. Each run gets a smaller one of its own.
fn as_many_signals_as_allowed() -> Result<(), Failure> {
    let resource = Resource::RLIMIT_SIGPENDING;
    getrlimit(resource)
        .and_then(|(_, hard)| setrlimit(resource, hard, hard))
        .map_err(Failure::step("let as many signals wait as allowed"))
}

/// Sets a limit; `wanted` makes soft and hard one of the soft one that was inherited.
fn set(resource: Resource, wanted: impl Fn(rlim_t) -> [rlim_t; 2]) -> Result<(), Failure> {
    let change = || {
        let (soft, _) = getrlimit(resource)?;
        let [soft, hard] = wanted(soft);
        setrlimit(resource, soft, hard)
    };
    change().map_err(|errno| match errno {
        Errno::EPERM => Failure::Unfit {
            feature: "limits".to_owned(),
            problem: format!("{resource:?} was limited for this process, which may not raise it"),
            fix: "start it without that limit (ulimit, or Limit…= of its service), or as root"
                .to_owned(),
        },
        errno => Failure::step(format!("set {resource:?}"))(errno),
    })
}
