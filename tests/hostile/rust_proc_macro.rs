//! A macro that runs inside the compiler: code of the contestant's own before
//! anything of it is judged. It looks for secrets and for a way out.
//! run: cd /tmp && R="/rust/bin/rustc --edition 2021 -C linker=/usr/bin/gcc" && $R --crate-type proc-macro --crate-name spy rust_proc_macro.rs && echo 'spy::look!(); fn main() { println!("{}", SEEN); }' > user.rs && $R -L . --extern spy user.rs && ./user
//! policy: compiler
//! limits: memory=1024 cpu=30 wall=60
//! never: root:$
//! never: leaked
//! expect: exited 0

extern crate proc_macro;

use proc_macro::TokenStream;

#[proc_macro]
pub fn look(_: TokenStream) -> TokenStream {
    let mut seen = String::new();
    for path in ["/etc/shadow", "/proc/1/environ", "/etc/gshadow", "/proc/1/root/etc/shadow"] {
        if let Ok(text) = std::fs::read(path) {
            seen += &format!("leaked {path}: {text:?}");
        }
    }
    for (name, value) in std::env::vars() {
        if name.contains("SECRET") || name.contains("URL") {
            seen += &format!("leaked {name}: {value}");
        }
    }
    if std::net::TcpStream::connect("127.0.0.1:5432").is_ok() {
        seen += "leaked a connection";
    }
    if std::fs::write("/usr/lib/left-behind", "x").is_ok() {
        seen += "leaked into /usr";
    }
    format!("const SEEN: &str = {seen:?};").parse().unwrap()
}
