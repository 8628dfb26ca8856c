//! Includes a file without end.
//! run: /rust/bin/rustc --edition 2021 -o /tmp/program /tmp/rust_include_zero.rs
//! policy: compiler
//! limits: memory=512 cpu=20 wall=40
//! expect: killed memory or exited 1

const ZERO: &[u8] = include_bytes!("/dev/zero");

fn main() {
    println!("{}", ZERO.len());
}
