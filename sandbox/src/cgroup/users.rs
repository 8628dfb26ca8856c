//! The two user ids of a jail, which no other jail of the host has at the same
//! time: claimed by name, wherever in the tree of groups the jail may be.

use crate::protocol::Failure;
use std::io::ErrorKind;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};

/// Between what Debian and systemd assign.
const FIRST: u32 = 60_600;

/// Claimed until the last process that holds the socket has ended.
#[derive(Debug)]
pub(super) struct Users {
    root: u32,
    /// Bound to a name without a file, of which a host's network has one each. Jails
    /// of different sub-trees see no common directory that could be locked.
    _claim: UnixDatagram,
}

impl Users {
    /// The ids of this index; none when another jail has them.
    pub(super) fn claim(index: u32) -> Result<Option<Self>, Failure> {
        let root = FIRST + 2 * index;
        let maps = std::fs::read_to_string("/proc/self/uid_map")
            .map_err(Failure::step("read /proc/self/uid_map"))?;
        let name = format!("assize-user-{}", outside(root, &maps));
        let bound = SocketAddr::from_abstract_name(&name)
            .and_then(|address| UnixDatagram::bind_addr(&address));
        match bound {
            Ok(claim) => Ok(Some(Self {
                root,
                _claim: claim,
            })),
            Err(error) if error.kind() == ErrorKind::AddrInUse => Ok(None),
            Err(error) => Err(Failure::step(format!("claim the name @{name}"))(error)),
        }
    }

    /// Who is root inside.
    pub(super) fn root(&self) -> u32 {
        self.root
    }

    /// Who runs the program.
    pub(super) fn program(&self) -> u32 {
        self.root + 1
    }
}

/// What an id of our user namespace is outside of it, by the namespace's map: two
/// that an ordinary user has made may have the same, or each its own.
fn outside(id: u32, map: &str) -> u32 {
    let stands_for = |line: &str| {
        let mut numbers = line.split_whitespace().map_while(|word| word.parse().ok());
        let (inside, outside, count): (u32, u32, u32) =
            (numbers.next()?, numbers.next()?, numbers.next()?);
        let offset = id.checked_sub(inside).filter(|offset| *offset < count)?;
        outside.checked_add(offset)
    };
    // Without a place in the map it can't be used, which is found out later.
    map.lines().find_map(stands_for).unwrap_or(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Beyond what jails claim.
    const INDEX: u32 = 1_000_000;

    #[test]
    fn one_jail_at_a_time_has_an_id() {
        let users = Users::claim(INDEX).unwrap().unwrap();
        assert!(Users::claim(INDEX).unwrap().is_none());
        assert!(Users::claim(INDEX + 1).unwrap().is_some());
        drop(users);
        assert!(Users::claim(INDEX).unwrap().is_some());
    }

    #[test]
    fn ids_are_told_apart_by_what_they_are_outside() {
        let host = "         0          0 4294967295\n";
        assert_eq!(outside(60_600, host), 60_600);
        let user = "         0       1000          1\n         1     200000      65536\n";
        assert_eq!(outside(0, user), 1000);
        assert_eq!(outside(60_600, user), 260_599);
        assert_eq!(outside(70_000, user), 70_000);
    }
}
