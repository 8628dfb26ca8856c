//! The units of a conversation that the proxy sees: it can stop one between two
//! steps of a daemon only if it knows where each step is.

/// What is spoken over a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Protocol {
    Amqp,
    Postgres,
    /// Pieces as they come.
    Http,
}

/// Which way a frame goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    ToServer,
    ToClient,
}

/// A step of a daemon, as seen from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Point {
    /// A worker gets a task.
    TaskDelivered,
    /// A scheduler publishes a task.
    TaskSent,
    /// A worker publishes a report of this kind.
    ReportSent(&'static str),
    /// A scheduler gets a report.
    ReportDelivered,
    /// The broker confirms what was published.
    Confirmed,
    /// A daemon acknowledges what it got.
    Acknowledged,
    /// A transaction is about to be committed.
    Commit,
    /// A transaction is committed, and its owner does not know yet.
    Committed,
}

const KINDS: [&str; 3] = ["started", "progress", "finished"];
const METHOD: u8 = 1;
const BODY: u8 = 3;
const FRAME_OVERHEAD: usize = 8;
/// Class basic, methods ack.
const BASIC_ACK: [u8; 4] = [0, 60, 0, 80];
/// "AMQP", 0, and the version.
const PREFACE: usize = 8;

/// Cuts a stream of bytes into frames.
#[derive(Debug)]
pub(super) struct Framer {
    protocol: Protocol,
    direction: Direction,
    buffer: Vec<u8>,
    begun: bool,
}

impl Framer {
    pub(super) const fn new(protocol: Protocol, direction: Direction) -> Self {
        Self {
            protocol,
            direction,
            buffer: Vec::new(),
            begun: false,
        }
    }

    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The next whole frame.
    pub(super) fn next(&mut self) -> Option<Vec<u8>> {
        let size = self.size()?;
        if size == 0 || self.buffer.len() < size {
            return None;
        }
        self.begun = true;
        let rest = self.buffer.split_off(size);
        Some(std::mem::replace(&mut self.buffer, rest))
    }

    fn size(&self) -> Option<usize> {
        let first = !self.begun && self.direction == Direction::ToServer;
        let number = |at: usize| {
            let bytes = self.buffer.get(at..at + 4)?;
            usize::try_from(u32::from_be_bytes(bytes.try_into().ok()?)).ok()
        };
        match self.protocol {
            Protocol::Http => Some(self.buffer.len()),
            Protocol::Amqp if first => Some(PREFACE),
            Protocol::Amqp => Some(number(3)? + FRAME_OVERHEAD),
            // The first message has no type.
            Protocol::Postgres if first => number(0),
            Protocol::Postgres => Some(number(1)? + 1),
        }
    }

    /// The channel that a frame is of; 0 where there are none.
    pub(super) fn channel(&self, frame: &[u8]) -> u16 {
        match (self.protocol, frame) {
            (Protocol::Amqp, [_, high, low, ..]) => u16::from_be_bytes([*high, *low]),
            _ => 0,
        }
    }

    /// Which step a frame is, if it is one.
    pub(super) fn point(&self, frame: &[u8]) -> Option<Point> {
        match (self.protocol, self.direction) {
            (Protocol::Http, _) => None,
            (Protocol::Amqp, direction) => amqp_point(frame, direction),
            (Protocol::Postgres, Direction::ToServer) => {
                (frame.first() == Some(&b'Q') && contains(frame, "COMMIT")).then_some(Point::Commit)
            }
            (Protocol::Postgres, Direction::ToClient) => (frame.first() == Some(&b'C')
                && contains(frame, "COMMIT"))
            .then_some(Point::Committed),
        }
    }
}

fn amqp_point(frame: &[u8], direction: Direction) -> Option<Point> {
    let payload = frame.get(7..)?;
    match (*frame.first()?, direction) {
        (METHOD, _) if payload.starts_with(&BASIC_ACK) => Some(match direction {
            Direction::ToServer => Point::Acknowledged,
            Direction::ToClient => Point::Confirmed,
        }),
        (BODY, Direction::ToServer) if is_task(payload) => Some(Point::TaskSent),
        (BODY, Direction::ToClient) if is_task(payload) => Some(Point::TaskDelivered),
        (BODY, Direction::ToServer) => KINDS
            .into_iter()
            .find(|kind| contains(payload, &format!(r#""kind":"{kind}""#)))
            .map(Point::ReportSent),
        (BODY, Direction::ToClient) if !is_echo(payload) => Some(Point::ReportDelivered),
        _ => None,
    }
}

/// The message that a frame carries, if it is a whole one.
pub(super) fn message(frame: &[u8]) -> Option<&[u8]> {
    let end = frame.len().checked_sub(1)?;
    (frame.first() == Some(&BODY)).then(|| frame.get(7..end))?
}

/// Makes the message that a frame carries unreadable; false if it carries none.
pub(super) fn garble(frame: &mut [u8], protocol: Protocol) -> bool {
    let at = match protocol {
        Protocol::Amqp
            if message(frame)
                .is_some_and(|message| message.starts_with(b"{") && !is_echo(message)) =>
        {
            7
        }
        // The end of an answer is content, unless the answer is all head.
        Protocol::Http if frame.starts_with(b"HTTP/1.1 200") => frame.len() - 1,
        _ => return false,
    };
    frame[at] ^= 0x80;
    true
}

/// Whether a message is one that schedulers send themselves: nobody is hit by what befalls these.
pub(super) fn is_echo(message: &[u8]) -> bool {
    contains(
        message,
        r#""worker_id":"00000000-0000-0000-0000-000000000000""#,
    )
}

fn is_task(payload: &[u8]) -> bool {
    contains(payload, r#""package":"#)
}

fn contains(bytes: &[u8], text: &str) -> bool {
    bytes
        .windows(text.len())
        .any(|window| window == text.as_bytes())
}

#[test]
fn frames_are_cut_where_they_end() {
    let mut framer = Framer::new(Protocol::Amqp, Direction::ToServer);
    framer.push(b"AMQP\0\0\x09\x01\x01\0\x01\0\0\0\x04\0\x3c\0\x50\xce\x03\0");
    assert_eq!(framer.next().unwrap(), b"AMQP\0\0\x09\x01");
    let ack = framer.next().unwrap();
    assert_eq!(framer.point(&ack), Some(Point::Acknowledged));
    assert_eq!(framer.next(), None, "half a frame is none");

    let mut framer = Framer::new(Protocol::Postgres, Direction::ToServer);
    framer.push(b"\0\0\0\x08\0\x03\0\0Q\0\0\0\x0bCOMMIT\0");
    assert_eq!(framer.next().unwrap().len(), 8);
    let commit = framer.next().unwrap();
    assert_eq!(framer.point(&commit), Some(Point::Commit));
}

#[test]
fn a_garbled_message_keeps_its_frame() {
    let mut frame = b"\x03\0\x01\0\0\0\x02{}\xce".to_vec();
    assert!(garble(&mut frame, Protocol::Amqp));
    assert_eq!(message(&frame), Some(&b"\xfb}"[..]));
}

#[test]
fn an_echo_is_no_step_of_anybody() {
    let echo =
        assize_common::message::encode(&assize_common::message::WorkerReport::echo()).unwrap();
    let mut frame = vec![BODY, 0, 2];
    frame.extend(u32::try_from(echo.len()).unwrap().to_be_bytes());
    frame.extend(&echo);
    frame.push(0xce);
    for direction in [Direction::ToServer, Direction::ToClient] {
        let framer = Framer::new(Protocol::Amqp, direction);
        assert_eq!(framer.point(&frame), None);
        assert_eq!(framer.channel(&frame), 2);
    }
    assert!(!garble(&mut frame, Protocol::Amqp));
}
