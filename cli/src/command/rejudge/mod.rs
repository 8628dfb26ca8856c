//! `assize rejudge`: judge again what was judged, look, and decide.

mod decide;
mod new;
mod review;
mod selection;
mod show;
mod side_by_side;
mod watch;

use std::process::ExitCode;

use clap::{Args, Subcommand};

/// Judge submissions again, see what would change, and apply or cancel it
#[derive(Debug, Args)]
#[command(arg_required_else_help = true)]
pub struct Rejudge {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    New(Box<new::New>),
    List(show::List),
    Show(show::Show),
    Watch(watch::Watch),
    Review(review::Review),
    Apply(decide::Apply),
    Cancel(decide::Cancel),
    Undo(decide::Undo),
    Pause(decide::Pause),
    Resume(decide::Resume),
}

impl Rejudge {
    /// Does it.
    ///
    /// # Errors
    /// When the scheduler does not answer or refuses.
    pub async fn execute(self) -> anyhow::Result<ExitCode> {
        match self.action {
            Action::New(new) => new.execute().await,
            Action::List(list) => list.execute().await,
            Action::Show(show) => show.execute().await,
            Action::Watch(watch) => watch.execute().await,
            Action::Review(review) => review.execute().await,
            Action::Apply(apply) => apply.execute().await,
            Action::Cancel(cancel) => cancel.execute().await,
            Action::Undo(undo) => undo.execute().await,
            Action::Pause(pause) => pause.execute().await,
            Action::Resume(resume) => resume.execute().await,
        }
    }
}
