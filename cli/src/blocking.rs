//! Judging blocks its thread; a signal to stop has to reach it all the same.

use anyhow::Context as _;
use assize_worker::cancel::Cancel;

use crate::exit::{self, Failure};
use crate::interrupt;

/// Does `work` on a thread of its own. A signal to stop cancels it; it is waited
/// for all the same, so that it leaves nothing behind.
///
/// # Errors
/// That of `work`, or a [`Failure`] of code [`exit::INTERRUPTED`] if it was
/// cancelled.
pub async fn until_cancelled<T: Send + 'static>(
    work: impl FnOnce(&Cancel) -> anyhow::Result<T> + Send + 'static,
) -> anyhow::Result<T> {
    let stop = interrupt::listen()?;
    let cancel = Cancel::default();
    let mut working = tokio::task::spawn_blocking({
        let cancel = cancel.clone();
        move || work(&cancel)
    });
    let result = tokio::select! {
        result = &mut working => result,
        () = stop.cancelled() => {
            cancel.cancel();
            working.await
        }
    };
    if cancel.is_cancelled() {
        return Err(Failure::new(exit::INTERRUPTED, "interrupted").into());
    }
    result.context("a thread has panicked")?
}
