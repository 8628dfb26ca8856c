//! What a run leaves behind: nothing.

use crate::harness::*;
use assize_sandbox::Sink;
use std::io::Read;

/// The daemon holds the pipe as long as it lives, so its end is an event.
#[test]
fn survivors_are_dead_before_the_facts_are_told() {
    let mut jail = start();
    let (mut reader, writer) = std::io::pipe().unwrap();
    let mut spec = program("survivor", &[]);
    spec.stdout = Sink::Fd(writer.into());
    let drained = std::thread::spawn(move || {
        let mut heard = Vec::new();
        reader.read_to_end(&mut heard).unwrap();
    });
    assert_eq!(jail.run(spec).unwrap().outcome, exited(0));
    drained.join().unwrap();
    assert_usable(&mut jail);
}

#[test]
fn captured_survivors_do_not_keep_the_run_waiting() {
    let mut jail = start();
    let (facts, _, _) = run_captured(&mut jail, program("survivor", &[]));
    assert_eq!(facts.outcome, exited(0));
}

#[test]
fn files_are_gone() {
    let mut jail = start();
    shell(
        &mut jail,
        "mkdir /tmp/a; echo x > /tmp/a/b; echo x > /tmp/c; chmod 0 /tmp/a",
    );
    assert_eq!(shell(&mut jail, "ls -A /tmp; stat -c %a /tmp"), "755\n");
    shell(&mut jail, "chmod 700 /tmp; ln -s / /tmp/root");
    assert_eq!(shell(&mut jail, "ls -A /tmp; stat -c %a /tmp"), "755\n");
}
