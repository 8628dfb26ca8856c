//! What the measured runs have in common.

use assize_sandbox::{
    AuditLevel, Facts, Input, Jail, Limits, Mode, Outcome, PolicyName, Sink, Spec,
};
use bytesize::ByteSize;
use std::time::Duration;

/// A run that must end well.
pub(crate) fn run(jail: &mut Jail, spec: Spec) -> Facts {
    let facts = jail.run(spec).unwrap();
    assert_eq!(facts.outcome, Outcome::Exited { code: 0 }, "{facts:?}");
    facts
}

/// Streams to nowhere and limits out of reach.
pub(crate) fn spec(args: Vec<String>) -> Spec {
    Spec {
        args,
        executable: None,
        env: vec![("PATH".to_owned(), "/usr/bin".to_owned())],
        directory: "/tmp".into(),
        stdin: Input::Null,
        stdout: Sink::Null,
        stderr: Sink::Null,
        mounts: Vec::new(),
        scratch: Vec::new(),
        files: Vec::new(),
        collect: Vec::new(),
        limits: Limits {
            cpu_time: Duration::from_secs(60),
            wall_time: Duration::from_secs(120),
            idle_time: None,
            memory: ByteSize::gib(1),
            output: ByteSize::mib(64),
            stack: ByteSize::mib(64),
            processes: 64,
            open_files: 256,
            file_size: ByteSize::mib(64),
        },
        mode: Mode::Unshare,
        policy: PolicyName::Contestant,
        layers: Vec::new(),
        audit: AuditLevel::Summary,
        observe: false,
        fixed_layout: false,
    }
}
