//! Submissions without end, each with the verdict that it must get.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use assize::client::Api;
use assize_common::Verdict;
use assize_common::api::{NewFile, NewSubmission};
use assize_common::id::SubmissionId;
use sqlx::PgPool;

pub(super) const PROBLEM: &str = "sum";

/// Programs of the language `sh`: what is done after reading two numbers, and what comes of it.
const PROGRAMS: [(&str, Verdict); 4] = [
    ("echo $((a + b))", Verdict::Ac),
    ("echo 3", Verdict::Wa),
    ("exit 1", Verdict::Rte),
    ("/bin/sleep 0.05; echo $((a + b))", Verdict::Ac),
];

/// One of so many is flagged: judged in a lane of its own, with the tracer.
const FLAGGED: u64 = 10;
/// One of so many is cancelled as soon as it is sent.
const CANCELLED: u64 = 25;
/// What is noted of those.
pub(super) const WHY_CANCELLED: &str = "it was tried whether that works";

/// For one answer of a scheduler.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);

/// What a submission is about.
#[derive(Debug, Clone, Copy)]
pub(super) enum Program {
    /// One of several short ones.
    Short,
    /// Takes half a second to compile.
    SlowToCompile,
    /// Takes half a second to run.
    SlowToRun,
    /// Takes longer than RabbitMQ waits for an acknowledgement.
    Long,
}

/// Sends submissions and remembers what must come of them.
#[derive(Debug)]
pub(super) struct Load {
    /// Any of them takes submissions.
    schedulers: Vec<Api>,
    pub(super) database: PgPool,
    next: AtomicU64,
    /// So many are to wait or run at any time.
    wanted: AtomicUsize,
    expected: Mutex<HashMap<SubmissionId, Verdict>>,
    pub(super) over: AtomicBool,
    /// Requests that are not answered yet.
    unanswered: AtomicU64,
}

impl Load {
    pub(super) fn new(schedulers: Vec<Api>, database: PgPool) -> Self {
        Self {
            schedulers,
            database,
            next: AtomicU64::new(0),
            wanted: AtomicUsize::new(0),
            expected: Mutex::default(),
            over: AtomicBool::new(false),
            unanswered: AtomicU64::new(0),
        }
    }

    /// How many were accepted.
    pub(super) fn accepted(&self) -> usize {
        self.expected.lock().unwrap().len()
    }

    /// From now on about so many submissions are to wait or run.
    pub(super) fn want(&self, open: usize) {
        self.wanted.store(open, Ordering::Relaxed);
    }

    /// Keeps as many submissions waiting or running as are wanted, until it is over.
    pub(super) async fn keep(self: Arc<Self>) {
        while !self.over.load(Ordering::Relaxed) {
            let open = self.wanted.load(Ordering::Relaxed);
            let unanswered = usize::try_from(self.unanswered.load(Ordering::Relaxed)).unwrap();
            let under_way = self.open().await.unwrap_or(open);
            for _ in under_way.saturating_add(unanswered)..open {
                let load = Arc::clone(&self);
                // Counted before anybody looks again.
                self.unanswered.fetch_add(1, Ordering::Relaxed);
                tokio::spawn(async move { load.send(Program::Short).await });
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Sends no more, and waits until everything is judged.
    pub(super) async fn finish(&self) {
        self.over.store(true, Ordering::Relaxed);
        loop {
            let unanswered = self.unanswered.load(Ordering::Relaxed);
            if unanswered == 0 && matches!(self.open().await, Ok(0)) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// One of the schedulers.
    pub(super) fn scheduler(&self, number: usize) -> &Api {
        &self.schedulers[number % self.schedulers.len()]
    }

    /// How many are waiting or running for the first time.
    pub(super) async fn open(&self) -> sqlx::Result<usize> {
        let open =
            "SELECT count(*) FROM judgements WHERE state IN ('queued', 'running') AND is_current";
        let open: i64 = sqlx::query_scalar(open).fetch_one(&self.database).await?;
        Ok(usize::try_from(open).unwrap_or(usize::MAX))
    }

    /// Sends one, again and again until it is accepted, always by the same key.
    pub(super) async fn submit(&self, program: Program) -> SubmissionId {
        self.unanswered.fetch_add(1, Ordering::Relaxed);
        self.send(program).await
    }

    async fn send(&self, program: Program) -> SubmissionId {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let at = usize::try_from(number).unwrap();
        let (work, verdict) = match program {
            Program::Short | Program::SlowToCompile => PROGRAMS[at % PROGRAMS.len()],
            Program::Long => ("/bin/sleep 9; echo $((a + b))", Verdict::Ac),
            Program::SlowToRun => ("/bin/sleep 0.5; echo $((a + b))", Verdict::Ac),
        };
        let mut source = format!("# {number}\n");
        if matches!(program, Program::SlowToCompile) {
            source.push_str("[ \"$1\" = compile ] && /bin/sleep 0.5\n");
        }
        write!(source, "[ \"$1\" = compile ] && exit 0\nread a b\n{work}\n").unwrap();
        let new = NewSubmission {
            problem: PROBLEM.to_owned(),
            language: "sh".to_owned(),
            files: vec![NewFile {
                name: "main.sh".to_owned(),
                content: source.into_bytes(),
            }],
            entry_point: None,
            contest: Some(format!("contest {}", number % 2)),
            team: Some(format!("team {}", number % 50)),
            sandbox: None,
            flag: number
                .is_multiple_of(FLAGGED)
                .then(|| "one of some".to_owned()),
        };
        let key = number.to_string();
        let submitting = self.insist(at, |api| {
            let (new, key) = (new.clone(), key.clone());
            async move { api.submit(&new, Some(&key)).await }
        });
        let id = submitting.await.id;
        self.expected.lock().unwrap().insert(id, verdict);
        if number % CANCELLED == 1 && matches!(program, Program::Short) {
            // Whether it is told in time or at all decides nobody.
            let cancelling = self
                .scheduler(at)
                .cancel_submission(id, WHY_CANCELLED.to_owned());
            drop(tokio::time::timeout(PATIENCE, cancelling).await);
        }
        self.unanswered.fetch_sub(1, Ordering::Relaxed);
        id
    }

    /// Asks one scheduler after the other until one does it. Who does not know whether an answer that is late will
    /// come asks again.
    pub(super) async fn insist<T, E, F>(&self, first: usize, ask: impl Fn(Api) -> F) -> T
    where
        F: Future<Output = Result<T, E>>,
    {
        let mut number = first;
        loop {
            let asked = ask(self.scheduler(number).clone());
            if let Ok(Ok(answer)) = tokio::time::timeout(PATIENCE, asked).await {
                return answer;
            }
            number += 1;
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// What did not come as it must, in words; at the end, when nothing is under way.
    pub(super) async fn findings(&self) -> Vec<String> {
        let rows: Vec<(uuid::Uuid, Option<String>, String)> = sqlx::query_as(
            "SELECT s.id, j.verdict, j.state FROM submissions s JOIN judgements j ON j.submission_id = s.id AND j.is_current",
        )
        .fetch_all(&self.database)
        .await
        .unwrap();
        let mut expected = self.expected.lock().unwrap().clone();
        let mut findings = Vec::new();
        for (id, verdict, state) in rows {
            let id = SubmissionId::from(id);
            // One that was stored although nobody was told is judged, too, but asked for again by its key.
            let Some(wanted) = expected.remove(&id) else {
                findings.push(format!("{id} is stored but was never accepted"));
                continue;
            };
            if state != "error" && verdict.as_deref() != Some(wanted.id()) {
                findings.push(format!("{id} is {state} with {verdict:?}, not {wanted}"));
            }
        }
        findings.extend(
            expected
                .keys()
                .map(|id| format!("{id} was accepted and is not stored: lost")),
        );
        findings
    }
}
