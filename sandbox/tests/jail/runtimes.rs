//! Compilers and interpreters work inside.

use crate::harness::*;
use assize_sandbox::PolicyName;
use bytesize::ByteSize;
use std::path::Path;

/// Runs a script as a compiler; skipped where the host lacks the tool.
fn works(tool: &str, script: &str) {
    if !Path::new(tool).exists() {
        return;
    }
    let mut jail = start();
    let mut spec = command(&["/bin/sh", "-ec", script]);
    spec.policy = PolicyName::Compiler;
    spec.limits.memory = ByteSize::gib(1);
    spec.limits.processes = 200;
    spec.limits.open_files = 1024;
    spec.limits.cpu_time = std::time::Duration::from_secs(60);
    spec.limits.wall_time = std::time::Duration::from_secs(120);
    let (facts, stdout, stderr) = run_captured(&mut jail, spec);
    assert_eq!(facts.outcome, exited(0), "{stderr}");
    assert_eq!(stdout, "works\n", "{stderr}");
}

#[test]
fn c() {
    works(
        "/usr/bin/gcc",
        r#"printf '#include <stdio.h>\nint main(){puts("works");}' > a.c; gcc -O2 a.c; ./a.out"#,
    );
}

#[test]
fn cpp_with_threads() {
    works(
        "/usr/bin/g++",
        r#"printf '#include <iostream>\n#include <thread>\nint main(){std::thread t([]{std::cout<<"works\\n";});t.join();}' > a.cpp
        g++ -O2 -pthread a.cpp; ./a.out"#,
    );
}

#[test]
fn python() {
    works(
        "/usr/bin/python3",
        r#"python3 -c 'import threading; t = threading.Thread(target=print, args=("works",)); t.start(); t.join()'"#,
    );
}

#[test]
fn java() {
    works(
        "/usr/bin/javac",
        r#"echo 'class Main { public static void main(String[] a) throws Exception {
            Thread t = new Thread(() -> System.out.println("works")); t.start(); t.join(); } }' > Main.java
        javac -J-Xmx256m Main.java; java -Xmx256m Main"#,
    );
}

#[test]
fn javascript() {
    works(
        "/usr/bin/node",
        r#"node -e 'setTimeout(() => console.log("works"), 1)'"#,
    );
}
