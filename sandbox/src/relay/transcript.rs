//! What two programs said to each other, in bounds: the start and the end of it.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// What is kept of the start, and of the end, of all that was said.
const START: usize = 56 << 10;
const END: usize = 8 << 10;
/// What each remark counts besides its bytes, so that their number is bounded, too.
const REMARK: usize = 16;
/// What somebody says within this time is one remark, if nobody else speaks.
const BREATH: Duration = Duration::from_millis(1);

/// Who says something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Speaker {
    /// The program whose words are counted.
    Program,
    /// Its partner.
    Partner,
}

/// Something that was said at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remark {
    /// When, since the relay was made.
    pub at: Duration,
    /// By whom.
    pub by: Speaker,
    /// The words.
    pub bytes: Vec<u8>,
}

/// What was said, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Transcript {
    /// From the start.
    pub start: Vec<Remark>,
    /// Bytes that were said between start and end, and are left out.
    pub left_out_bytes: u64,
    /// Up to the end; with all of it in `start`, nothing.
    pub end: VecDeque<Remark>,
}

impl Remark {
    const fn size(&self) -> usize {
        self.bytes.len() + REMARK
    }
}

/// Writes a transcript.
#[derive(Debug)]
pub(super) struct Scribe {
    began: Instant,
    transcript: Transcript,
    start_size: usize,
    end_size: usize,
}

impl Scribe {
    pub(super) fn new() -> Self {
        Self {
            began: Instant::now(),
            transcript: Transcript::default(),
            start_size: 0,
            end_size: 0,
        }
    }

    /// How many of so many bytes that come next need not be looked at: of those after
    /// them so many are kept that nothing else is.
    pub(super) const fn unneeded(&self, available: usize) -> usize {
        if self.start_size < START {
            0
        } else {
            available.saturating_sub(END)
        }
    }

    /// Leaves out so many bytes, which were not needed, and all of the end before them.
    pub(super) fn skip(&mut self, bytes: usize) {
        let end: usize = self.transcript.end.drain(..).map(|it| it.bytes.len()).sum();
        self.end_size = 0;
        self.transcript.left_out_bytes += (end + bytes) as u64;
    }

    /// Writes down what somebody says now.
    pub(super) fn hear(&mut self, by: Speaker, bytes: &[u8]) {
        let at = self.began.elapsed();
        let room = START.saturating_sub(self.start_size);
        let (start, end) = bytes.split_at(bytes.len().min(room.saturating_sub(REMARK)));
        if start.is_empty() {
            // Nothing more is for the start, though some of the room is left.
            self.start_size = START;
        } else {
            let continued = self.transcript.start.last_mut();
            self.start_size += append(continued, at, by, start).unwrap_or_else(|remark| {
                let size = remark.size();
                self.transcript.start.push(remark);
                size
            });
        }
        if !end.is_empty() {
            let continued = self.transcript.end.back_mut();
            self.end_size += append(continued, at, by, end).unwrap_or_else(|remark| {
                let size = remark.size();
                self.transcript.end.push_back(remark);
                size
            });
            self.shorten_end();
        }
    }

    fn shorten_end(&mut self) {
        while let Some(excess) = self.end_size.checked_sub(END).filter(|excess| *excess > 0)
            && let Some(first) = self.transcript.end.front_mut()
        {
            let gone = if excess < first.bytes.len() {
                first.bytes.drain(..excess);
                self.end_size -= excess;
                excess
            } else {
                self.end_size -= first.size();
                let gone = first.bytes.len();
                self.transcript.end.pop_front();
                gone
            };
            self.transcript.left_out_bytes += gone as u64;
        }
    }

    pub(super) fn into_transcript(self) -> Transcript {
        self.transcript
    }
}

/// Adds to a remark that is being made, and returns by how much that grew; or makes
/// a new one.
fn append(
    continued: Option<&mut Remark>,
    at: Duration,
    by: Speaker,
    bytes: &[u8],
) -> Result<usize, Remark> {
    match continued {
        Some(remark) if remark.by == by && at.saturating_sub(remark.at) < BREATH => {
            remark.bytes.extend_from_slice(bytes);
            Ok(bytes.len())
        }
        _ => Err(Remark {
            at,
            by,
            bytes: bytes.to_vec(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Speaker::{Partner, Program};

    fn size<'a>(remarks: impl IntoIterator<Item = &'a Remark>) -> usize {
        remarks.into_iter().map(Remark::size).sum()
    }

    fn text<'a>(remarks: impl IntoIterator<Item = &'a Remark>) -> Vec<u8> {
        remarks
            .into_iter()
            .flat_map(|it| it.bytes.clone())
            .collect()
    }

    #[test]
    fn what_is_said_is_kept_in_order_with_who_said_it() {
        let mut scribe = Scribe::new();
        scribe.hear(Partner, b"100");
        scribe.hear(Program, b"5");
        scribe.hear(Program, b"0\n");
        scribe.hear(Partner, b"\xff\0");
        let transcript = scribe.into_transcript();
        let said: Vec<_> = transcript.start.iter().map(|it| it.by).collect();
        assert!(said.starts_with(&[Partner, Program]) && said.ends_with(&[Partner]));
        assert_eq!(text(&transcript.start), b"10050\n\xff\0");
        assert!(transcript.start.is_sorted_by_key(|remark| remark.at));
        assert_eq!(transcript.left_out_bytes, 0);
        assert!(transcript.end.is_empty());
    }

    /// Whatever the sizes of remarks: start and end are of what was said, within
    /// bounds, and what is missing is told.
    #[test]
    fn of_too_much_the_start_and_the_end_are_kept() {
        for length in [1, 7, 1000, 4096, END, END + 1, START, 300_000] {
            let mut scribe = Scribe::new();
            let mut all = Vec::new();
            for number in 0..=400_000 / length {
                let first = u8::try_from(number % 256).unwrap();
                let remark: Vec<u8> = (0..=255).cycle().skip(first.into()).take(length).collect();
                scribe.hear([Program, Partner][number % 2], &remark);
                all.extend(remark);
            }
            let transcript = scribe.into_transcript();
            let (start, end) = (text(&transcript.start), text(&transcript.end));
            assert!(all.starts_with(&start) && all.ends_with(&end), "{length}");
            let left_out = usize::try_from(transcript.left_out_bytes).unwrap();
            assert_eq!(start.len() + left_out + end.len(), all.len(), "{length}");
            let sizes = (size(&transcript.start), size(&transcript.end));
            assert!(sizes.0 <= START && sizes.1 <= END, "{length}: {sizes:?}");
            assert!(sizes.0 + REMARK >= START, "{length}: {sizes:?}");
            assert!(sizes.1 + length.min(END) + REMARK > END, "{length}");
        }
    }

    #[test]
    fn what_is_not_needed_is_never_in_the_transcript() {
        let mut scribe = Scribe::new();
        assert_eq!(scribe.unneeded(1 << 20), 0);
        scribe.hear(Program, &vec![b'a'; START + 100]);
        assert_eq!(scribe.unneeded(1 << 20), (1 << 20) - END);
        assert_eq!(scribe.unneeded(END), 0);
        scribe.skip(1 << 20);
        scribe.hear(Program, b"the end");
        let transcript = scribe.into_transcript();
        assert_eq!(text(&transcript.end), b"the end");
        let kept = text(&transcript.start).len();
        let left_out = (START + 100 + (1 << 20) - kept) as u64;
        assert_eq!(transcript.left_out_bytes, left_out);
    }
}
