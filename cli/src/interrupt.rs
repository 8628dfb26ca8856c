//! Being told to stop: Ctrl-C, `kill`, or a terminal that is closed.

use std::io::Write as _;
use std::process;

use anyhow::Context as _;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::exit;

/// Cancels the token at the first signal to stop. A second one is for those who
/// can't wait: it ends this process at once, as if nobody listened.
///
/// # Errors
/// When signals can't be listened to.
pub fn listen() -> anyhow::Result<CancellationToken> {
    let mut signals = Signals::new().context("cannot listen to signals")?;
    let token = CancellationToken::new();
    let first = token.clone();
    tokio::spawn(async move {
        signals.next().await;
        first.cancel();
        signals.next().await;
        // Children notice that we are gone and stop by themselves.
        drop(writeln!(
            std::io::stderr(),
            "assize: not waiting any longer"
        ));
        leave();
    });
    Ok(token)
}

#[expect(clippy::exit, reason = "whoever signals twice wants no cleaning up")]
fn leave() -> ! {
    process::exit(i32::from(exit::INTERRUPTED))
}

struct Signals([Signal; 3]);

impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self([
            signal(SignalKind::interrupt())?,
            signal(SignalKind::terminate())?,
            signal(SignalKind::hangup())?,
        ]))
    }

    async fn next(&mut self) {
        let [interrupt, terminate, hangup] = &mut self.0;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
    }
}
