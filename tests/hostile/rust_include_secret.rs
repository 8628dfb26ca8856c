//! A source that has the compiler read what it must not.
//! run: /rust/bin/rustc --edition 2021 -o /tmp/program /tmp/rust_include_secret.rs
//! policy: compiler
//! limits: memory=1024 cpu=30 wall=60
//! never: root:$
//! never: root:*
//! expect: exited 1

const SHADOW: &str = include_str!("/etc/shadow");
const PARENT: &str = include_str!("/proc/1/environ");
const ABOVE: &[u8] = include_bytes!("../../../../../etc/gshadow");

fn main() {
    println!("{SHADOW}{PARENT}{ABOVE:?}");
}
