//! Whoever starts a worker has no influence on runs by what processes inherit.

use crate::harness::*;
use assize_sandbox::{Jail, JailConfig, JailError, Mode};
use std::os::unix::fs::PermissionsExt;

/// All that is inherited, as a program sees it.
const SHOW: &str = "cat /proc/self/limits /proc/self/oom_score_adj /proc/self/personality
    cut -d' ' -f18,19,40,41 /proc/self/stat
    cat /proc/self/timerslack_ns; nice; ionice; ulimit -Sa; ulimit -Ha";

/// Less than the tests' runs need, of all that anybody may take back.
const HABITS: &str = "#!/bin/sh
ulimit -Sv 2000000; ulimit -Sd 1000000; ulimit -Sf 100; ulimit -Ss 256; ulimit -Sn 300; ulimit -Sc 0
exec prlimit --sigpending=7: --locks=3: --rss=4096: --nproc=1000: --cpu=50: \\
    choom -n 300 -- setarch -R ionice -c 3 nice -n 5 chrt --batch 0 BINARY
";

/// A jail whose supervisor is started by a script, in which BINARY is its own name.
fn start_by(script: &str) -> Result<Jail, JailError> {
    let directory = tempfile::tempdir().unwrap();
    let wrapper = directory.path().join("wrapper");
    let mut config = JailConfig::new(0).unwrap();
    let binary = config.jail_binary.to_str().unwrap().to_owned();
    std::fs::write(&wrapper, script.replace("BINARY", &binary)).unwrap();
    std::fs::set_permissions(&wrapper, PermissionsExt::from_mode(0o755)).unwrap();
    config.jail_binary = wrapper;
    Jail::start(&config)
}

#[test]
fn runs_are_the_same_whatever_the_worker_inherited() {
    let mut usual = start();
    let mut other = start_by(HABITS).unwrap();
    for mode in [Mode::Unshare, Mode::Ptrace] {
        let mut seen = [&mut usual, &mut other].map(|jail| {
            let mut spec = command(&["/bin/sh", "-c", SHOW]);
            spec.mode = mode;
            run_captured(jail, spec)
        });
        let [(facts, usual, _), (_, other, _)] = &mut seen;
        assert_eq!(facts.outcome, exited(0), "{usual}");
        assert!(usual.contains("\n1000\n"), "{usual}");
        assert_eq!(usual, other);
    }
    // More than its limit of files was, and than its address space.
    let mut spec = command(&["/bin/sh", "-c", "head -c 900000 /dev/zero"]);
    spec.limits.processes = 4;
    let (facts, stdout, _) = run_captured(&mut other, spec);
    assert_eq!((facts.outcome, stdout.len()), (exited(0), 900_000));
}

/// To raise a hard limit takes a right that root of a container may lack.
#[test]
fn a_limit_that_can_not_be_left_is_named() {
    match start_by("#!/bin/sh\nulimit -Hv 2000000\nexec BINARY\n") {
        Ok(mut jail) => assert_eq!(shell(&mut jail, "ulimit -Hv"), "unlimited\n"),
        Err(error) => assert!(error.to_string().contains("RLIMIT_AS"), "{error}"),
    }
}
