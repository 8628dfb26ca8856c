//! What many ask for at the same time is done together: for Postgres one statement about many rows
//! is far cheaper than as many statements.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::sync::{mpsc, oneshot};

use crate::store::StoreError;

/// Together at most: enough that a statement costs little for each, few enough that nobody waits for it.
const MOST: usize = 128;

/// How long a batch may take: those who come after it do not wait for a database that has fallen silent.
/// Longer than a statement waits for a lock, whose error is another one.
const PATIENCE: Duration = Duration::from_secs(15);

type Work<Q, A> = dyn Fn(Vec<Q>) -> BoxFuture<'static, Result<Vec<A>, StoreError>> + Send + Sync;

/// Asks questions together. One batch is under way at a time, and all that come meanwhile are the
/// next one: whoever is alone waits for nobody.
pub(crate) struct Batcher<Q, A> {
    queue: mpsc::Sender<(Q, oneshot::Sender<Result<A, StoreError>>)>,
    work: Arc<Work<Q, A>>,
}

impl<Q, A> std::fmt::Debug for Batcher<Q, A> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Batcher").finish_non_exhaustive()
    }
}

impl<Q, A> Clone for Batcher<Q, A> {
    fn clone(&self) -> Self {
        Self {
            queue: self.queue.clone(),
            work: Arc::clone(&self.work),
        }
    }
}

impl<Q: Clone + Send + 'static, A: Send + 'static> Batcher<Q, A> {
    /// `work` answers questions in their order. Of several it may fail because of one.
    pub(crate) fn new(
        work: impl Fn(Vec<Q>) -> BoxFuture<'static, Result<Vec<A>, StoreError>> + Send + Sync + 'static,
    ) -> Self {
        let (queue, mut waiting) = mpsc::channel(MOST);
        let work: Arc<Work<Q, A>> = Arc::new(work);
        let batches = Arc::clone(&work);
        tokio::spawn(async move {
            let mut batch = Vec::new();
            while waiting.recv_many(&mut batch, MOST).await > 0 {
                let (questions, askers): (Vec<_>, Vec<oneshot::Sender<_>>) =
                    batch.drain(..).unzip();
                // On its own, so that a panic ends nothing else.
                let answering = tokio::time::timeout(PATIENCE, batches(questions));
                let answers = match tokio::spawn(answering).await {
                    Ok(Ok(Ok(answers))) => answers.into_iter().map(Ok).collect(),
                    Ok(Ok(Err(error))) if askers.len() == 1 => vec![Err(error)],
                    Ok(Ok(Err(error))) if error.is_unavailability() => {
                        nobody_answered(error, askers.len())
                    }
                    Ok(Err(_)) => {
                        nobody_answered(StoreError::Silent { waited: PATIENCE }, askers.len())
                    }
                    // It may be one question's fault: those who get no answer ask alone.
                    Ok(Ok(Err(_))) | Err(_) => Vec::new(),
                };
                for (asker, answer) in askers.into_iter().zip(answers) {
                    // Whoever went away meanwhile does not mind.
                    drop(asker.send(answer));
                }
            }
        });
        Self { queue, work }
    }

    /// Asks one question.
    ///
    /// # Errors
    /// When it can't be answered.
    pub(crate) async fn ask(&self, question: Q) -> Result<A, StoreError> {
        let (asker, answer) = oneshot::channel();
        let asked = self.queue.send((question.clone(), asker)).await;
        if asked.is_ok()
            && let Ok(answer) = answer.await
        {
            return answer;
        }
        let mut alone = (self.work)(vec![question]).await?;
        #[expect(clippy::expect_used, reason = "what `new` demands of `work`")]
        Ok(alone.pop().expect("an answer to each question"))
    }
}

/// Each would get the same, one after the other.
fn nobody_answered<A>(error: StoreError, askers: usize) -> Vec<Result<A, StoreError>> {
    let error = Arc::new(error);
    std::iter::repeat_with(|| Err(StoreError::Together(Arc::clone(&error))))
        .take(askers)
        .collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use futures_util::FutureExt as _;
    use futures_util::future::join_all;
    use tokio::sync::Semaphore;

    use super::*;

    /// Doubles numbers: thirteen panics, seven breaks everything, and with four nobody answers.
    struct Doubling {
        batcher: Batcher<u32, u32>,
        /// How many came together.
        sizes: Arc<Mutex<Vec<usize>>>,
        /// One for each batch that may go on.
        permits: Arc<Semaphore>,
    }

    impl Doubling {
        fn new(permits: usize) -> Self {
            let sizes = Arc::new(Mutex::new(Vec::new()));
            let permits = Arc::new(Semaphore::new(permits));
            let (noted, permitted) = (Arc::clone(&sizes), Arc::clone(&permits));
            let batcher = Batcher::new(move |numbers: Vec<u32>| {
                noted.lock().unwrap().push(numbers.len());
                let permits = Arc::clone(&permitted);
                async move {
                    permits.acquire().await.unwrap().forget();
                    assert!(!numbers.contains(&13), "a panic");
                    if numbers.contains(&4) {
                        let waited = Duration::ZERO;
                        return Err(StoreError::Silent { waited });
                    }
                    if numbers.contains(&7) {
                        return Err(StoreError::TooLarge { what: "seven" });
                    }
                    Ok(numbers.into_iter().map(|number| 2 * number).collect())
                }
                .boxed()
            });
            Self {
                batcher,
                sizes,
                permits,
            }
        }

        fn sizes(&self) -> Vec<usize> {
            self.sizes.lock().unwrap().clone()
        }
    }

    #[tokio::test]
    async fn what_comes_meanwhile_is_asked_together() {
        let doubling = Doubling::new(0);
        let batcher = &doubling.batcher;
        let later = async {
            while doubling.sizes().is_empty() {
                tokio::task::yield_now().await;
            }
            // All five wait before the first one is answered.
            let asked = join_all((20..25).map(|number| batcher.ask(number)));
            let (answers, ()) = tokio::join!(asked, async { doubling.permits.add_permits(2) });
            answers.into_iter().map(Result::unwrap).collect::<Vec<_>>()
        };
        let (first, later) = tokio::join!(batcher.ask(0), later);
        assert_eq!((first.unwrap(), later), (0, vec![40, 42, 44, 46, 48]));
        assert_eq!(doubling.sizes(), [1, 5]);
    }

    #[tokio::test]
    async fn what_fails_fails_alone() {
        let doubling = Doubling::new(100);
        let batcher = &doubling.batcher;
        let answers = join_all((5..9).map(|number| batcher.ask(number))).await;
        let answers: Vec<Option<u32>> = answers.into_iter().map(Result::ok).collect();
        assert_eq!(answers, [Some(10), Some(12), None, Some(16)]);
        assert_eq!(doubling.sizes(), [4, 1, 1, 1, 1]);
        batcher.ask(7).await.unwrap_err();
        assert_eq!(doubling.sizes().len(), 6, "alone it is not asked again");
    }

    #[tokio::test]
    async fn nobody_asks_again_while_nobody_answers() {
        let doubling = Doubling::new(100);
        let batcher = &doubling.batcher;
        for answer in join_all((2..6).map(|number| batcher.ask(number))).await {
            assert!(answer.unwrap_err().is_transient());
        }
        assert_eq!(doubling.sizes(), [4]);
    }

    #[tokio::test]
    async fn a_panic_ends_nobody_else() {
        let doubling = Doubling::new(100);
        let batcher = doubling.batcher.clone();
        let unlucky = tokio::spawn(async move { batcher.ask(13).await });
        assert!(unlucky.await.unwrap_err().is_panic());
        assert_eq!(doubling.batcher.ask(1).await.unwrap(), 2);
    }
}
