//! Jails for an ordinary user: the process that starts them becomes root of a
//! user namespace, in which a range of ids that the host has set aside for the
//! user stands for those of jails. All protections are the same as for root.
//!
//! Without such a range only the user's own id could be had, and programs would
//! be the judge's own user on the host; there are no jails like that.

use crate::error::JailError;
use crate::protocol::Failure;
use crate::sys::clone::{Cloned, fork_into};
use crate::sys::process;
use nix::sched::{CloneFlags, unshare};
use nix::unistd::{Pid, User, getgid, getuid};
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;
use std::process::Command;

/// Programs with the privilege to map a range; package uidmap on Debian.
const HELPERS: [(&str, &str); 2] = [("newuidmap", "/etc/subuid"), ("newgidmap", "/etc/subgid")];

/// Ids that the range must have: those of jails are the host's or, from its
/// start, the range's, and end below.
const RANGE_MIN: u32 = 65_536;

/// Bits of `CapEff`: setgid, setuid, sys_admin, with their names.
const CAPABILITIES: [(u32, &str); 3] = [(6, "setgid"), (7, "setuid"), (21, "sys_admin")];

/// Becomes root of a user namespace if that is what it takes to start jails,
/// and can be had; then the whole process is in it for good, with its files and
/// groups as before. Does nothing for root, nor where [`preflight`] is to say
/// what is missing.
///
/// Call it first: the kernel allows it only to a process without threads.
///
/// [`preflight`]: fn@crate::preflight
///
/// # Errors
/// [`JailError::Unfit`] when the kernel or the helpers refuse.
pub fn become_root_of_namespace() -> Result<(), JailError> {
    if missing_capabilities().is_empty() {
        return Ok(());
    }
    match Ranges::find() {
        Ok(ranges) => enter(&ranges).map_err(JailError::from),
        Err(_) => Ok(()),
    }
}

/// Names of the capabilities that jails need and this process lacks.
pub(crate) fn missing_capabilities() -> Vec<&'static str> {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let effective = status
        .lines()
        .find_map(|line| line.strip_prefix("CapEff:"))
        .and_then(|text| u64::from_str_radix(text.trim(), 16).ok())
        .unwrap_or(0);
    let missing = CAPABILITIES
        .iter()
        .filter(|(bit, _)| effective >> bit & 1 == 0);
    missing.map(|(_, name)| *name).collect()
}

/// The first ids of the ranges for users and for groups.
#[derive(Debug)]
pub(crate) struct Ranges([u32; 2]);

impl Ranges {
    /// Looks for the helpers and for what they may map.
    pub(crate) fn find() -> Result<Self, Failure> {
        let user = getuid();
        let name = User::from_uid(user).ok().flatten().map(|user| user.name);
        let names = [name.unwrap_or_default(), user.to_string()];
        let [users, groups] = HELPERS.map(|(helper, path)| {
            let installed = ["/usr/bin", "/bin"]
                .iter()
                .any(|directory| Path::new(directory).join(helper).exists());
            if !installed {
                return Err(unfit(
                    format!("this is not root, and {helper} is not installed"),
                    "install it (package uidmap), or run as root",
                ));
            }
            let text = std::fs::read_to_string(path).unwrap_or_default();
            first_range(&text, &names).ok_or_else(|| {
                unfit(
                    format!("this is not root, and {path} has no {RANGE_MIN} ids for user {user}"),
                    "usermod --add-subuids 100000-165535 --add-subgids 100000-165535 USER, \
                     with ids that nobody else has; or run as root",
                )
            })
        });
        Ok(Self([users?, groups?]))
    }
}

/// The start of a large enough range in lines of `user:start:count`.
fn first_range(text: &str, names: &[String; 2]) -> Option<u32> {
    text.lines().find_map(|line| {
        let mut fields = line.split(':');
        let (user, start, count) = (fields.next()?, fields.next()?, fields.next()?);
        let (start, count): (u32, u32) = (start.parse().ok()?, count.parse().ok()?);
        let is_ours = !user.is_empty() && names.iter().any(|name| name == user);
        (is_ours && count >= RANGE_MIN).then_some(start)
    })
}

fn enter(ranges: &Ranges) -> Result<(), Failure> {
    let own = Pid::this();
    let (mut told, mut tell) = io::pipe().map_err(Failure::step("make a pipe"))?;
    // The helpers must be started from outside, when the namespace is there.
    let fork = fork_into(CloneFlags::empty()).map_err(Failure::step("fork a helper"))?;
    let helper = match fork {
        Cloned::Child => {
            drop(tell);
            let mapped = told.read_exact(&mut [0]).is_ok() && map(own, ranges);
            process::exit_now(i32::from(!mapped))
        }
        Cloned::Parent { pid, .. } => pid,
    };
    let made = unshare(CloneFlags::CLONE_NEWUSER | CloneFlags::CLONE_NEWNS);
    if made.is_ok() {
        tell.write_all(&[1])
            .map_err(Failure::step("speak to the helper"))?;
    }
    drop(tell);
    let ended = process::wait(Some(helper)).map_err(Failure::step("wait for the helper"))?;
    made.map_err(|error| {
        unfit(
            format!("this is not root, and may not make a user namespace ({error})"),
            "sysctl kernel.unprivileged_userns_clone=1, user.max_user_namespaces=10000 or \
             kernel.apparmor_restrict_unprivileged_userns=0, whichever there is; or run as root",
        )
    })?;
    if ended.is_some_and(|ended| ended.status == 0) {
        return Ok(());
    }
    Err(unfit(
        "newuidmap and newgidmap refuse the ranges of /etc/subuid and /etc/subgid".to_owned(),
        "see what they say on standard error; they must be set-user-id root",
    ))
}

/// Root is the user, whom nothing else stands for; then comes the range.
fn map(process: Pid, ranges: &Ranges) -> bool {
    let own = [getuid().as_raw(), getgid().as_raw()];
    HELPERS
        .iter()
        .zip(own)
        .zip(ranges.0)
        .all(|(((helper, _), own), start)| {
            let range = [0, own, 1, 1, start, RANGE_MIN];
            let mapped = Command::new(helper)
                .arg(process.to_string())
                .args(range.map(|number| number.to_string()))
                .status();
            mapped.is_ok_and(|status| status.success())
        })
}

/// Whether this process is root of a namespace that was made by an ordinary
/// user, and which.
pub(crate) fn owner() -> Option<u32> {
    let map = File::open("/proc/self/uid_map").and_then(io::read_to_string);
    let map = map.unwrap_or_default();
    let mut root = map.lines().next()?.split_whitespace();
    let (inside, outside) = (root.next()?, root.next()?.parse().ok()?);
    (inside == "0" && outside != 0).then_some(outside)
}

fn unfit(problem: String, fix: &str) -> Failure {
    Failure::Unfit {
        feature: "rights".to_owned(),
        problem,
        fix: fix.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_found_by_name_and_by_number_if_large_enough() {
        let names = ["judge".to_owned(), "1005".to_owned()];
        let text = "other:100000:65536\njudge:165536:1000\n1005:231072:65536\n";
        assert_eq!(first_range(text, &names), Some(231_072));
        assert_eq!(first_range("judge:1:65536", &names), Some(1));
        assert_eq!(first_range("judge:1:65535\njudges:1:65536\n", &names), None);
        assert_eq!(first_range("judge:x:65536\njudge:1\n\n", &names), None);
    }

    /// A user without a name has no lines of an empty name.
    #[test]
    fn nobody_has_no_range() {
        assert_eq!(
            first_range(":1:65536", &[String::new(), "7".to_owned()]),
            None
        );
    }
}
