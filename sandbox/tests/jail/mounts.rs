//! Host files and directories shown to a run.

use crate::harness::*;
use assize_sandbox::{JailConfig, Mount, Tree};
use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use tempfile::TempDir;

/// Readable by everyone, below a directory that only root may enter.
fn hidden_tree() -> TempDir {
    let outer = tempfile::tempdir().unwrap();
    let inner = outer.path().join("inner");
    fs::create_dir(&inner).unwrap();
    fs::write(inner.join("file"), "content\n").unwrap();
    fs::set_permissions(&inner, fs::Permissions::from_mode(0o755)).unwrap();
    fs::set_permissions(outer.path(), fs::Permissions::from_mode(0o700)).unwrap();
    outer
}

fn mount(outer: &TempDir, name: &str, target: &str) -> Mount {
    Mount {
        source: File::open(outer.path().join(name)).unwrap().into(),
        target: target.into(),
    }
}

#[test]
fn directory_is_shown_read_only() {
    let mut jail = start();
    let outer = hidden_tree();
    for target in ["/data", "/tmp/data", "/data/of/problem"] {
        let script = format!("cat {target}/file; if echo > {target}/new; then exit 1; fi");
        let mut spec = command(&["/bin/sh", "-c", &script]);
        spec.mounts.push(mount(&outer, "inner", target));
        let (facts, stdout, _) = run_captured(&mut jail, spec);
        assert_eq!(facts.outcome, exited(0), "{target}");
        assert_eq!(stdout, "content\n", "{target}");
    }
    assert_eq!(
        shell(&mut jail, "ls -d /data 2>/dev/null || echo gone"),
        "gone\n"
    );
}

#[test]
fn single_file_is_shown() {
    let mut jail = start();
    let outer = hidden_tree();
    for target in ["/answer", "/tmp/answer", "/data/answer"] {
        let mut spec = command(&["/bin/cat", target]);
        spec.mounts.push(mount(&outer, "inner/file", target));
        let (facts, stdout, _) = run_captured(&mut jail, spec);
        assert_eq!(facts.outcome, exited(0), "{target}");
        assert_eq!(stdout, "content\n", "{target}");
    }
    assert_usable(&mut jail);
}

#[test]
fn several_lie_side_by_side_and_in_each_other() {
    let mut jail = start();
    let outer = hidden_tree();
    let mut spec = command(&["/bin/sh", "-c", "cat /d/a/file /d/b /tmp/x/file; ls -A /d"]);
    spec.mounts.push(mount(&outer, "inner/file", "/d/b"));
    spec.mounts.push(mount(&outer, "inner", "/d/a"));
    spec.mounts.push(mount(&outer, "inner", "/tmp/x"));
    let (_, stdout, _) = run_captured(&mut jail, spec);
    assert_eq!(stdout, "content\ncontent\ncontent\na\nb\n");
}

#[test]
fn tree_is_shown_to_every_run() {
    let outer = hidden_tree();
    let mut config = JailConfig::new(0).unwrap();
    config.trees.push(Tree {
        source: outer.path().join("inner"),
        target: "/opt/tree".into(),
    });
    let mut jail = assize_sandbox::Jail::start(&config).unwrap();
    for _ in 0..2 {
        assert_eq!(shell(&mut jail, "cat /opt/tree/file"), "content\n");
        assert_eq!(
            shell(&mut jail, "if echo > /opt/tree/new; then echo written; fi"),
            ""
        );
    }
}
