//! The programs that are measured, compiled anew.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Compiles a file of `benches/programs` to a static program.
pub(crate) fn compile(name: &str, directory: &Path) -> PathBuf {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/programs");
    let program = directory.join(name).with_extension("");
    let compiler = if name.ends_with(".c") { "gcc" } else { "g++" };
    let compiled = Command::new(compiler)
        .args(["-O2", "-static", "-o"])
        .arg(&program)
        .arg(sources.join(name))
        .status()
        .unwrap();
    assert!(compiled.success());
    program
}
