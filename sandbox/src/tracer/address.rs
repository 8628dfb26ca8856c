//! Addresses of sockets among the arguments of a call, as evidence: nothing is decided
//! by them, because the program could change them after we have looked.

use super::memory;
use nix::unistd::Pid;
use std::ffi::OsStr;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// `struct sockaddr_storage`: no address is longer.
const LONGEST: usize = 128;

/// The address that a call with these arguments is for, in words. None for a call without
/// one, and where none can be read.
pub(super) fn of(thread: Pid, call: usize, arguments: &[u64; 6]) -> Option<String> {
    let call = libc::c_long::try_from(call).ok()?;
    let [_, second, third, _, fifth, sixth] = *arguments;
    let (place, length) = match call {
        libc::SYS_connect | libc::SYS_bind => (second, third),
        libc::SYS_sendto => (fifth, sixth),
        // The first two fields of a `struct msghdr`.
        libc::SYS_sendmsg => (
            memory::number(thread, second).ok()?,
            memory::number(thread, second.checked_add(8)?).ok()?,
        ),
        _ => return None,
    };
    // The kernel looks at 32 bits of a length.
    let length = usize::try_from(length & 0xffff_ffff).ok()?.min(LONGEST);
    let mut bytes = [0; LONGEST];
    let bytes = bytes.get_mut(..length).filter(|_| place != 0)?;
    memory::bytes(thread, place, bytes).ok()?;
    in_words(bytes)
}

fn in_words(address: &[u8]) -> Option<String> {
    let (family, rest) = address.split_first_chunk()?;
    let family = u16::from_ne_bytes(*family);
    match i32::from(family) {
        libc::AF_UNIX => Some(match rest {
            [] => "unix, without a name".to_owned(),
            [0, name @ ..] => format!("unix @{}", String::from_utf8_lossy(name)),
            path => {
                let path = path.split(|byte| *byte == 0).next().unwrap_or_default();
                format!("unix {}", Path::new(OsStr::from_bytes(path)).display())
            }
        }),
        libc::AF_INET => {
            let (port, rest) = rest.split_first_chunk()?;
            let host = Ipv4Addr::from(*rest.first_chunk::<4>()?);
            Some(internet(host, *port))
        }
        libc::AF_INET6 => {
            let (port, rest) = rest.split_first_chunk()?;
            // After the flow's label.
            let host = Ipv6Addr::from(*rest.get(4..)?.first_chunk::<16>()?);
            Some(internet(host, *port))
        }
        other => Some(format!("family {other}")),
    }
}

fn internet(host: impl Into<std::net::IpAddr>, port: [u8; 2]) -> String {
    SocketAddr::new(host.into(), u16::from_be_bytes(port)).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_read_as_people_write_them() {
        let family = |number: i32| u16::try_from(number).unwrap().to_ne_bytes();
        let words = |number, rest: &[u8]| in_words(&[&family(number), rest].concat());
        let inet = [0, 80, 10, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 0];
        assert_eq!(words(libc::AF_INET, &inet).unwrap(), "10.0.0.7:80");
        let mut inet6 = [0; 26];
        inet6[1] = 53;
        inet6[21] = 1;
        assert_eq!(words(libc::AF_INET6, &inet6).unwrap(), "[::1]:53");
        let path = words(libc::AF_UNIX, b"/run/docker.sock\0junk").unwrap();
        assert_eq!(path, "unix /run/docker.sock");
        assert_eq!(words(libc::AF_UNIX, b"\0bus").unwrap(), "unix @bus");
        assert_eq!(words(libc::AF_NETLINK, &[]).unwrap(), "family 16");
        assert_eq!(words(libc::AF_INET, &[0, 80]), None);
        assert_eq!(in_words(&[1]), None);
    }
}
