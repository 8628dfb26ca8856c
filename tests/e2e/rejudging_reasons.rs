//! Why an admin rejudges: a limit was too low, a checker wrong, a worker slow, a
//! compiler replaced. Each from import to verdict.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use assize_common::Verdict;
use assize_common::api::JudgementProvenance;
use assize_tests::double::{Court, TESTCASES, Version, asked, right, sent, source};
use assize_tests::system::data_directory;
use assize_tests::tree;

/// Wants the very characters of the answer.
const STRICT: Option<&str> = Some("got == want");
/// Wants the number.
const FIXED: Option<&str> = Some("int(got) == int(want)");

fn verdicts(slow: Verdict, signed: Verdict) -> BTreeMap<&'static str, Verdict> {
    [("quick", Verdict::Ac), ("slow", slow), ("signed", signed)].into()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs tests/with-services"]
async fn limits_checkers_and_workers_are_reasons() {
    let mut court = Court::start(&["--workers", "1", "--slots", "2"]).await;
    let version = |seconds, checker| Version {
        seconds,
        checker,
        ..Version::default()
    };
    version(1, STRICT).import(&court.system).await;
    let second_and_a_half = "while (clock() < 3 * CLOCKS_PER_SEC / 2);";
    let slow = source(second_and_a_half, "\"%d\\n\", 2 * n");
    // Nobody asked for the sign.
    let signed = source("", "\"+%d\\n\", 2 * n");
    for new in [
        right("quick"),
        sent("slow", "c", slow),
        sent("signed", "c", signed),
    ] {
        court.submit(&new).await;
    }
    assert_eq!(court.verdicts().await, verdicts(Verdict::Tle, Verdict::Wa));

    // The limit was too low: those who were over it. All of their runs are run again.
    version(10, STRICT).import(&court.system).await;
    let over = asked("outdated = true and verdict = TLE", "limit too low");
    let raised = court.rejudge(&over, 1).await;
    assert_eq!(court.verdicts().await, verdicts(Verdict::Ac, Verdict::Wa));
    assert_eq!(court.taken_over(raised).await, (0, 3));

    // The checker was wrong: everybody, since the new one may refuse what the old one took.
    version(10, FIXED).import(&court.system).await;
    let everybody = asked("outdated = true", "the checker was wrong");
    let checked = court.rejudge(&everybody, 3).await;
    assert_eq!(court.verdicts().await, verdicts(Verdict::Ac, Verdict::Ac));
    assert_eq!(court.taken_over(checked).await, (0, 9));

    // A worker was slow: nothing that a key knows of has changed, so it has to be asked for.
    let workers = court.system.api().workers().await.unwrap().workers;
    let of_worker = format!("worker = \"{}\"", workers[0].name);
    let mut doubted = asked(&of_worker, "the worker was slow");
    let spared = court.rejudge(&doubted, 3).await;
    assert_eq!(court.taken_over(spared).await, (9, 9));
    doubted.overrides.from_scratch = true;
    let again = court.rejudge(&doubted, 3).await;
    assert_eq!(court.taken_over(again).await, (0, 9));
    court.end().await;
}

/// A compiler of a directory of its own, as `toolchain` of the language table mounts
/// them. Its first version gets something wrong.
fn install_compiler(directory: &Path, version: u32) {
    let compiler = directory.join("cc");
    let script = format!(
        "#!/bin/sh\n[ \"$1\" = --version ] && echo minicc {version}.0 && exit\n\
         exec /usr/bin/gcc -D__MINICC__={version} \"$@\"\n"
    );
    // Not over the old one, which a jail may be running.
    let new = directory.join("cc.new");
    fs::write(&new, script).unwrap();
    fs::set_permissions(&new, fs::Permissions::from_mode(0o755)).unwrap();
    fs::rename(new, compiler).unwrap();
}

fn language_table(directory: &Path) -> String {
    let shipped = fs::read_to_string(tree::root().join("deploy/languages.toml")).unwrap();
    format!(
        "{shipped}
[[language]]
id = \"mini\"
name = \"Mini C\"
code = \"c\"
extensions = [\"c\"]
default = false
toolchain = [\"/usr/bin/realpath\", \"{}\"]
compile = [[\"/opt/mini/cc\", \"-O2\", \"-static\", \"-o\", \"program\", \"{{sources}}\"]]
artifacts = [\"program\"]
run = [\"/box/program\"]
version = [\"/opt/mini/cc\", \"--version\"]
env = {{ PATH = \"/usr/bin:/bin\" }}
self_test = '''
#include <stdio.h>
int main(void) {{ long long a, b; scanf(\"%lld %lld\", &a, &b); printf(\"%lld\\n\", a + b); return 0; }}
'''
self_test_file = \"main.c\"
",
        directory.display()
    )
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs tests/with-services"]
async fn what_an_older_compiler_made_is_judged_again() {
    let place = data_directory();
    install_compiler(place.path(), 1);
    let table = place.path().join("languages.toml");
    fs::write(&table, language_table(place.path())).unwrap();
    let table = table.to_str().unwrap();
    let one_worker = ["--workers", "1", "--slots", "2"];
    let with_table = ["--languages", "c,mini", "--language-table", table];
    let arguments = [one_worker.as_slice(), with_table.as_slice()].concat();
    let mut court = Court::start(&arguments).await;
    Version::default().import(&court.system).await;
    let miscompiled = || source("", "\"%d\\n\", 2 * n + (__MINICC__ < 2)");
    for new in [
        right("other"),
        sent("first", "mini", miscompiled()),
        sent("second", "mini", miscompiled()),
    ] {
        court.submit(&new).await;
    }
    let before = [
        ("other", Verdict::Ac),
        ("first", Verdict::Wa),
        ("second", Verdict::Wa),
    ];
    assert_eq!(court.verdicts().await, before.into());
    let first = provenance(&court, "first").await;

    // Its worker is started again, and finds the new one.
    install_compiler(place.path(), 2);
    court.system.kill("worker-1").await;
    court.submit(&sent("late", "mini", miscompiled())).await;
    let late = court.system.ended(court.submissions["late"]).await;
    assert_eq!(late.summary.verdict, Some(Verdict::Ac));

    // Of the language are three, of its old compiler two.
    let api = court.system.api();
    let of_language = asked("language = mini", "a compiler was replaced").selection;
    let preview = api.preview_rejudging(&of_language).await.unwrap();
    assert_eq!(preview.submissions, 3);
    let new = asked("compiler = \"minicc 1.0\"", "minicc 1.0 miscompiles");
    let id = court.rejudge(&new, 2).await;
    assert_eq!(
        court.taken_over(id).await,
        (0, 2 * i64::try_from(TESTCASES).unwrap())
    );
    let after = court.verdicts().await;
    assert!(
        after.values().all(|verdict| *verdict == Verdict::Ac),
        "{after:?}"
    );

    // Each judgement tells by which it was made, the old one, too.
    let again = provenance(&court, "first").await;
    let made_by = |of: &JudgementProvenance| {
        let reported = of.reported.clone().expect("the worker says");
        (
            reported.compiler_version,
            reported.compiler.unwrap(),
            reported.executable.unwrap(),
        )
    };
    let (old, new) = (made_by(&first), made_by(&again));
    assert_eq!(old.0.as_deref(), Some("minicc 1.0"));
    assert_eq!(new.0.as_deref(), Some("minicc 2.0"));
    assert_ne!(old.1, new.1, "the compiler's program");
    assert_ne!(old.2, new.2, "what it made");
    let kept = api.provenance(first.judgement_id).await.unwrap();
    assert_eq!(made_by(&kept), old);

    // Nothing is left of it.
    let left = asked("compiler ~ \"minicc 1*\"", "what is left").selection;
    let preview = api.preview_rejudging(&left).await.unwrap();
    assert_eq!(preview.submissions, 0);
    court.end().await;
}

/// Where the judgement that counts comes from.
async fn provenance(court: &Court, team: &str) -> JudgementProvenance {
    let judgement = court.system.ended(court.submissions[team]).await;
    let id = judgement.summary.id;
    court.system.api().provenance(id).await.unwrap()
}
