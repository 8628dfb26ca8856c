//! The compiled filters against the policy data: an interpreter of the
//! kernel's filter machine is given every system call number there is, and
//! arguments at the edges of every condition.

use super::compile::{Stops, compile_for};
use super::effective::{ABI, DEFAULT, FIRST, errno, stopping};
use super::explain::holding;
use super::*;
use crate::sys::calls::NUMBERS;
use crate::sys::seccomp::Program;
use assize_policy::{Action, ErrorName, When};
use libseccomp::ScmpArch;
use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

const X86_64: u32 = 0xc000_003e;
const I386: u32 = 0x4000_0003;
const AARCH64: u32 = 0xc000_00b7;
const X32_BIT: u32 = 0x4000_0000;

/// What the kernel shows a filter (`struct seccomp_data`).
struct Call {
    number: u32,
    arch: u32,
    arguments: [u64; 6],
}

impl Call {
    /// The aligned word at a byte offset; little-endian, as both machines are.
    fn word(&self, offset: u32) -> u32 {
        let [low, high] = match offset {
            0 => return self.number,
            4 => return self.arch,
            // The instruction pointer, which no policy looks at.
            8 | 12 => panic!("a filter reads the instruction pointer"),
            _ => {
                let argument = self.arguments[(offset as usize - 16) / 8];
                [argument & 0xffff_ffff, argument >> 32]
            }
        };
        u32::try_from(if offset.is_multiple_of(8) { low } else { high }).unwrap()
    }
}

/// Runs a filter as the kernel does; its answer.
fn interpret(program: &Program, call: &Call) -> u32 {
    interpret_noting(program, call, &Cell::new(false))
}

/// The same; notes whether it looked at an argument.
fn interpret_noting(program: &Program, call: &Call, looked: &Cell<bool>) -> u32 {
    let instructions = program.instructions();
    let (mut at, mut a, mut x, mut memory) = (0, 0_u32, 0_u32, [0_u32; 16]);
    loop {
        let instruction = &instructions[at];
        let (code, k) = (u32::from(instruction.code), instruction.k);
        at += 1;
        let operand = if code & libc::BPF_X != 0 { x } else { k };
        let jump = |holds: bool| {
            usize::from(if holds {
                instruction.jt
            } else {
                instruction.jf
            })
        };
        match code & 0x07 {
            libc::BPF_LD if code & 0xe0 == libc::BPF_ABS => {
                looked.set(looked.get() || k >= 16);
                a = call.word(k);
            }
            libc::BPF_LD if code & 0xe0 == libc::BPF_MEM => a = memory[k as usize],
            libc::BPF_LD if code & 0xe0 == libc::BPF_IMM => a = k,
            libc::BPF_ST => memory[k as usize] = a,
            libc::BPF_ALU => match code & 0xf0 {
                libc::BPF_AND => a &= operand,
                libc::BPF_OR => a |= operand,
                libc::BPF_XOR => a ^= operand,
                other => panic!("arithmetic {other:#x}"),
            },
            libc::BPF_JMP => {
                at += match code & 0xf0 {
                    libc::BPF_JA => k as usize,
                    libc::BPF_JEQ => jump(a == operand),
                    libc::BPF_JGT => jump(a > operand),
                    libc::BPF_JGE => jump(a >= operand),
                    libc::BPF_JSET => jump(a & operand != 0),
                    other => panic!("jump {other:#x}"),
                }
            }
            libc::BPF_RET => return if code & 0x18 == libc::BPF_A { a } else { k },
            libc::BPF_MISC => match code & 0xf8 {
                libc::BPF_TAX => x = a,
                _ => a = x,
            },
            _ => panic!("instruction {code:#x}"),
        }
    }
}

/// What the policy's data let a filter answer. Where several rules hold, they
/// do the same, and a tracer may be told any of them.
fn expected(policy: &Policy, stops: Stops, name: Option<&str>, arguments: &[u64; 6]) -> Vec<u32> {
    let holding: Vec<_> =
        name.map_or_else(Vec::new, |name| holding(policy, name, arguments).collect());
    if holding.is_empty() {
        return vec![answer(stops, Action::Deny, policy.default, DEFAULT)];
    }
    let effects: BTreeSet<_> = holding.iter().map(|(_, rule)| rule.effect()).collect();
    assert_eq!(effects.len(), 1, "{name:?} {arguments:x?}: {effects:?}");
    let stops_anyway =
        stops == Stops::All || name.is_some_and(|name| stopping(policy).contains(name));
    let answers = holding.into_iter().map(|(index, rule)| {
        let action = match rule.action {
            Action::Allow if stops_anyway => Action::Trace,
            other => other,
        };
        let number = FIRST + RuleNumber::try_from(index).unwrap();
        answer(stops, action, rule.errno, number)
    });
    answers.collect()
}

fn answer(stops: Stops, action: Action, error: Option<ErrorName>, rule: RuleNumber) -> u32 {
    match action {
        Action::Allow => libc::SECCOMP_RET_ALLOW,
        _ if stops != Stops::None => libc::SECCOMP_RET_TRACE | u32::from(rule),
        Action::Trace => libc::SECCOMP_RET_ALLOW,
        Action::Deny => libc::SECCOMP_RET_ERRNO | errno(error.unwrap()).unsigned_abs(),
        Action::Kill => libc::SECCOMP_RET_KILL_PROCESS,
    }
}

/// Arguments on both sides of each condition on a call, all combinations of
/// them where conditions look at several.
fn edges(policy: &Policy, name: &str) -> Vec<[u64; 6]> {
    let mut values: BTreeMap<usize, BTreeSet<u64>> = BTreeMap::new();
    let rules = policy.rule.iter();
    let rules = rules.filter(|rule| rule.syscalls.iter().any(|call| call == name));
    for When {
        arg, value, mask, ..
    } in rules.flat_map(|rule| rule.when.iter().chain(&rule.any))
    {
        let values = values.entry(*arg as usize).or_default();
        let bits = (0..64).map(|bit| value ^ 1 << bit);
        values.extend(bits);
        values.extend([
            *value,
            value.wrapping_add(1),
            value.wrapping_sub(1),
            0,
            u64::MAX,
        ]);
        values.extend([value | !mask.unwrap_or(u64::MAX), mask.unwrap_or_default()]);
        values.extend([value << 32, value | value << 32, u64::from(u32::MAX)]);
    }
    let mut all = vec![[0; 6], [u64::MAX; 6]];
    for (arg, values) in values {
        let with = |arguments: &[u64; 6], value| {
            let mut arguments = *arguments;
            arguments[arg] = value;
            arguments
        };
        all = all
            .iter()
            .flat_map(|arguments| values.iter().map(move |value| with(arguments, *value)))
            .collect();
    }
    all
}

/// Holds one filter against its policy; how many calls were tried.
fn hold(policy: &Policy, stops: Stops, machine: ScmpArch, arch: u32) -> usize {
    let filter = compile_for(machine, policy, stops).unwrap();
    hold_filter(&filter, policy, stops, machine, arch)
}

fn hold_filter(
    filter: &Program,
    policy: &Policy,
    stops: Stops,
    machine: ScmpArch,
    arch: u32,
) -> usize {
    let names: BTreeMap<u32, String> = names::of_machine(machine).collect();
    let mut tried = 0;
    let mut check = |number, arch, arguments, expected: &[u32]| {
        let call = Call {
            number,
            arch,
            arguments,
        };
        let found = interpret(filter, &call);
        assert!(
            expected.contains(&found),
            "{stops:?}, {arch:#x}: {number} ({:?}) {arguments:x?}: {found:#x} for {expected:x?}",
            names.get(&number)
        );
        tried += 1;
    };
    let foreign = vec![answer(stops, Action::Kill, None, ABI)];
    let garbage = [0x3fff_ffff, 0x7fff_ffff, 0x8000_0000, 0xffff_fffe, 1 << 20];
    for number in (0..2048).chain(garbage) {
        let name = names.get(&number).map(String::as_str);
        for arguments in name.map_or_else(|| vec![[0; 6]], |name| edges(policy, name)) {
            // On x86-64 these are calls of x32.
            let is_x32 = arch == X86_64 && number >= X32_BIT;
            let expected = if is_x32 {
                foreign.clone()
            } else {
                expected(policy, stops, name, &arguments)
            };
            check(number, arch, arguments, &expected);
        }
        if arch == X86_64 {
            check(number | X32_BIT, arch, [0; 6], &foreign);
        }
        for other in [X86_64, I386, AARCH64, 0x4000_0028, 0, u32::MAX] {
            if other != arch {
                check(number, other, [0; 6], &foreign);
            }
        }
    }
    // How a tracer marks a call that is not to be made.
    let skipped = expected(policy, stops, None, &[0; 6]);
    check(u32::MAX, arch, [0; 6], &skipped);
    tried
}

fn hold_everywhere(policy: &Policy) {
    for stops in [Stops::None, Stops::Decided, Stops::All] {
        for (machine, arch) in [(ScmpArch::X8664, X86_64), (ScmpArch::Aarch64, AARCH64)] {
            let tried = hold(policy, stops, machine, arch);
            assert!(tried > 14_000, "only {tried} calls tried");
        }
    }
}

#[test]
fn filters_do_what_shipped_policies_say_for_every_call() {
    for name in [PolicyName::Contestant, PolicyName::Compiler] {
        hold_everywhere(&merge(name, &[]).unwrap().policy);
    }
}

const KEY: u64 = 0x1234_5678_9abc_def0;

/// What is installed where there is no tracer. None of the arguments tried is
/// the key.
#[test]
fn filters_with_a_key_do_the_same_for_who_does_not_know_it() {
    let (machine, arch) = native();
    for name in [PolicyName::Contestant, PolicyName::Compiler] {
        let policy = merge(name, &[]).unwrap().policy;
        let filter =
            keyed::keyed(&compile_for(machine, &policy, Stops::None).unwrap(), KEY).unwrap();
        let tried = hold_filter(&filter, &policy, Stops::None, machine, arch);
        assert!(tried > 14_000, "only {tried} calls tried");
    }
}

#[test]
fn key_opens_our_own_calls_and_no_others() {
    let (machine, arch) = native();
    let policy = merge(PolicyName::Contestant, &[]).unwrap().policy;
    let plain = compile_for(machine, &policy, Stops::None).unwrap();
    let filter = keyed::keyed(&plain, KEY).unwrap();
    let ours: BTreeSet<u32> = NUMBERS
        .into_iter()
        .map(|number| u32::try_from(number).unwrap())
        .collect();
    let answer = |filter: &Program, number, arch, key| {
        let arguments = [0x2000_0000, 0, 0, 0, 0, key];
        interpret(
            filter,
            &Call {
                number,
                arch,
                arguments,
            },
        )
    };
    for number in 0..2048 {
        let allowed = answer(&filter, number, arch, KEY) == libc::SECCOMP_RET_ALLOW;
        if ours.contains(&number) {
            assert!(allowed, "{number}");
        } else {
            let both = [&filter, &plain].map(|filter| answer(filter, number, arch, KEY));
            assert_eq!(both[0], both[1], "{number}");
        }
        // Whatever is wrong with the key, or with the table of calls.
        for wrong in (0..64)
            .map(|bit| KEY ^ 1 << bit)
            .chain([0, KEY << 32, KEY >> 32])
        {
            let both = [&filter, &plain].map(|filter| answer(filter, number, arch, wrong));
            assert_eq!(both[0], both[1], "{number} {wrong:#x}");
        }
        for other in [X86_64, I386, AARCH64]
            .into_iter()
            .filter(|other| *other != arch)
        {
            assert_eq!(
                answer(&filter, number, other, KEY),
                libc::SECCOMP_RET_KILL_PROCESS
            );
        }
        let x32 = answer(&filter, number | X32_BIT, arch, KEY);
        assert_eq!(x32, answer(&plain, number | X32_BIT, arch, KEY));
    }
}

/// What is installed where there can be a listener.
#[test]
fn filters_that_hold_calls_kill_for_none_and_let_no_more_pass() {
    let (machine, arch) = native();
    for name in [PolicyName::Contestant, PolicyName::Compiler] {
        let policy = merge(name, &[]).unwrap().policy;
        let killing = compile_for(machine, &policy, Stops::None).unwrap();
        let killing = keyed::keyed(&killing, KEY).unwrap();
        let holding = killing.holding();
        let mut held = 0;
        for number in (0..2048).flat_map(|number| [number, number | X32_BIT]) {
            for arch in [arch, I386, 0] {
                for arguments in [[0; 6], [u64::MAX; 6], [2; 6]] {
                    let answer = |filter| {
                        let call = Call {
                            number,
                            arch,
                            arguments,
                        };
                        interpret(filter, &call)
                    };
                    let (kills, holds) = (answer(&killing), answer(&holding));
                    if kills == libc::SECCOMP_RET_KILL_PROCESS {
                        assert_eq!(holds, libc::SECCOMP_RET_USER_NOTIF, "{number:#x}");
                        held += 1;
                    } else {
                        assert_eq!(holds, kills, "{number:#x} {arguments:?}");
                    }
                }
            }
        }
        assert!(held > 24_000, "{held}");
    }
}

/// What is answered without a look at the arguments the kernel keeps; the way
/// around must not take that from more than our own calls.
#[test]
fn kernel_can_keep_the_answers_for_all_other_calls() {
    let (machine, arch) = native();
    let policy = merge(PolicyName::Contestant, &[]).unwrap().policy;
    let plain = compile_for(machine, &policy, Stops::None).unwrap();
    let filter = keyed::keyed(&plain, KEY).unwrap();
    let kept = |filter: &Program, number| {
        let looked = Cell::new(false);
        let call = Call {
            number,
            arch,
            arguments: [0; 6],
        };
        interpret_noting(filter, &call, &looked);
        !looked.get()
    };
    let ours = |number: &u32| NUMBERS.contains(&libc::c_long::from(*number));
    let mut kept_calls = 0;
    for number in (0..512).filter(|number| !ours(number)) {
        assert_eq!(kept(&filter, number), kept(&plain, number), "{number}");
        kept_calls += usize::from(kept(&filter, number));
    }
    assert!(kept_calls > 400, "{kept_calls}");
}

fn native() -> (ScmpArch, u32) {
    let arch = if cfg!(target_arch = "x86_64") {
        X86_64
    } else {
        AARCH64
    };
    (ScmpArch::native(), arch)
}

#[test]
fn filters_do_what_layers_say() {
    let layer = PolicyLayer::parse(
        LayerOf::Language,
        "
        [[rule]]
        id = 'lone'
        why = 'x'
        action = 'deny'
        errno = 'EPERM'
        syscalls = ['getpid', 'prctl', 'openat']
        [[rule]]
        id = 'both'
        why = 'two arguments at once'
        action = 'kill'
        syscalls = ['madvise', 'mmap']
        when = [{ arg = 2, is = 'equal', mask = 0xf0, value = 0x10 }, { arg = 1, is = 'not_equal', value = 4096 }]
        [[rule]]
        id = 'one-of'
        why = 'a whole argument'
        action = 'allow'
        syscalls = ['ioctl']
        when = [{ arg = 0, is = 'equal', value = 0 }]
        any = [
          { arg = 1, is = 'equal', value = 0x5401 },
          { arg = 1, is = 'equal', value = 0x1_0000_5401 },
        ]
        [[budget]]
        id = 'few'
        why = 'x'
        syscalls = ['read']
        count = 3
        action = 'kill'",
    )
    .unwrap();
    hold_everywhere(&merge(PolicyName::Contestant, &[layer]).unwrap().policy);
}

#[test]
fn every_machine_has_most_calls_that_policies_name() {
    let policy = merge(PolicyName::Contestant, &[]).unwrap().policy;
    let named: BTreeSet<&str> = policy
        .rule
        .iter()
        .flat_map(|rule| rule.syscalls.iter().map(String::as_str))
        .collect();
    for machine in [ScmpArch::X8664, ScmpArch::Aarch64] {
        let known: BTreeSet<String> = names::of_machine(machine).map(|(_, name)| name).collect();
        let both = named.iter().filter(|name| known.contains(**name)).count();
        assert!(both > 250, "{machine:?}: {both} of {}", named.len());
    }
}
