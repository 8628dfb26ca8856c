//! How do other sandboxes do, those that are installed here? Each is started as
//! its users start it, as near to full isolation as its options get.

use crate::program::compile;
use crate::sample::Sample;
use crate::spec::run;
use crate::{Bench, bare, spec_of};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const ROUNDS: usize = 500;
const WARM_UP: usize = 20;

/// Another sandbox, as a command line.
struct Peer {
    name: &'static str,
    /// What a jail has and this has not, with these options.
    lacks: &'static str,
    program: &'static str,
    /// Where to have it from.
    hint: &'static str,
    /// Before the program. `@` stands for the program's path.
    args: &'static str,
    /// What makes a place for the program, of which the peer tells the path.
    init: Option<[&'static str; 2]>,
}

const GO_SANDBOX: &str = "build cmd/runprog of github.com/criyle/go-sandbox";

const PEERS: [Peer; 6] = [
    Peer {
        name: "bubblewrap",
        lacks: "limits, filter",
        program: "bwrap",
        hint: "apt-get install bubblewrap",
        args: "--unshare-all --die-with-parent --new-session --cap-drop ALL --clearenv --hostname jail \
               --ro-bind /usr /usr --symlink usr/lib /lib --symlink usr/lib64 /lib64 --symlink usr/bin /bin \
               --proc /proc --dev /dev --tmpfs /tmp --chdir /tmp --ro-bind @ /program /program",
        init: None,
    },
    Peer {
        name: "nsjail",
        lacks: "filter",
        program: "nsjail",
        hint: "build github.com/google/nsjail",
        args: "--mode o --really_quiet --user 65534 --group 65534 --hostname jail --detect_cgroupv2 \
               --cgroup_mem_max 268435456 --cgroup_pids_max 4 --rlimit_as hard --rlimit_cpu 1 --rlimit_fsize 64 \
               --rlimit_nofile 64 --time_limit 5 --bindmount_ro /usr --tmpfsmount /tmp --cwd /tmp \
               --bindmount_ro @:/program -- /program",
        init: None,
    },
    Peer {
        name: "isolate",
        lacks: "filter",
        program: "isolate",
        hint: "build github.com/ioi/isolate",
        args: "--cg --silent --cg-mem=262144 --time=1 --wall-time=5 --fsize=65536 --open-files=64 --run -- program",
        init: Some(["--cg --init", "--cg --cleanup"]),
    },
    Peer {
        name: "isolate without groups",
        lacks: "filter, memory of all processes",
        program: "isolate",
        hint: "build github.com/ioi/isolate",
        args: "--silent --mem=262144 --time=1 --wall-time=5 --fsize=65536 --open-files=64 --run -- program",
        init: Some(["--init", "--cleanup"]),
    },
    Peer {
        name: "go-sandbox, ptrace",
        lacks: "namespaces",
        program: "runprog",
        hint: GO_SANDBOX,
        args: "-res stderr -runner ptrace -cgroup @",
        init: None,
    },
    Peer {
        name: "go-sandbox, container",
        lacks: "",
        program: "runprog",
        hint: GO_SANDBOX,
        args: "-res stderr -runner container -memfd -cred -cgroup @",
        init: None,
    },
];

pub(crate) fn table(bench: &Bench<'_>) {
    let program = compile("trivial.c", bench.directory);
    let rounds = bench.rounds(ROUNDS);
    println!(
        "{:<26}{:>9}{:>9}{:>9}{:>9}  lacks",
        "trivial run, us", "median", "p90", "runs/s", "of jail"
    );
    let mut jail = bench.jail();
    let jailed = repeat(rounds, || drop(run(&mut jail, spec_of(&program, &[]))));
    let bare = repeat(rounds, || {
        bare::run(&program, &[]);
    });
    let row = |name: &str, (sample, all): &(Sample, Duration), lacks: &str| {
        let median = sample.median();
        println!(
            "{name:<26}{median:>9.0}{:>9.0}{:>9.0}{:>9.2}  {lacks}",
            sample.quantile(90),
            rounds as f64 / all.as_secs_f64(),
            median / jailed.0.median(),
        );
    };
    row("bare vfork, exec, wait", &bare, "everything");
    row("jail", &jailed, "");
    for peer in &PEERS {
        match peer.prepare(&program) {
            Ok(mut command) => {
                let times = repeat(rounds, || assert!(command.status().unwrap().success()));
                row(peer.name, &times, peer.lacks);
            }
            Err(why) => println!("{:<26}{why}", peer.name),
        }
        if let Some([_, clean_up]) = peer.init {
            drop(
                Command::new(peer.program)
                    .args(clean_up.split(' '))
                    .output(),
            );
        }
    }
}

fn repeat(rounds: usize, mut work: impl FnMut()) -> (Sample, Duration) {
    for _ in 0..WARM_UP {
        work();
    }
    let mut sample = Sample::default();
    let began = Instant::now();
    for _ in 0..rounds {
        sample.time(&mut work);
    }
    (sample, began.elapsed())
}

impl Peer {
    /// A command that has been seen to run the program, or why there is none.
    fn prepare(&self, program: &Path) -> Result<Command, String> {
        if let Some([init, _]) = self.init {
            let place = output(Command::new(self.program).args(init.split(' ')), self)?;
            let place = Path::new(place.trim()).join("box/program");
            std::fs::copy(program, place).map_err(|error| format!("no box: {error}"))?;
        }
        let mut command = Command::new(self.program);
        for arg in self.args.split_whitespace() {
            command.arg(arg.replace('@', program.to_str().unwrap()));
        }
        output(&mut command, self)?;
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        Ok(command)
    }
}

/// Standard output of a command that succeeds.
fn output(command: &mut Command, peer: &Peer) -> Result<String, String> {
    let Ok(output) = command.stdin(Stdio::null()).output() else {
        return Err(format!("not installed: {}", peer.hint));
    };
    let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
    // `runprog` succeeds though the program did not; it begins with a status then.
    let killed = peer.program == "runprog" && !complaint.starts_with("0 ");
    if !output.status.success() || killed {
        let first = complaint.lines().next().unwrap_or_default();
        return Err(format!("does not run here: {first}"));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
