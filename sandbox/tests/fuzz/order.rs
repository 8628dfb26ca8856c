//! Orders that are right, in the form in which they travel.

use serde_json::{Value, json};

/// A program that ends at once.
pub(crate) fn plain() -> Value {
    json!({ "Run": order() })
}

/// Each with something more to it.
pub(crate) fn all() -> Vec<Value> {
    let with = |changes: Value| {
        let mut order = order();
        for (key, value) in changes.as_object().unwrap() {
            order[key] = value.clone();
        }
        json!({ "Run": order })
    };
    let capture = json!({ "Capture": { "keep_bytes": 1000 } });
    vec![
        plain(),
        with(json!({ "executable": true, "stdin": true, "stdout": "Fd", "stderr": capture })),
        with(
            json!({ "args": ["/bin/sh", "-c", "cat; echo x > /tmp/x; exit 3"], "stdin": true,
            "stdout": capture, "collect": [{ "path": "/tmp/x", "max_size_bytes": 10 }] }),
        ),
        with(
            json!({ "mounts": ["/box", "/data/deep/er"], "directory": "/box",
            "scratch": [{ "target": "/scratch/one", "size_bytes": 4096, "counted": true }],
            "files": [{ "path": "/scratch/one/a/b", "executable": true }] }),
        ),
        with(
            json!({ "limits": { "cpu_time_us": 1_000_000, "wall_time_us": 2_000_000, "idle_time_us": 100_000,
            "memory_bytes": 64 << 20, "output_bytes": 1 << 20, "stack_bytes": 8 << 20, "processes": 8,
            "open_files": 64, "file_size_bytes": 1 << 20 } }),
        ),
        with(json!({ "mode": "ptrace", "audit": "full", "fixed_layout": true })),
        with(
            json!({ "mode": "ptrace", "audit": "decisions", "observe": true, "policy": "compiler",
            "layers": [{ "default": "ENOSYS",
                "rule": [{ "id": "r", "why": "x", "action": "deny", "errno": "EPERM",
                    "syscalls": ["getppid"], "when": [{ "arg": 0, "is": "equal", "value": 1, "mask": 3 }] }],
                "path": [{ "id": "p", "why": "x", "action": "kill", "errno": null, "access": ["read"],
                    "paths": ["/etc/**"] }],
                "budget": [{ "id": "b", "why": "x", "syscalls": ["read"], "count": 3, "action": "kill",
                    "errno": null }],
                "sequence": [{ "id": "s", "why": "x", "after": ["read"], "when": [],
                    "syscalls": ["write"], "action": "kill", "errno": null }] }] }),
        ),
        json!({ "SetUp": { "slot": 0, "core": null, "trees": [] } }),
    ]
}

fn order() -> Value {
    json!({
        "args": ["/bin/true"],
        "executable": false,
        "env": [["PATH", "/usr/bin:/bin"]],
        "directory": "/tmp",
        "stdin": false,
        "stdout": "Null",
        "stderr": "Null",
        "mounts": [],
        "scratch": [],
        "files": [],
        "collect": [],
        "limits": {
            "cpu_time_us": 1_000_000,
            "wall_time_us": 2_000_000,
            "idle_time_us": null,
            "memory_bytes": 64 << 20,
            "output_bytes": 1 << 20,
            "stack_bytes": 8 << 20,
            "processes": 8,
            "open_files": 64,
            "file_size_bytes": 1 << 20,
        },
        "mode": "unshare",
        "policy": "contestant",
        "layers": [],
        "audit": "summary",
        "observe": false,
        "fixed_layout": false,
    })
}
