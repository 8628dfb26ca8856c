//! An audit as text to be read by people, like that of strace.

use super::decode::arguments;
use super::{Audit, AuditEntry, Decision};
use std::fmt::{self, Display, Formatter};

impl Display for AuditEntry {
    fn fmt(&self, to: &mut Formatter<'_>) -> fmt::Result {
        let seconds = self.time.as_secs_f64();
        write!(to, "{seconds:12.6} {:>3} {}(", self.thread, self.syscall)?;
        to.write_str(&arguments(&self.syscall, &self.arguments, &self.paths))?;
        to.write_str(")")?;
        match self.result {
            Some(error @ -4095..=-1) => write!(to, " = -1 {}", errno(-error))?,
            Some(value @ -65_536..=65_535) => write!(to, " = {value}")?,
            Some(value) => write!(to, " = {:#x}", value.cast_unsigned())?,
            None => {}
        }
        match self.decision {
            Decision::Allow => {}
            Decision::Deny { errno: number } => write!(to, "  DENIED {}", errno(number.into()))?,
            Decision::Kill => to.write_str("  KILLED")?,
            Decision::Observe => to.write_str("  WOULD BE KILLED")?,
        }
        if !self.rule.is_empty() {
            write!(to, "  [{}]", self.rule)?;
        }
        Ok(())
    }
}

/// The summary, then the refused calls, then the log.
impl Display for Audit {
    fn fmt(&self, to: &mut Formatter<'_>) -> fmt::Result {
        if self.observed {
            writeln!(to, "OBSERVED ONLY: forbidden calls were let through")?;
        }
        writeln!(
            to,
            "{:>9} {:>9} {:>9} {:>12} {:>12}  call",
            "times", "refused", "failed", "first (s)", "last (s)"
        )?;
        let mut calls: Vec<_> = self.calls.iter().collect();
        calls.sort_by_key(|(_, call)| std::cmp::Reverse(call.count));
        for (name, call) in calls {
            let (first, last) = (call.first.as_secs_f64(), call.last.as_secs_f64());
            writeln!(
                to,
                "{:>9} {:>9} {:>9} {first:>12.6} {last:>12.6}  {name}",
                call.count, call.refused, call.failed
            )?;
        }
        section(to, "refused", &self.refused, self.refused_dropped, "more")?;
        if !self.log.is_empty() {
            let (entries, dropped) = (self.log.entries(), self.log.dropped());
            section(to, "calls", entries, dropped, "earlier")?;
        }
        Ok(())
    }
}

fn section(
    to: &mut Formatter<'_>,
    title: &str,
    entries: impl IntoIterator<Item = impl Display>,
    dropped: u64,
    which: &str,
) -> fmt::Result {
    let mut entries = entries.into_iter().peekable();
    if entries.peek().is_some() {
        writeln!(to, "\n{title}:")?;
    }
    for entry in entries {
        writeln!(to, "{entry}")?;
    }
    if dropped > 0 {
        writeln!(to, "{dropped} {which} dropped")?;
    }
    Ok(())
}

fn errno(number: i64) -> String {
    let known = i32::try_from(number).map(nix::errno::Errno::from_raw);
    match known {
        Ok(errno) if errno != nix::errno::Errno::UnknownErrno => format!("{errno:?}"),
        _ => number.to_string(),
    }
}
