//! Taking single messages, for those who must never hold more than they work on.

use lapin::Channel;
use lapin::options::BasicGetOptions;

use super::connection::within;
use super::{AmqpError, Delivery};

/// Takes messages one by one, only when asked to; cheap to clone, and clones
/// share a channel.
#[derive(Debug, Clone)]
pub struct Puller {
    channel: Channel,
}

impl Puller {
    pub(super) const fn new(channel: Channel) -> Self {
        Self { channel }
    }

    /// The next message of `queue`, if there is one. Let it come to its end: a
    /// message that arrives for nobody stays taken until the connection ends.
    ///
    /// # Errors
    /// When the connection is lost or the queue is gone.
    pub async fn pull(&self, queue: &str) -> Result<Option<Delivery>, AmqpError> {
        let attempt = format!("take a message from queue {queue}");
        let pulling = self
            .channel
            .basic_get(queue.into(), BasicGetOptions::default());
        let message = within(&attempt, pulling)
            .await?
            .map_err(AmqpError::operation(attempt))?;
        Ok(message.map(|message| Delivery::new(message.delivery, self.channel.clone())))
    }
}
