//! A conversation of two programs, of whom neither has the other's pipes: what they
//! say is passed on here, and written down. What one of them says is counted on
//! its way: a program that floods its partner is told from one that talks to it.
//!
//! Who ended first must not be a race, so the program must not notice that its partner
//! has ended before it is told here: until the relay is stopped, nobody has closed the
//! pipe that it writes to, nor the one that it reads from. Then it is told at once,
//! but for what its partner said last, which it can still read. The partner can say
//! what it likes to a program that is gone.
//!
//! A partner that only says nothing more, and lives on, is told from one that has ended
//! by its still listening: the program finds the end of its words.
//!
//! Short remarks are read and written. What is long is moved from pipe to pipe without
//! being looked at, except the start and the end: all that a transcript keeps.

mod channel;
#[cfg(test)]
mod tests;
mod transcript;

use std::io::{self, PipeReader, PipeWriter};
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use bytesize::ByteSize;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use self::channel::Channel;
use self::transcript::Scribe;
pub use self::transcript::{Remark, Speaker, Transcript};

/// Who ends lets go of both pipes, in any order. Who still listens so long after the
/// end of its words has not ended.
const LIVES: Duration = Duration::from_millis(100);

/// Passes on what a program and its partner say.
#[derive(Debug)]
pub struct Relay {
    /// From the program to its partner.
    program: Channel,
    /// From the partner to the program.
    partner: Channel,
    stop: PipeReader,
    scribe: Scribe,
}

/// Dropping it tells the relay that the partner has ended.
#[derive(Debug)]
pub struct RelayStop {
    _writer: PipeWriter,
}

/// The ends of the pipes of one side.
#[derive(Debug)]
pub struct Ends {
    /// What it says is read from here.
    pub says: PipeReader,
    /// What it is to hear is written here.
    pub hears: PipeWriter,
}

/// What came of it.
#[derive(Debug)]
pub struct Relayed {
    /// How much the program said.
    pub count: ByteSize,
    /// What both said.
    pub transcript: Transcript,
}

impl Relay {
    /// A relay that waits to be run, and what ends it.
    ///
    /// # Errors
    /// When there are no descriptors left.
    pub fn new(program: Ends, partner: Ends) -> io::Result<(Self, RelayStop)> {
        let (stop, writer) = io::pipe()?;
        let relay = Self {
            program: Channel::new(Speaker::Program, program.says, partner.hears)?,
            partner: Channel::new(Speaker::Partner, partner.says, program.hears)?,
            stop,
            scribe: Scribe::new(),
        };
        Ok((relay, RelayStop { _writer: writer }))
    }

    /// Passes on until it is stopped, and the program has been given what its partner
    /// said. Once the program has said more than `limit`, `on_excess` is called and
    /// nothing more of it is passed on; and nothing is read of it any more when it was
    /// found that its partner does not read, as if it wrote to its partner itself.
    ///
    /// # Errors
    /// When a pipe can't be used.
    pub fn run(self, limit: ByteSize, on_excess: impl FnOnce()) -> io::Result<Relayed> {
        let (mut program, mut partner) = (Some(self.program), self.partner);
        let (mut scribe, mut on_excess) = (self.scribe, Some(on_excess));
        let mut count = 0;
        // When to look whether a partner lives that says nothing more.
        let mut look: Option<Instant> = None;
        while program.is_some() || !partner.has_ended() {
            let stop = program.is_some().then_some(&self.stop);
            let (stopped, ready) = wait(stop, program.as_ref(), &partner, look)?;
            if let Some(channel) = &mut program {
                channel.proceed(ready[0], &mut scribe)?;
                count = channel.count;
                if count > limit.as_u64()
                    && let Some(on_excess) = on_excess.take()
                {
                    channel.hold();
                    on_excess();
                }
            }
            partner.proceed(ready[1], &mut scribe)?;
            let now = Instant::now();
            look = match look {
                _ if !partner.is_silent() => None,
                Some(at) if at > now => look,
                Some(_) if program.as_ref().is_some_and(Channel::is_heard) => {
                    partner.tell_end();
                    None
                }
                _ => Some(now + LIVES),
            };
            if stopped {
                program = None;
            }
        }
        Ok(Relayed {
            count: ByteSize(count),
            transcript: scribe.into_transcript(),
        })
    }
}

/// Waits for the next thing to do, or until `look`, and tells of both pipes of each channel what it is.
fn wait(
    stop: Option<&PipeReader>,
    program: Option<&Channel>,
    partner: &Channel,
    look: Option<Instant>,
) -> io::Result<(bool, [[PollFlags; 2]; 2])> {
    let stop = stop.map(|stop| PollFd::new(stop.as_fd(), PollFlags::POLLIN));
    let [from, to] = program.map_or([None, None], Channel::interest);
    let [back_from, back_to] = partner.interest();
    let wanted = [stop, from, to, back_from, back_to];
    let mut set: Vec<_> = wanted.iter().flatten().cloned().collect();
    // Rounded up, or the last fraction of a millisecond would be spent in a loop.
    let timeout = look.map_or(PollTimeout::NONE, |at| {
        let left = at.saturating_duration_since(Instant::now()) + Duration::from_millis(1);
        PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX)
    });
    while let Err(error) = poll(&mut set, timeout) {
        if error != Errno::EINTR {
            return Err(error.into());
        }
    }
    let mut answers = set.iter().map(|asked| asked.revents());
    let told = wanted.map(|asked| {
        let answer = asked.and_then(|_| answers.next().flatten());
        answer.unwrap_or(PollFlags::empty())
    });
    let [stop, from, to, back_from, back_to] = told;
    Ok((!stop.is_empty(), [[from, to], [back_from, back_to]]))
}
