//! A disk that gets full when it is told to, and is there only as long as it is wanted.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What fits on it while it is not full.
const SIZE: &str = "4g";
/// What it is called in lists of mounts.
pub(super) const NAME: &str = "assize-faults";
/// A disk that is written to may be fuller than it was when it was looked at.
const TRIES: usize = 100;

/// A file system in memory, which takes only what is stored there.
#[derive(Debug)]
pub(super) struct Disk(PathBuf);

impl Disk {
    /// Makes one of a directory, which is made as well.
    pub(super) fn mount(path: &Path) -> Self {
        fs::create_dir_all(path).unwrap();
        Self::mount_as(path, &format!("size={SIZE},mode=755"))
    }

    /// Hides a directory behind an empty one that nothing can be written to.
    pub(super) fn cover(path: &Path) -> Self {
        Self::mount_as(path, "ro,size=4k")
    }

    fn mount_as(path: &Path, options: &str) -> Self {
        let mut mount = Command::new("/usr/bin/mount");
        mount.args(["-t", "tmpfs", "-o", options, NAME]);
        let output = mount.arg(path).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        Self(path.to_owned())
    }

    /// From now on nothing more fits.
    pub(super) fn fill(&self) {
        let filled = (0..TRIES).any(|_| {
            let mut df = Command::new("/usr/bin/df");
            let output = df
                .args(["--output=used", "--block-size=1K"])
                .arg(&self.0)
                .output();
            let text = String::from_utf8(output.unwrap().stdout).unwrap();
            let used = text.split_whitespace().last().unwrap();
            self.resize(&format!("{used}k"))
        });
        assert!(filled, "cannot fill {}", self.0.display());
    }

    /// There is room again.
    pub(super) fn free(&self) {
        assert!(self.resize(SIZE), "cannot free {}", self.0.display());
    }

    /// It is gone at once, whoever still looks at it.
    pub(super) fn unmount(&self) {
        let mut unmount = Command::new("/usr/bin/umount");
        // Or it is gone already.
        let _best_effort = unmount.arg("--lazy").arg(&self.0).output();
    }

    fn resize(&self, size: &str) -> bool {
        let mut mount = Command::new("/usr/bin/mount");
        mount.args(["-o", &format!("remount,size={size}")]);
        mount.arg(&self.0).output().unwrap().status.success()
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        self.unmount();
    }
}
