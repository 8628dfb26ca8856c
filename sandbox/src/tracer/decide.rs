//! What is done about one stopped call.

use super::arguments::{self, Follow, PathArgument, Uses};
use super::freeze::Others;
use super::resolve::{self, Start};
use super::{Tracer, address, alive, memory};
use crate::audit::{Abi, AuditLevel, Call, Decision, Entry};
use crate::policy::{RuleNumber, TracedAction};
use crate::protocol::Failure;
use crate::sys::ptrace::{self, StoppedCall};
use crate::sys::registers;
use assize_policy::Access;
use nix::errno::Errno;
use nix::sys::stat::{lstat, major, minor};
use nix::unistd::Pid;

/// A canonical path of a call, and what the call does there.
struct Named {
    path: Vec<u8>,
    accesses: &'static [Access],
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
        entry.decision = self.decision(entry.rule);
        let mut frozen = false;
        if let Some(number) = call.native() {
            if is_made(entry.decision) {
                let against = self
                    .policy
                    .remember(&mut self.history, number, &stopped.arguments);
                if let Some(rule) = against {
                    self.hear(&mut entry, rule);
                }
            }
            let observed = (entry.decision == Decision::Observe).then_some(entry.rule);
            let paths = arguments::paths(number);
            if is_made(entry.decision) && !paths.is_empty() && self.looks_at_paths() {
                if self.is_decided_by_path(paths) {
                    match self.freeze(thread)? {
                        Others::EndedThis => return Ok(()),
                        others => frozen = others == Others::Frozen,
                    }
                }
                if let Err(errno) = self.look(thread, &stopped, paths, &mut entry) {
                    return self.fail(thread, errno, entry);
                }
            }
            if is_made(entry.decision) && is(&entry, libc::SYS_clone) {
                keep_traced(thread, &stopped)?;
            }
            if entry.decision != Decision::Allow || self.level >= AuditLevel::Decisions {
                let told = address::of(thread, number, &stopped.arguments);
                entry.paths.extend(told.map(String::into_bytes));
            }
            if let (Some(rule), Decision::Deny { errno }) = (observed, entry.decision) {
                // What it would have been killed for is told, and it gets no further than that.
                (entry.rule, entry.decision) = (rule, Decision::Observe);
                return self.fail(thread, Errno::from_raw(errno), entry);
            }
        }
        self.act(thread, entry, frozen)
    }

    /// What a rule comes to in this run.
    fn decision(&self, rule: RuleNumber) -> Decision {
        match self.policy.action(rule) {
            TracedAction::Allow => Decision::Allow,
            TracedAction::Deny(errno) => Decision::Deny { errno },
            TracedAction::Kill if self.observe && !self.policy.holds_always(rule) => {
                Decision::Observe
            }
            TracedAction::Kill => Decision::Kill,
        }
    }

    /// Has another rule decide, unless one before it was stricter.
    fn hear(&self, entry: &mut Entry, rule: RuleNumber) {
        let decision = self.decision(rule);
        if strictness(decision) >= strictness(entry.decision) {
            (entry.rule, entry.decision) = (rule, decision);
        }
    }

    fn act(&mut self, thread: Pid, mut entry: Entry, frozen: bool) -> Result<(), Failure> {
        self.count(&entry);
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

    fn count(&mut self, entry: &Entry) {
        self.space
            .count_call(native(entry), entry.time_ns, entry.decision);
        if entry.decision != Decision::Allow {
            self.space.record_refused(entry);
        }
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
            Uses::Link | Uses::Rename(_) => refuses(&Access::ALL),
            Uses::Open(_) | Uses::OpenHow(_) => {
                refuses(&[Access::Read, Access::Write, Access::Stat])
            }
        })
    }

    /// Has a call that would be made fail, as the kernel would: it finds no more
    /// at the path than we do.
    fn fail(&mut self, thread: Pid, errno: Errno, mut entry: Entry) -> Result<(), Failure> {
        self.count(&entry);
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
    ) -> Result<(), Errno> {
        let names = paths
            .iter()
            .map(|argument| self.name(thread, stopped, argument));
        let names: Vec<_> = names.collect();
        for (index, (argument, name)) in paths.iter().zip(&names).enumerate() {
            match name {
                Ok(name) => {
                    // An open pipe has none.
                    if argument.path.is_some() || !name.path.is_empty() {
                        entry.paths.push(name.path.clone());
                    }
                    // Where that can't be looked at, everything that is refused counts.
                    let mut others = names.iter().enumerate().filter(|(at, _)| *at != index);
                    let other = others.find_map(|(_, other)| other.as_ref().ok());
                    if let Some(rule) = self.rule_for(argument.uses, name, other) {
                        self.hear(entry, rule);
                    }
                }
                // What we can't look at the kernel can't either; but only we
                // know that it would be looking at the same.
                Err(_) if self.policy.paths.are_none() => {}
                Err(errno) if is_the_programs(*errno) => return Err(*errno),
                Err(errno) => {
                    entry.decision = Decision::Deny {
                        errno: *errno as i32,
                    };
                }
            }
            if !is_made(entry.decision) {
                break;
            }
        }
        Ok(())
    }

    /// The rule that decides about an argument; the other one of the call is where a name
    /// is moved to, or from.
    fn rule_for(&self, uses: Uses, this: &Named, other: Option<&Named>) -> Option<RuleNumber> {
        let rules = &self.policy.paths;
        let moves = matches!(uses, Uses::Link | Uses::Rename(_));
        let other = other.filter(|_| moves).map(|other| other.path.as_slice());
        // Only its names are written to. Anything else becomes possible if the other path allows it.
        let possible = |access: &&Access| {
            **access == Access::Write
                || !other.is_some_and(|other| {
                    rules.refuses(**access, &this.path) && rules.refuses(**access, other)
                })
        };
        let accesses = this.accesses.iter().filter(possible);
        let below = match uses {
            Uses::Rename(_) => rules.refusal_below(&this.path, other),
            _ => None,
        };
        // Of those that are as strict the first one.
        accesses
            .filter_map(|access| rules.decide(*access, &this.path))
            .chain(below)
            .rev()
            .max_by_key(|rule| strictness(self.decision(*rule)))
    }

    /// What an argument names. Where nothing is decided by that, it is for the record only.
    fn name(
        &mut self,
        thread: Pid,
        stopped: &StoppedCall,
        argument: &PathArgument,
    ) -> Result<Named, Errno> {
        let path = written(thread, stopped, argument)?;
        if self.policy.paths.are_none() {
            return Ok(Named {
                path: self.likely_name(thread, stopped, argument, path),
                accesses: &[],
            });
        }
        self.resolve(thread, stopped, argument, &path)
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
        if written.is_empty() && argument.path.is_some() {
            return written;
        }
        match self.resolve(thread, stopped, argument, &written) {
            Ok(named) if named.path.starts_with(b"/") => named.path,
            _ => written,
        }
    }

    fn resolve(
        &mut self,
        thread: Pid,
        stopped: &StoppedCall,
        argument: &PathArgument,
        path: &[u8],
    ) -> Result<Named, Errno> {
        let value = |index: usize| stopped.arguments.get(index).copied().unwrap_or_default();
        let flags = argument.flags.map_or(0, value);
        let opened = match argument.uses {
            Uses::Open(index) => Some(value(index)),
            Uses::OpenHow(index) => Some(how_opened(thread, value(index))?),
            Uses::Only(_) | Uses::Link | Uses::Rename(_) => None,
        };
        let accesses = match (argument.uses, opened) {
            (Uses::Only(accesses) | Uses::Rename(accesses), _) => accesses,
            (Uses::Link, _) => &Access::ALL,
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
        let path = match start {
            Start::Descriptor(number) if path.is_empty() => {
                self.resolver.descriptor(thread, number)?
            }
            _ => self.resolver.resolve(thread, start, path, follow)?,
        };
        Ok(Named { path, accesses })
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
                Some(former) if !is_of(line, name) => former,
                _ => name,
            };
            let rule = self.policy.paths.decide(Access::Exec, name)?;
            let refuses = self.policy.action(rule) != TracedAction::Allow;
            refuses.then(|| (rule, name.to_vec()))
        });
        let Some((rule, name)) = refused else {
            return Ok(());
        };
        let call = &mut self.tasks.get(thread).call;
        let call = call.get_or_insert_with(|| unknown_exec(thread));
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

/// Whether a call is made all the same.
const fn is_made(decision: Decision) -> bool {
    matches!(decision, Decision::Allow | Decision::Observe)
}

const fn strictness(decision: Decision) -> u8 {
    match decision {
        Decision::Allow => 0,
        Decision::Observe => 1,
        Decision::Deny { .. } => 2,
        Decision::Kill => 3,
    }
}

/// Whether a line of `proc_pid_maps(5)` is about what is at this path.
fn is_of(line: &[u8], path: &[u8]) -> bool {
    let mut fields = line.split(|byte| *byte == b' ').skip(3);
    lstat(path).is_ok_and(|found| {
        let device = format!("{:02x}:{:02x}", major(found.st_dev), minor(found.st_dev));
        let told = [fields.next(), fields.next()];
        told == [
            Some(device.as_bytes()),
            Some(found.st_ino.to_string().as_bytes()),
        ]
    })
}

/// What stands for the call of a thread that has executed something, where that is not known.
fn unknown_exec(thread: Pid) -> Entry {
    Entry {
        time_ns: 0,
        thread: thread.as_raw().unsigned_abs(),
        abi: Abi::Native,
        number: libc::SYS_execve.unsigned_abs(),
        arguments: [0; 6],
        decision: Decision::Allow,
        rule: 0,
        result: None,
        paths: Vec::new(),
    }
}

/// An argument's path as the program has written it.
fn written(thread: Pid, stopped: &StoppedCall, argument: &PathArgument) -> Result<Vec<u8>, Errno> {
    let value = |index: usize| stopped.arguments.get(index).copied().unwrap_or_default();
    match argument.path.map(value) {
        None => Ok(Vec::new()),
        // Some calls take no path at all for the descriptor itself.
        Some(0) if argument.directory.is_some() => Ok(Vec::new()),
        Some(address) => memory::path(thread, address),
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
