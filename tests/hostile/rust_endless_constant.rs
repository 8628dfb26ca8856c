//! Has the compiler work out a constant for ever.
//! run: /rust/bin/rustc --edition 2021 -o /tmp/program /tmp/rust_endless_constant.rs
//! policy: compiler
//! limits: memory=512 cpu=1 wall=20
//! expect: killed cpu

#[expect(long_running_const_eval, reason = "it is what this is about")]
const NEVER: u64 = {
    let mut number = 0_u64;
    loop {
        number = number.wrapping_add(1);
    }
};

fn main() {
    println!("{NEVER}");
}
