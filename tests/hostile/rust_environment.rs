//! Takes what the compiler's environment says into the program, and runs it.
//! Nobody's variables are there but those the run was given.
//! run: export SECRET_INSIDE=1; /rust/bin/rustc --edition 2021 -C linker=/usr/bin/gcc -o /tmp/program /tmp/rust_environment.rs && /tmp/program
//! policy: compiler
//! limits: memory=1024 cpu=30 wall=60
//! never: leaked
//! expect: exited 0

const OUTSIDE: [Option<&str>; 6] = [
    option_env!("HOME"),
    option_env!("USER"),
    option_env!("CARGO_MANIFEST_DIR"),
    option_env!("DATABASE_URL"),
    option_env!("ASSIZE_DATABASE_URL"),
    option_env!("AMQP_URL"),
];

fn main() {
    // What it was given is seen, so that the rest would be too.
    assert_eq!(option_env!("SECRET_INSIDE"), Some("1"));
    for value in OUTSIDE.into_iter().flatten() {
        println!("leaked {value}");
    }
}
