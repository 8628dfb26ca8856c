//! `assize-jail`: the single-threaded supervisor of one jail.

fn main() {}
