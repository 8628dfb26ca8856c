//! What a program is given: descriptors, arguments, environment, executable.

use crate::harness::*;
use assize_sandbox::{Input, Sink};
use std::fs::File;
use std::io::{Read, Seek, Write};

#[test]
fn nothing_but_the_standard_streams_is_open() {
    let mut jail = start();
    let (facts, stdout, _) = run_captured(&mut jail, program("descriptors", &[]));
    assert_eq!(facts.outcome, exited(0));
    assert_eq!(stdout, "0 1 2 ");
    let mut output = tempfile::tempfile().unwrap();
    let mut spec = command(&["/bin/sh", "-c", "ls /proc/self/fd"]);
    spec.stdin = Input::Fd(File::open("/etc/passwd").unwrap().into());
    spec.stdout = Sink::Fd(output.try_clone().unwrap().into());
    jail.run(spec).unwrap();
    let mut text = String::new();
    output.rewind().unwrap();
    output.read_to_string(&mut text).unwrap();
    // The last is the directory that ls reads.
    assert_eq!(text, "0\n1\n2\n3\n");
}

#[test]
fn arguments_and_environment_are_exactly_those_given() {
    let mut jail = start();
    let mut spec = program("arguments", &["", "a b", "ü"]);
    spec.env = vec![
        ("A".to_owned(), "1=2".to_owned()),
        ("B".to_owned(), String::new()),
    ];
    let (_, stdout, _) = run_captured(&mut jail, spec);
    assert_eq!(stdout, "program\n\na b\nü\nA=1=2\nB=\n");
}

#[test]
fn long_arguments_arrive() {
    let mut jail = start();
    let long = "x".repeat(100_000);
    let (_, stdout, _) = run_captured(&mut jail, program("arguments", &[&long]));
    assert!(stdout.contains(&long));
}

#[test]
fn input_is_read_from_its_position() {
    let mut jail = start();
    let mut input = tempfile::tempfile().unwrap();
    input.write_all(b"first\nsecond\n").unwrap();
    input.seek(std::io::SeekFrom::Start(6)).unwrap();
    let mut spec = command(&["/bin/cat"]);
    spec.stdin = Input::Fd(input.into());
    assert_eq!(run_captured(&mut jail, spec).1, "second\n");
    assert_eq!(run_captured(&mut jail, command(&["/bin/cat"])).1, "");
}

#[test]
fn two_programs_talk_through_pipes() {
    let (reader, writer) = std::io::pipe().unwrap();
    let mut speaker = command(&["/bin/echo", "hello"]);
    speaker.stdout = Sink::Fd(writer.into());
    let mut listener = command(&["/bin/cat"]);
    listener.stdin = Input::Fd(reader.into());
    let heard = std::thread::spawn(move || run_captured(&mut start(), listener).1);
    start().run(speaker).unwrap();
    assert_eq!(heard.join().unwrap(), "hello\n");
}
