//! A layer that leaves of a policy what programs were seen to use.

use super::EffectivePolicy;
use assize_policy::Action;
use std::collections::BTreeSet;

/// Calls that no run does without: the sandbox executes the program by the
/// first, and the kernel and every libc make the others unasked.
const ALWAYS: [&str; 5] = [
    "execveat",
    "exit",
    "exit_group",
    "rt_sigreturn",
    "restart_syscall",
];

/// The width of a line of names.
const WIDTH: usize = 100;

impl EffectivePolicy {
    /// A layer over this policy, in TOML, that allows of what it allows only
    /// the calls in `used`; their conditions stay. What it forbids stays
    /// forbidden. `subject` says in the reason whose calls these are.
    pub fn narrowed_to(&self, used: &BTreeSet<String>, subject: &str) -> String {
        let rules = self.policy.rule.iter();
        let allowing = rules.filter(|rule| matches!(rule.action, Action::Allow | Action::Trace));
        let allowed: BTreeSet<&str> = allowing
            .flat_map(|rule| rule.syscalls.iter().map(String::as_str))
            .collect();
        let keeps = |name: &&str| used.contains(*name) || ALWAYS.contains(name);
        let (kept, unused): (Vec<&str>, Vec<&str>) = allowed.into_iter().partition(keeps);
        let kept = lines(&kept, |name| name.to_owned());
        let unused = lines(&unused, |name| format!("\"{name}\""));
        let kept: String = kept.iter().flat_map(|line| ["# ", line, "\n"]).collect();
        let unused: String = unused.iter().flat_map(|line| ["  ", line, ",\n"]).collect();
        let why = toml::Value::from(format!("not used by {subject}"));
        format!(
            "# Still allowed:\n{kept}\n[[rule]]\nid = \"unused\"\nwhy = {why}\naction = \"deny\"\n\
             errno = \"ENOSYS\"\nsyscalls = [\n{unused}]\n"
        )
    }
}

/// Names with commas between them, in lines of a readable width.
fn lines(names: &[&str], form: impl Fn(&str) -> String) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for name in names.iter().map(|name| form(name)) {
        match lines.last_mut() {
            Some(line) if line.len() + name.len() + 2 <= WIDTH => {
                *line += ", ";
                *line += &name;
            }
            _ => lines.push(name),
        }
    }
    lines
}
