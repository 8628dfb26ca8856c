//! Builds again when a migration is added: the macro that embeds them sees
//! changes of files but not new ones.

fn main() {
    println!("cargo:rerun-if-changed=../migrations");
}
