//! Two programs that talk to each other over a relay.

use std::io::{Read, Write};
use std::thread::{self, JoinHandle};

use super::*;

/// The pipes of two programs, and a relay between them that runs.
struct Stage {
    program: Side,
    partner: Side,
    stop: RelayStop,
    relayed: JoinHandle<Relayed>,
}

struct Side {
    hears: PipeReader,
    says: PipeWriter,
}

fn side() -> (Side, Ends) {
    let ((read, says), (hears, write)) = (io::pipe().unwrap(), io::pipe().unwrap());
    let ends = Ends {
        says: read,
        hears: write,
    };
    (Side { hears, says }, ends)
}

fn stage(limit: u64, on_excess: impl FnOnce() + Send + 'static) -> Stage {
    let ((program, ends), (partner, others)) = (side(), side());
    let (relay, stop) = Relay::new(ends, others).unwrap();
    let run = move || relay.run(ByteSize(limit), on_excess).unwrap();
    Stage {
        program,
        partner,
        stop,
        relayed: thread::spawn(run),
    }
}

fn never() {
    panic!("that is not too much");
}

impl Side {
    fn say(&mut self, text: &str) {
        self.says.write_all(text.as_bytes()).unwrap();
    }

    fn hear(&mut self, expected: &str) {
        let mut heard = vec![0; expected.len()];
        self.hears.read_exact(&mut heard).unwrap();
        assert_eq!(String::from_utf8(heard).unwrap(), expected);
    }

    fn hears_the_end(&mut self) {
        assert_eq!(self.hears.read(&mut [0]).unwrap(), 0);
    }
}

fn words(transcript: &Transcript) -> Vec<(Speaker, String)> {
    let remarks = transcript.start.iter().chain(&transcript.end);
    let words = |remark: &Remark| {
        let text = String::from_utf8(remark.bytes.clone());
        (remark.by, text.unwrap())
    };
    remarks.map(words).collect()
}

#[test]
fn both_are_heard_and_written_down_in_order() {
    let mut stage = stage(100, never);
    stage.partner.say("100\n");
    stage.program.hear("100\n");
    stage.program.say("50\n");
    stage.partner.hear("50\n");
    stage.partner.say("less\n");
    stage.program.hear("less\n");
    drop(stage.program);
    stage.partner.hears_the_end();
    drop((stage.partner, stage.stop));
    let relayed = stage.relayed.join().unwrap();
    assert_eq!(relayed.count, ByteSize(3));
    assert_eq!(
        words(&relayed.transcript),
        [
            (Speaker::Partner, "100\n".to_owned()),
            (Speaker::Program, "50\n".to_owned()),
            (Speaker::Partner, "less\n".to_owned()),
        ]
    );
}

#[test]
fn the_program_hears_of_its_partners_end_when_that_is_told_and_not_before() {
    let mut stage = stage(1 << 20, never);
    stage.partner.say("the last word");
    drop(stage.partner);
    // Nobody reads this, and the pipe is still there.
    stage.program.say("anybody?");
    drop(stage.stop);
    stage.program.hear("the last word");
    stage.program.hears_the_end();
    let gone = stage.program.says.write(b"x").unwrap_err();
    assert_eq!(gone.kind(), io::ErrorKind::BrokenPipe);
    stage.relayed.join().unwrap();
}

#[test]
fn the_partner_may_say_what_it_likes_to_a_program_that_is_gone() {
    let mut stage = stage(1, never);
    drop(stage.program);
    for _ in 0..100 {
        stage.partner.say(&"x".repeat(1 << 16));
    }
    drop((stage.partner, stage.stop));
    let transcript = stage.relayed.join().unwrap().transcript;
    let kept: usize = words(&transcript).iter().map(|(_, text)| text.len()).sum();
    assert_eq!(transcript.left_out_bytes, (100 << 16) - kept as u64);
}

#[test]
fn of_what_is_too_much_nothing_is_passed_on() {
    let (sender, told) = std::sync::mpsc::channel();
    let mut stage = stage(2, move || sender.send(()).unwrap());
    stage.program.say("abc");
    told.recv().unwrap();
    stage.program.say("more");
    drop(stage.program);
    stage.partner.hear("abc");
    stage.partner.hears_the_end();
    drop((stage.partner, stage.stop));
    assert_eq!(stage.relayed.join().unwrap().count, ByteSize(3));
}

/// What is long goes another way, and is the same at the other end, whoever is slow.
#[test]
fn what_is_long_arrives_whole() {
    let said: Vec<u8> = (0..=250).cycle().take(8 << 20).collect();
    for by in [Speaker::Program, Speaker::Partner] {
        let stage = stage(said.len() as u64, never);
        let (mut from, mut to) = match by {
            Speaker::Program => (stage.program, stage.partner),
            Speaker::Partner => (stage.partner, stage.program),
        };
        let all = said.clone();
        let speaking = thread::spawn(move || {
            let (long, short) = all.split_at(all.len() / 2);
            from.says.write_all(long).unwrap();
            for piece in short.chunks(10_007) {
                from.says.write_all(piece).unwrap();
            }
            from
        });
        let mut heard = vec![0; said.len()];
        to.hears.read_exact(&mut heard).unwrap();
        assert!(heard == said, "{by:?}");
        drop((speaking.join().unwrap(), to, stage.stop));
        let relayed = stage.relayed.join().unwrap();
        let bytes = |remarks: Vec<&Remark>| -> Vec<u8> {
            remarks.iter().flat_map(|it| it.bytes.clone()).collect()
        };
        let start = bytes(relayed.transcript.start.iter().collect());
        let end = bytes(relayed.transcript.end.iter().collect());
        assert!(said.starts_with(&start) && said.ends_with(&end), "{by:?}");
        assert!(!end.is_empty());
        let kept = (start.len() + end.len()) as u64;
        assert_eq!(
            relayed.transcript.left_out_bytes + kept,
            said.len() as u64,
            "{by:?}"
        );
    }
}

#[test]
fn a_partner_that_listens_on_may_end_its_words() {
    let Stage {
        mut program,
        mut partner,
        stop,
        relayed,
    } = stage(1000, never);
    partner.say("5\n");
    drop(partner.says);
    program.hear("5\n");
    program.hears_the_end();
    program.say("25\n");
    partner.hears.read_exact(&mut [0; 3]).unwrap();
    drop(stop);
    drop(partner.hears);
    assert_eq!(relayed.join().unwrap().count, ByteSize(3));
}

#[test]
fn a_partner_that_ended_is_not_taken_for_one_that_lives() {
    let Stage {
        mut program,
        partner,
        stop,
        relayed,
    } = stage(1000, never);
    drop(partner.says);
    drop(partner.hears);
    let reading = thread::spawn(move || {
        let read = program.hears.read(&mut [0]).unwrap();
        (read, program)
    });
    thread::sleep(3 * LIVES);
    assert!(!reading.is_finished());
    drop(stop);
    assert_eq!(reading.join().unwrap().0, 0);
    relayed.join().unwrap();
}
