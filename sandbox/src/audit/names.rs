//! What system calls are called.

use super::entry::Abi;
use libseccomp::{ScmpArch, ScmpSyscall};

/// `AUDIT_ARCH_*` of the machine's own calls: machine, width, byte order.
#[cfg(target_arch = "x86_64")]
const NATIVE: u32 = 0xc000_003e;
#[cfg(target_arch = "aarch64")]
const NATIVE: u32 = 0xc000_00b7;
/// The older table of x86-64 machines. Machines of another kind have none, and
/// no calls of this one.
const I386: u32 = 0x4000_0003;
/// Set in the numbers of the third ABI of x86-64, x32, which goes by the same
/// table's name.
const X32_BIT: u64 = 0x4000_0000;

/// Past the numbers of all calls.
pub(crate) const NUMBER_END: usize = 512;

/// A system call by number, of some ABI.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Call {
    pub(crate) abi: Abi,
    pub(crate) number: u64,
}

impl Call {
    pub(crate) fn new(arch: u32, number: u64) -> Self {
        let abi = match arch {
            NATIVE if is_x32(number) => Abi::X32,
            NATIVE => Abi::Native,
            I386 => Abi::I386,
            _ => Abi::Other,
        };
        Self { abi, number }
    }

    /// The machine's own call of this number, if it can be one.
    pub(crate) fn native(self) -> Option<usize> {
        let number = usize::try_from(self.number).ok()?;
        (self.abi == Abi::Native && number < NUMBER_END).then_some(number)
    }

    /// Its name; of another ABI than the machine's own with that before it, of
    /// no known call its number.
    pub(crate) fn name(self) -> String {
        let (arch, prefix) = match self.abi {
            Abi::Native => (ScmpArch::native(), ""),
            Abi::X32 => (ScmpArch::X32, "x32:"),
            Abi::I386 => (ScmpArch::X86, "i386:"),
            Abi::Other => return format!("other:{}", self.number),
        };
        let known = i32::try_from(self.number)
            .ok()
            .and_then(|number| ScmpSyscall::from(number).get_name_by_arch(arch).ok());
        match known {
            Some(name) => format!("{prefix}{name}"),
            None => format!("{prefix}{}", self.number.cast_signed()),
        }
    }
}

fn is_x32(number: u64) -> bool {
    cfg!(target_arch = "x86_64") && number & X32_BIT != 0 && u32::try_from(number).is_ok()
}

/// The name of the machine's own call of this number.
pub(crate) fn native_name(number: usize) -> String {
    Call {
        abi: Abi::Native,
        number: number as u64,
    }
    .name()
}
