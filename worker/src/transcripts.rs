//! What submission and validator said, as it is reported, and how much of that is
//! kept of one judgement.

use assize_common::message::{Remark, Speaker, Transcript};

use crate::report::milliseconds;

/// For reports, a judgement's transcripts may be as large as this together.
const ROOM: usize = 256 << 10;

/// The transcript of one pass.
pub(crate) fn of_pass(pass: u32, said: assize_sandbox::Transcript) -> Transcript {
    Transcript {
        pass,
        start: said.start.into_iter().map(remark).collect(),
        left_out_bytes: said.left_out_bytes,
        end: said.end.into_iter().map(remark).collect(),
    }
}

fn remark(said: assize_sandbox::Remark) -> Remark {
    Remark {
        at_ms: milliseconds(said.at),
        by: match said.by {
            assize_sandbox::Speaker::Program => Speaker::Submission,
            assize_sandbox::Speaker::Partner => Speaker::Validator,
        },
        words: said.bytes.into(),
    }
}

/// The room that is left for transcripts of a judgement.
#[derive(Debug)]
pub(crate) struct Room(usize);

impl Default for Room {
    fn default() -> Self {
        Self(ROOM)
    }
}

impl Room {
    /// Keeps of a run's transcripts those that there is room for, the last pass
    /// first: it is the one that was not accepted.
    pub(crate) fn keep(&mut self, transcripts: &mut Vec<Transcript>) {
        transcripts.reverse();
        transcripts.retain(|transcript| {
            let left = self.0.checked_sub(transcript.size());
            self.0 = left.unwrap_or(self.0);
            left.is_some()
        });
        transcripts.reverse();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn transcript(pass: u32, bytes: usize) -> Transcript {
        let remark = assize_sandbox::Remark {
            at: Duration::from_micros(1500),
            by: assize_sandbox::Speaker::Partner,
            bytes: vec![b'x'; bytes],
        };
        let said = assize_sandbox::Transcript {
            start: vec![remark],
            ..assize_sandbox::Transcript::default()
        };
        of_pass(pass, said)
    }

    #[test]
    fn a_validator_is_the_partner_and_times_are_rounded() {
        let transcript = transcript(1, 1);
        let remark = &transcript.start[0];
        assert_eq!((remark.at_ms, remark.by), (2, Speaker::Validator));
    }

    #[test]
    fn the_last_passes_of_the_first_runs_are_kept() {
        let mut room = Room::default();
        let passes = |room: &mut Room, sizes: &[usize]| {
            let all = (1..).zip(sizes).map(|(pass, size)| transcript(pass, *size));
            let mut all = all.collect();
            room.keep(&mut all);
            all.iter().map(|kept| kept.pass).collect::<Vec<_>>()
        };
        assert_eq!(passes(&mut room, &[ROOM / 2, 10, ROOM / 2]), [2, 3]);
        assert_eq!(passes(&mut room, &[ROOM / 2]), [0; 0]);
        assert_eq!(passes(&mut room, &[100]), [1]);
    }
}
