//! `assize`: what a person types.
#![forbid(unsafe_code)]

use std::io::Write as _;
use std::process::ExitCode;

use assize::command;
use assize::{exit, host};
use clap::{CommandFactory as _, Parser, Subcommand};

/// Judge programs written by strangers: fairly, fast and safely
#[derive(Debug, Parser)]
#[command(name = "assize", version, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Demo(command::demo::Demo),
    Up(command::up::Up),
    Judge(command::judge::Judge),
    Run(command::run::Run),
    Doctor(command::doctor::Doctor),
    Problem(command::problem::Problem),
    Policy(command::policy::Policy),
    Submit(command::submit::Submit),
    Watch(command::watch::Watch),
    Submission(command::submission::Submission),
    Audit(command::audit::Audit),
    Flag(command::flag::Flag),
    Unflag(command::flag::Unflag),
    Pause(command::pause::Pause),
    StopRule(command::stop_rule::StopRule),
    Rejudge(command::rejudge::Rejudge),
    Replay(command::replay::Replay),
    Worker(command::worker::Worker),
    Dead(command::dead::Dead),
    Languages(command::languages::Languages),
    Completions(command::completions::Completions),
}

impl Command {
    /// Gets the rights to start jails, for what does so in this process.
    fn prepare(&self) -> anyhow::Result<()> {
        let needs_jails = match self {
            Self::Judge(_) | Self::Run(_) | Self::Doctor(_) | Self::Replay(_) => true,
            Self::Problem(problem) => problem.needs_jails(),
            Self::Policy(policy) => policy.needs_jails(),
            _ => false,
        };
        if needs_jails {
            host::become_able()?;
        }
        Ok(())
    }

    #[tokio::main]
    async fn execute(self) -> anyhow::Result<ExitCode> {
        match self {
            Self::Demo(demo) => demo.execute().await,
            Self::Up(up) => up.execute().await,
            Self::Judge(judge) => judge.execute().await,
            Self::Run(run) => run.execute().await,
            Self::Doctor(doctor) => doctor.execute().await,
            Self::Problem(problem) => problem.execute().await,
            Self::Policy(policy) => policy.execute().await,
            Self::Submit(submit) => submit.execute().await,
            Self::Watch(watch) => watch.execute().await,
            Self::Submission(submission) => submission.execute().await,
            Self::Audit(audit) => audit.execute().await,
            Self::Flag(flag) => flag.execute().await,
            Self::Unflag(unflag) => unflag.execute().await,
            Self::Pause(pause) => pause.execute().await,
            Self::StopRule(stop_rule) => stop_rule.execute().await,
            Self::Rejudge(rejudge) => rejudge.execute().await,
            Self::Replay(replay) => replay.execute().await,
            Self::Worker(worker) => worker.execute().await,
            Self::Dead(dead) => dead.execute().await,
            Self::Languages(languages) => languages.execute().await,
            Self::Completions(completions) => completions.execute(&mut Cli::command()),
        }
    }
}

fn main() -> ExitCode {
    let command = Cli::parse().command;
    // Before there are threads.
    let ended = command.prepare().and_then(|()| command.execute());
    match ended {
        Ok(code) => code,
        Err(error) if exit::is_output_closed(&error) => exit::OUTPUT_CLOSED.into(),
        Err(error) => {
            // Nothing is left to do if even this can't be written.
            drop(writeln!(std::io::stderr(), "assize: {error:#}"));
            exit::code_of(&error)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    /// Reviewed like an interface, because it is one. Renew it with
    /// `INSTA_UPDATE=always cargo test -p assize`.
    #[test]
    fn help_of_the_whole_command_line() {
        insta::assert_snapshot!(help(Cli::command().term_width(100)));
    }

    fn help(mut command: clap::Command) -> String {
        command.build();
        help_below(&mut command)
    }

    fn help_below(command: &mut clap::Command) -> String {
        let mut text = format!("{}\n\n", command.render_long_help());
        for sub in command.get_subcommands_mut() {
            if sub.get_name() != "help" {
                text.push_str("────\n");
                text.push_str(&help_below(sub));
            }
        }
        text
    }
}
