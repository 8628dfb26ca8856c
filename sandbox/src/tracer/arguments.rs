//! Which calls take paths, and what they do with them.

use assize_policy::Access;
use libc::c_long;

/// One path among the arguments of a call; numbers are places of arguments.
#[derive(Clone, Copy, Debug)]
pub(super) struct PathArgument {
    /// A descriptor of the directory that a relative path starts at.
    pub(super) directory: Option<usize>,
    /// Without one it is that descriptor itself.
    pub(super) path: Option<usize>,
    pub(super) uses: Uses,
    pub(super) follow: Follow,
    /// Flags that may hold `AT_EMPTY_PATH`.
    pub(super) flags: Option<usize>,
}

/// What is done with what the path names.
#[derive(Clone, Copy, Debug)]
pub(super) enum Uses {
    Only(&'static [Access]),
    /// It gets another name, and what could be done with it still can.
    Link,
    /// The same or less, and what lies below gets other names, too.
    Rename(&'static [Access]),
    /// As these flags of `open` say.
    Open(usize),
    /// As the `open_how` there says.
    OpenHow(usize),
}

/// Whether a link at the path's end is followed.
#[derive(Clone, Copy, Debug)]
pub(super) enum Follow {
    Yes,
    No,
    /// Unless the flags hold `AT_SYMLINK_NOFOLLOW`.
    UnlessFlag,
    /// If the flags hold `AT_SYMLINK_FOLLOW`.
    IfFlag,
    /// As flags of `open` say.
    Open,
}

const READ: Uses = Uses::Only(&[Access::Read]);
const WRITE: Uses = Uses::Only(&[Access::Write]);
const STAT: Uses = Uses::Only(&[Access::Stat]);
const EXEC: Uses = Uses::Only(&[Access::Exec]);
const LINK: Uses = Uses::Link;
const RENAME: Uses = Uses::Rename(&Access::ALL);
const RENAME_TO: Uses = Uses::Rename(&[Access::Write]);

const fn plain(path: usize, uses: Uses, follow: Follow) -> PathArgument {
    PathArgument {
        directory: None,
        path: Some(path),
        uses,
        follow,
        flags: None,
    }
}

const fn at(directory: usize, uses: Uses, follow: Follow) -> PathArgument {
    PathArgument {
        directory: Some(directory),
        ..plain(directory + 1, uses, follow)
    }
}

/// What an open descriptor refers to.
const fn open(descriptor: usize, uses: Uses) -> PathArgument {
    PathArgument {
        path: None,
        ..at(descriptor, uses, Follow::Yes)
    }
}

const fn flagged(argument: PathArgument, flags: usize) -> PathArgument {
    PathArgument {
        flags: Some(flags),
        ..argument
    }
}

// Newer than the constants of libc; the same on all machines.
const FCHMODAT2: c_long = 452;
const SETXATTRAT: c_long = 463;
const GETXATTRAT: c_long = 464;
const LISTXATTRAT: c_long = 465;
const REMOVEXATTRAT: c_long = 466;
const FILE_GETATTR: c_long = 468;
const FILE_SETATTR: c_long = 469;

type Row = (c_long, &'static str, &'static [PathArgument]);

/// Newer machines never had the calls without a directory.
const CALLS: &[Row] = &[
    #[cfg(target_arch = "x86_64")]
    (
        libc::SYS_open,
        "open",
        &[plain(0, Uses::Open(1), Follow::Open)],
    ),
    #[cfg(target_arch = "x86_64")]
    (libc::SYS_creat, "creat", &[plain(0, WRITE, Follow::Yes)]),
    (
        libc::SYS_openat,
        "openat",
        &[at(0, Uses::Open(2), Follow::Open)],
    ),
    (
        libc::SYS_openat2,
        "openat2",
        &[at(0, Uses::OpenHow(2), Follow::Open)],
    ),
    #[cfg(target_arch = "x86_64")]
    (libc::SYS_stat, "stat", &[plain(0, STAT, Follow::Yes)]),
    #[cfg(target_arch = "x86_64")]
    (libc::SYS_lstat, "lstat", &[plain(0, STAT, Follow::No)]),
    (
        libc::SYS_newfstatat,
        "newfstatat",
        &[flagged(at(0, STAT, Follow::UnlessFlag), 3)],
    ),
    (
        libc::SYS_statx,
        "statx",
        &[flagged(at(0, STAT, Follow::UnlessFlag), 2)],
    ),
    (libc::SYS_statfs, "statfs", &[plain(0, STAT, Follow::Yes)]),
    #[cfg(target_arch = "x86_64")]
    (libc::SYS_access, "access", &[plain(0, STAT, Follow::Yes)]),
    (
        libc::SYS_faccessat,
        "faccessat",
        &[at(0, STAT, Follow::Yes)],
    ),
    (
        libc::SYS_faccessat2,
        "faccessat2",
        &[flagged(at(0, STAT, Follow::UnlessFlag), 3)],
    ),
    (libc::SYS_chdir, "chdir", &[plain(0, STAT, Follow::Yes)]),
    #[cfg(target_arch = "x86_64")]
    (
        libc::SYS_readlink,
        "readlink",
        &[plain(0, READ, Follow::No)],
    ),
    (
        libc::SYS_readlinkat,
        "readlinkat",
        &[at(0, READ, Follow::No)],
    ),
    (
        libc::SYS_getxattr,
        "getxattr",
        &[plain(0, STAT, Follow::Yes)],
    ),
    (
        libc::SYS_lgetxattr,
        "lgetxattr",
        &[plain(0, STAT, Follow::No)],
    ),
    (
        libc::SYS_listxattr,
        "listxattr",
        &[plain(0, STAT, Follow::Yes)],
    ),
    (
        libc::SYS_llistxattr,
        "llistxattr",
        &[plain(0, STAT, Follow::No)],
    ),
    (
        GETXATTRAT,
        "getxattrat",
        &[flagged(at(0, STAT, Follow::UnlessFlag), 2)],
    ),
    (
        LISTXATTRAT,
        "listxattrat",
        &[flagged(at(0, STAT, Follow::UnlessFlag), 2)],
    ),
    (
        FILE_GETATTR,
        "file_getattr",
        &[flagged(at(0, STAT, Follow::UnlessFlag), 4)],
    ),
    (
        libc::SYS_name_to_handle_at,
        "name_to_handle_at",
        &[flagged(at(0, STAT, Follow::IfFlag), 4)],
    ),
    (
        libc::SYS_setxattr,
        "setxattr",
        &[plain(0, WRITE, Follow::Yes)],
    ),
    (
        libc::SYS_lsetxattr,
        "lsetxattr",
        &[plain(0, WRITE, Follow::No)],
    ),
    (libc::SYS_fsetxattr, "fsetxattr", &[open(0, WRITE)]),
    (
        SETXATTRAT,
        "setxattrat",
        &[flagged(at(0, WRITE, Follow::UnlessFlag), 2)],
    ),
    (
        libc::SYS_removexattr,
        "removexattr",
        &[plain(0, WRITE, Follow::Yes)],
    ),
    (
        libc::SYS_lremovexattr,
        "lremovexattr",
        &[plain(0, WRITE, Follow::No)],
    ),
    (libc::SYS_fremovexattr, "fremovexattr", &[open(0, WRITE)]),
    (
        REMOVEXATTRAT,
        "removexattrat",
        &[flagged(at(0, WRITE, Follow::UnlessFlag), 2)],
    ),
    (
        FILE_SETATTR,
        "file_setattr",
        &[flagged(at(0, WRITE, Follow::UnlessFlag), 4)],
    ),
    (
        libc::SYS_truncate,
        "truncate",
        &[plain(0, WRITE, Follow::Yes)],
    ),
    #[cfg(target_arch = "x86_64")]
    (libc::SYS_unlink, "unlink", &[plain(0, WRITE, Follow::No)]),
    (libc::SYS_unlinkat, "unlinkat", &[at(0, WRITE, Follow::No)]),
    #[cfg(target_arch = "x86_64")]
    (libc::SYS_rmdir, "rmdir", &[plain(0, WRITE, Follow::No)]),
    #[cfg(target_arch = "x86_64")]
    (libc::SYS_mkdir, "mkdir", &[plain(0, WRITE, Follow::No)]),
    (libc::SYS_mkdirat, "mkdirat", &[at(0, WRITE, Follow::No)]),
    #[cfg(target_arch = "x86_64")]
    (libc::SYS_mknod, "mknod", &[plain(0, WRITE, Follow::No)]),
    (libc::SYS_mknodat, "mknodat", &[at(0, WRITE, Follow::No)]),
    #[cfg(target_arch = "x86_64")]
    (
        libc::SYS_rename,
        "rename",
        &[
            plain(0, RENAME, Follow::No),
            plain(1, RENAME_TO, Follow::No),
        ],
    ),
    (
        libc::SYS_renameat,
        "renameat",
        &[at(0, RENAME, Follow::No), at(2, RENAME_TO, Follow::No)],
    ),
    // Its flags may ask for an exchange.
    (
        libc::SYS_renameat2,
        "renameat2",
        &[at(0, RENAME, Follow::No), at(2, RENAME, Follow::No)],
    ),
    #[cfg(target_arch = "x86_64")]
    (
        libc::SYS_link,
        "link",
        &[plain(0, LINK, Follow::No), plain(1, WRITE, Follow::No)],
    ),
    (
        libc::SYS_linkat,
        "linkat",
        &[
            flagged(at(0, LINK, Follow::IfFlag), 4),
            at(2, WRITE, Follow::No),
        ],
    ),
    #[cfg(target_arch = "x86_64")]
    (libc::SYS_symlink, "symlink", &[plain(1, WRITE, Follow::No)]),
    (
        libc::SYS_symlinkat,
        "symlinkat",
        &[at(1, WRITE, Follow::No)],
    ),
    #[cfg(target_arch = "x86_64")]
    (libc::SYS_chmod, "chmod", &[plain(0, WRITE, Follow::Yes)]),
    (libc::SYS_fchmodat, "fchmodat", &[at(0, WRITE, Follow::Yes)]),
    (
        FCHMODAT2,
        "fchmodat2",
        &[flagged(at(0, WRITE, Follow::UnlessFlag), 3)],
    ),
    (libc::SYS_fchmod, "fchmod", &[open(0, WRITE)]),
    #[cfg(target_arch = "x86_64")]
    (libc::SYS_chown, "chown", &[plain(0, WRITE, Follow::Yes)]),
    #[cfg(target_arch = "x86_64")]
    (libc::SYS_lchown, "lchown", &[plain(0, WRITE, Follow::No)]),
    (
        libc::SYS_fchownat,
        "fchownat",
        &[flagged(at(0, WRITE, Follow::UnlessFlag), 4)],
    ),
    (libc::SYS_fchown, "fchown", &[open(0, WRITE)]),
    #[cfg(target_arch = "x86_64")]
    (libc::SYS_utime, "utime", &[plain(0, WRITE, Follow::Yes)]),
    #[cfg(target_arch = "x86_64")]
    (libc::SYS_utimes, "utimes", &[plain(0, WRITE, Follow::Yes)]),
    #[cfg(target_arch = "x86_64")]
    (
        libc::SYS_futimesat,
        "futimesat",
        &[at(0, WRITE, Follow::Yes)],
    ),
    (
        libc::SYS_utimensat,
        "utimensat",
        &[flagged(at(0, WRITE, Follow::UnlessFlag), 3)],
    ),
    (libc::SYS_execve, "execve", &[plain(0, EXEC, Follow::Yes)]),
    (
        libc::SYS_execveat,
        "execveat",
        &[flagged(at(0, EXEC, Follow::UnlessFlag), 4)],
    ),
];

/// The paths among a call's arguments.
pub(super) fn paths(call: usize) -> &'static [PathArgument] {
    CALLS
        .iter()
        .find(|(number, ..)| usize::try_from(*number) == Ok(call))
        .map_or(&[], |(_, _, paths)| *paths)
}

/// The names of all calls that take paths.
pub(crate) fn path_calls() -> impl Iterator<Item = &'static str> {
    CALLS.iter().map(|(_, name, _)| *name)
}

/// Calls that take paths and are not in the table: with path rules none may be allowed.
pub(crate) const UNDECIDED: [&str; 14] = [
    "acct",
    "chroot",
    "fanotify_mark",
    "fspick",
    "inotify_add_watch",
    "mount",
    "mount_setattr",
    "move_mount",
    "open_by_handle_at",
    "open_tree",
    "pivot_root",
    "swapoff",
    "swapon",
    "umount2",
];

/// What flags of `open` do.
pub(super) fn open_accesses(flags: u64) -> &'static [Access] {
    let has = |flag: libc::c_int| flags & u64::from(flag.cast_unsigned()) != 0;
    if has(libc::O_PATH) {
        return &[Access::Stat];
    }
    let changes = has(libc::O_CREAT) || has(libc::O_TRUNC);
    match flags & 3 {
        0 if !changes => &[Access::Read],
        1 => &[Access::Write],
        _ => &[Access::Read, Access::Write],
    }
}

/// Whether `open` follows a link at the end. With `O_PATH` the kernel forgets that something
/// was to be made.
pub(super) fn open_follows(flags: u64) -> bool {
    let has = |flag: libc::c_int| {
        let flag = u64::from(flag.cast_unsigned());
        flags & flag == flag
    };
    !has(libc::O_NOFOLLOW) && (has(libc::O_PATH) || !has(libc::O_CREAT | libc::O_EXCL))
}
