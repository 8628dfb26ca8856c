//! A full disk: refused with a reason, nothing half-stored, and all is well once
//! there is room.

use std::path::Path;

use assize::client::{ClientError, SubmissionFilter};
use assize_common::api::{NewFile, NewSubmission};
use assize_common::package::Package;
use assize_tests::program::{command, complaint};
use assize_tests::scheduler::Scheduler;
use assize_tests::services::Services;
use assize_tests::tree;

/// A file system of its own, which a test may fill.
struct SmallDisk<'a>(&'a Path);

impl<'a> SmallDisk<'a> {
    async fn mount(at: &'a Path, size: &str) -> Self {
        std::fs::create_dir_all(at).unwrap();
        let mut mount = tokio::process::Command::new("mount");
        mount
            .args([
                "-t",
                "tmpfs",
                "-o",
                &format!("size={size},mode=711"),
                "tmpfs",
            ])
            .arg(at);
        assert!(
            mount.status().await.unwrap().success(),
            "needs root, to mount a small disk"
        );
        Self(at)
    }

    /// Takes all the room there is.
    fn fill(&self) {
        use std::io::Write as _;
        let mut file = std::fs::File::create(self.0.join("filler")).unwrap();
        let zeros = [0; 4096];
        while file.write_all(&zeros).is_ok() {}
    }

    fn make_room(&self) {
        std::fs::remove_file(self.0.join("filler")).unwrap();
    }
}

impl Drop for SmallDisk<'_> {
    fn drop(&mut self) {
        let unmounted = std::process::Command::new("umount")
            .arg("--lazy")
            .arg(self.0)
            .status();
        assert!(unmounted.is_ok_and(|status| status.success()) || std::thread::panicking());
    }
}

#[tokio::test]
#[ignore = "needs the programs, which tests/run builds"]
async fn an_installation_does_not_start_where_there_is_no_room() {
    let place = tempfile::tempdir().unwrap();
    std::fs::set_permissions(
        place.path(),
        std::os::unix::fs::PermissionsExt::from_mode(0o711),
    )
    .unwrap();
    let disk = place.path().join("disk");
    let _disk = SmallDisk::mount(&disk, "16m").await;
    let mut up = command("assize");
    up.args(["up", "--listen", "127.0.0.1:0", "--data-dir"])
        .arg(disk.join("data"));
    let output = up.output().await.unwrap();
    let said = complaint(&output);
    assert!(
        !output.status.success() && said.contains("free") && said.contains("disk"),
        "{said}"
    );
}

#[tokio::test]
#[ignore = "needs tests/with-services"]
async fn what_does_not_fit_is_refused_whole() {
    let services = Services::new().await;
    let place = tempfile::tempdir().unwrap();
    let data = place.path().join("data");
    let disk = SmallDisk::mount(&data, "1m").await;
    let scheduler = Scheduler::start(&services, &services.amqp_url, &data).await;
    let api = scheduler.api();
    let package = Package::pack(&tree::root().join("tests/packages/greeting")).unwrap();
    api.import_problem("greeting", package).await.unwrap();
    let new = |text: &str| NewSubmission {
        problem: "greeting".into(),
        language: "python3".into(),
        files: vec![NewFile {
            name: "a.py".into(),
            content: text.into(),
        }],
        entry_point: None,
        contest: None,
        team: None,
        sandbox: None,
        flag: None,
    };
    disk.fill();
    let refused = api.submit(&new("print(1)"), None).await.unwrap_err();
    let ClientError::Refused { problem, .. } = &refused else {
        panic!("{refused:?}");
    };
    assert_eq!(
        (problem.status, problem.kind.as_str()),
        (507, "storage-full"),
        "{problem:?}"
    );
    let stored = api
        .submissions(&SubmissionFilter::default(), None, 1)
        .await
        .unwrap();
    assert!(stored.submissions.is_empty(), "{stored:?}");
    disk.make_room();
    api.submit(&new("print(1)"), None).await.unwrap();
    scheduler.kill().await;
    services.remove().await;
}
