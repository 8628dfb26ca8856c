//! The statements on the path of every submission, asked together by all requests of the moment.

use assize_common::id::TokenId;
use futures_util::FutureExt as _;

use crate::batcher::Batcher;
use crate::bell::Bells;
use crate::store::{Admission, Created, KnownToken, NewStoredSubmission, Store, Subject};

/// What a request to submit asks the database, one after the other.
#[derive(Debug, Clone)]
pub struct Intake {
    /// Whether a token is known.
    pub(crate) tokens: Batcher<TokenId, Option<KnownToken>>,
    /// What a submission is judged by; `None` if the problem takes none.
    pub(crate) admissions: Batcher<Subject, Option<Admission>>,
    /// Stores it.
    pub(crate) submissions: Batcher<NewStoredSubmission, Created>,
}

impl Intake {
    /// Asks this database, and rings for what is stored, whether or not anybody waits for
    /// the answer still.
    #[must_use]
    pub fn new(store: &Store, bells: &Bells) -> Self {
        let of = || store.clone();
        let bells = bells.clone();
        let (tokens, admissions, submissions) = (of(), of(), of());
        Self {
            tokens: Batcher::new(move |ids| {
                let store = tokens.clone();
                async move { store.token_list_find(&ids).await }.boxed()
            }),
            admissions: Batcher::new(move |subjects| {
                let store = admissions.clone();
                async move { store.admission_list(&subjects).await }.boxed()
            }),
            submissions: Batcher::new(move |new| {
                let (store, bells) = (submissions.clone(), bells.clone());
                async move {
                    let created = store.submission_list_create(&new).await?;
                    for new in &new {
                        bells.ring(new.lane);
                    }
                    Ok(created)
                }
                .boxed()
            }),
        }
    }
}
