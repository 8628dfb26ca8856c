//! Archives: the round trip, and what hostile ones try.

use std::io::{Cursor, Write as _};

use bytesize::ByteSize;
use proptest::prelude::*;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::test_package::TestPackage;
use super::{Package, PackageError, UnpackLimits};

/// An archive with these entries; names are written as they are.
fn archive(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in entries {
        zip.start_file(*name, SimpleFileOptions::default()).unwrap();
        zip.write_all(content).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn unpack_with(bytes: &[u8], limits: &UnpackLimits) -> Result<(), PackageError> {
    let outer = tempfile::tempdir().unwrap();
    let target = outer.path().join("target");
    std::fs::create_dir(&target).unwrap();
    let result = Package::unpack(Cursor::new(bytes), &target, limits);
    assert_eq!(
        std::fs::read_dir(outer.path()).unwrap().count(),
        1,
        "nothing may appear outside"
    );
    result.map(drop)
}

fn refusal(bytes: &[u8]) -> String {
    unpack_with(bytes, &UnpackLimits::default())
        .unwrap_err()
        .to_string()
}

#[test]
fn packing_is_deterministic_and_keeps_the_hash() {
    let package = TestPackage::minimal()
        .with("data/.hidden", "x")
        .with("include/python3/lib.py", "");
    let bytes = Package::pack(package.path()).unwrap();
    std::fs::write(package.path().join("data/.hidden"), "other").unwrap();
    assert_eq!(bytes, Package::pack(package.path()).unwrap());
    let target = tempfile::tempdir().unwrap();
    let root =
        Package::unpack(Cursor::new(&bytes), target.path(), &UnpackLimits::default()).unwrap();
    let original = Package::read(package.path()).unwrap();
    let unpacked = Package::read(&root).unwrap();
    assert_eq!(original.content_hash, unpacked.content_hash);
    assert_eq!(bytes, Package::pack(&root).unwrap());
    let changed = package.with("data/secret/1.ans", "2\n");
    assert_ne!(
        Package::read(changed.path()).unwrap().content_hash,
        original.content_hash
    );
}

#[test]
fn a_single_directory_in_the_archive_is_the_package() {
    let bytes = archive(&[("problem/problem.yaml", b""), ("README.txt", b"")]);
    let target = tempfile::tempdir().unwrap();
    let root =
        Package::unpack(Cursor::new(&bytes), target.path(), &UnpackLimits::default()).unwrap();
    assert_eq!(root, target.path().join("problem"));
    let two = archive(&[("a/problem.yaml", b""), ("b/problem.yaml", b"")]);
    assert!(refusal(&two).contains("more than one package"));
    assert!(refusal(&archive(&[("a/b/problem.yaml", b"")])).contains("problem.yaml"));
}

#[test]
fn hostile_names() {
    for (name, part) in [
        ("/etc/passwd", "absolute"),
        ("../outside", ".."),
        ("a/../../outside", ".."),
        ("a\\..\\b", "backslash"),
        ("./a", "empty part"),
        ("a//b", "empty part"),
    ] {
        let refusal = refusal(&archive(&[("problem.yaml", b""), (name, b"")]));
        assert!(refusal.contains(part), "{name}: {refusal}");
    }
    let long = "x".repeat(300);
    assert!(refusal(&archive(&[(&long, b"")])).contains("255"));
}

#[test]
fn names_that_clash() {
    assert!(refusal(&archive(&[("data/a", b""), ("Data/b", b"")])).contains("in case only"));
    assert!(refusal(&archive(&[("A", b""), ("a", b"")])).contains("in case only"));
    assert!(refusal(&archive(&[("a", b""), ("a/b", b"")])).contains("more than once"));
    // The writer refuses duplicates, so one is made by editing the bytes.
    let mut twice = archive(&[("aa", b""), ("ab", b"")]);
    for at in 0..twice.len() - 1 {
        if &twice[at..at + 2] == b"ab" {
            twice[at + 1] = b'a';
        }
    }
    assert!(refusal(&twice).contains("two entries of the same name"));
}

#[test]
fn names_that_are_not_text() {
    let mut bytes = archive(&[("problem.yaml", b""), ("qq", b"")]);
    for at in 0..bytes.len() - 1 {
        if &bytes[at..at + 2] == b"qq" {
            bytes[at] = 0xff;
        }
    }
    assert!(refusal(&bytes).contains("not UTF-8"));
}

#[test]
fn links_and_devices() {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    zip.add_symlink("link", "/etc/passwd", SimpleFileOptions::default())
        .unwrap();
    assert!(refusal(&zip.finish().unwrap().into_inner()).contains("neither a regular file"));
}

#[test]
fn bombs() {
    let zeros = vec![0; 24 << 20];
    let bomb = archive(&[("problem.yaml", b""), ("data", &zeros)]);
    assert!(bomb.len() < 64 << 10);
    assert!(refusal(&bomb).contains("times the archive"));
    let small = UnpackLimits {
        total: ByteSize::mib(1),
        ..UnpackLimits::default()
    };
    assert!(
        unpack_with(&bomb, &small)
            .unwrap_err()
            .to_string()
            .contains("exceed the limit of 1.0 MiB")
    );
    let few = UnpackLimits {
        entries: 1,
        ..UnpackLimits::default()
    };
    assert!(matches!(
        unpack_with(&bomb, &few),
        Err(PackageError::TooLarge { .. })
    ));
}

#[test]
fn garbage_and_truncation() {
    let bytes = Package::pack(TestPackage::minimal().path()).unwrap();
    assert!(matches!(
        unpack_with(b"not a zip", &UnpackLimits::default()),
        Err(PackageError::Zip(_))
    ));
    assert!(matches!(
        unpack_with(&bytes[..bytes.len() / 2], &UnpackLimits::default()),
        Err(PackageError::Zip(_))
    ));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever bytes are changed: no panic, and nothing outside the target.
    #[test]
    fn damaged_archives_do_no_harm(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8)) {
        let mut bytes = archive(&[("problem.yaml", b"name: x"), ("data/secret/1.in", b"1"), ("../../x", b"")]);
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        drop(unpack_with(&bytes, &UnpackLimits::default()));
    }

    /// Whatever names an archive has: only what lies below the target appears.
    #[test]
    fn names_never_lead_outside(names in prop::collection::btree_set("[a./\\\\]{1,12}", 1..6)) {
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        for name in &names {
            if zip.start_file(name.as_str(), SimpleFileOptions::default()).is_err() {
                break;
            }
        }
        if let Ok(bytes) = zip.finish() {
            drop(unpack_with(&bytes.into_inner(), &UnpackLimits::default()));
        }
    }
}
