//! An admin looks into what a submission has tried: from the kill to the evidence.

use assize_common::api::{JudgementState, NewFile, NewSubmission, Submission};
use assize_common::id::{JudgementId, SubmissionId};
use assize_common::{SandboxMode, Verdict};
use assize_tests::system::{PAUSE, System, patiently};

const PROBLEM: &str = "greeting";
/// Looks around and then tries a network.
const SPY: &str = r#"
#include <fcntl.h>
#include <sys/socket.h>
int main() {
    open("/proc/self/mountinfo", O_RDONLY);
    open("/etc/shadow", O_RDONLY);
    return socket(AF_INET, SOCK_STREAM, 0) < 0;
}
"#;
/// A rule that an admin would write for this one submission.
const RULES: &str = r#"
[[budget]]
id = "not-even-one"
why = "whether it reads files at all"
syscalls = ["openat"]
count = 0
action = "kill"
"#;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs tests/with-services"]
async fn from_a_kill_to_the_evidence() {
    let system = System::start(&["--workers", "1", "--slots", "1"]).await;
    let api = system.api();
    system.import_example(PROBLEM).await;
    let spy: Submission = api.submit(&spy(), None).await.unwrap();
    let judged = system.ended(spy.id).await;
    assert_eq!(judged.summary.verdict, Some(Verdict::Sv));

    // The kill is looked at again by itself.
    let [again] = looked_again(&system, spy.id, 1).await[..] else {
        panic!("one escalation is expected")
    };
    let shown = system.asked(&["audit", "show", &again.to_string()]).await;
    for wanted in ["socket", "KILLED", "network", "/etc/shadow"] {
        assert!(shown.contains(wanted), "{wanted}: {shown}");
    }
    let testcase = judged.runs.first().unwrap().testcase.clone();
    let run = format!("{again}/{testcase}");
    let record = system.asked(&["audit", "show", &run]).await;
    let wanted = "socket(AF_INET, SOCK_STREAM, 0)  KILLED  [network]";
    assert!(record.contains(wanted), "{record}");

    // A closer look, at no more than what it would have done.
    let rules = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(rules.path(), RULES).unwrap();
    let id = spy.id.to_string();
    let flag = ["flag", &id, "--reason", "a spy", "--audit", "full"];
    let rules = ["--observe", "--rules", rules.path().to_str().unwrap()];
    system.asked(&[&flag[..], &rules].concat()).await;
    let observed = looked_again(&system, spy.id, 2).await[1];
    let shown = system
        .asked(&["audit", "show", &observed.to_string()])
        .await;
    for wanted in [
        "flagged     audit full, observed only, rules",
        "WOULD BE KILLED",
        "flag:not-even-one",
    ] {
        assert!(shown.contains(wanted), "{wanted}: {shown}");
    }
    let pair = [again.to_string(), observed.to_string()];
    let differences = system.asked(&["audit", "diff", &pair[0], &pair[1]]).await;
    assert!(differences.contains("openat"), "{differences}");
    let search = ["audit", "search", "--denied", "--syscall", "socket"];
    assert!(system.asked(&search).await.contains(&id));
    let flags = system.asked(&["flag", "--list"]).await;
    assert!(
        flags.contains("a spy") && flags.contains("rules"),
        "{flags}"
    );
    let unusual = system
        .asked(&["audit", "unusual", &again.to_string()])
        .await;
    assert!(unusual.contains("nothing to compare with"), "{unusual}");

    // What was found out counts for nothing.
    assert_eq!(system.ended(spy.id).await.summary, judged.summary);
    system.asked(&["unflag", &id]).await;
    assert!(api.flags().await.unwrap().flags.is_empty());
    system.end(1).await;
}

fn spy() -> NewSubmission {
    NewSubmission {
        problem: PROBLEM.into(),
        language: "c".into(),
        files: vec![NewFile {
            name: "spy.c".into(),
            content: SPY.into(),
        }],
        entry_point: None,
        contest: None,
        team: Some("Moles".into()),
        // Its source alone would have it traced at once.
        sandbox: Some(SandboxMode::Unshare),
        flag: None,
    }
}

/// The judgements that look at a submission again, once they are done and so many.
async fn looked_again(system: &System, id: SubmissionId, number: usize) -> Vec<JudgementId> {
    let done = patiently(PAUSE, async || {
        let list = system.api().escalations(id).await.unwrap().escalations;
        let done = list.iter().filter(|it| it.state == JudgementState::Done);
        (done.count() == number).then(|| list.iter().map(|it| it.judgement_id).collect())
    });
    done.await.unwrap()
}
