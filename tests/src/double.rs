//! A problem for scenarios of rejudging, with mistakes that can be mended: a
//! submission prints twice the number that it reads.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use assize::demo::Contest;
use assize_common::Verdict;
use assize_common::api::{ApplyRejudging, NewFile, NewRejudging, NewSubmission, Selection};
use assize_common::id::{RejudgingId, SubmissionId};

use crate::invariants;
use crate::system::{PAUSE, System, patiently};

/// Its short name.
pub const PROBLEM: &str = "double";
/// The right answer of the last test case.
pub const RIGHT: i64 = 14;
/// Test cases of each version.
pub const TESTCASES: usize = 3;

/// A version of its package.
#[derive(Debug, Clone)]
pub struct Version {
    /// The time limit, in seconds.
    pub seconds: u32,
    /// What a checker in Python compares, from `got` and `want`; none for the
    /// default validator.
    pub checker: Option<&'static str>,
    /// What the answer file of the last test case says.
    pub last_answer: i64,
    /// The problem's name, in which versions may differ, too.
    pub name: String,
}

impl Default for Version {
    fn default() -> Self {
        Self {
            seconds: 10,
            checker: None,
            last_answer: RIGHT,
            name: "Double".to_owned(),
        }
    }
}

impl Version {
    /// Makes it the version that submissions are judged by.
    ///
    /// # Panics
    /// When it is refused.
    pub async fn import(&self, system: &System) {
        let place = tempfile::tempdir().unwrap();
        self.write(&place.path().join(PROBLEM));
        let contest = Contest::read(place.path()).unwrap();
        let archive = contest.problems()[0].archive.clone();
        let imported = system.api().import_problem(PROBLEM, archive).await;
        imported.unwrap();
    }

    fn write(&self, root: &Path) {
        let write = |name: &str, content: &str| {
            let path = root.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        };
        let head = "problem_format_version: 2025-09\nuuid: 5f0d2a52-6c0f-4d0e-9d5c-3a7f5f0e9b11\n";
        let own = format!(
            "name: {}\nlimits:\n  time_limit: {}\n",
            self.name, self.seconds
        );
        write("problem.yaml", &format!("{head}{own}"));
        for (name, number, answer) in [
            ("sample/1", 1, 2),
            ("secret/1", 4, 8),
            ("secret/2", 7, self.last_answer),
        ] {
            write(&format!("data/{name}.in"), &format!("{number}\n"));
            write(&format!("data/{name}.ans"), &format!("{answer}\n"));
        }
        if let Some(checker) = self.checker {
            let checker = format!(
                "import sys\ngot, want = sys.stdin.read().strip(), open(sys.argv[2]).read().strip()\n\
                 sys.exit(42 if {checker} else 43)\n"
            );
            write("output_validator/check.py", &checker);
        }
        write(
            "submissions/accepted/double.c",
            &source("", "\"%d\\n\", 2 * n"),
        );
    }
}

/// A program in C that does something first and then prints this.
#[must_use]
pub fn source(first: &str, printed: &str) -> String {
    format!(
        "#include <stdio.h>\n#include <time.h>\nint main(void) {{ int n; scanf(\"%d\", &n); {first}\n\
         printf({printed}); return 0; }}\n"
    )
}

/// A right program, sent by a team.
#[must_use]
pub fn right(team: &str) -> NewSubmission {
    sent(team, "c", source("", "\"%d\\n\", 2 * n"))
}

/// A program in a language, sent by a team.
#[must_use]
pub fn sent(team: &str, language: &str, source: String) -> NewSubmission {
    NewSubmission {
        problem: PROBLEM.into(),
        language: language.into(),
        files: vec![NewFile {
            name: "main.c".into(),
            content: source.into_bytes(),
        }],
        entry_point: None,
        contest: Some("finals".into()),
        team: Some(team.into()),
        sandbox: None,
        flag: None,
    }
}

/// A rejudging of what a filter means, as it is asked for.
#[must_use]
pub fn asked(filter: &str, reason: &str) -> NewRejudging {
    NewRejudging {
        reason: reason.into(),
        selection: Selection {
            filter: Some(filter.into()),
            submissions: Vec::new(),
        },
        overrides: assize_common::api::Overrides::default(),
        skip_taken: false,
    }
}

/// An installation, and what teams have sent.
#[derive(Debug)]
pub struct Court {
    /// The installation.
    pub system: System,
    /// By team.
    pub submissions: BTreeMap<String, SubmissionId>,
}

impl Court {
    /// Starts one; nothing is sent yet.
    ///
    /// # Panics
    /// When that fails.
    pub async fn start(arguments: &[&str]) -> Self {
        Self {
            system: System::start(arguments).await,
            submissions: BTreeMap::new(),
        }
    }

    /// Sends what a team wants to.
    ///
    /// # Panics
    /// When it is refused.
    pub async fn submit(&mut self, new: &NewSubmission) {
        let submission = self.system.api().submit(new, None).await.unwrap();
        let team = new.team.clone().expect("a team sends it");
        self.submissions.insert(team, submission.id);
    }

    /// The verdicts that count, by team, once there are some.
    ///
    /// # Panics
    /// When one has none.
    pub async fn verdicts(&self) -> BTreeMap<&str, Verdict> {
        let mut verdicts = BTreeMap::new();
        for (team, id) in &self.submissions {
            let judgement = self.system.ended(*id).await;
            let verdict = judgement.summary.verdict.expect("a verdict");
            verdicts.insert(team.as_str(), verdict);
        }
        verdicts
    }

    /// Makes a rejudging.
    ///
    /// # Panics
    /// When it is refused, or is not of so many submissions.
    pub async fn create(&self, new: &NewRejudging, submissions: u64) -> RejudgingId {
        let created = self.system.api().create_rejudging(new, None).await.unwrap();
        assert_eq!(created.progress.submissions, submissions, "{new:?}");
        created.id
    }

    /// Waits until all of a rejudging is judged.
    ///
    /// # Panics
    /// When that takes too long.
    pub async fn judged(&self, id: RejudgingId) {
        let judged = patiently(PAUSE, async || {
            let rejudging = self.system.api().rejudging(id).await.unwrap();
            rejudging.progress.is_judged().then_some(())
        });
        judged.await.expect("the rejudging is judged");
    }

    /// Applies a rejudging once it is judged. Returns how many results it changes.
    ///
    /// # Panics
    /// When it is refused.
    pub async fn apply(&self, id: RejudgingId) -> u64 {
        self.judged(id).await;
        let all = ApplyRejudging::default();
        let applied = self.system.api().apply_rejudging(id, &all).await;
        applied.unwrap().changed
    }

    /// Rejudges what is selected, so many, and applies it once it is judged.
    ///
    /// # Panics
    /// When something is refused, or an invariant broken.
    pub async fn rejudge(&self, new: &NewRejudging, submissions: u64) -> RejudgingId {
        let id = self.create(new, submissions).await;
        self.apply(id).await;
        self.holds().await;
        id
    }

    /// Checks the invariants.
    ///
    /// # Panics
    /// When one is broken.
    pub async fn holds(&self) {
        invariants::assert_hold(self.system.database(), self.submissions.len()).await;
    }

    /// Runs of a rejudging that were taken over from before, and all of them.
    ///
    /// # Panics
    /// When the database does not answer.
    pub async fn taken_over(&self, id: RejudgingId) -> (i64, i64) {
        sqlx::query_as(
            "SELECT count(r.reused_from), count(*) FROM runs r JOIN judgements j ON j.id = r.judgement_id
             WHERE j.rejudging_id = $1",
        )
        .bind(id.as_uuid())
        .fetch_one(self.system.database())
        .await
        .unwrap()
    }

    /// Checks the invariants, and ends.
    ///
    /// # Panics
    /// When something is not as it should be.
    pub async fn end(self) {
        self.system.end(self.submissions.len()).await;
    }
}
