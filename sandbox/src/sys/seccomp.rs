//! Installing a compiled filter.

use super::calls::Calls;
use nix::errno::Errno;

/// A compiled filter program.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    instructions: Vec<libc::sock_filter>,
}

impl Program {
    /// Reads a program as libseccomp exports it: an array of `sock_filter` in
    /// the machine's byte order. None when it is empty or not such an array:
    /// an empty filter must never pass for a policy.
    pub(crate) fn parse(exported: &[u8]) -> Option<Self> {
        let (chunks, rest) = exported.as_chunks::<8>();
        if chunks.is_empty() || !rest.is_empty() {
            return None;
        }
        let instructions = chunks
            .iter()
            .map(|&[c0, c1, jt, jf, k0, k1, k2, k3]| libc::sock_filter {
                code: u16::from_ne_bytes([c0, c1]),
                jt,
                jf,
                k: u32::from_ne_bytes([k0, k1, k2, k3]),
            })
            .collect();
        Some(Self { instructions })
    }

    /// This program behind others, which may jump to its start.
    pub(crate) fn after(&self, mut first: Vec<libc::sock_filter>) -> Self {
        first.extend_from_slice(&self.instructions);
        Self {
            instructions: first,
        }
    }

    #[cfg(test)]
    pub(crate) fn instructions(&self) -> &[libc::sock_filter] {
        &self.instructions
    }

    /// Installs the program for the calling process and all its descendants.
    /// `no_new_privs` must be set already.
    pub(crate) fn install(&self, calls: Calls) -> Result<(), Errno> {
        let length = u16::try_from(self.instructions.len()).map_err(|_| Errno::E2BIG)?;
        // The kernel copies and verifies the instructions, and does not write
        // through the pointer.
        calls.install(&libc::sock_fprog {
            len: length,
            filter: self.instructions.as_ptr().cast_mut(),
        })
    }
}
