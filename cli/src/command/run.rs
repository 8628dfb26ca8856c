//! `assize run`: one program in the jail, facts out.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use assize_common::SandboxMode;
use assize_worker::cancel::Cancel;
use assize_worker::sandbox::{LayerOf, Limits, PolicyLayer};
use bytesize::ByteSize;
use clap::Args;

use crate::exit::{self, Failure};
use crate::run::{Measured, Order, Program, Runner, Source, Streams, Summary, Target};
use crate::sandbox_option::SandboxOption;
use crate::{blocking, host, output};

/// Run one program in the jail and tell the facts
///
/// PROGRAM is a name found in /usr/bin or /bin, or a path on the host. An ELF
/// file may lie anywhere; a script is run by its interpreter, with --dir. The
/// program sees /usr of the host and an empty /tmp, no network and no other
/// files.
///
/// Alone it is a wrapper: the three standard streams are passed through, its
/// output is counted, and the facts go to standard error. With --json or --repeat
/// the facts go to standard output, and what the program writes is counted and
/// thrown away unless --stdout or --stderr name a file for it.
#[derive(Debug, Args)]
#[command(
    about = "Run one program in the jail and tell the facts",
    after_long_help = "Exit code: 0 the program ended with code 0; 1 it did not, or was killed; \
                       2 wrong arguments or no such program; 3 the jail failed or the host is unfit; \
                       130 interrupted."
)]
pub struct Run {
    /// Facts as one line of JSON for each run; with --repeat a summary is the last line
    #[arg(long)]
    json: bool,
    /// How system calls are controlled; auto is unshare, or ptrace with --audit
    #[arg(long, value_name = "MODE", default_value = "auto")]
    sandbox: SandboxOption,
    /// CPU time of all its processes together
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = humantime::parse_duration)]
    cpu_time: Duration,
    /// Time on the clock; by default twice the CPU time and a second more
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    wall_time: Option<Duration>,
    /// Time without any use of the CPU, at least 100ms; by default only the wall time counts
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    idle_time: Option<Duration>,
    /// Memory of all its processes together, files in /tmp included
    #[arg(long, value_name = "SIZE", default_value = "256MiB")]
    memory: ByteSize,
    /// Bytes on standard output, standard error and in files together
    #[arg(long, value_name = "SIZE", default_value = "64MiB")]
    output: ByteSize,
    /// Processes and threads at once
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..))]
    processes: u32,
    /// A file to read from; by default our own standard input, with --repeat nothing
    #[arg(long, value_name = "FILE")]
    stdin: Option<PathBuf>,
    /// A file for its standard output, overwritten
    #[arg(long, value_name = "FILE")]
    stdout: Option<PathBuf>,
    /// A file for its standard error, overwritten
    #[arg(long, value_name = "FILE")]
    stderr: Option<PathBuf>,
    /// A directory of the host to start in: shown read-only at /box
    #[arg(long, value_name = "DIRECTORY")]
    dir: Option<PathBuf>,
    /// Run it so many times in all, the jails being used again
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    repeat: Option<u32>,
    /// Run in so many jails at once, each pinned to a core of its own
    #[arg(long, value_name = "N", requires = "repeat", value_parser = clap::value_parser!(u16).range(1..))]
    slots: Option<u16>,
    /// Lay the program out at the same addresses each time, as on a worker with ASSIZE_FIXED_LAYOUT
    #[arg(long)]
    fixed_layout: bool,
    /// A layer over the policy of contestants' programs; may be given again, for one over that
    #[arg(long = "layer", value_name = "FILE")]
    layers: Vec<PathBuf>,
    /// Write what the tracer saw to this file, as JSON; needs ptrace
    #[arg(long, value_name = "FILE", conflicts_with = "repeat")]
    audit: Option<PathBuf>,
    /// The program
    #[arg(value_name = "PROGRAM")]
    program: String,
    /// Its arguments
    #[arg(
        value_name = "ARGS",
        trailing_var_arg = true,
        allow_hyphen_values = true
    )]
    args: Vec<String>,
}

impl Run {
    /// Runs the program.
    ///
    /// # Errors
    /// A [`Failure`] with the exit code.
    pub async fn execute(self) -> anyhow::Result<ExitCode> {
        blocking::until_cancelled(move |cancel| self.run(cancel)).await
    }

    fn run(self, cancel: &Cancel) -> anyhow::Result<ExitCode> {
        let cores = self.cores()?;
        let order = self.order()?;
        host::require_fit()?;
        let mut runner = Runner::start(&cores)?;
        let success = match self.repeat {
            None => {
                let run = runner.once(&order, cancel)?;
                self.write_audit(&run)?;
                self.tell(&[&run], None, order.sandbox)?;
                run.is_success()
            }
            Some(runs) => {
                let runs = usize::try_from(runs)?;
                let (runs, elapsed) = runner.repeat(&order, runs, cancel)?;
                let summary = Summary::of(&runs, elapsed);
                let all: Vec<_> = runs.iter().collect();
                self.tell(&all, summary.as_ref(), order.sandbox)?;
                runs.iter().all(Measured::is_success)
            }
        };
        Ok(ExitCode::from(if success {
            exit::OK
        } else {
            exit::FAILURE
        }))
    }

    /// The core of each jail; one jail alone goes where the kernel puts it.
    fn cores(&self) -> anyhow::Result<Vec<Option<usize>>> {
        let Some(slots) = self.slots.map(usize::from) else {
            return Ok(vec![None]);
        };
        let available = host::cores().context("cannot find out which cores there are")?;
        if slots > available.len() {
            let message = format!(
                "--slots {slots}: each gets a core of its own, and there are {}",
                available.len()
            );
            return Err(Failure::new(exit::USAGE, message).into());
        }
        Ok(available.into_iter().take(slots).map(Some).collect())
    }

    fn order(&self) -> anyhow::Result<Order> {
        let own = !self.json && self.repeat.is_none();
        let target = |file: &Option<PathBuf>| match file {
            Some(path) => Target::File(path.clone()),
            None if own => Target::Ours,
            None => Target::Discard,
        };
        Ok(Order {
            program: Program::find(&self.program)?,
            args: self.args.clone(),
            streams: Streams {
                stdin: match &self.stdin {
                    Some(path) => Source::File(path.clone()),
                    None if self.repeat.is_none() => Source::Ours,
                    None => Source::Null,
                },
                stdout: target(&self.stdout),
                stderr: target(&self.stderr),
            },
            directory: self.dir.clone(),
            limits: Limits {
                cpu_time: self.cpu_time,
                wall_time: self.wall_time.unwrap_or_else(|| self.default_wall_time()),
                idle_time: self.idle_time,
                memory: self.memory,
                output: self.output,
                stack: self.memory,
                processes: self.processes,
                open_files: 256,
                file_size: self.output,
            },
            layers: self
                .layers
                .iter()
                .map(open_layer)
                .collect::<Result<_, _>>()?,
            sandbox: self.mode()?,
            fixed_layout: self.fixed_layout,
        })
    }

    /// As generous as a worker is.
    const fn default_wall_time(&self) -> Duration {
        let twice = self.cpu_time.saturating_mul(2);
        twice.saturating_add(Duration::from_secs(1))
    }

    fn mode(&self) -> Result<SandboxMode, Failure> {
        match (self.sandbox, &self.audit) {
            (SandboxOption::Auto, Some(_)) => Ok(SandboxMode::Ptrace),
            (SandboxOption::Unshare, Some(_)) => Err(Failure::new(
                exit::USAGE,
                "--audit needs the tracer: leave out --sandbox unshare",
            )),
            _ => Ok(self.sandbox.choose(false).mode),
        }
    }

    fn write_audit(&self, run: &Measured) -> anyhow::Result<()> {
        let Some(path) = &self.audit else {
            return Ok(());
        };
        let audit = run
            .facts
            .audit
            .as_ref()
            .ok_or_else(|| Failure::new(exit::JUDGING_ERROR, "the tracer has made no audit"))?;
        let json = serde_json::to_string_pretty(audit)? + "\n";
        std::fs::write(path, json).map_err(|source| {
            let message = format!("cannot write the audit to {}", path.display());
            Failure::new(exit::JUDGING_ERROR, message)
                .because(source)
                .into()
        })
    }

    fn tell(
        &self,
        runs: &[&Measured],
        summary: Option<&Summary>,
        sandbox: SandboxMode,
    ) -> anyhow::Result<()> {
        let mut lines = Vec::new();
        if self.json {
            for run in runs {
                lines.push(run.to_json(sandbox)?);
            }
            if let Some(summary) = summary {
                lines.push(serde_json::to_string(summary)?);
            }
        } else if let Some(summary) = summary {
            let failed = runs.iter().filter(|run| !run.is_success()).count();
            lines.push(summary.to_string());
            lines.push(format!("not exited with code 0: {failed}"));
        } else {
            lines.extend(runs.iter().map(|run| run.describe()));
        }
        let text = lines.join("\n");
        if self.json || summary.is_some() {
            output::print(&text)
        } else {
            writeln!(std::io::stderr(), "{text}").context("cannot write the facts")
        }
    }
}

fn open_layer(path: &PathBuf) -> Result<PolicyLayer, Failure> {
    let unusable = || Failure::new(exit::USAGE, format!("unusable layer {}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|error| unusable().because(error))?;
    PolicyLayer::parse(LayerOf::Language, &text).map_err(|error| unusable().because(error))
}
