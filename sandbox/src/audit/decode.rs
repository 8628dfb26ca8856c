//! Raw arguments as people read them.

/// What one argument is.
#[derive(Clone, Copy)]
enum Kind {
    Number,
    Signed,
    Hex,
    Octal,
    Descriptor,
    Path,
    /// Of a socket.
    Address,
    Signal,
    Bits(&'static [(u64, &'static str)]),
    OneOf(&'static [(u64, &'static str)]),
    Open,
}

use Kind::{Address, Bits, Descriptor, Hex, Number, Octal, OneOf, Open, Path, Signal, Signed};

const AT: Kind = Bits(&[
    (0x100, "AT_SYMLINK_NOFOLLOW"),
    (0x200, "AT_REMOVEDIR"),
    (0x400, "AT_SYMLINK_FOLLOW"),
    (0x1000, "AT_EMPTY_PATH"),
]);
const PROTECTION: Kind = Bits(&[(1, "PROT_READ"), (2, "PROT_WRITE"), (4, "PROT_EXEC")]);
const MAP: Kind = Bits(&[
    (0x01, "MAP_SHARED"),
    (0x02, "MAP_PRIVATE"),
    (0x10, "MAP_FIXED"),
    (0x20, "MAP_ANONYMOUS"),
    (0x4000, "MAP_NORESERVE"),
    (0x20000, "MAP_STACK"),
]);
const CLONE: Kind = Bits(&[
    (0x100, "CLONE_VM"),
    (0x200, "CLONE_FS"),
    (0x400, "CLONE_FILES"),
    (0x800, "CLONE_SIGHAND"),
    (0x4000, "CLONE_VFORK"),
    (0x10000, "CLONE_THREAD"),
    (0x20000, "CLONE_NEWNS"),
    (0x40000, "CLONE_SYSVSEM"),
    (0x80000, "CLONE_SETTLS"),
    (0x0010_0000, "CLONE_PARENT_SETTID"),
    (0x0020_0000, "CLONE_CHILD_CLEARTID"),
    (0x0080_0000, "CLONE_UNTRACED"),
    (0x0100_0000, "CLONE_CHILD_SETTID"),
    (0x0200_0000, "CLONE_NEWCGROUP"),
    (0x0400_0000, "CLONE_NEWUTS"),
    (0x0800_0000, "CLONE_NEWIPC"),
    (0x1000_0000, "CLONE_NEWUSER"),
    (0x2000_0000, "CLONE_NEWPID"),
    (0x4000_0000, "CLONE_NEWNET"),
    (17, "SIGCHLD"),
]);
const FAMILY: Kind = OneOf(&[
    (1, "AF_UNIX"),
    (2, "AF_INET"),
    (10, "AF_INET6"),
    (16, "AF_NETLINK"),
    (17, "AF_PACKET"),
    (38, "AF_ALG"),
    (40, "AF_VSOCK"),
]);
const SOCKET_TYPE: Kind = Bits(&[
    (0x800, "SOCK_NONBLOCK"),
    (0x80000, "SOCK_CLOEXEC"),
    (3, "SOCK_RAW"),
    (1, "SOCK_STREAM"),
    (2, "SOCK_DGRAM"),
]);
const ACCESS: Kind = Bits(&[(4, "R_OK"), (2, "W_OK"), (1, "X_OK")]);
const PRCTL: Kind = OneOf(&[
    (1, "PR_SET_PDEATHSIG"),
    (4, "PR_SET_DUMPABLE"),
    (15, "PR_SET_NAME"),
    (22, "PR_SET_SECCOMP"),
    (23, "PR_CAPBSET_READ"),
    (38, "PR_SET_NO_NEW_PRIVS"),
    (0x5356_4d41, "PR_SET_VMA"),
]);
const PTRACE: Kind = OneOf(&[
    (0, "PTRACE_TRACEME"),
    (16, "PTRACE_ATTACH"),
    (0x4206, "PTRACE_SEIZE"),
]);
const IOCTL: Kind = OneOf(&[
    (0x5401, "TCGETS"),
    (0x5413, "TIOCGWINSZ"),
    (0x541b, "FIONREAD"),
    (0x5421, "FIONBIO"),
    (0x5451, "FIOCLEX"),
]);

fn kinds(call: &str) -> Option<&'static [Kind]> {
    Some(match call {
        "open" => &[Path, Open, Octal],
        "openat" => &[Descriptor, Path, Open, Octal],
        "openat2" => &[Descriptor, Path, Hex, Number],
        "creat" | "mkdir" | "chmod" | "fchmod" => &[Path, Octal],
        "chown" | "lchown" | "fchown" => &[Path, Number, Number],
        "mkdirat" | "fchmodat" => &[Descriptor, Path, Octal],
        "fchmodat2" => &[Descriptor, Path, Octal, AT],
        "stat" | "lstat" | "statfs" | "truncate" => &[Path, Hex],
        "newfstatat" => &[Descriptor, Path, Hex, AT],
        "statx" => &[Descriptor, Path, AT, Hex, Hex],
        "access" => &[Path, ACCESS],
        "faccessat" => &[Descriptor, Path, ACCESS],
        "faccessat2" => &[Descriptor, Path, ACCESS, AT],
        "readlink" => &[Path, Hex, Number],
        "readlinkat" => &[Descriptor, Path, Hex, Number],
        "unlink" | "rmdir" | "chdir" => &[Path],
        "unlinkat" => &[Descriptor, Path, AT],
        "rename" | "link" => &[Path, Path],
        // What a link reads as is no path that is looked at.
        "symlink" => &[Hex, Path],
        "renameat" => &[Descriptor, Path, Descriptor, Path],
        "renameat2" => &[Descriptor, Path, Descriptor, Path, Hex],
        "linkat" => &[Descriptor, Path, Descriptor, Path, AT],
        "symlinkat" => &[Hex, Descriptor, Path],
        "execve" => &[Path, Hex, Hex],
        "execveat" => &[Descriptor, Path, Hex, Hex, AT],
        "read" | "write" => &[Descriptor, Hex, Number],
        "pread64" | "pwrite64" => &[Descriptor, Hex, Number, Number],
        "readv" | "writev" => &[Descriptor, Hex, Number],
        "close" | "fsync" | "dup" | "fchdir" => &[Descriptor],
        "dup2" | "dup3" => &[Descriptor, Descriptor, Hex],
        "fstat" => &[Descriptor, Hex],
        "lseek" => &[Descriptor, Signed, Number],
        "ioctl" => &[Descriptor, IOCTL, Hex],
        "fcntl" => &[Descriptor, Number, Hex],
        "getdents64" => &[Descriptor, Hex, Number],
        "mmap" => &[Hex, Number, PROTECTION, MAP, Descriptor, Hex],
        "mprotect" => &[Hex, Number, PROTECTION],
        "munmap" => &[Hex, Number],
        "brk" => &[Hex],
        "clone" => &[CLONE, Hex, Hex, Hex, Hex],
        "clone3" => &[Hex, Number],
        "fork" | "vfork" | "getpid" | "gettid" | "getppid" | "getuid" | "sched_yield" | "pause" => {
            &[]
        }
        "socket" => &[FAMILY, SOCKET_TYPE, Number],
        "socketpair" => &[FAMILY, SOCKET_TYPE, Number, Hex],
        "connect" | "bind" => &[Descriptor, Address, Number],
        "sendto" => &[Descriptor, Hex, Number, Hex, Address, Number],
        "sendmsg" => &[Descriptor, Address, Hex],
        "listen" => &[Descriptor, Number],
        "kill" | "tkill" => &[Signed, Signal],
        "tgkill" => &[Signed, Signed, Signal],
        "pidfd_send_signal" => &[Descriptor, Signal, Hex, Hex],
        "rt_sigaction" => &[Signal, Hex, Hex, Number],
        "wait4" => &[Signed, Hex, Hex, Hex],
        "exit" | "exit_group" => &[Signed],
        "prctl" => &[PRCTL, Hex, Hex, Hex, Hex],
        "ptrace" => &[PTRACE, Signed, Hex, Hex],
        "personality" | "unshare" => &[Hex],
        "setuid" | "setgid" => &[Number],
        "futex" => &[Hex, Hex, Number, Hex, Hex, Hex],
        _ => return None,
    })
}

/// The arguments of a call, as far as they are known.
pub(super) fn arguments(call: &str, raw: &[u64; 6], paths: &[String]) -> String {
    let mut paths = paths.iter();
    let Some(kinds) = kinds(call) else {
        let used = raw
            .iter()
            .rposition(|value| *value != 0)
            .map_or(0, |last| last + 1);
        let shown: Vec<String> = raw.iter().take(used).map(|value| hex(*value)).collect();
        return shown.join(", ");
    };
    let mut shown = Vec::new();
    for (index, (kind, value)) in kinds.iter().zip(raw).enumerate() {
        // The mode says nothing unless a file may be made.
        let creates = |flags: &u64| flags & (0o100 | 0o20_000_000) != 0;
        if matches!(kind, Octal)
            && matches!(call, "open" | "openat")
            && !raw.get(index - 1).is_some_and(creates)
        {
            continue;
        }
        shown.push(match kind {
            Path => paths
                .next()
                .map_or_else(|| hex(*value), |path| format!("{path:?}")),
            Address => paths
                .next()
                .map_or_else(|| hex(*value), |address| address.escape_debug().to_string()),
            other => argument(*other, *value),
        });
    }
    shown.join(", ")
}

fn argument(kind: Kind, value: u64) -> String {
    match kind {
        Number => value.to_string(),
        Signed => value.cast_signed().to_string(),
        Octal => format!("0{value:o}"),
        Descriptor if low(value) == libc::AT_FDCWD => "AT_FDCWD".to_owned(),
        Descriptor => low(value).to_string(),
        Signal => nix::sys::signal::Signal::try_from(low(value))
            .map_or_else(|_| value.to_string(), |signal| signal.to_string()),
        Bits(names) => bits(value, names),
        OneOf(names) => names
            .iter()
            .find(|(number, _)| *number == value & 0xffff_ffff)
            .map_or_else(|| hex(value), |(_, name)| (*name).to_owned()),
        Open => open_flags(value),
        Hex | Path | Address => hex(value),
    }
}

/// The kernel looks at 32 bits of a descriptor or signal.
fn low(value: u64) -> i32 {
    let [a, b, c, d, ..] = value.to_le_bytes();
    i32::from_le_bytes([a, b, c, d])
}

fn hex(value: u64) -> String {
    if value < 10 {
        return value.to_string();
    }
    format!("{value:#x}")
}

fn bits(mut value: u64, names: &[(u64, &str)]) -> String {
    let mut text = String::new();
    for (bit, name) in names {
        if value & bit == *bit {
            value &= !bit;
            let separator = if text.is_empty() { "" } else { "|" };
            text.extend([separator, name]);
        }
    }
    if value != 0 || text.is_empty() {
        let separator = if text.is_empty() { "" } else { "|" };
        text.extend([separator, &hex(value)]);
    }
    text
}

fn open_flags(value: u64) -> String {
    const OTHERS: &[(u64, &str)] = &[
        (0o100, "O_CREAT"),
        (0o200, "O_EXCL"),
        (0o400, "O_NOCTTY"),
        (0o1000, "O_TRUNC"),
        (0o2000, "O_APPEND"),
        (0o4000, "O_NONBLOCK"),
        (0o20_200_000, "O_TMPFILE"),
        (0o200_000, "O_DIRECTORY"),
        (0o400_000, "O_NOFOLLOW"),
        (0o2_000_000, "O_CLOEXEC"),
        (0o10_000_000, "O_PATH"),
    ];
    let access = match value & 3 {
        0 => "O_RDONLY",
        1 => "O_WRONLY",
        2 => "O_RDWR",
        _ => "3",
    };
    // Implied on this machine.
    let rest = value & !3 & !0o100_000;
    if rest == 0 {
        return access.to_owned();
    }
    format!("{access}|{}", bits(rest, OTHERS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_read_like_source() {
        let at = u64::from(libc::AT_FDCWD.cast_unsigned());
        let path = ["/etc/passwd".to_owned()];
        assert_eq!(
            arguments("openat", &[at, 0x1000, 0o2_000_000, 0o644, 0, 0], &path),
            "AT_FDCWD, \"/etc/passwd\", O_RDONLY|O_CLOEXEC"
        );
        assert_eq!(
            arguments("open", &[0x1000, 0o1101, 0o644, 0, 0, 0], &path),
            "\"/etc/passwd\", O_WRONLY|O_CREAT|O_TRUNC, 0644"
        );
        assert_eq!(
            arguments("socket", &[2, 0x80001, 0, 0, 0, 0], &[]),
            "AF_INET, SOCK_CLOEXEC|SOCK_STREAM, 0"
        );
        assert_eq!(
            arguments("symlink", &[0x1000, 0x2000, 0, 0, 0, 0], &path),
            "0x1000, \"/etc/passwd\""
        );
        let address = ["10.0.0.7:80".to_owned()];
        assert_eq!(
            arguments("connect", &[3, 0x7f00, 16, 0, 0, 0], &address),
            "3, 10.0.0.7:80, 16"
        );
        assert_eq!(arguments("kill", &[2, 9, 0, 0, 0, 0], &[]), "2, SIGKILL");
        assert_eq!(
            arguments("tgkill", &[2, 3, 6, 0, 0, 0], &[]),
            "2, 3, SIGABRT"
        );
        assert_eq!(arguments("nosuch", &[1, 0, 16, 0, 0, 0], &[]), "1, 0, 0x10");
        assert_eq!(
            arguments("openat", &[at, 0x1000, 0, 0, 0, 0], &[]),
            "AT_FDCWD, 0x1000, O_RDONLY"
        );
    }
}
