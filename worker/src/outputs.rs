//! What programs wrote, kept for a later judgement: should only the answer or the output
//! validator have changed by then, it is validated again, and no program run.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::FileExt as _;
use std::sync::{Mutex, PoisonError};

use assize_common::ContentHash;
use bytesize::ByteSize;

/// The largest output that is kept. A run that writes more mostly computes for so long
/// that one run more is little beside moving its output twice.
const LARGEST: u64 = 4 << 20;
/// The most of one judgement that is read again.
const MOST: ByteSize = ByteSize::mib(64);
const LEVEL: i32 = 3;
const HASH_BYTES: usize = 32;
const SIZE_BYTES: usize = 8;

/// Outputs by the keys of what determined them: of [`KeyParts`](assize_common::message::KeyParts)
/// the program's.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outputs(Vec<Output>);

type Output = (ContentHash, Vec<u8>);

impl Outputs {
    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What was written.
    pub(crate) fn get(&self, program: ContentHash) -> Option<&[u8]> {
        let mut outputs = self.0.iter();
        let found = outputs.find(|(key, _)| *key == program);
        found.map(|(_, bytes)| bytes.as_slice())
    }

    /// These, and those of another one.
    #[must_use]
    pub fn and(mut self, others: Self) -> Self {
        self.0.extend(others.0);
        self
    }

    /// All of them, compressed: each with its key and its size before it.
    ///
    /// # Errors
    /// When they can't be compressed.
    pub fn encode(&self) -> io::Result<Vec<u8>> {
        let mut encoder = zstd::Encoder::new(Vec::new(), LEVEL)?;
        for (key, bytes) in &self.0 {
            encoder.write_all(key.as_bytes())?;
            encoder.write_all(&(bytes.len() as u64).to_le_bytes())?;
            encoder.write_all(bytes)?;
        }
        encoder.finish()
    }

    /// Reads what [`Outputs::encode`] has written.
    ///
    /// # Errors
    /// When these are other bytes, or those of too many outputs.
    pub fn decode(encoded: &[u8]) -> io::Result<Self> {
        let most = MOST.as_u64();
        let mut decoded = Vec::new();
        let decoder = zstd::Decoder::new(encoded)?;
        decoder.take(most + 1).read_to_end(&mut decoded)?;
        let mut rest = decoded.as_slice();
        if rest.len() as u64 > most {
            return Err(io::Error::other(format!("outputs of more than {MOST}")));
        }
        let mut outputs = Vec::new();
        while !rest.is_empty() {
            let (output, after) = split(rest).ok_or(io::ErrorKind::UnexpectedEof)?;
            outputs.push(output);
            rest = after;
        }
        Ok(Self(outputs))
    }
}

/// The first output, and the bytes after it.
fn split(bytes: &[u8]) -> Option<(Output, &[u8])> {
    let (key, bytes) = bytes.split_first_chunk::<HASH_BYTES>()?;
    let (size, bytes) = bytes.split_first_chunk::<SIZE_BYTES>()?;
    let size = usize::try_from(u64::from_le_bytes(*size)).ok()?;
    let (output, after) = bytes.split_at_checked(size)?;
    Some((((*key).into(), output.to_vec()), after))
}

/// Keeps the outputs of one judgement, also from several threads.
#[derive(Debug)]
pub(crate) struct OutputKeeper {
    kept: Mutex<Kept>,
}

#[derive(Debug)]
struct Kept {
    outputs: Outputs,
    keys: HashSet<ContentHash>,
    /// How much there is room for.
    room: u64,
}

impl OutputKeeper {
    /// Keeps no more than so much.
    pub(crate) fn new(most: ByteSize) -> Self {
        Self {
            kept: Mutex::new(Kept {
                outputs: Outputs::default(),
                keys: HashSet::new(),
                room: most.min(MOST).as_u64(),
            }),
        }
    }

    /// Keeps an output, if there is room for all of it: what a validator would see of
    /// a part is not what it has seen.
    ///
    /// # Errors
    /// When it can't be read.
    pub(crate) fn keep(&self, program: ContentHash, output: &File) -> io::Result<()> {
        let size = output.metadata()?.len();
        let cost = size + (HASH_BYTES + SIZE_BYTES) as u64;
        // What was added half is not known to anybody.
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if size > LARGEST || cost > kept.room || kept.keys.contains(&program) {
            return Ok(());
        }
        let mut bytes = vec![0; usize::try_from(size).map_err(io::Error::other)?];
        output.read_exact_at(&mut bytes, 0)?;
        kept.room -= cost;
        kept.keys.insert(program);
        kept.outputs.0.push((program, bytes));
        drop(kept);
        Ok(())
    }

    pub(crate) fn into_outputs(self) -> Outputs {
        let kept = self.kept.into_inner();
        kept.unwrap_or_else(PoisonError::into_inner).outputs
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(name: &str) -> ContentHash {
        ContentHash::of(name.as_bytes())
    }

    fn file(bytes: &[u8]) -> File {
        let mut file = tempfile::tempfile().unwrap();
        // Whoever has written is at the end.
        file.write_all(bytes).unwrap();
        file
    }

    #[test]
    fn what_is_kept_is_read_again_byte_for_byte() {
        let keeper = OutputKeeper::new(ByteSize::kib(64));
        let all = [("1", &b"one\r\n"[..]), ("2", b""), ("3", b"\0\xff no text")];
        for (name, bytes) in all {
            keeper.keep(key(name), &file(bytes)).unwrap();
        }
        let encoded = keeper.into_outputs().encode().unwrap();
        let outputs = Outputs::decode(&encoded).unwrap();
        for (name, bytes) in all {
            assert_eq!(outputs.get(key(name)), Some(bytes), "{name}");
        }
        assert_eq!(outputs.get(key("4")), None);
        assert!(Outputs::decode(&encoded[..encoded.len() - 1]).is_err());
        assert!(Outputs::decode(b"something else").is_err());
    }

    #[test]
    fn whole_outputs_are_kept_or_none_of_them() {
        let kept = |most, sizes: &[usize]| {
            let keeper = OutputKeeper::new(most);
            let names: Vec<_> = sizes.iter().map(ToString::to_string).collect();
            for (size, name) in sizes.iter().zip(&names) {
                keeper.keep(key(name), &file(&vec![b'x'; *size])).unwrap();
            }
            let outputs = keeper.into_outputs();
            let lengths = names.iter().map(|name| outputs.get(key(name)));
            lengths
                .map(|found| found.map(<[u8]>::len))
                .collect::<Vec<_>>()
        };
        let largest = usize::try_from(LARGEST).unwrap();
        let much = ByteSize::mib(64);
        assert_eq!(
            kept(much, &[largest, largest + 1]),
            [Some(largest), None],
            "of one run"
        );
        let few = ByteSize(300);
        assert_eq!(
            kept(few, &[100, 150, 90]),
            [Some(100), None, Some(90)],
            "of one judgement"
        );
        assert_eq!(kept(ByteSize(0), &[0]), [None], "of none");
    }

    #[test]
    fn outputs_of_too_much_are_not_read() {
        let bytes = vec![0; usize::try_from(MOST.as_u64()).unwrap()];
        let encoded = Outputs(vec![(key("large"), bytes)]).encode().unwrap();
        assert!(encoded.len() < 100_000);
        assert!(Outputs::decode(&encoded).is_err());
    }
}
