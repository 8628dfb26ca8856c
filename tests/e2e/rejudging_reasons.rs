//! Why an admin rejudges: a limit was too low, a checker wrong, a worker slow; and two
//! rejudgings that want the same submissions. Each from import to verdict.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use assize::demo::Contest;
use assize_common::Verdict;
use assize_common::api::{
    ApplyRejudging, NewFile, NewRejudging, NewSubmission, Overrides, Selection,
};
use assize_common::id::{RejudgingId, SubmissionId};
use assize_tests::system::{PATIENCE, System};

const PROBLEM: &str = "double";
/// Right; right after a while; right with a sign that nobody asked for.
const TEAMS: [(&str, &str, &str); 3] = [
    ("quick", "", ""),
    ("slow", "while (clock() < 3 * CLOCKS_PER_SEC / 2);", ""),
    ("signed", "", "+"),
];
/// Wants the very characters of the answer.
const STRICT: &str = "got == want";
/// Wants the number.
const FIXED: &str = "int(got) == int(want)";

struct Problem {
    seconds: u32,
    checker: &'static str,
}

impl Problem {
    fn write(&self, root: &Path) {
        let write = |name: &str, content: &str| {
            let path = root.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        };
        let head = "problem_format_version: 2025-09\nname: Double\nuuid: 5f0d2a52-6c0f-4d0e-9d5c-3a7f5f0e9b11\n";
        let limits = format!("limits:\n  time_limit: {}\n", self.seconds);
        write("problem.yaml", &format!("{head}{limits}"));
        for (number, name) in [(1, "sample/1"), (4, "secret/1"), (7, "secret/2")] {
            write(&format!("data/{name}.in"), &format!("{number}\n"));
            write(&format!("data/{name}.ans"), &format!("{}\n", 2 * number));
        }
        let checker = format!(
            "import sys\ngot, want = sys.stdin.read().strip(), open(sys.argv[2]).read().strip()\n\
             sys.exit(42 if {} else 43)\n",
            self.checker
        );
        write("output_validator/check.py", &checker);
        write("submissions/accepted/quick.c", &source("", ""));
    }
}

fn source(first: &str, sign: &str) -> String {
    format!(
        "#include <stdio.h>\n#include <time.h>\nint main(void) {{ int n; scanf(\"%d\", &n); {first}\n\
         printf(\"{sign}%d\\n\", 2 * n); return 0; }}\n"
    )
}

type Verdicts = BTreeMap<&'static str, Verdict>;

struct Court {
    system: System,
    place: tempfile::TempDir,
    submissions: BTreeMap<&'static str, SubmissionId>,
}

impl Court {
    async fn import(&self, problem: Problem) {
        let root = self.place.path().join(PROBLEM);
        problem.write(&root);
        let contest = Contest::read(self.place.path()).unwrap();
        let archive = contest.problems()[0].archive.clone();
        let imported = self.system.api().import_problem(PROBLEM, archive).await;
        imported.unwrap();
    }

    async fn submit(&mut self) {
        for (team, first, sign) in TEAMS {
            let new = NewSubmission {
                problem: PROBLEM.into(),
                language: "c".into(),
                files: vec![NewFile {
                    name: "main.c".into(),
                    content: source(first, sign).into_bytes(),
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

    async fn verdicts(&self) -> Verdicts {
        let mut verdicts = Verdicts::new();
        for (team, id) in &self.submissions {
            let judgement = self.system.ended(*id).await;
            verdicts.insert(team, judgement.summary.verdict.expect("a verdict"));
        }
        verdicts
    }

    fn asked(filter: &str, reason: &str, from_scratch: bool) -> NewRejudging {
        NewRejudging {
            reason: reason.into(),
            selection: Selection {
                filter: Some(filter.into()),
                submissions: Vec::new(),
            },
            overrides: Overrides {
                from_scratch,
                ..Overrides::default()
            },
            skip_taken: false,
        }
    }

    /// Rejudges what is selected, so many, and applies it once it is judged.
    async fn rejudge(&self, new: &NewRejudging, submissions: u64) -> RejudgingId {
        let api = self.system.api();
        let created = api.create_rejudging(new, None).await.unwrap();
        assert_eq!(created.progress.submissions, submissions, "{new:?}");
        self.apply(created.id).await;
        created.id
    }

    async fn apply(&self, id: RejudgingId) {
        let api = self.system.api();
        let judged = async {
            while !api.rejudging(id).await.unwrap().progress.is_judged() {
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            }
        };
        tokio::time::timeout(PATIENCE, judged)
            .await
            .expect("the rejudging is judged");
        let all = ApplyRejudging::default();
        api.apply_rejudging(id, &all).await.unwrap();
    }

    /// Runs of a rejudging that were taken over from before, and all of them.
    async fn taken_over(&self, id: RejudgingId) -> (i64, i64) {
        sqlx::query_as(
            "SELECT count(r.reused_from), count(*) FROM runs r JOIN judgements j ON j.id = r.judgement_id
             WHERE j.rejudging_id = $1",
        )
        .bind(id.as_uuid())
        .fetch_one(self.system.database())
        .await
        .unwrap()
    }
}

fn verdicts(slow: Verdict, signed: Verdict) -> Verdicts {
    [("quick", Verdict::Ac), ("slow", slow), ("signed", signed)].into()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs tests/with-services"]
async fn limits_checkers_and_workers_are_reasons() {
    let mut court = Court {
        system: System::start(&["--workers", "1", "--slots", "2"]).await,
        place: tempfile::tempdir().unwrap(),
        submissions: BTreeMap::new(),
    };
    court
        .import(Problem {
            seconds: 1,
            checker: STRICT,
        })
        .await;
    court.submit().await;
    assert_eq!(court.verdicts().await, verdicts(Verdict::Tle, Verdict::Wa));

    // The limit was too low: those who were over it. All of their runs are run again.
    court
        .import(Problem {
            seconds: 10,
            checker: STRICT,
        })
        .await;
    let over = Court::asked("outdated = true and verdict = TLE", "limit too low", false);
    let raised = court.rejudge(&over, 1).await;
    assert_eq!(court.verdicts().await, verdicts(Verdict::Ac, Verdict::Wa));
    assert_eq!(court.taken_over(raised).await, (0, 3));

    // The checker was wrong: everybody, since the new one may refuse what the old one took.
    court
        .import(Problem {
            seconds: 10,
            checker: FIXED,
        })
        .await;
    let everybody = Court::asked("outdated = true", "the checker was wrong", false);
    let checked = court.rejudge(&everybody, 3).await;
    assert_eq!(court.verdicts().await, verdicts(Verdict::Ac, Verdict::Ac));
    assert_eq!(court.taken_over(checked).await, (0, 9));

    // A worker was slow: nothing that a key knows of has changed, so it has to be asked for.
    let api = court.system.api();
    let workers = api.workers().await.unwrap().workers;
    let of_worker = format!("worker = \"{}\"", workers[0].name);
    let doubted = Court::asked(&of_worker, "the worker was slow", false);
    let spared = court.rejudge(&doubted, 3).await;
    assert_eq!(court.taken_over(spared).await, (9, 9));
    let doubted = Court::asked(&of_worker, "the worker was slow", true);
    let again = court.rejudge(&doubted, 3).await;
    assert_eq!(court.taken_over(again).await, (0, 9));

    // Two that overlap: the second one is told of the first, and may have the rest.
    let first = Court::asked("team = quick", "a doubt", false);
    let first = api.create_rejudging(&first, None).await.unwrap().id;
    let mut second = Court::asked("all", "another doubt", false);
    let refusal = api.create_rejudging(&second, None).await.unwrap_err();
    assert!(
        refusal.to_string().contains(&first.to_string()),
        "{refusal}"
    );
    second.skip_taken = true;
    court.rejudge(&second, 2).await;
    court.apply(first).await;
    assert_eq!(court.verdicts().await, verdicts(Verdict::Ac, Verdict::Ac));
    court.system.end(TEAMS.len()).await;
}
