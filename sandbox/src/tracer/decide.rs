//! What is done about one stopped call.

use super::arguments::{self, Follow, PathArgument, Uses};
use super::freeze::Others;
use super::resolve::{self, Start};
use super::{Tracer, address, alive, memory};
use crate::audit::{AuditLevel, Call, Decision, Entry};
use crate::policy::{RuleNumber, TracedAction};
use crate::protocol::Failure;
use crate::sys::ptrace::{self, StoppedCall};
use crate::sys::registers;
use assize_policy::Access;
use nix::errno::Errno;
use nix::unistd::Pid;

/// A path of a call.
struct Looked {
    path: Vec<u8>,
    rule: Option<RuleNumber>,
}

impl Tracer<'_> {
    pub(super) fn decide(&mut self, thread: Pid) -> Result<(), Failure> {
        let Some(stopped) = alive(ptrace::stopped_call(thread), "look at a system call")? else {
            return Ok(());
        };
        let Some(began) = self.began else {
            return self.resume(thread, 0);
        };
        // One without a second stop has come to its end unseen.
        if let Some(earlier) = self.tasks.get(thread).call.take() {
            self.record(&earlier);
        }
        let call = Call::new(stopped.arch, stopped.number);
        let mut entry = Entry {
            time_ns: u64::try_from(began.elapsed().as_nanos()).unwrap_or(u64::MAX),
            thread: thread.as_raw().unsigned_abs(),
            abi: call.abi,
            number: call.number,
            arguments: stopped.arguments,
            decision: Decision::Allow,
            rule: u16::try_from(stopped.data).unwrap_or(u16::MAX),
            result: None,
            paths: Vec::new(),
        };
        let mut frozen = false;
        let mut action = self.policy.action(entry.rule);
        if let (TracedAction::Allow, Some(number)) = (action, call.native()) {
            let against = self
                .policy
                .remember(&mut self.history, number, &stopped.arguments);
            if let Some(rule) = against {
                entry.rule = rule;
                action = self.policy.action(rule);
            }
            let paths = arguments::paths(number);
            if action == TracedAction::Allow && !paths.is_empty() && self.looks_at_paths() {
                if self.is_decided_by_path(paths) {
                    match self.freeze(thread)? {
                        Others::EndedThis => return Ok(()),
                        others => frozen = others == Others::Frozen,
                    }
                }
                action = match self.look(thread, &stopped, paths, &mut entry) {
                    Ok(action) => action,
                    Err(errno) => return self.fail(thread, errno, entry),
                };
            }
            if action == TracedAction::Allow && is(&entry, libc::SYS_clone) {
                keep_traced(thread, &stopped)?;
            }
        }
        if let Some(number) = call.native()
            && (action != TracedAction::Allow || self.level >= AuditLevel::Decisions)
        {
            let told = address::of(thread, number, &stopped.arguments);
            entry.paths.extend(told.map(String::into_bytes));
        }
        self.act(thread, action, entry, frozen)
    }

    fn act(
        &mut self,
        thread: Pid,
        action: TracedAction,
        mut entry: Entry,
        frozen: bool,
    ) -> Result<(), Failure> {
        entry.decision = match action {
            TracedAction::Allow => Decision::Allow,
            TracedAction::Deny(errno) => Decision::Deny { errno },
            TracedAction::Kill if self.observe && !self.policy.holds_always(entry.rule) => {
                Decision::Observe
            }
            TracedAction::Kill => Decision::Kill,
        };
        self.space
            .count_call(native(&entry), entry.time_ns, entry.decision);
        if entry.decision != Decision::Allow {
            self.space.record_refused(&entry);
        }
        match entry.decision {
            Decision::Allow | Decision::Observe => {
                let recorded = self.level >= AuditLevel::Decisions;
                // What is executed is looked at again at its end.
                let executes = is(&entry, libc::SYS_execve) || is(&entry, libc::SYS_execveat);
                // Whether it was interrupted, and so is not one that counts.
                let counted = native(&entry).is_some_and(|call| self.policy.counts(call));
                if recorded || frozen || executes || counted {
                    self.tasks.get(thread).call = Some(entry);
                }
                if frozen {
                    return self.make_call(thread, executes);
                }
            }
            Decision::Deny { errno } => {
                entry.result = Some(i64::from(-errno));
                if self.level >= AuditLevel::Decisions {
                    self.space.record(&entry);
                }
                alive(registers::refuse(thread, errno), "refuse a system call")?;
            }
            Decision::Kill => return self.kill(&entry),
        }
        self.resume(thread, 0)
    }

    fn kill(&mut self, entry: &Entry) -> Result<(), Failure> {
        if self.level >= AuditLevel::Decisions {
            self.space.record(entry);
        }
        let call = Call {
            abi: entry.abi,
            number: entry.number,
        };
        self.forbidden = Some(call.name());
        super::kill_everybody()
    }

    fn looks_at_paths(&self) -> bool {
        self.level >= AuditLevel::Decisions || !self.policy.paths.are_none()
    }

    /// Whether some path could be refused for what these arguments are for.
    fn is_decided_by_path(&self, paths: &[PathArgument]) -> bool {
        let refuses = |accesses: &[Access]| {
            accesses
                .iter()
                .any(|access| self.policy.paths.restrict(*access))
        };
        paths.iter().any(|argument| match argument.uses {
            Uses::Only(accesses) => refuses(accesses),
            Uses::Link | Uses::Rename(_) => refuses(&arguments::ALL),
            Uses::Open(_) | Uses::OpenHow(_) => {
                refuses(&[Access::Read, Access::Write, Access::Stat])
            }
        })
    }

    /// Has a call that nothing is against fail, as the kernel would: it finds no more
    /// at the path than we do.
    fn fail(&mut self, thread: Pid, errno: Errno, mut entry: Entry) -> Result<(), Failure> {
        self.space
            .count_call(native(&entry), entry.time_ns, entry.decision);
        if self.level >= AuditLevel::Decisions {
            entry.result = Some(-i64::from(errno as i32));
        }
        self.record(&entry);
        let refused = registers::refuse(thread, errno as i32);
        alive(refused, "have a system call fail")?;
        self.resume(thread, 0)
    }

    /// Looks at a call's paths: the first refusal counts. An error is one that the call
    /// has by itself.
    fn look(
        &mut self,
        thread: Pid,
        stopped: &StoppedCall,
        paths: &[PathArgument],
        entry: &mut Entry,
    ) -> Result<TracedAction, Errno> {
        for argument in paths {
            let other = paths.iter().find(|other| other.path != argument.path);
            match self.look_at(thread, stopped, argument, other) {
                Ok(looked) => {
                    entry.paths.push(looked.path);
                    let Some(rule) = looked.rule else { continue };
                    entry.rule = rule;
                    let action = self.policy.action(rule);
                    if action != TracedAction::Allow {
                        return Ok(action);
                    }
                }
                // What we can't look at the kernel can't either; but only we
                // know that it would be looking at the same.
                Err(_) if self.policy.paths.are_none() => {}
                Err(errno) if is_the_programs(errno) => return Err(errno),
                Err(errno) => return Ok(TracedAction::Deny(errno as i32)),
            }
        }
        Ok(TracedAction::Allow)
    }

    fn look_at(
        &mut self,
        thread: Pid,
        stopped: &StoppedCall,
        argument: &PathArgument,
        other: Option<&PathArgument>,
    ) -> Result<Looked, Errno> {
        let path = written(thread, stopped, argument)?;
        if self.policy.paths.are_none() {
            return Ok(Looked {
                path: self.likely_name(thread, stopped, argument, path),
                rule: None,
            });
        }
        let (path, accesses) = self.resolve(thread, stopped, argument, &path)?;
        // Where that can't be looked at, everything that is refused counts.
        let other = match argument.uses {
            Uses::Link | Uses::Rename(_) => {
                other.and_then(|other| self.name(thread, stopped, other).ok())
            }
            _ => None,
        };
        // Only its names are written to. Anything else becomes possible if the other path allows it.
        let possible = |access: &&Access| {
            **access == Access::Write
                || !other.as_ref().is_some_and(|other| {
                    self.policy.paths.refuses(**access, &path)
                        && self.policy.paths.refuses(**access, other)
                })
        };
        let rules = accesses
            .iter()
            .filter(possible)
            .filter_map(|access| self.policy.paths.decide(*access, &path));
        let refusing = |rule: &RuleNumber| self.policy.action(*rule) != TracedAction::Allow;
        let below = match argument.uses {
            Uses::Rename(_) => self.policy.paths.refusal_below(&path, other.as_deref()),
            _ => None,
        };
        let rule = rules
            .clone()
            .find(refusing)
            .or(below)
            .or_else(|| rules.clone().next());
        Ok(Looked { path, rule })
    }

    /// The canonical path of an argument.
    fn name(
        &mut self,
        thread: Pid,
        stopped: &StoppedCall,
        argument: &PathArgument,
    ) -> Result<Vec<u8>, Errno> {
        let path = written(thread, stopped, argument)?;
        let resolved = self.resolve(thread, stopped, argument, &path)?;
        Ok(resolved.0)
    }

    /// The canonical path of what the program has written, for the record only: nobody
    /// stands still meanwhile. What has no path, as a pipe, keeps what was written,
    /// because its number is another one in each run.
    fn likely_name(
        &mut self,
        thread: Pid,
        stopped: &StoppedCall,
        argument: &PathArgument,
        written: Vec<u8>,
    ) -> Vec<u8> {
        if written.is_empty() {
            return written;
        }
        match self.resolve(thread, stopped, argument, &written) {
            Ok((resolved, _)) if resolved.starts_with(b"/") => resolved,
            _ => written,
        }
    }

    /// The canonical path of an argument, and what the call does there.
    fn resolve(
        &mut self,
        thread: Pid,
        stopped: &StoppedCall,
        argument: &PathArgument,
        path: &[u8],
    ) -> Result<(Vec<u8>, &'static [Access]), Errno> {
        let value = |index: usize| stopped.arguments.get(index).copied().unwrap_or_default();
        let flags = argument.flags.map_or(0, value);
        let opened = match argument.uses {
            Uses::Open(index) => Some(value(index)),
            Uses::OpenHow(index) => Some(how_opened(thread, value(index))?),
            Uses::Only(_) | Uses::Link | Uses::Rename(_) => None,
        };
        let accesses = match (argument.uses, opened) {
            (Uses::Only(accesses) | Uses::Rename(accesses), _) => accesses,
            (Uses::Link, _) => &arguments::ALL,
            (_, Some(flags)) => arguments::open_accesses(flags),
            (_, None) => return Err(Errno::EFAULT),
        };
        let follow = match argument.follow {
            Follow::Yes => true,
            Follow::No => false,
            Follow::UnlessFlag => flags & AT_SYMLINK_NOFOLLOW == 0,
            Follow::IfFlag => flags & AT_SYMLINK_FOLLOW != 0,
            Follow::Open => opened.is_some_and(arguments::open_follows),
        };
        let start = match argument.directory.map(|index| low(value(index))) {
            None | Some(libc::AT_FDCWD) => Start::WorkingDirectory,
            Some(number) => Start::Descriptor(number),
        };
        let thread = thread.as_raw();
        let resolved = match start {
            Start::Descriptor(number) if path.is_empty() => {
                self.resolver.descriptor(thread, number)?
            }
            _ => self.resolver.resolve(thread, start, path, follow)?,
        };
        Ok((resolved, accesses))
    }

    /// What has been loaded to be executed, before it runs: the program and its
    /// interpreter, which the call does not name.
    pub(super) fn check_images(&mut self, thread: Pid) -> Result<(), Failure> {
        let maps = match std::fs::read(format!("/proc/{thread}/maps")) {
            Ok(maps) => maps,
            // It is gone, and runs nothing any more.
            Err(error) if matches!(error.raw_os_error(), Some(libc::ENOENT | libc::ESRCH)) => {
                return Ok(());
            }
            Err(error) => return Err(Failure::step("look at what is executed")(error)),
        };
        let refused = maps.split(|byte| *byte == b'\n').find_map(|line| {
            let mode = line.split(|byte| *byte == b' ').nth(1)?;
            let name = line.iter().position(|byte| *byte == b'/');
            let name = line.get(name.filter(|_| mode.contains(&b'x'))?..)?;
            let name = match name.strip_suffix(resolve::REMOVED) {
                // It may be called so, or have been removed: then it keeps its name.
                Some(former) if !is_there(name) => former,
                _ => name,
            };
            let rule = self.policy.paths.decide(Access::Exec, name)?;
            let refuses = self.policy.action(rule) != TracedAction::Allow;
            refuses.then(|| (rule, name.to_vec()))
        });
        let Some((rule, name)) = refused else {
            return Ok(());
        };
        let Some(call) = &mut self.tasks.get(thread).call else {
            return Ok(());
        };
        call.rule = rule;
        call.paths.push(name);
        // It is too late for an error.
        call.decision = if self.observe {
            Decision::Observe
        } else {
            Decision::Kill
        };
        let call = call.clone();
        self.space.record_refused(&call);
        if call.decision == Decision::Kill {
            return self.kill(&call);
        }
        Ok(())
    }
}

/// Whether a path names something, or may: not everything can be looked at.
fn is_there(path: &[u8]) -> bool {
    let found = nix::sys::stat::lstat(path);
    !matches!(
        found,
        Err(Errno::ENOENT | Errno::ENOTDIR | Errno::ENAMETOOLONG)
    )
}

/// An argument's path as the program has written it.
fn written(thread: Pid, stopped: &StoppedCall, argument: &PathArgument) -> Result<Vec<u8>, Errno> {
    let value = |index: usize| stopped.arguments.get(index).copied().unwrap_or_default();
    match value(argument.path) {
        // Some calls take no path at all for the descriptor itself.
        0 if argument.directory.is_some() => Ok(Vec::new()),
        address => memory::path(thread, address),
    }
}

/// Whether a path itself is the reason that it can't be looked at, and neither the tracer nor
/// something that it does not allow.
fn is_the_programs(errno: Errno) -> bool {
    use Errno::{EBADF, EFAULT, ELOOP, ENAMETOOLONG, ENOENT, ENOTDIR};
    matches!(
        errno,
        EBADF | EFAULT | ELOOP | ENAMETOOLONG | ENOENT | ENOTDIR
    )
}

/// The flags of a `struct open_how`, which the caller has frozen. With another root
/// for the path, which only `openat2` knows, a path would not name what it reads as;
/// the kernels that do not have it answer the same.
fn how_opened(thread: Pid, address: u64) -> Result<u64, Errno> {
    const RESOLVE: u64 = 16;
    let resolve = memory::number(thread, address.checked_add(RESOLVE).ok_or(Errno::EFAULT)?)?;
    if resolve & libc::RESOLVE_IN_ROOT != 0 {
        return Err(Errno::EINVAL);
    }
    memory::number(thread, address)
}

/// A clone may ask for a child that is not traced. It gets a traced one:
/// without a tracer, half of the child's calls would fail.
fn keep_traced(thread: Pid, stopped: &StoppedCall) -> Result<(), Failure> {
    let untraced = u64::from(libc::CLONE_UNTRACED.cast_unsigned());
    let [flags, ..] = stopped.arguments;
    if flags & untraced == 0 {
        return Ok(());
    }
    let changed = registers::set_first_argument(thread, flags & !untraced);
    alive(changed, "have a child traced").map(drop)
}

/// The machine's own call that an entry is of.
pub(super) fn native(entry: &Entry) -> Option<usize> {
    let call = Call {
        abi: entry.abi,
        number: entry.number,
    };
    call.native()
}

fn is(entry: &Entry, number: libc::c_long) -> bool {
    native(entry) == usize::try_from(number).ok()
}

/// The kernel looks at 32 bits of a descriptor.
fn low(value: u64) -> i32 {
    let [a, b, c, d, ..] = value.to_le_bytes();
    i32::from_le_bytes([a, b, c, d])
}

const AT_SYMLINK_NOFOLLOW: u64 = libc::AT_SYMLINK_NOFOLLOW.unsigned_abs() as u64;
const AT_SYMLINK_FOLLOW: u64 = libc::AT_SYMLINK_FOLLOW.unsigned_abs() as u64;
