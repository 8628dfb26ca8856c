//! What a path of the program names, found as the kernel finds it.
//!
//! Init shares the program's mounts and root, so the kernel does the walking,
//! one name at a time. What differs is seen to here: `/proc/self` means the
//! program, links of /proc lead to objects and not to what they read as.

use nix::errno::Errno;
use nix::fcntl::{OFlag, OpenHow, ResolveFlag, openat, openat2, readlink, readlinkat};
use nix::sys::stat::{FileStat, Mode, fstat};
use nix::sys::statfs::{PROC_SUPER_MAGIC, fstatfs};
use std::collections::HashMap;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStringExt;

/// The kernel follows as many.
const LINKS_MAX: usize = 40;
/// What links of /proc add to the name of something that has been removed.
pub(super) const REMOVED: &[u8] = b" (deleted)";
/// Resolved paths that are kept, each way.
const KEPT_MAX: usize = 4096;

/// Resolves paths of one run.
#[derive(Debug)]
pub(super) struct Resolver {
    root: OwnedFd,
    /// Where the program can change what names mean.
    changing: Vec<Vec<u8>>,
    /// What absolute paths resolve to that can't change.
    kept: Kept,
}

/// Canonical paths by how they were written: with a link at the end followed,
/// and without. Two maps, so that looking up needs no copy of the path.
#[derive(Debug, Default)]
struct Kept {
    followed: HashMap<Vec<u8>, Vec<u8>>,
    unfollowed: HashMap<Vec<u8>, Vec<u8>>,
}

impl Kept {
    fn of(&mut self, follow: bool) -> &mut HashMap<Vec<u8>, Vec<u8>> {
        if follow {
            &mut self.followed
        } else {
            &mut self.unfollowed
        }
    }
}

/// Where a relative path starts.
#[derive(Clone, Copy, Debug)]
pub(super) enum Start {
    WorkingDirectory,
    Descriptor(i32),
}

/// A canonical path on the way, and its object.
struct Place {
    object: OwnedFd,
    path: Vec<u8>,
    /// Some name on the way could be changed by the program.
    changing: bool,
}

impl Resolver {
    /// `scratches` are where the program can write.
    pub(super) fn new(scratches: impl Iterator<Item = Vec<u8>>) -> nix::Result<Self> {
        let mut changing: Vec<_> = scratches.collect();
        changing.push(b"/proc".to_vec());
        Ok(Self {
            root: nix::fcntl::open("/", OFlag::O_PATH | OFlag::O_CLOEXEC, Mode::empty())?,
            changing,
            kept: Kept::default(),
        })
    }

    /// The canonical path of what a thread's path names. Where nothing is, the
    /// rest of the path is appended as it stands. Errors are those that the kernel
    /// would give, and any others that keep us from looking.
    pub(super) fn resolve(
        &mut self,
        thread: i32,
        start: Start,
        path: &[u8],
        follow: bool,
    ) -> nix::Result<Vec<u8>> {
        if !path.starts_with(b"/") {
            let from = self.start(thread, start)?;
            return self.walk(thread, from, path, follow).map(|(path, _)| path);
        }
        if let Some(known) = self.kept.of(follow).get(path) {
            return Ok(known.clone());
        }
        let (resolved, changing) = match self.plain(path) {
            Some(found) => found,
            None => self.walk(thread, self.at_root()?, path, follow)?,
        };
        // What can't change need not be looked at again.
        let kept = self.kept.of(follow);
        if !changing && kept.len() < KEPT_MAX {
            kept.insert(path.to_vec(), resolved.clone());
        }
        Ok(resolved)
    }

    /// What an open descriptor of a thread refers to.
    pub(super) fn descriptor(&self, thread: i32, number: i32) -> nix::Result<Vec<u8>> {
        let (link, told) = link_of(thread, Start::Descriptor(number))?;
        let object = || fstat(&self.open(&self.root, link.as_bytes(), OFlag::empty())?);
        let path = self.name_of(thread, told, object)?;
        Ok(without_task(at_least_root(path)))
    }

    fn at_root(&self) -> nix::Result<Place> {
        Ok(Place {
            object: self.open(&self.root, b".", OFlag::empty())?,
            path: Vec::new(),
            changing: false,
        })
    }

    fn start(&self, thread: i32, start: Start) -> nix::Result<Place> {
        let (link, told) = link_of(thread, start)?;
        let object = self.open(&self.root, link.as_bytes(), OFlag::empty())?;
        Ok(Place {
            path: self.name_of(thread, told, || fstat(&object))?,
            object,
            changing: true,
        })
    }

    /// The canonical path of an object, of which a link of /proc tells this. What has
    /// been removed keeps its name: the content is what it was.
    fn name_of(
        &self,
        thread: i32,
        mut told: Vec<u8>,
        object: impl FnOnce() -> nix::Result<FileStat>,
    ) -> nix::Result<Vec<u8>> {
        if told == b"/" {
            told.clear();
        }
        if let Some(former) = told.strip_suffix(REMOVED)
            && !self.is_at(&told, &object()?)?
        {
            told.truncate(former.len());
        }
        self.own_proc(thread, told)
    }

    fn is_at(&self, path: &[u8], object: &FileStat) -> nix::Result<bool> {
        let there = match self.open(&self.root, path, OFlag::O_NOFOLLOW) {
            Ok(there) => fstat(&there)?,
            Err(errno) if is_nothing(errno) => return Ok(false),
            Err(errno) => return Err(errno),
        };
        Ok((there.st_dev, there.st_ino) == (object.st_dev, object.st_ino))
    }

    /// The quick way, for what is absolute, canonical as it stands, and there.
    fn plain(&self, path: &[u8]) -> Option<(Vec<u8>, bool)> {
        let odd = |part: &[u8]| matches!(part, b"" | b"." | b"..");
        if path.split(|byte| *byte == b'/').skip(1).any(odd) || self.is_changing(path) {
            return None;
        }
        let how = OpenHow::new()
            .flags(OFlag::O_PATH | OFlag::O_CLOEXEC)
            .resolve(ResolveFlag::RESOLVE_NO_SYMLINKS);
        let found = openat2(&self.root, path, how);
        found.ok().map(|_| (path.to_vec(), false))
    }

    fn walk(
        &self,
        thread: i32,
        mut at: Place,
        path: &[u8],
        follow: bool,
    ) -> nix::Result<(Vec<u8>, bool)> {
        let mut links = 0;
        let mut rest = parts(path);
        while let Some(name) = rest.pop() {
            match name.as_slice() {
                b"" | b"." => continue,
                b".." => {
                    at.object = self.open(&at.object, b"..", OFlag::empty())?;
                    let parent = at.path.iter().rposition(|byte| *byte == b'/');
                    at.path.truncate(parent.unwrap_or(0));
                    continue;
                }
                _ => {}
            }
            let next_path = [&at.path, &b"/"[..], &name].concat();
            at.changing |= self.is_changing(&next_path);
            let next = match self.open(&at.object, &name, OFlag::O_NOFOLLOW) {
                Ok(next) => next,
                Err(errno) if is_nothing(errno) => {
                    at.path = next_path;
                    while let Some(name) = rest.pop() {
                        at.path = [&at.path, &b"/"[..], &name].concat();
                    }
                    break;
                }
                Err(errno) => return Err(errno),
            };
            // A slash at the end has the link before it followed.
            if !is_link(&fstat(&next)?) || (rest.is_empty() && !follow) {
                at.object = next;
                at.path = self.own_proc(thread, next_path)?;
                continue;
            }
            links += 1;
            if links > LINKS_MAX {
                return Err(Errno::ELOOP);
            }
            let reads = readlinkat(&at.object, name.as_slice()).map_err(not_told)?;
            let reads = reads.into_vec();
            let in_proc = fstatfs(&at.object)?.filesystem_type() == PROC_SUPER_MAGIC;
            match (in_proc, at.path.as_slice(), name.as_slice()) {
                (true, b"/proc", b"self") => rest.push(group(thread)?.to_string().into_bytes()),
                (true, b"/proc", b"thread-self") => {
                    rest.extend(parts(
                        format!("{}/task/{thread}", group(thread)?).as_bytes(),
                    ));
                }
                (true, path, _) if path != b"/proc" => {
                    at.object = self.open(&at.object, &name, OFlag::empty())?;
                    at.path = self.name_of(thread, reads, || fstat(&at.object))?;
                }
                _ => {
                    if reads.starts_with(b"/") {
                        at = Place {
                            changing: at.changing,
                            ..self.at_root()?
                        };
                    }
                    rest.extend(parts(&reads));
                }
            }
        }
        Ok((without_task(at_least_root(at.path)), at.changing))
    }

    fn open(&self, from: &OwnedFd, name: &[u8], flags: OFlag) -> nix::Result<OwnedFd> {
        let flags = flags | OFlag::O_PATH | OFlag::O_CLOEXEC;
        openat(from, name, flags, Mode::empty())
    }

    fn is_changing(&self, path: &[u8]) -> bool {
        self.changing.iter().any(|top| {
            path.strip_prefix(top.as_slice())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
        })
    }

    /// In a canonical path, a program's own directory of /proc is called
    /// `self`, so that a rule can name it.
    fn own_proc(&self, thread: i32, path: Vec<u8>) -> nix::Result<Vec<u8>> {
        let Some(rest) = path.strip_prefix(b"/proc/") else {
            return Ok(path);
        };
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (number, rest) = rest.split_at(digits);
        let number = str::from_utf8(number)
            .ok()
            .and_then(|text| text.parse().ok());
        let Some(number) = number.filter(|_| rest.is_empty() || rest.starts_with(b"/")) else {
            return Ok(path);
        };
        // Any thread has such a directory, though those of processes alone are listed.
        match group(number) {
            Ok(process) if process == group(thread)? => Ok([b"/proc/self", rest].concat()),
            Ok(_) | Err(Errno::ESRCH) => Ok(path),
            Err(errno) => Err(errno),
        }
    }
}

/// The link of /proc to where a path starts, and what it tells.
fn link_of(thread: i32, start: Start) -> nix::Result<(String, Vec<u8>)> {
    let link = match start {
        Start::WorkingDirectory => format!("/proc/{thread}/cwd"),
        Start::Descriptor(number) => format!("/proc/{thread}/fd/{number}"),
    };
    let told = readlink(link.as_str()).map_err(|errno| not_open(not_told(errno)));
    Ok((link, told?.into_vec()))
}

/// The directory of one thread holds the same files as that of its process, so a rule
/// need only name those. On the way, a `..` still leads out of the real one.
fn without_task(path: Vec<u8>) -> Vec<u8> {
    let Some(task) = path.strip_prefix(b"/proc/self/task/") else {
        return path;
    };
    let digits = task.iter().take_while(|byte| byte.is_ascii_digit()).count();
    match task.split_at(digits) {
        ([], _) => path,
        (_, rest) if rest.is_empty() || rest.starts_with(b"/") => [b"/proc/self", rest].concat(),
        _ => path,
    }
}

/// On the way, the root is called nothing.
fn at_least_root(mut path: Vec<u8>) -> Vec<u8> {
    if path.is_empty() {
        path.push(b'/');
    }
    path
}

/// The names of a path, the last one first.
fn parts(path: &[u8]) -> Vec<Vec<u8>> {
    path.split(|byte| *byte == b'/')
        .rev()
        .map(<[u8]>::to_vec)
        .collect()
}

/// Whether the kernel gets no further on a way either. With another error it might: only
/// we can't see where to.
fn is_nothing(errno: Errno) -> bool {
    matches!(errno, Errno::ENOENT | Errno::ENOTDIR | Errno::ENAMETOOLONG)
}

/// There is a link for each descriptor that is open.
fn not_open(errno: Errno) -> Errno {
    match errno {
        Errno::ENOENT => Errno::EBADF,
        other => other,
    }
}

/// The object of a link of /proc may lie too deep to be told, and the kernel goes on from there
/// all the same.
fn not_told(errno: Errno) -> Errno {
    match errno {
        Errno::ENAMETOOLONG => Errno::EOPNOTSUPP,
        other => other,
    }
}

fn is_link(stat: &FileStat) -> bool {
    stat.st_mode & libc::S_IFMT == libc::S_IFLNK
}

/// The process that a thread belongs to.
pub(super) fn group(thread: i32) -> nix::Result<i32> {
    let status = told(thread, "status")?;
    status
        .split(|byte| *byte == b'\n')
        .find_map(|line| line.strip_prefix(b"Tgid:"))
        .and_then(|text| str::from_utf8(text).ok()?.trim().parse().ok())
        .ok_or(Errno::ESRCH)
}

/// What a file of /proc tells of a thread; `ESRCH` when there is none of that number.
pub(super) fn told(thread: i32, file: &str) -> nix::Result<Vec<u8>> {
    let told = std::fs::read(format!("/proc/{thread}/{file}"));
    told.map_err(|error| match error.raw_os_error() {
        Some(libc::ENOENT) => Errno::ESRCH,
        other => Errno::from_raw(other.unwrap_or(libc::EIO)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::sys::stat::mkdirat;
    use nix::unistd::{Uid, gettid, setfsuid};
    use std::os::fd::AsRawFd;
    use std::os::unix::fs::{PermissionsExt, symlink};

    /// Where we can't look, the kernel might: nobody may take that for nothing there.
    #[test]
    fn what_can_not_be_looked_at_is_an_error() {
        let directory = tempfile::tempdir().unwrap();
        let closed = directory.path().join("closed");
        std::fs::create_dir(&closed).unwrap();
        symlink("/secret", closed.join("link")).unwrap();
        let path = |rest: &str| [closed.as_os_str().as_encoded_bytes(), rest.as_bytes()].concat();
        let mut resolver = Resolver::new(std::iter::empty()).unwrap();
        let mut resolve = |rest| {
            let thread = gettid().as_raw();
            resolver.resolve(thread, Start::WorkingDirectory, &path(rest), true)
        };
        assert_eq!(resolve("/link/file").unwrap(), b"/secret/file");
        assert_eq!(resolve("/no/file").unwrap(), path("/no/file"));
        std::fs::set_permissions(&closed, PermissionsExt::from_mode(0o0)).unwrap();
        // This thread's alone.
        let former = setfsuid(Uid::from_raw(65534));
        let resolved = resolve("/link");
        setfsuid(former);
        assert_eq!(resolved, Err(Errno::EACCES));
    }

    /// The program can go deeper than any path is long, and the kernel looks from there.
    #[test]
    fn too_deep_to_be_told_is_no_error_of_the_programs() {
        let top = tempfile::tempdir().unwrap();
        let name = "n".repeat(250);
        let mut at = nix::fcntl::open(top.path(), OFlag::O_PATH, Mode::empty()).unwrap();
        for _ in 0..20 {
            mkdirat(&at, name.as_str(), Mode::S_IRWXU).unwrap();
            at = openat(&at, name.as_str(), OFlag::O_PATH, Mode::empty()).unwrap();
        }
        let mut resolver = Resolver::new(std::iter::empty()).unwrap();
        let start = Start::Descriptor(at.as_raw_fd());
        let by_link = format!("/proc/self/fd/{}/file", at.as_raw_fd());
        for path in [&b"file"[..], by_link.as_bytes()] {
            let resolved = resolver.resolve(gettid().as_raw(), start, path, true);
            assert_eq!(resolved, Err(Errno::EOPNOTSUPP));
        }
    }

    #[test]
    fn a_threads_directory_is_its_processs() {
        for (path, name) in [
            ("/proc/self/task/12/mountinfo", "/proc/self/mountinfo"),
            ("/proc/self/task/12/fd/3", "/proc/self/fd/3"),
            ("/proc/self/task/12", "/proc/self"),
            ("/proc/self/task", "/proc/self/task"),
            ("/proc/self/task/12x/stat", "/proc/self/task/12x/stat"),
            ("/proc/7/task/12/stat", "/proc/7/task/12/stat"),
        ] {
            assert_eq!(without_task(path.into()), name.as_bytes());
        }
    }
}
