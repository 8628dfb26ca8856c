//! One call in as few bytes as possible: numbers of variable length, absent
//! things absent.

use super::Decision;

/// Which table a call's number is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Abi {
    Native,
    X32,
    I386,
    Other,
}

/// One call as it is recorded: names are added when it is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) time_ns: u64,
    pub(crate) thread: u32,
    pub(crate) abi: Abi,
    pub(crate) number: u64,
    pub(crate) arguments: [u64; 6],
    pub(crate) decision: Decision,
    /// Index of a rule of the policy.
    pub(crate) rule: u16,
    pub(crate) result: Option<i64>,
    pub(crate) paths: Vec<Vec<u8>>,
}

const RESULT: u8 = 0x40;

impl Entry {
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        let (decision, errno) = match self.decision {
            Decision::Allow => (0, None),
            Decision::Deny { errno } => (1, Some(errno)),
            Decision::Kill => (2, None),
            Decision::Observe => (3, None),
        };
        let abi = match self.abi {
            Abi::Native => 0,
            Abi::X32 => 1,
            Abi::I386 => 2,
            Abi::Other => 3,
        };
        let result = if self.result.is_some() { RESULT } else { 0 };
        out.push(decision | abi << 2 | result);
        let present = self
            .arguments
            .iter()
            .rev()
            .fold(0, |bits, argument| bits << 1 | u8::from(*argument != 0));
        out.push(present);
        number(out, self.time_ns);
        number(out, self.thread.into());
        number(out, self.number);
        number(out, self.rule.into());
        for argument in self.arguments.iter().filter(|argument| **argument != 0) {
            number(out, *argument);
        }
        if let Some(errno) = errno {
            number(out, u64::from(errno.unsigned_abs()));
        }
        if let Some(result) = self.result {
            // Small negative numbers are common: the sign goes last.
            number(out, (result << 1 ^ result >> 63).cast_unsigned());
        }
        number(out, self.paths.len() as u64);
        for path in &self.paths {
            number(out, path.len() as u64);
            out.extend_from_slice(path);
        }
    }

    /// The first entry, and what comes after. None for anything malformed.
    pub(crate) fn decode(mut bytes: &[u8]) -> Option<(Self, &[u8])> {
        let from = &mut bytes;
        let [flags, present] = *take(from, 2)?.first_chunk()?;
        let time_ns = read_number(from)?;
        let thread = read_number(from)?.try_into().ok()?;
        let syscall = read_number(from)?;
        let rule = read_number(from)?.try_into().ok()?;
        let mut arguments = [0; 6];
        for (index, argument) in arguments.iter_mut().enumerate() {
            if present >> index & 1 == 1 {
                *argument = read_number(from)?;
            }
        }
        let decision = match flags & 3 {
            0 => Decision::Allow,
            1 => Decision::Deny {
                errno: read_number(from)?.try_into().ok()?,
            },
            2 => Decision::Kill,
            _ => Decision::Observe,
        };
        let abi = match flags >> 2 & 3 {
            0 => Abi::Native,
            1 => Abi::X32,
            2 => Abi::I386,
            _ => Abi::Other,
        };
        let result = if flags & RESULT == 0 {
            None
        } else {
            let folded = read_number(from)?;
            Some((folded >> 1).cast_signed() ^ -(folded & 1).cast_signed())
        };
        let mut paths = Vec::new();
        for _ in 0..read_number(from)? {
            let length = read_number(from)?.try_into().ok()?;
            paths.push(take(from, length)?.to_vec());
        }
        let entry = Self {
            time_ns,
            thread,
            abi,
            number: syscall,
            arguments,
            decision,
            rule,
            result,
            paths,
        };
        Some((entry, bytes))
    }
}

fn number(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push((value & 0x7f) as u8);
}

fn read_number(from: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let byte = *take(from, 1)?.first()?;
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(value);
        }
    }
    None
}

fn take<'a>(from: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (taken, rest) = from.split_at_checked(length)?;
    *from = rest;
    Some(taken)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn entries() -> impl Strategy<Value = Entry> {
        let decision = prop_oneof![
            Just(Decision::Allow),
            (0..4096).prop_map(|errno| Decision::Deny { errno }),
            Just(Decision::Kill),
            Just(Decision::Observe),
        ];
        let abi = prop_oneof![
            Just(Abi::Native),
            Just(Abi::X32),
            Just(Abi::I386),
            Just(Abi::Other)
        ];
        let paths = prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 0..3);
        let numbers = (any::<u64>(), any::<u32>(), any::<u64>(), any::<u16>());
        (
            numbers,
            abi,
            any::<[u64; 6]>(),
            decision,
            any::<Option<i64>>(),
            paths,
        )
            .prop_map(|(numbers, abi, arguments, decision, result, paths)| Entry {
                time_ns: numbers.0,
                thread: numbers.1,
                abi,
                number: numbers.2,
                arguments,
                decision,
                rule: numbers.3,
                result,
                paths,
            })
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(entry in entries(), rest in any::<[u8; 3]>()) {
            let mut bytes = Vec::new();
            entry.encode(&mut bytes);
            bytes.extend(rest);
            prop_assert_eq!(Entry::decode(&bytes), Some((entry, &rest[..])));
        }

        #[test]
        fn garbage_does_no_harm(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            let rest = Entry::decode(&bytes).map_or(0, |(_, rest)| rest.len());
            prop_assert!(rest <= bytes.len());
        }
    }
}
