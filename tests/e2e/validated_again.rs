//! All answers of a problem were wrong: its outputs are validated again, and no program
//! is run, unless they are gone.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use assize::demo::Contest;
use assize_common::Verdict;
use assize_common::api::{
    ApplyRejudging, NewFile, NewRejudging, NewSubmission, Overrides, Selection,
};
use assize_common::id::{JudgementId, RejudgingId, SubmissionId};
use assize_common::message::{Changed, RunReport};
use assize_tests::system::{PAUSE, System, patiently};

const PROBLEM: &str = "double";
/// Whoever doubles is right; whoever crashes is not, whatever the answers.
const TEAMS: [(&str, &str, Verdict); 3] = [
    ("doubles", "", Verdict::Ac),
    ("crashes", "if (n == 1) return 1;", Verdict::Rte),
    ("triples", "n = 3 * n / 2 + n % 2;", Verdict::Wa),
];

struct Court {
    system: System,
    place: tempfile::TempDir,
    submissions: BTreeMap<&'static str, SubmissionId>,
}

fn source(first: &str) -> String {
    format!(
        "#include <stdio.h>\nint main(void) {{ int n; scanf(\"%d\", &n); {first}\n\
         printf(\"%d\\n\", 2 * n); return 0; }}\n"
    )
}

/// All answers are `factor` times the input.
fn write(root: &Path, factor: u32) {
    let write = |name: &str, content: &str| {
        let path = root.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    };
    let head = "problem_format_version: 2025-09\nname: Double\nuuid: 5f0d2a52-6c0f-4d0e-9d5c-3a7f5f0e9b12\n";
    write("problem.yaml", &format!("{head}limits:\n  time_limit: 5\n"));
    for (number, name) in [(1, "sample/1"), (4, "secret/1"), (7, "secret/2")] {
        write(&format!("data/{name}.in"), &format!("{number}\n"));
        write(
            &format!("data/{name}.ans"),
            &format!("{}\n", factor * number),
        );
    }
    write("submissions/accepted/doubles.c", &source(""));
}

impl Court {
    async fn import(&self, factor: u32) {
        write(&self.place.path().join(PROBLEM), factor);
        let contest = Contest::read(self.place.path()).unwrap();
        let archive = contest.problems()[0].archive.clone();
        let imported = self.system.api().import_problem(PROBLEM, archive).await;
        imported.unwrap();
    }

    async fn submit(&mut self) {
        for (team, first, _) in TEAMS {
            let new = NewSubmission {
                problem: PROBLEM.into(),
                language: "c".into(),
                files: vec![NewFile {
                    name: "main.c".into(),
                    content: source(first).into_bytes(),
                }],
                entry_point: None,
                contest: Some("finals".into()),
                team: Some(team.into()),
                sandbox: None,
                flag: None,
            };
            let submission = self.system.api().submit(&new, None).await.unwrap();
            self.submissions.insert(team, submission.id);
        }
    }

    /// Rejudges everything and applies that.
    async fn rejudge(&self) -> RejudgingId {
        let api = self.system.api();
        let new = NewRejudging {
            reason: "the answers were wrong".into(),
            selection: Selection {
                filter: Some("outdated = true".into()),
                submissions: Vec::new(),
            },
            overrides: Overrides::default(),
            skip_taken: false,
        };
        let id = api.create_rejudging(&new, None).await.unwrap().id;
        let judged = patiently(PAUSE, async || {
            let progress = api.rejudging(id).await.unwrap().progress;
            progress.is_judged().then_some(())
        });
        judged.await.expect("the rejudging is judged");
        let all = ApplyRejudging::default();
        api.apply_rejudging(id, &all).await.unwrap();
        id
    }

    /// The judgements that count, with their runs.
    async fn results(&self) -> BTreeMap<&'static str, (JudgementId, Verdict, Vec<RunReport>)> {
        let mut results = BTreeMap::new();
        for (team, id) in &self.submissions {
            let judgement = self.system.ended(*id).await;
            let verdict = judgement.summary.verdict.expect("a verdict");
            results.insert(*team, (judgement.summary.id, verdict, judgement.runs));
        }
        results
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs tests/with-services"]
async fn after_an_answer_fix_outputs_are_validated_again() {
    let mut court = Court {
        system: System::start(&["--workers", "1", "--slots", "2"]).await,
        place: tempfile::tempdir().unwrap(),
        submissions: BTreeMap::new(),
    };
    court.import(7).await;
    court.submit().await;
    let before = court.results().await;
    for (team, expected) in [("doubles", Verdict::Wa), ("crashes", Verdict::Rte)] {
        assert_eq!(before[team].1, expected, "{team}");
    }

    court.import(2).await;
    court.rejudge().await;
    let after = court.results().await;
    for (team, _, expected) in TEAMS {
        let (_, verdict, runs) = &after[team];
        let (origin, _, runs_before) = &before[team];
        assert_eq!(*verdict, expected, "{team}");
        // The first run is all that there was before.
        let (first, first_before) = (&runs[0], &runs_before[0]);
        assert_eq!(
            (first.wall_time_ms, first.memory_bytes),
            (first_before.wall_time_ms, first_before.memory_bytes),
            "{team} was not run"
        );
        if team == "crashes" {
            assert_eq!(first.reused_from, Some(*origin));
        } else {
            let again = first.validated_again.expect(team);
            assert_eq!(
                (again.output_from, again.changed),
                (*origin, Changed::Answer)
            );
        }
    }
    let id = court.submissions["doubles"].to_string();
    let shown = court.system.asked(&["submission", "show", &id]).await;
    assert!(
        shown.contains("validated again: the answer has changed"),
        "{shown}"
    );

    // Back, and forth once more, when a disk has lost the outputs.
    court.import(7).await;
    court.rejudge().await;
    for (team, (_, verdict, _)) in court.results().await {
        assert_eq!(verdict, before[team].1, "{team}");
    }
    let outputs = court.system.data().join("data/scheduler/outputs/blobs");
    let kept = fs::read_dir(outputs).unwrap();
    let kept = kept.map(|entry| entry.unwrap().path());
    // Beside them lies a file that marks the place.
    let kept: Vec<_> = kept.filter(|path| path.is_dir()).collect();
    assert!(!kept.is_empty());
    for directory in kept {
        fs::remove_dir_all(directory).unwrap();
    }
    court.import(2).await;
    court.rejudge().await;
    let last = court.results().await;
    for (team, _, expected) in TEAMS {
        assert_eq!(last[team].1, expected, "{team}");
    }
    assert_eq!(last["doubles"].2[0].validated_again, None, "it was run");
    court.system.end(TEAMS.len()).await;
}
