//! Trying languages as a worker does when it starts.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;

use assize_common::language::Language;
use assize_worker::cancel::Cancel;
use assize_worker::judge::Judge;
use assize_worker::judging_error::JudgingError;
use indicatif::ProgressBar;
use serde::Serialize;

use crate::host;

/// Whether a language can be judged here.
#[derive(Debug, Serialize)]
pub struct LanguageState {
    /// The id of the language table's entry.
    pub id: String,
    /// Its name for people.
    pub name: String,
    /// Whether its self-test compiles, runs and prints what it should.
    pub works: bool,
    /// What its compiler says of its version, if it works.
    pub version: Option<String>,
    /// Why it does not work.
    pub problem: Option<String>,
}

/// Tries each language, in `jobs` slots at once; in the order given.
///
/// # Errors
/// When no language can be tried at all, or somebody cancelled.
pub fn try_all(
    judge: &Judge,
    languages: &[&Language],
    jobs: u16,
    bar: &ProgressBar,
    cancel: &Cancel,
) -> Result<Vec<LanguageState>, JudgingError> {
    let next = AtomicUsize::new(0);
    let (sender, receiver) = mpsc::channel();
    std::thread::scope(|scope| {
        for number in 0..jobs {
            let (sender, next) = (sender.clone(), &next);
            scope.spawn(move || {
                let mut slot = judge.slot(number, None);
                let take = || languages.get(next.fetch_add(1, Ordering::Relaxed));
                while let Some(language) = take() {
                    bar.set_message(language.name.clone());
                    let tried = judge.selftest(&mut slot, language, cancel);
                    bar.inc(1);
                    if sender.send((language, tried)).is_err() {
                        break;
                    }
                }
            });
        }
        drop(sender);
        let mut states = Vec::with_capacity(languages.len());
        for (language, tried) in receiver {
            let state = state(language, tried);
            states.push(state.inspect_err(|_| next.store(languages.len(), Ordering::Relaxed))?);
        }
        let place = |state: &LanguageState| {
            languages
                .iter()
                .position(|language| language.id == state.id)
        };
        states.sort_by_key(place);
        Ok(states)
    })
}

fn state(
    language: &Language,
    tried: Result<String, JudgingError>,
) -> Result<LanguageState, JudgingError> {
    let (version, problem) = match tried {
        Ok(version) => (Some(version), None),
        Err(JudgingError::LanguageUnavailable { reason, .. }) => (None, Some(reason)),
        Err(error) if matches!(error, JudgingError::Cancelled) || host::is_unfit(&error) => {
            return Err(error);
        }
        Err(error) => (None, Some(format!("{:#}", anyhow::Error::from(error)))),
    };
    Ok(LanguageState {
        id: language.id.clone(),
        name: language.name.clone(),
        works: version.is_some(),
        version,
        problem,
    })
}
