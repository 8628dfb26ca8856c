//! A course of faults under load, and the reckoning.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::JoinHandle;
use uuid::Uuid;

use super::clock;
use super::daemon::Daemon;
use super::damage::Damage;
use super::fault::Fault;
use super::installation::{Installation, LEASE, Shape};
use super::load::Program;
use super::matrix::{Matrix, Outcome};
use super::random::Random;

/// So many submissions wait or run at any time.
const OPEN: usize = 24;
/// The same in a mix, of which the number counts and not how soon all are judged.
const OPEN_IN_MIX: usize = 80;
/// What is not judged so long after the last fault is lost.
const PATIENCE: Duration = Duration::from_secs(120);
/// How many faults of a mix come before everybody waits for the end of their consequences.
const MIXED: usize = 20;

/// An installation under load with what came of the faults so far.
pub(super) struct Trial {
    installation: Arc<Installation>,
    random: Random,
    matrix: Matrix,
    /// As far as it was looked at.
    damage: Damage,
    begin: Instant,
    load: JoinHandle<()>,
    rejudging: JoinHandle<()>,
}

impl Trial {
    pub(super) async fn start(random: Random) -> Self {
        Self::start_with(random, Shape::default()).await
    }

    async fn start_with(random: Random, shape: Shape) -> Self {
        let installation = Arc::new(Installation::start(shape).await);
        installation.load.want(OPEN);
        let load = tokio::spawn(Arc::clone(&installation.load).keep());
        let rejudging = tokio::spawn(Arc::clone(&installation.load).rejudge());
        let trial = Self {
            installation,
            random,
            matrix: Matrix::default(),
            damage: Damage::default(),
            begin: Instant::now(),
            load,
            rejudging,
        };
        // Nothing is proved by faults that hit nobody.
        while trial.installation.load.accepted() < 2 * OPEN {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        trial
    }

    /// One with a RabbitMQ that is patient with tasks under way, and a lease that no
    /// worker misses since the machine is busy.
    pub(super) async fn start_in_peace(random: Random) -> Self {
        let shape = Shape {
            lease: 5 * LEASE,
            acknowledged: PATIENCE,
            ..Shape::default()
        };
        Self::start_with(random, shape).await
    }

    /// One whose packages and sources are in a bucket.
    pub(super) async fn start_with_bucket(random: Random) -> Self {
        let shape = Shape {
            bucket: true,
            ..Shape::default()
        };
        Self::start_with(random, shape).await
    }

    /// RabbitMQ takes no messages for so long: nobody loses a connection or an attempt
    /// by that.
    pub(super) async fn sit_out_alarm(&self, time: Duration) {
        let installation = &self.installation;
        let connections = || -> Vec<usize> {
            let logs = installation.daemons().map(Daemon::log);
            logs.map(|log| log.matches("connected to RabbitMQ").count())
                .collect()
        };
        let before = connections();
        assert!(before.iter().all(|connections| *connections > 0));
        installation.rabbitmq.alarm(time).await;
        // What was under way then is over.
        let accepted = installation.load.accepted();
        while installation.load.accepted() < accepted + 2 * OPEN {
            assert!(self.begin.elapsed() < PATIENCE, "nothing is judged");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert_eq!(connections(), before);
        let failed =
            "SELECT failures, losses, last_failure FROM judgements WHERE failures + losses > 0";
        let failed: Vec<(i32, i32, Option<String>)> = sqlx::query_as(failed)
            .fetch_all(&installation.database)
            .await
            .unwrap();
        assert_eq!(failed, []);
    }

    /// One fault, and its consequences to the end.
    pub(super) async fn alone(&mut self, fault: Fault) {
        let random = self.random.fork();
        let mut outcome = suffer(&self.installation, fault, random).await;
        outcome.alone = true;
        outcome.doubled = violations(&self.installation, false).await.len();
        self.note(fault, outcome).await;
        self.assess(&[fault]).await;
    }

    /// Several faults, each coming whether or not the ones before are over.
    pub(super) async fn mix(&mut self) {
        self.installation.be_patient().await;
        self.installation.load.want(OPEN_IN_MIX);
        let all = Fault::all();
        let mut suffering = Vec::new();
        for _ in 0..MIXED {
            let fault = *self.random.pick(&all);
            let random = self.random.fork();
            let installation = Arc::clone(&self.installation);
            suffering.push((
                fault,
                tokio::spawn(async move { suffer(&installation, fault, random).await }),
            ));
            tokio::time::sleep(self.random.millis(300, 2_500)).await;
        }
        let mut faults = Vec::new();
        for (fault, outcome) in suffering {
            let outcome = outcome.await.unwrap();
            self.note(fault, outcome).await;
            faults.push(fault);
        }
        self.assess(&faults).await;
        let findings = violations(&self.installation, false).await;
        if !findings.is_empty() {
            self.fail(findings);
        }
    }

    /// Looks for what none of the latest faults may do.
    async fn assess(&mut self, faults: &[Fault]) {
        let damage = self.installation.damage().await;
        let findings = damage.beyond(&self.damage, faults);
        if !findings.is_empty() {
            let faults: Vec<String> = faults.iter().map(Fault::to_string).collect();
            self.fail(vec![format!(
                "{}: {}",
                faults.join(", "),
                findings.join(", ")
            )]);
        }
        self.damage = damage;
    }

    /// A submission that takes long, which is judged once and nobody is blamed for.
    pub(super) async fn judge_at_length(&self) {
        let installation = &self.installation;
        let id = installation.load.submit(Program::Long).await;
        let (attempt, failures, losses) = loop {
            let ended: Option<(i32, i32, i32)> = sqlx::query_as(
                "SELECT attempt, failures, losses FROM judgements WHERE submission_id = $1 AND state = 'done'",
            )
            .bind(id.as_uuid())
            .fetch_optional(&installation.database)
            .await
            .unwrap();
            if let Some(ended) = ended {
                break ended;
            }
            assert!(self.begin.elapsed() < PATIENCE, "it is not judged");
            tokio::time::sleep(Duration::from_millis(100)).await;
        };
        assert_eq!((attempt, failures, losses), (1, 0, 0));
    }

    async fn note(&mut self, fault: Fault, outcome: Outcome) {
        self.matrix.add(fault, outcome);
        #[expect(clippy::print_stderr, reason = "a run of hours shows that it goes on")]
        {
            eprintln!(
                "{:6.0} s, {:4} faults, {:6} submissions: {fault}: {} under way, recovered after {:.1} s",
                self.begin.elapsed().as_secs_f64(),
                self.matrix.runs(),
                self.installation.load.accepted(),
                outcome.under_way,
                outcome.recovery.as_secs_f64(),
            );
        }
        if outcome.lost + outcome.doubled > 0 {
            let findings = violations(&self.installation, false).await;
            self.fail(vec![format!("{fault}: {outcome:?}, {findings:?}")]);
        }
    }

    /// Stops the load, and looks at what is left.
    pub(super) async fn end(mut self) {
        let installation = &self.installation;
        let mut findings = Vec::new();
        installation.load.finish().await;
        self.load.abort();
        match tokio::time::timeout(PATIENCE, &mut self.rejudging).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => findings.push(format!("rejudging: {error}")),
            Err(_) => findings.push("the last rejudging does not come to its end".to_owned()),
        }
        let emptied = async {
            while !installation.waiting_messages().await.is_empty() {
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        };
        if tokio::time::timeout(PATIENCE, emptied).await.is_err() {
            let left = installation.waiting_messages().await;
            findings.push(format!("messages are left: {left:?}"));
        }
        findings.extend(violations(installation, true).await);
        findings.extend(installation.load.findings().await);
        let damage = installation.damage().await;
        findings.extend(damage.beyond(&self.damage, &[]));
        for daemon in installation.daemons() {
            daemon.end("TERM").await;
        }
        installation.rabbitmq.end().await;
        installation.postgres.end().await;
        clock::remove_traces();
        findings.extend(installation.leftovers());
        self.damage = damage;
        if !findings.is_empty() {
            self.fail(findings);
        }
        self.print();
    }

    #[expect(clippy::print_stdout, reason = "the result")]
    fn print(&self) {
        println!(
            "{} faults over {} submissions in {:.0} minutes; {} lost, {} judging errors\n\n{}",
            self.matrix.runs(),
            self.installation.load.accepted(),
            self.begin.elapsed().as_secs_f64() / 60.0,
            self.matrix.lost(),
            self.damage.errors(),
            self.matrix,
        );
    }

    fn fail(&self, findings: Vec<String>) -> ! {
        // What was found after hours is worth as much as that one finding.
        self.print();
        let logs = self.installation.keep_logs();
        panic!("{}\nlogs: {}", findings.join("\n"), logs.display());
    }
}

/// Injects a fault and waits until all that was accepted before its end is judged.
async fn suffer(installation: &Installation, fault: Fault, mut random: Random) -> Outcome {
    let under_way = installation.load.open().await.unwrap_or(0);
    installation.inject(fault, &mut random).await;
    let begin = Instant::now();
    // Those that were open when it was over: by their names, whatever the clock says. Rejudgements may wait while
    // there is live work, and are looked at in the end.
    let mut open: Option<Vec<Uuid>> = None;
    while open.as_ref().is_none_or(|open| !open.is_empty()) && begin.elapsed() < PATIENCE {
        tokio::time::sleep(Duration::from_millis(25)).await;
        let waiting = sqlx::query_scalar(
            "SELECT id FROM judgements
             WHERE state IN ('queued', 'running') AND is_current AND ($1::uuid[] IS NULL OR id = ANY ($1))",
        );
        let waiting = waiting.bind(&open).fetch_all(&installation.database).await;
        open = waiting.ok().or(open);
    }
    Outcome {
        under_way,
        lost: open.map_or(usize::MAX, |open| open.len()),
        doubled: 0,
        recovery: begin.elapsed(),
        alone: false,
    }
}

async fn violations(installation: &Installation, at_rest: bool) -> Vec<String> {
    let violations = installation.store.invariant_check(at_rest).await.unwrap();
    let violations = violations.into_iter();
    violations
        .map(|violation| {
            format!(
                "{}: {} {}",
                violation.rule, violation.subject, violation.detail
            )
        })
        .collect()
}
