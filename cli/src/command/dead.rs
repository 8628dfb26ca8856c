//! `assize dead`: messages that nobody could read or finish.

use std::collections::HashSet;
use std::process::ExitCode;

use assize_common::api::{DeadLetterInfo, DeadLetterState};
use assize_common::telemetry::error_chain;
use clap::{ArgGroup, Args, Subcommand};

use crate::client::{Api, ClientError, ServerArguments};
use crate::{columns, exit, output};

/// Look at dead letters and decide about them
#[derive(Debug, Args)]
#[command(arg_required_else_help = true)]
pub struct Dead {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List the dead letters that nobody has decided about, the latest first
    List(List),
    /// Show a dead letter with its message
    Show(Show),
    /// Put dead letters back into their queues
    Retry(Decide),
    /// Drop dead letters; their records stay for a month
    Drop(Decide),
}

#[derive(Debug, Args)]
struct List {
    /// Those too that somebody has decided about
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    server: ServerArguments,
    /// One JSON object a line for each dead letter instead of a table
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct Show {
    /// Its number, as `assize dead list` shows it
    id: i64,
    #[command(flatten)]
    server: ServerArguments,
    /// A JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
#[command(group(ArgGroup::new("which").required(true).args(["ids", "all"])))]
struct Decide {
    /// Their numbers, as `assize dead list` shows them
    ids: Vec<i64>,
    /// All that nobody has decided about
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    server: ServerArguments,
}

impl Dead {
    /// Does it.
    ///
    /// # Errors
    /// When the scheduler does not answer or refuses.
    pub async fn execute(self) -> anyhow::Result<ExitCode> {
        match self.action {
            Action::List(list) => list.execute().await?,
            Action::Show(show) => show.execute().await?,
            Action::Retry(decide) => {
                let retry = async |api: &Api, id| api.retry_dead_letter(id).await;
                return decide.execute("put back into its queue", retry).await;
            }
            Action::Drop(decide) => {
                let drop = async |api: &Api, id| api.drop_dead_letter(id).await;
                return decide.execute("dropped", drop).await;
            }
        }
        Ok(ExitCode::from(exit::OK))
    }
}

impl Decide {
    /// Decides about each of them, whatever becomes of the others.
    async fn execute(
        self,
        done: &str,
        decide: impl AsyncFn(&Api, i64) -> Result<(), ClientError>,
    ) -> anyhow::Result<ExitCode> {
        let api = self.server.api()?;
        let list = async || {
            if self.all {
                waiting(&api).await
            } else {
                Ok(self.ids.clone())
            }
        };
        let (tried, failed) = decide_each(list, async |id| decide(&api, id).await, done).await?;
        let decided = tried - failed;
        output::note(&format!("{decided} of {tried} dead letters {done}"));
        Ok(ExitCode::from(if failed == 0 {
            exit::OK
        } else {
            exit::FAILURE
        }))
    }
}

/// Decides about all that are listed, until there are none that were not tried, but for
/// those that came since it began, such as what was sent again and came back. Returns how
/// many were tried, and of how many that failed.
async fn decide_each(
    list: impl AsyncFn() -> anyhow::Result<Vec<i64>>,
    decide: impl AsyncFn(i64) -> Result<(), ClientError>,
    done: &str,
) -> anyhow::Result<(usize, usize)> {
    let (mut tried, mut failed) = (HashSet::new(), 0);
    let mut last = None;
    loop {
        let mut ids = list().await?;
        let last = *last.get_or_insert_with(|| ids.iter().copied().max());
        ids.retain(|id| Some(*id) <= last && tried.insert(*id));
        if ids.is_empty() {
            return Ok((tried.len(), failed));
        }
        for id in ids {
            match decide(id).await {
                Ok(()) => output::note(&format!("dead letter {id}: {done}")),
                Err(error) => {
                    failed += 1;
                    output::note(&format!("dead letter {id}: {}", error_chain(&error)));
                }
            }
        }
    }
}

/// The next of those that nobody has decided about: the scheduler lists so many at a time.
async fn waiting(api: &Api) -> anyhow::Result<Vec<i64>> {
    let mut listed = api.dead_letters(false).await?.dead_letters;
    listed.retain(|dead| dead.state == DeadLetterState::Waiting);
    Ok(listed.iter().map(|dead| dead.id).collect())
}

impl List {
    async fn execute(self) -> anyhow::Result<()> {
        let dead_letters = self
            .server
            .api()?
            .dead_letters(self.all)
            .await?
            .dead_letters;
        if self.json {
            output::print_json(dead_letters)
        } else {
            output::print(&table(&dead_letters))
        }
    }
}

impl Show {
    async fn execute(self) -> anyhow::Result<()> {
        let dead = self.server.api()?.dead_letter(self.id).await?;
        if self.json {
            return output::print_json([dead]);
        }
        output::print(&table(std::slice::from_ref(&dead.info)))?;
        output::print(&dead.message)
    }
}

fn table(dead_letters: &[DeadLetterInfo]) -> String {
    let mut table = columns::table(["id", "queue", "bytes", "found", "state", "reason"]);
    for dead in dead_letters {
        table.add_row([
            dead.id.to_string(),
            dead.queue.clone(),
            dead.size_bytes.to_string(),
            columns::moment(dead.received_at),
            dead.state.to_string(),
            dead.reason.clone(),
        ]);
    }
    columns::align_right(&mut table, [0, 2]);
    table.trim_fmt()
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    #[tokio::test]
    async fn one_that_fails_stops_nothing() {
        let waiting = RefCell::new(vec![4, 3, 2, 1]);
        // Two at a time, the latest first.
        let list = async || Ok(waiting.borrow().iter().copied().take(2).collect());
        let decide = async |id| {
            if id == 4 {
                return Err(ClientError::InvalidToken);
            }
            waiting.borrow_mut().retain(|other| *other != id);
            Ok(())
        };
        let (tried, failed) = decide_each(list, decide, "dropped").await.unwrap();
        assert_eq!((tried, failed), (4, 1));
        assert_eq!(*waiting.borrow(), [4]);
    }

    #[tokio::test]
    async fn what_comes_back_is_left_for_the_next_time() {
        let waiting = RefCell::new(vec![2, 1]);
        let list = async || Ok(waiting.borrow().clone());
        let send_again = async |id| {
            let mut waiting = waiting.borrow_mut();
            waiting.retain(|other| *other != id);
            waiting.insert(0, id + 2);
            Ok(())
        };
        let (tried, failed) = decide_each(list, send_again, "sent").await.unwrap();
        assert_eq!((tried, failed), (2, 0));
    }
}
