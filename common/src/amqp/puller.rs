//! Taking single messages, for those who must never hold more than they work on.

use lapin::options::BasicGetOptions;

use super::line::Line;
use super::{AmqpError, Delivery};

/// Takes messages one by one, only when asked to; cheap to clone, and clones
/// share a channel.
#[derive(Debug, Clone)]
pub struct Puller {
    line: Line,
}

impl Puller {
    pub(super) const fn new(line: Line) -> Self {
        Self { line }
    }

    /// The next message of `queue`, if there is one. Let it come to its end: a
    /// message that arrives for nobody stays taken until the connection ends.
    ///
    /// # Errors
    /// When the connection is lost or the queue is gone.
    pub async fn pull(&self, queue: &str) -> Result<Option<Delivery>, AmqpError> {
        let attempt = format!("take a message from queue {queue}");
        let pulling = self
            .line
            .channel
            .basic_get(queue.into(), BasicGetOptions::default());
        let message = self.line.ask(&attempt, pulling).await?;
        Ok(message.map(|message| Delivery::new(message.delivery, self.line.clone())))
    }
}
