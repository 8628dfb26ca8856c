//! An attack as its file describes it, in lines of its first comment:
//!
//! - `expect: OUTCOME`, with ` or ` between several: `exited 0`, `signalled 9`,
//!   `killed memory`, `killed policy`, `killed policy NAME` with the call's name;
//! - `ptrace: OUTCOME`, where that mode's outcome is another;
//! - `run: COMMAND`, a shell command in the jail, which finds the file in
//!   /tmp; without it the file is C, C++ or assembly, compiled outside;
//! - `policy: compiler`, to run it as a compiler;
//! - `limits: memory=64 cpu=0.5 wall=1 processes=4`, in MiB and seconds;
//! - `never: TEXT`, which its output must not contain; may be given again;
//! - `tool: PATH`, without which the test fails.

use assize_sandbox::{KillCause, Mode, Outcome};
use bytesize::ByteSize;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::time::Duration;

pub(super) struct Attack {
    pub(super) name: String,
    pub(super) path: PathBuf,
    pub(super) program: Program,
    pub(super) compiler: bool,
    pub(super) never: Vec<String>,
    pub(super) memory: Option<ByteSize>,
    pub(super) cpu: Option<Duration>,
    pub(super) wall: Option<Duration>,
    pub(super) processes: Option<u32>,
    unshare: Vec<Expected>,
    ptrace: Vec<Expected>,
    tool: Option<PathBuf>,
}

pub(super) enum Program {
    Compiled,
    Command(String),
}

/// What an outcome must be.
#[derive(Clone)]
pub(super) struct Expected {
    outcome: Outcome,
}

impl Expected {
    fn parse(text: &str) -> Option<Self> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let killed = |cause| Outcome::Killed { cause };
        let outcome = match *words.as_slice() {
            ["exited", code] => Outcome::Exited {
                code: code.parse().ok()?,
            },
            ["signalled", signal] => Outcome::Signalled {
                signal: signal.parse().ok()?,
            },
            ["killed", "memory"] => killed(KillCause::Memory),
            ["killed", "processes"] => killed(KillCause::Processes),
            ["killed", "output"] => killed(KillCause::Output),
            ["killed", "cpu"] => killed(KillCause::CpuTime),
            ["killed", "wall"] => killed(KillCause::WallTime),
            ["killed", "policy"] => killed(KillCause::Policy { syscall: None }),
            ["killed", "policy", name] => killed(KillCause::Policy {
                syscall: Some(name.to_owned()),
            }),
            _ => return None,
        };
        Some(Self { outcome })
    }

    /// A policy's call is compared where the file names one.
    pub(super) fn is(&self, outcome: &Outcome) -> bool {
        let policy = |outcome: &Outcome| match outcome {
            Outcome::Killed {
                cause: KillCause::Policy { syscall },
            } => Some(syscall.clone()),
            _ => None,
        };
        match (policy(&self.outcome), policy(outcome)) {
            (Some(None), Some(_)) => true,
            _ => self.outcome == *outcome,
        }
    }
}

/// The suite itself.
const SUITE: [&str; 5] = ["attack.rs", "channels.rs", "host.rs", "killed.rs", "mod.rs"];

/// All files beside this one that are not the suite itself, by name.
pub(super) fn all() -> Vec<Attack> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("hostile");
    let entries = fs::read_dir(folder).unwrap();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.is_file() && !SUITE.iter().any(|own| path.ends_with(own)));
    paths.sort();
    paths.into_iter().map(Attack::read).collect()
}

impl Attack {
    fn read(path: PathBuf) -> Self {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let text = fs::read_to_string(&path).unwrap();
        let all = |key: &str| {
            let lines = text.lines().take(20).filter_map(|line| {
                let line = line.trim_start_matches([' ', '*', '#', '/', '!']);
                let value = line.strip_prefix(key)?.strip_prefix(": ")?;
                Some(value.trim_end_matches("*/").trim().to_owned())
            });
            lines.collect::<Vec<String>>()
        };
        let says = |key: &str| all(key).into_iter().next();
        let outcomes = |text: &str| -> Vec<Expected> {
            let one = |text| {
                Expected::parse(text).unwrap_or_else(|| panic!("{name}: no outcome: {text}"))
            };
            text.split(" or ").map(one).collect()
        };
        let limits = says("limits").unwrap_or_default();
        let limit = |key: &str| {
            let mut words = limits.split(' ');
            words.find_map(|word| word.strip_prefix(key)?.strip_prefix('='))
        };
        let seconds = |key| limit(key).map(|text| Duration::from_secs_f64(text.parse().unwrap()));
        let unshare =
            outcomes(&says("expect").unwrap_or_else(|| panic!("{name}: expects nothing")));
        Self {
            program: says("run").map_or(Program::Compiled, Program::Command),
            compiler: says("policy").as_deref() == Some("compiler"),
            never: all("never"),
            memory: limit("memory").map(|text| ByteSize::mib(text.parse().unwrap())),
            cpu: seconds("cpu"),
            wall: seconds("wall"),
            processes: limit("processes").map(|text| text.parse().unwrap()),
            ptrace: says("ptrace").map_or_else(|| unshare.clone(), |text| outcomes(&text)),
            tool: says("tool").map(PathBuf::from),
            unshare,
            path,
            name,
        }
    }

    pub(super) fn expected(&self, mode: Mode) -> &[Expected] {
        match mode {
            Mode::Unshare => &self.unshare,
            Mode::Ptrace => &self.ptrace,
        }
    }

    /// Whether it is written for this kind of machine.
    pub(super) fn is_for_this_machine(&self) -> bool {
        !self.name.ends_with(".S") || cfg!(target_arch = "x86_64")
    }

    /// What it needs of the machine and is not there: `make setup` would install it.
    pub(super) fn missing(&self) -> Option<String> {
        let tool = self.tool.as_ref().filter(|tool| !tool.exists());
        let rust = self.name.ends_with("rs") && super::rust_toolchain().is_none();
        let tool = tool.map(|tool| tool.display().to_string());
        tool.or_else(|| rust.then(|| "rustc".to_owned()))
    }

    /// The program, compiled.
    pub(super) fn compile(&self) -> File {
        File::open(compile(&self.path, &self.name)).unwrap()
    }
}

/// A program, compiled statically, unless it was since its source changed.
pub(super) fn compile(source: &Path, name: &str) -> PathBuf {
    static COMPILING: Mutex<()> = Mutex::new(());
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("hostile");
    let program = folder.join(name);
    let one_at_a_time = COMPILING.lock().unwrap();
    fs::create_dir_all(&folder).unwrap();
    let modified = |path: &Path| path.metadata().and_then(|data| data.modified()).ok();
    if modified(&program) < modified(source) {
        let is_cpp = source.extension().is_some_and(|kind| kind == "cpp");
        let status = Command::new(if is_cpp { "g++" } else { "gcc" })
            .args(["-O1", "-static", "-pthread", "-w", "-o"])
            .args([&program, source])
            .status()
            .unwrap();
        assert!(status.success(), "{name} does not compile");
    }
    drop(one_at_a_time);
    program
}
