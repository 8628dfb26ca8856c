//! Which hardware threads share a core.

use super::host::Host;
use super::{Finding, PinError};
use std::collections::BTreeMap;

/// The hardware threads that this process may use, by number, each with all
/// threads of its core.
#[derive(Debug)]
pub(super) struct Topology(BTreeMap<usize, Vec<usize>>);

impl Topology {
    /// Threads that the host does not tell siblings of have a core for themselves.
    pub(super) fn read(host: &Host, allowed: &[usize]) -> Self {
        let siblings = |thread: &usize| {
            let file = format!("sys/devices/system/cpu/cpu{thread}/topology/thread_siblings_list");
            host.read(file).map_or_else(Vec::new, |text| numbers(&text))
        };
        Self(allowed.iter().map(|it| (*it, siblings(it))).collect())
    }

    /// About the whole host.
    pub(super) fn finding(&self) -> Finding {
        let name = "timing.smt";
        if self.0.values().all(|siblings| siblings.len() <= 1) {
            return Finding::good(name, "one hardware thread per core");
        }
        Finding::warning(
            name,
            "cores have two hardware threads or more",
            "a program takes up to twice as long while the other thread of its core is busy (depends on both programs)",
            format!(
                "start workers with --cores {}: one thread of each core",
                list(&self.one_of_each_core())
            ),
        )
    }

    /// Whether slots can be bound to these, each to one, and whether they disturb
    /// each other then.
    pub(super) fn pinned(&self, wanted: &[usize]) -> Result<Option<Finding>, PinError> {
        let mut before = Vec::new();
        let mut shared = None;
        for core in wanted {
            let Some(siblings) = self.0.get(core) else {
                return Err(PinError::Missing {
                    core: *core,
                    usable: list(&self.0.keys().copied().collect::<Vec<_>>()),
                });
            };
            if before.contains(core) {
                return Err(PinError::Twice { core: *core });
            }
            let sibling = before.iter().find(|other| siblings.contains(other));
            shared = shared.or(sibling.map(|other| (*other, *core)));
            before.push(*core);
        }
        Ok(shared.map(|(one, other)| {
            Finding::warning(
                "timing.cores",
                format!("{one} and {other} of --cores are hardware threads of one core"),
                "programs of the two slots take up to twice as long while both are busy",
                format!("--cores {}", list(&self.one_of_each_core())),
            )
        }))
    }

    /// The first usable thread of each core.
    fn one_of_each_core(&self) -> Vec<usize> {
        let usable = |thread: &&usize| self.0.contains_key(*thread);
        let first = |(thread, siblings): &(&usize, &Vec<usize>)| {
            siblings.iter().find(usable).is_none_or(|it| it == *thread)
        };
        self.0
            .iter()
            .filter(first)
            .map(|(thread, _)| *thread)
            .collect()
    }
}

fn list(threads: &[usize]) -> String {
    let threads: Vec<_> = threads.iter().map(ToString::to_string).collect();
    threads.join(",")
}

/// Those of a list such as `0,4` or `0-1,8-9`.
fn numbers(list: &str) -> Vec<usize> {
    let range = |text: &str| {
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        Some(first.parse().ok()?..=last.parse().ok()?)
    };
    list.split(',').filter_map(range).flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::preflight::Grade;
    use crate::preflight::host::Fake;

    /// Two cores of two threads each, 0 with 2 and 1 with 3.
    fn two_by_two() -> Fake {
        let fake = Fake::new();
        for (thread, siblings) in [(0, "0,2"), (1, "1,3"), (2, "0,2"), (3, "1,3")] {
            let file = format!("sys/devices/system/cpu/cpu{thread}/topology/thread_siblings_list");
            fake.write(&file, siblings);
        }
        fake
    }

    #[test]
    fn threads_of_a_list() {
        assert_eq!(numbers("3,7"), [3, 7]);
        assert_eq!(numbers("2-3"), [2, 3]);
        assert_eq!(numbers("0-1,8-9"), [0, 1, 8, 9]);
        assert_eq!(numbers("0"), [0]);
        assert!(numbers("").is_empty());
    }

    #[test]
    fn one_thread_of_each_core_is_proposed() {
        let fake = two_by_two();
        let fix = |allowed: &[usize]| Topology::read(&fake.host(), allowed).finding().fix;
        assert!(fix(&[0, 1, 2, 3]).contains("--cores 0,1:"));
        // In a container that may not use the first ones.
        assert!(fix(&[1, 2, 3]).contains("--cores 1,2:"));
        // Some are switched off.
        assert!(fix(&[0, 3]).contains("--cores 0,3:"));
    }

    #[test]
    fn a_host_without_siblings_is_good() {
        let fake = Fake::new();
        let topology = Topology::read(&fake.host(), &[0, 1]);
        assert_eq!(topology.finding().grade, Grade::Good);
        assert_eq!(topology.pinned(&[0, 1]), Ok(None));
    }

    #[test]
    fn slots_on_threads_of_one_core_are_warned_of() {
        let topology = Topology::read(&two_by_two().host(), &[0, 1, 2, 3]);
        assert_eq!(topology.pinned(&[]), Ok(None));
        assert_eq!(topology.pinned(&[2, 1]), Ok(None));
        let warning = topology.pinned(&[1, 0, 3]).unwrap().unwrap();
        assert_eq!(warning.grade, Grade::Warning);
        assert!(warning.detail.starts_with("1 and 3 of --cores"));
        assert_eq!(warning.fix, "--cores 0,1");
    }

    #[test]
    fn slots_on_the_same_or_no_core_are_refused() {
        let topology = Topology::read(&two_by_two().host(), &[0, 1, 3]);
        assert_eq!(
            topology.pinned(&[0, 1, 0]),
            Err(PinError::Twice { core: 0 })
        );
        let missing = topology.pinned(&[0, 2]).unwrap_err();
        assert_eq!(
            missing.to_string(),
            "--cores names 2, which this process may not use; it may use 0,1,3"
        );
    }
}
