//! What a verdict depends on, as far as a worker knows.

use std::fs;
use std::time::Duration;

use assize_common::ContentHash;
use assize_common::SandboxMode;
use assize_common::content_hash::ContentHasher;
use assize_common::language::{Language, NO_LANGUAGE};
use assize_common::message::{Host, Provenance, RunLimits};
use assize_common::package::Package;
use assize_sandbox::{PolicyName, shipped_rules};

use crate::compile::entry_hash;
use crate::judge::{Judge, Request};
use crate::look::Look;
use crate::report::milliseconds;
use crate::testcase_run::{cpu_limit, memory_limit};

impl Judge {
    /// What is known before anything is compiled, of sources with this hash.
    pub(crate) fn provenance(&self, request: Request<'_>, sources: ContentHash) -> Provenance {
        let Request {
            package,
            language,
            sandbox,
            look,
            ..
        } = request;
        let settings = self.settings();
        Provenance {
            language: language
                .map_or(NO_LANGUAGE, |language| &language.id)
                .to_owned(),
            language_entry: language.map(entry_hash),
            compiler_version: None,
            compiler: None,
            sources,
            recipe: None,
            executable: None,
            policy: language.map(|language| policy(package, language, sandbox, look)),
            limits: language.map(|language| RunLimits {
                cpu_time_ms: milliseconds(cpu_limit(&package.limits, language)),
                memory_bytes: memory_limit(&package.limits, language).as_u64(),
                output_bytes: package.limits.output.as_u64(),
                processes: language.processes,
            }),
            stop: Some(request.stop),
            host: Host {
                fixed_layout: settings.fixed_layout,
                idle_limit_ms: settings.idle_limit.map(whole_milliseconds),
                ..self.host().clone()
            },
        }
    }
}

fn whole_milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// The hash of the rules about a submission's system calls.
fn policy(
    package: &Package,
    language: &Language,
    sandbox: SandboxMode,
    look: &Look,
) -> ContentHash {
    let mut hash = ContentHasher::default();
    hash.update_framed(shipped_rules(PolicyName::Contestant));
    if sandbox == SandboxMode::Ptrace {
        for layer in &language.layers {
            hash.update_framed(layer);
        }
        // Plain data, which always has a JSON form.
        hash.update_framed(serde_json::to_vec(&package.policy).unwrap_or_default());
        if !look.layers.is_empty() || look.observe {
            let flag = (&look.layers, look.observe);
            hash.update_framed(serde_json::to_vec(&flag).unwrap_or_default());
        }
    }
    hash.finish()
}

/// This host, with the settings of none.
pub(crate) fn host() -> Host {
    let read = |path| fs::read_to_string(path).unwrap_or_default();
    Host {
        worker_version: env!("CARGO_PKG_VERSION").to_owned(),
        kernel: read("/proc/sys/kernel/osrelease").trim().to_owned(),
        cpu: cpu(&read("/proc/cpuinfo")),
        ..Host::default()
    }
}

/// The first processor's name. Those of ARM have numbers instead.
fn cpu(cpuinfo: &str) -> String {
    let value = |name: &str| {
        cpuinfo.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            (key.trim() == name).then(|| value.trim().to_owned())
        })
    };
    let numbers = || {
        let names = ["CPU implementer", "CPU part", "CPU variant"];
        names.map(|name| value(name).unwrap_or_default()).join(" ")
    };
    value("model name").unwrap_or_else(|| numbers().trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processors_have_names_or_numbers() {
        assert_eq!(
            cpu("processor\t: 0\nmodel name\t: Fast 9000 @ 3.0GHz\n"),
            "Fast 9000 @ 3.0GHz"
        );
        assert_eq!(
            cpu("CPU implementer : 0x41\nCPU variant : 0x3\nCPU part : 0xd0c\n"),
            "0x41 0xd0c 0x3"
        );
        assert_eq!(cpu(""), "");
    }
}
