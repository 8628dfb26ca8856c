//! A judgement once more on a worker: a rejudging of its submission that is never applied.

use std::time::Duration;

use assize_common::Stop;
use assize_common::api::{
    Judgement, JudgementProvenance, JudgementState, NewRejudging, Overrides, PackageChoice,
    Rejudging, RejudgingState, Selection,
};
use assize_common::language::NO_LANGUAGE;

use super::comparison::{Again, Comparison};
use super::require_verdict;
use crate::client::Api;
use crate::exit::{self, Failure};
use crate::follow::{Display, Silence};
use crate::interrupt;

/// How often to look.
const PAUSE: Duration = Duration::from_millis(500);

/// Has a worker judge it and compares. Nothing of it stays but a cancelled rejudging.
///
/// # Errors
/// When the scheduler refuses, there is no verdict, or another worker judged.
pub async fn judge_on(
    api: &Api,
    judgement: &Judgement,
    worker: &str,
) -> anyhow::Result<Comparison> {
    require_verdict(judgement)?;
    let provenance = api.provenance(judgement.summary.id).await?;
    if !provenance.scrutiny.is_none() {
        let message = "a flag asked for a closer look at it, which only a replay here takes: leave --worker out";
        return Err(Failure::new(exit::FAILURE, message).into());
    }
    let new = request(&provenance, worker);
    let stop = interrupt::listen()?;
    let rejudging = api.create_rejudging(&new, None).await?;
    let again = tokio::select! {
        again = wait(api, &rejudging, &provenance) => again,
        () = stop.cancelled() => Err(Failure::new(exit::INTERRUPTED, "interrupted").into()),
    };
    // Whatever came of it.
    let cancelled = api.cancel_rejudging(rejudging.id).await;
    let (again, by) = again?;
    cancelled?;
    if by.as_deref() != Some(worker) {
        let by = by.unwrap_or_else(|| "a worker without a name".to_owned());
        let message = format!("{by} has judged it: {worker} could not, or takes no more tasks");
        return Err(Failure::new(exit::JUDGING_ERROR, message).into());
    }
    Ok(Comparison::new(judgement, &provenance, again))
}

fn request(of: &JudgementProvenance, worker: &str) -> NewRejudging {
    let stop = of.reported.as_ref().and_then(|reported| reported.stop);
    NewRejudging {
        reason: format!("replay of judgement {} on {worker}", of.judgement_id),
        selection: Selection {
            filter: None,
            submissions: vec![of.submission_id],
        },
        overrides: Overrides {
            package: PackageChoice::Version(of.package_version),
            sandbox: Some(of.sandbox.mode),
            limits: of.limits,
            language: (of.language != NO_LANGUAGE).then(|| of.language.clone()),
            judge_all: stop == Some(Stop::End),
            from_scratch: true,
            worker: Some(worker.to_owned()),
            ..Overrides::default()
        },
        skip_taken: false,
    }
}

/// What came of the only submission, and who judged it.
async fn wait(
    api: &Api,
    rejudging: &Rejudging,
    of: &JudgementProvenance,
) -> anyhow::Result<(Again, Option<String>)> {
    let mut silence = Silence::default();
    loop {
        let answer = api.rejudging(rejudging.id).await;
        if let Some(now) = silence.heard(answer, &Display::Hidden)? {
            if now.state != RejudgingState::Open {
                let message = format!("rejudging {} is {} by now", rejudging.id, now.state);
                return Err(Failure::new(exit::FAILURE, message).into());
            }
            if now.progress.is_judged() {
                break;
            }
        }
        tokio::time::sleep(PAUSE).await;
    }
    let member = api
        .rejudging_member(rejudging.id, of.submission_id)
        .await?
        .ok_or_else(|| Failure::new(exit::FAILURE, "the rejudging has lost its submission"))?;
    let Some(new) = member.new else {
        let message = "it was not judged";
        return Err(Failure::new(exit::JUDGING_ERROR, message).into());
    };
    let judgement = api.judgement_by_id(new.id).await?;
    let provenance = api.provenance(new.id).await?;
    let summary = judgement.summary;
    let Some(verdict) = summary
        .verdict
        .filter(|_| summary.state == JudgementState::Done)
    else {
        let why = summary.error.unwrap_or_default();
        let message = format!("judging failed there: {why}");
        return Err(Failure::new(exit::JUDGING_ERROR, message).into());
    };
    let by = provenance.worker;
    let again = Again {
        place: by.clone().unwrap_or_default(),
        verdict,
        score: summary.score,
        runs: judgement.runs,
        provenance: provenance.reported,
    };
    Ok((again, by))
}
