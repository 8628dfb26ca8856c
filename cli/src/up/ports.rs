//! Free ports on the loopback interface for services nobody else should find.

use std::hash::{BuildHasher as _, RandomState};
use std::net::{Ipv4Addr, TcpListener};

use anyhow::bail;

/// Below the range that the kernel hands out to outgoing connections, so that
/// a port which is free now does not become somebody's source port.
const FIRST: u16 = 20_000;
const COUNT: u16 = 12_000;

/// `N` different ports that are free right now.
///
/// # Errors
/// When none can be found.
pub(super) fn free<const N: usize>() -> anyhow::Result<[u16; N]> {
    let mut ports = [0; N];
    // Held until all are found, or the same one would be found twice.
    let mut held = Vec::new();
    // Random start: two installations that start at once look at different ports.
    let start =
        u16::try_from(RandomState::new().hash_one(0) % u64::from(COUNT)).unwrap_or_default();
    for offset in 0..COUNT {
        let port = FIRST + (start + offset) % COUNT;
        let Ok(listener) = TcpListener::bind((Ipv4Addr::LOCALHOST, port)) else {
            continue;
        };
        ports[held.len()] = port;
        held.push(listener);
        if held.len() == N {
            return Ok(ports);
        }
    }
    bail!(
        "no free port between {FIRST} and {} on 127.0.0.1",
        FIRST + COUNT
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn different_and_usable() {
        let ports = free::<3>().unwrap();
        assert!(ports[0] != ports[1] && ports[1] != ports[2] && ports[0] != ports[2]);
        let listeners: Vec<_> = ports
            .iter()
            .map(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).unwrap())
            .collect();
        assert_eq!(listeners.len(), 3);
    }
}
