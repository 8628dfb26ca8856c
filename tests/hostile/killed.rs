//! Kills from outside: by an operator, or by a host that is short of memory. Whoever of
//! a jail it hits, the run has its true end or is an error of ours, and all is cleared away.

use super::host::{self, Host, KnownJail};
use super::{EXITED, base, run_captured};
use assize_sandbox::{Facts, JailError, Mode};
use assize_tests::system::kill_command;
use std::time::{Duration, Instant};

/// From the outermost to the innermost; the program itself comes after.
const ROLES: [&str; 5] = ["supervisor", "zygote", "stage", "partner", "init"];

/// Only something broken takes longer.
const PATIENCE: Duration = Duration::from_secs(60);

#[test]
fn whoever_is_killed_in_the_middle_of_a_run_leaves_no_facts() {
    for mode in [Mode::Unshare, Mode::Ptrace] {
        for (depth, role) in ROLES.into_iter().enumerate() {
            let KnownJail {
                mut jail,
                supervisor,
            } = host::start_alone();
            let host = Host::of(supervisor);
            let killer = std::thread::spawn(move || {
                let chain = wait_for(|| {
                    chains(supervisor)
                        .into_iter()
                        .find(|chain| chain.len() > ROLES.len())
                });
                kill_one(chain.expect("everybody has started")[depth]);
            });
            let ended = jail.run(base(&["/bin/sleep", "1000"], mode));
            killer.join().unwrap();
            let error = ended.err();
            assert!(
                error.as_ref().is_some_and(JailError::is_fatal),
                "{role} in {mode:?}: {error:?}"
            );
            drop(jail);
            assert_cleared(&host, role);
        }
    }
}

/// A kill may come before anything of the run is there, in the middle of any step of ours,
/// and after the end.
#[test]
fn a_kill_at_any_moment_is_no_verdict() {
    for mode in [Mode::Unshare, Mode::Ptrace] {
        let mut known = host::start_alone();
        let (mut errors, mut ends) = (0, 0);
        for round in 0..120 {
            let supervisor = known.supervisor;
            let killer = std::thread::spawn(move || {
                std::thread::sleep(Duration::from_micros(150 * round));
                // The program is the contestant's: its end is its own.
                let ours: Vec<u32> = chains(supervisor)
                    .into_iter()
                    .flat_map(|chain| chain.into_iter().take(ROLES.len()))
                    .collect();
                let chosen = usize::try_from(round).unwrap() * 7;
                kill_one(ours[chosen % ours.len()]);
            });
            let ended = run_captured(
                &mut known.jail,
                base(&["/bin/sh", "-c", "sleep 0.01; echo ok"], mode),
            );
            killer.join().unwrap();
            match ended {
                Ok((Facts { outcome, .. }, output)) => {
                    assert_eq!((outcome, &*output), (EXITED, "ok\n"), "{round} in {mode:?}");
                    ends += 1;
                }
                Err(error) => {
                    assert!(error.is_fatal(), "{round} in {mode:?}: {error}");
                    known = host::start_alone();
                    errors += 1;
                }
            }
        }
        assert!(errors > 10, "{errors} kills met a run, {ends} did not");
    }
}

/// The next jail of the host removes what the one has left that could not do so itself.
fn assert_cleared(host: &Host, role: &str) {
    let next = host::start_alone();
    let cleared = wait_for(|| host.remains().is_empty().then_some(()));
    assert!(cleared.is_some(), "after the {role}: {:?}", host.remains());
    drop(next);
}

/// From the supervisor down to each process that has no child.
fn chains(from: u32) -> Vec<Vec<u32>> {
    let below = host::children(from);
    if below.is_empty() {
        return vec![vec![from]];
    }
    let longer = |mut chain: Vec<u32>| {
        chain.insert(0, from);
        chain
    };
    below.into_iter().flat_map(chains).map(longer).collect()
}

/// Looks until there is something to be found; nothing if that takes too long.
fn wait_for<T>(mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let begun = Instant::now();
    while begun.elapsed() < PATIENCE {
        if let Some(found) = look() {
            return Some(found);
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    None
}

/// Who is gone already was not hit.
fn kill_one(process: u32) {
    kill_command(&[process]).output().unwrap();
}
