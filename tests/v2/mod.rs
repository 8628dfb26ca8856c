//! Control groups of version 2, as hosts have them: whole scenes, played by the
//! scripts beside this file in the virtual machine of `tests/vm`.

use assize_tests::{program, tree};
use serde_json::Value;
use std::process::{Command, Stdio};

/// What a script prints, by the name before the colon of each line.
struct Scene {
    name: &'static str,
    output: String,
}

impl Scene {
    fn play(name: &'static str) -> Self {
        let folder = tree::root().join("tests");
        let programs = program::path("assize");
        let played = Command::new(folder.join("vm/run"))
            .args(["bash", &format!("v2/{name}.sh")])
            .arg(programs.parent().unwrap())
            .current_dir(folder)
            .stderr(Stdio::inherit())
            .output()
            .unwrap();
        let output = String::from_utf8(played.stdout).unwrap();
        assert!(played.status.success(), "{name}: {output}");
        Self { name, output }
    }

    /// All after `what: `, up to the next line of that form.
    fn says(&self, what: &str) -> &str {
        let start = format!("{what}: ");
        let mut lines = self.output.lines();
        let line = lines.find_map(|line| line.strip_prefix(&start));
        line.unwrap_or_else(|| panic!("{}: no {what} in {}", self.name, self.output))
    }

    /// A failed command's complaint, which goes on in the next line.
    fn complains(&self, what: &str, words: &[&str]) {
        let start = self.output.find(&format!("{what}: assize: ")).unwrap();
        let complaint: Vec<_> = self.output[start..].lines().take(2).collect();
        let complaint = complaint.join(" ");
        for word in words {
            assert!(complaint.contains(word), "no {word:?} in {complaint}");
        }
    }

    /// How a run ended: its outcome, and what killed it.
    fn outcome(&self, what: &str) -> (String, Option<String>) {
        let facts: Value = serde_json::from_str(self.says(what))
            .unwrap_or_else(|error| panic!("{what}: {error}: {}", self.output));
        let text = |key: &str| facts[key].as_str().map(str::to_owned);
        (text("outcome").unwrap(), text("kill_cause"))
    }

    fn exits(&self, what: &str) {
        assert_eq!(self.outcome(what), ("exited".to_owned(), None), "{what}");
    }

    fn is_killed(&self, what: &str, cause: &str) {
        let killed = ("killed".to_owned(), Some(cause.to_owned()));
        assert_eq!(self.outcome(what), killed, "{what}");
    }
}

#[test]
#[ignore = "needs a virtual machine"]
fn root_has_jails_wherever_it_is_in_the_tree() {
    let scene = Scene::play("root");
    for place in ["plain", "service", "again", "container"] {
        scene.exits(place);
    }
    assert_eq!(scene.says("plain group"), "0::/");
    let leaf = "0::/system.slice/assize.service/assize-host";
    assert_eq!(scene.says("service group"), leaf);
    assert_eq!(scene.says("again group"), leaf);
    let leaf = "0::/system.slice/container/assize-host";
    assert_eq!(scene.says("container group"), leaf);
    let group = "/sys/fs/cgroup/poor.slice/session is not given the";
    scene.complains("no pids", &[group, "the pids controller", "+pids"]);
    scene.complains("no memory", &[group, "the memory controller", "+memory"]);
    assert_eq!(scene.says("ids"), "60601 60603");
}

#[test]
#[ignore = "needs a virtual machine"]
fn a_user_has_jails_in_a_group_of_its_own() {
    let scene = Scene::play("user");
    for run in ["fine", "traced", "directory"] {
        scene.exits(run);
    }
    scene.is_killed("memory", "memory");
    scene.is_killed("time", "cpu_time");
    scene.is_killed("processes", "processes");
    // Those of the host that the ranges' 60,601st stand for.
    assert_eq!(scene.says("ids"), "260600 360600");
    assert_eq!(scene.says("groups"), "./assize ./assize-host");
    assert!(scene.says("rights").contains("made by user 4711"));
    assert_eq!(scene.says("judged"), "AC");
}

#[test]
#[ignore = "needs a virtual machine"]
fn a_user_is_told_what_is_missing() {
    let scene = Scene::play("refused");
    scene.complains(
        "version 1",
        &["/sys/fs/cgroup/memory can't be", "run as root"],
    );
    scene.complains("not delegated", &["/session can't be", "Delegate=yes"]);
    scene.complains("no range", &["/etc/subgid", "--add-subgids"]);
    scene.complains(
        "no namespaces",
        &["user namespace", "unprivileged_userns_clone"],
    );
    scene.exits("mended");
}
