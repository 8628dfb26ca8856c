//! The facts of a run, for scripts and for people.

use std::time::Duration;

use assize_common::SandboxMode;
use assize_worker::sandbox::{Activity, Facts, KillCause, Outcome, Stalls};
use serde::Serialize;

/// A run's facts with the time that all of it took.
#[derive(Debug)]
pub struct Measured {
    /// What the jail reports.
    pub facts: Facts,
    /// From the request to the facts.
    pub total: Duration,
}

/// The JSON form: part of the interface.
#[derive(Debug, Serialize)]
struct Line<'a> {
    outcome: &'static str,
    exit_code: Option<i32>,
    signal: Option<i32>,
    kill_cause: Option<&'static str>,
    /// The forbidden call, when the cause is `policy`.
    syscall: Option<&'a str>,
    cpu_time_us: u64,
    user_time_us: u64,
    system_time_us: u64,
    wall_time_us: u64,
    memory_peak_bytes: u64,
    output_bytes: u64,
    files_bytes: u64,
    processes_peak: Option<u32>,
    voluntary_switches: Option<u64>,
    involuntary_switches: Option<u64>,
    minor_faults: Option<u64>,
    major_faults: Option<u64>,
    disk_read_bytes: Option<u64>,
    disk_written_bytes: Option<u64>,
    stalled_cpu_us: Option<u64>,
    stalled_memory_us: Option<u64>,
    stalled_io_us: Option<u64>,
    setup_us: u64,
    total_us: u64,
    sandbox: SandboxMode,
}

impl Measured {
    /// Whether the program ended by itself and with code 0.
    #[must_use]
    pub fn is_success(&self) -> bool {
        self.facts.outcome == Outcome::Exited { code: 0 }
    }

    /// One line of JSON.
    ///
    /// # Errors
    /// None: plain data always has a JSON form.
    pub fn to_json(&self, sandbox: SandboxMode) -> serde_json::Result<String> {
        let facts = &self.facts;
        let (activity, stalls) = (facts.activity, facts.stalls);
        let (outcome, exit_code, signal, cause) = match &facts.outcome {
            Outcome::Exited { code } => ("exited", Some(*code), None, None),
            Outcome::Signalled { signal } => ("signalled", None, Some(*signal), None),
            Outcome::Killed { cause } => ("killed", None, None, Some(cause)),
        };
        serde_json::to_string(&Line {
            outcome,
            exit_code,
            signal,
            kill_cause: cause.map(name),
            syscall: cause.and_then(forbidden),
            cpu_time_us: micros(facts.cpu_time),
            user_time_us: micros(facts.user_time),
            system_time_us: micros(facts.system_time),
            wall_time_us: micros(facts.wall_time),
            memory_peak_bytes: facts.memory_peak.as_u64(),
            output_bytes: facts.output.as_u64(),
            files_bytes: facts.files.as_u64(),
            processes_peak: facts.processes_peak,
            voluntary_switches: activity.map(|activity| activity.voluntary_switches),
            involuntary_switches: activity.map(|activity| activity.involuntary_switches),
            minor_faults: activity.map(|activity| activity.minor_faults),
            major_faults: activity.map(|activity| activity.major_faults),
            disk_read_bytes: activity.map(|activity| activity.disk_read.as_u64()),
            disk_written_bytes: activity.map(|activity| activity.disk_written.as_u64()),
            stalled_cpu_us: stalls.map(|stalls| micros(stalls.cpu)),
            stalled_memory_us: stalls.map(|stalls| micros(stalls.memory)),
            stalled_io_us: stalls.map(|stalls| micros(stalls.io)),
            setup_us: micros(facts.setup_time),
            total_us: micros(self.total),
            sandbox,
        })
    }

    /// A few lines for people.
    #[must_use]
    pub fn describe(&self) -> String {
        let facts = &self.facts;
        let outcome = match &facts.outcome {
            Outcome::Exited { code } => format!("exited with code {code}"),
            Outcome::Signalled { signal } => format!("ended by signal {signal}"),
            Outcome::Killed { cause } => match forbidden(cause) {
                Some(syscall) => format!("killed: {} ({syscall})", name(cause)),
                None => format!("killed: {}", name(cause)),
            },
        };
        format!(
            "{outcome}\n\
             cpu {} (user {}, system {}), wall {}, memory {}, output {}, files {}\n\
             {}{}\
             set up in {}, all in {}",
            milliseconds(facts.cpu_time),
            milliseconds(facts.user_time),
            milliseconds(facts.system_time),
            milliseconds(facts.wall_time),
            facts.memory_peak,
            facts.output,
            facts.files,
            facts.activity.map(describe_activity).unwrap_or_default(),
            facts.stalls.map(describe_stalls).unwrap_or_default(),
            milliseconds(facts.setup_time),
            milliseconds(self.total),
        )
    }
}

fn describe_activity(activity: Activity) -> String {
    format!(
        "switches: {} to wait, {} forced; page faults: {}, {} from disk; disk: {} read, {} written\n",
        activity.voluntary_switches,
        activity.involuntary_switches,
        activity.minor_faults,
        activity.major_faults,
        activity.disk_read,
        activity.disk_written,
    )
}

fn describe_stalls(stalls: Stalls) -> String {
    format!(
        "stood still for cpu {}, memory {}, disk {}\n",
        milliseconds(stalls.cpu),
        milliseconds(stalls.memory),
        milliseconds(stalls.io),
    )
}

fn milliseconds(duration: Duration) -> String {
    format!("{:.1} ms", duration.as_secs_f64() * 1e3)
}

/// Whole microseconds, as leave the process.
pub(super) fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

const fn name(cause: &KillCause) -> &'static str {
    match cause {
        KillCause::CpuTime => "cpu_time",
        KillCause::WallTime => "wall_time",
        KillCause::Idle => "idle",
        KillCause::Memory => "memory",
        KillCause::Output => "output",
        KillCause::Processes => "processes",
        KillCause::Policy { .. } => "policy",
        KillCause::Cancelled => "cancelled",
    }
}

fn forbidden(cause: &KillCause) -> Option<&str> {
    match cause {
        KillCause::Policy { syscall } => syscall.as_deref(),
        _ => None,
    }
}
