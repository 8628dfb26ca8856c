//! Finds tasks that the broker lost, as when its queues are purged, and asks for
//! their judgements again.
//!
//! A long wait alone proves nothing: the queue may be long or no worker there. A
//! task counts as lost when it was published long ago, its judgement was not
//! taken up, and either its lane's queue is empty and so is the queue of reports
//! (nobody is going to say that it was), or a task that was published much later
//! was taken up already (queues keep their order). All of that twice in a row, so
//! that a task on its way between two looks is not taken for lost. A wrong guess
//! costs a superfluous attempt and nothing else.

use std::collections::HashSet;

use assize_common::Lane;
use assize_common::amqp::{AmqpError, Connection, Topology};
use assize_common::message::HeldJudgement;
use assize_common::telemetry::error_chain;
use tokio_util::sync::CancellationToken;

use crate::settings::Settings;
use crate::store::{Store, StoreError, UndispatchedJudgement, judgement_redispatch, round};
use crate::window::MOST;

/// Looks for lost tasks of all lanes.
#[derive(Debug)]
pub(crate) struct LostTasks<'c> {
    store: Store,
    settings: Settings,
    topology: Topology,
    connection: &'c Connection,
    /// What looked lost the last time: all that a queue can hold, since what is lost keeps its lane full.
    suspects: HashSet<HeldJudgement>,
}

impl<'c> LostTasks<'c> {
    pub(crate) fn new(
        store: Store,
        settings: Settings,
        topology: Topology,
        connection: &'c Connection,
    ) -> Self {
        Self {
            store,
            settings,
            topology,
            connection,
            suspects: HashSet::new(),
        }
    }

    /// Looks until stopped.
    ///
    /// # Errors
    /// When the connection to the broker is not fit for use any more.
    pub(crate) async fn run(mut self, stop: CancellationToken) -> Result<(), AmqpError> {
        let interval = self.settings.lost_task_age / 4;
        while stop
            .run_until_cancelled(tokio::time::sleep(interval))
            .await
            .is_some()
        {
            // A purge can have lost many, which takes its time.
            let Some(looked) = stop.run_until_cancelled(self.look()).await else {
                break;
            };
            if let Err(error) = looked? {
                tracing::warn!(error = %error_chain(&error), "cannot look for lost tasks; trying again");
            }
        }
        Ok(())
    }

    async fn look(&mut self) -> Result<Result<(), StoreError>, AmqpError> {
        let mut suspects = HashSet::new();
        for lane in Lane::ALL {
            // First the queues, then the database: the other way round, a task
            // that is taken up in between would look lost.
            let silent = self.waiting(&self.topology.lane(lane)).await? == 0
                && self.waiting(&self.topology.reports()).await? == 0;
            let age = self.settings.lost_task_age;
            let overdue = self.store.judgement_list_undispatched(lane, age, MOST);
            let overdue = match round(overdue).await {
                Ok(overdue) => overdue,
                Err(error) => return Ok(Err(error)),
            };
            for judgement in overdue {
                if !silent && !judgement.overtaken {
                    continue;
                }
                if !self.suspects.contains(&judgement.held) {
                    suspects.insert(judgement.held);
                } else if let Err(error) = round(self.redispatch(judgement)).await {
                    return Ok(Err(error));
                }
            }
        }
        self.suspects = suspects;
        Ok(Ok(()))
    }

    async fn waiting(&self, queue: &str) -> Result<u32, AmqpError> {
        self.connection.waiting_messages(queue).await
    }

    async fn redispatch(&self, judgement: UndispatchedJudgement) -> Result<(), StoreError> {
        let mut transaction = self.store.begin().await?;
        let moved = judgement_redispatch(&mut transaction, judgement.held).await?;
        Store::commit(transaction).await?;
        if moved {
            tracing::warn!(
                judgement.id = %judgement.held.judgement_id,
                submission.id = %judgement.submission_id,
                attempt = judgement.held.attempt,
                "RabbitMQ lost a task: asking for it again"
            );
            metrics::counter!("assize_attempts_total", "outcome" => "undelivered").increment(1);
        }
        Ok(())
    }
}
