//! `assize flag` and `assize unflag`: what deserves a closer look.

use std::path::PathBuf;
use std::process::ExitCode;

use assize_common::Scrutiny;
use assize_common::api::{FlagScope, NewFlag};
use assize_common::id::SubmissionId;
use assize_common::scrutiny::AuditDetail;
use clap::Args;

use crate::client::ServerArguments;
use crate::{columns, exit, output};

/// Have a submission, or all further ones of a problem or team, judged under ptrace; without any, list the flags
///
/// A submission that was judged without ptrace is judged again under it, once, beside the verdict, which stays.
/// With --audit, --rules or --observe, a submission is judged again so each time it is flagged, and that never counts.
/// `assize audit show` tells what was seen.
#[derive(Debug, Args)]
pub struct Flag {
    #[command(flatten)]
    subject: Subject,
    /// Why, for other admins
    #[arg(long, required_unless_present = "list")]
    reason: Option<String>,
    /// How much is recorded: summary, decisions or full
    #[arg(long, value_name = "LEVEL", requires = "reason")]
    audit: Option<AuditDetail>,
    /// Rules that are held besides, as in `assize-policy.toml` of a package
    #[arg(long, value_name = "FILE", requires = "reason")]
    rules: Option<PathBuf>,
    /// Let through what policies kill for, and record it; the verdict does not count
    #[arg(long, requires = "reason", conflicts_with_all = ["problem", "team"])]
    observe: bool,
    /// List the flags
    #[arg(long, conflicts_with_all = ["submission", "problem", "team", "reason"])]
    list: bool,
    #[command(flatten)]
    server: ServerArguments,
    /// JSON instead of text
    #[arg(long)]
    json: bool,
}

/// Take off a flag: what comes is judged as usual, and old audits go in their time
#[derive(Debug, Args)]
pub struct Unflag {
    #[command(flatten)]
    subject: Subject,
    #[command(flatten)]
    server: ServerArguments,
}

#[derive(Debug, Args)]
#[group(id = "subject", required = false, multiple = false)]
struct Subject {
    /// The submission
    #[arg(value_name = "SUBMISSION")]
    submission: Option<SubmissionId>,
    /// All further submissions to this problem
    #[arg(long, value_name = "NAME")]
    problem: Option<String>,
    /// All further submissions of this team
    #[arg(long)]
    team: Option<String>,
}

impl Subject {
    fn named(self) -> anyhow::Result<(FlagScope, String)> {
        let submission = self.submission.map(|id| id.to_string());
        [
            (FlagScope::Submission, submission),
            (FlagScope::Problem, self.problem),
            (FlagScope::Team, self.team),
        ]
        .into_iter()
        .find_map(|(scope, subject)| Some((scope, subject?)))
        .ok_or_else(|| {
            let message = "name a submission, or --problem NAME, or --team TEAM";
            exit::Failure::new(exit::USAGE, message).into()
        })
    }
}

impl Flag {
    /// Flags.
    ///
    /// # Errors
    /// When the scheduler does not answer, or there is no such submission.
    pub async fn execute(self) -> anyhow::Result<ExitCode> {
        let api = self.server.api()?;
        let Some(reason) = self.reason else {
            let flags = api.flags().await?.flags;
            if self.json {
                output::print_json(flags)?;
                return Ok(ExitCode::from(exit::OK));
            }
            let mut table = columns::table(["on", "subject", "why", "besides"]);
            for flag in flags {
                let besides = scrutiny(&flag.scrutiny);
                table.add_row([flag.scope.to_string(), flag.subject, flag.reason, besides]);
            }
            output::print(&table.trim_fmt())?;
            return Ok(ExitCode::from(exit::OK));
        };
        let (scope, subject) = self.subject.named()?;
        let rules = self.rules.map(|file| {
            std::fs::read_to_string(&file).map_err(|error| {
                let message = format!("cannot read the rules in {}", file.display());
                exit::Failure::new(exit::USAGE, message).because(error)
            })
        });
        let new = NewFlag {
            scope,
            subject,
            reason,
            scrutiny: Scrutiny {
                audit: self.audit,
                observe: self.observe,
                layers: rules.transpose()?.into_iter().collect(),
            },
        };
        let flagged = api.set_flag(&new).await?;
        if self.json {
            output::print_json([flagged])?;
        } else if let Some(id) = flagged.escalation {
            output::print(&format!("judgement {id} looks at it again under ptrace"))?;
        }
        Ok(ExitCode::from(exit::OK))
    }
}

/// What a flag asks for besides ptrace, in a few words.
#[must_use]
pub fn scrutiny(scrutiny: &Scrutiny) -> String {
    let audit = scrutiny.audit.map(|audit| format!("audit {audit}"));
    let observe = scrutiny.observe.then(|| "observed only".to_owned());
    let rules = (!scrutiny.layers.is_empty()).then(|| "rules".to_owned());
    let words: Vec<_> = [audit, observe, rules].into_iter().flatten().collect();
    words.join(", ")
}

impl Unflag {
    /// Takes the flag off.
    ///
    /// # Errors
    /// When the scheduler does not answer, or there is no such flag.
    pub async fn execute(self) -> anyhow::Result<ExitCode> {
        let (scope, subject) = self.subject.named()?;
        self.server.api()?.remove_flag(scope, &subject).await?;
        Ok(ExitCode::from(exit::OK))
    }
}
