//! Two programs in two slots at the same time, one of which tries to tell the
//! other something. What they share must not carry it.

use super::{base, host, run};
use assize_sandbox::{Input, Jail, Mode, Sink, Spec};
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Everything that would carry a word outside of jails.
const CLOSED: [&str; 7] = [
    "temporary file",
    "shared memory file",
    "shared memory segment",
    "message queue",
    "abstract socket",
    "process name",
    "keyring",
];

/// What docs/sandbox.md names among the known limits.
const KNOWN: &str = "lock on a system file";

#[test]
fn channels_carry_a_word_outside_of_jails() {
    let program = compile();
    for name in CLOSED.into_iter().chain([KNOWN]) {
        let mut sender = Command::new(&program)
            .args([name, "send"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = BufReader::new(sender.stdout.take().unwrap());
        let mut line = String::new();
        said.read_line(&mut line).unwrap();
        assert_eq!(line, "open\n", "{name}");
        let receiver = Command::new(&program)
            .args([name, "receive"])
            .output()
            .unwrap();
        assert_eq!(receiver.stdout, b"heard\n", "{name}");
        drop(sender.stdin.take());
        assert!(sender.wait().unwrap().success(), "{name}");
    }
}

#[test]
fn slots_can_not_speak_to_each_other() {
    let program = compile();
    let mut jails = [0, 1].map(|_| host::start_alone().jail);
    for mode in [Mode::Unshare, Mode::Ptrace] {
        for name in CLOSED.into_iter().chain(["host name"]) {
            let heard = talk(&mut jails, &program, mode, name);
            assert!(!heard.contains("heard"), "{name}: {heard}");
        }
    }
    // When this is mended, docs/sandbox.md is to say so.
    assert_eq!(talk(&mut jails, &program, Mode::Unshare, KNOWN), "heard\n");
}

/// What the receiver says while the sender has the channel open.
fn talk(jails: &mut [Jail; 2], program: &Path, mode: Mode, name: &str) -> String {
    let [sending, receiving] = jails;
    let spec = |role: &str| Spec {
        executable: Some(File::open(program).unwrap().into()),
        ..base(&["channels", name, role], mode)
    };
    let (input, keep_open) = std::io::pipe().unwrap();
    let (mut said, output) = std::io::pipe().unwrap();
    let mut sender = spec("send");
    sender.stdin = Input::Fd(OwnedFd::from(input));
    sender.stdout = Sink::Fd(OwnedFd::from(output));
    std::thread::scope(|scope| {
        let ended = scope.spawn(|| sending.run(sender).unwrap());
        // "open", or nothing when the attempt has ended the run.
        let mut word = [0; 5];
        let opened = said.read(&mut word).unwrap();
        let (_, heard) = run(receiving, spec("receive"));
        drop(keep_open);
        let facts = ended.join().unwrap();
        assert!(
            opened > 0 || facts.outcome != super::EXITED,
            "{name}: {facts:?}"
        );
        heard
    })
}

fn compile() -> PathBuf {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("hostile/channels/channels.c");
    super::attack::compile(&source, "channels")
}
