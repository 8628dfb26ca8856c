//! The AMQP seam: the only place that knows the client library.
//!
//! A [`Connection`] is never repaired in place. When it is lost, [`Connection::lost`]
//! says so, everything made from it fails, and its owner opens a new one: a state that
//! is rebuilt from nothing has no corner cases. The broker is a disposable
//! dispatch layer; whatever it forgets, Postgres still knows.

mod connection;
mod consumer;
mod line;
#[cfg(test)]
mod permission_tests;
mod publisher;
mod puller;
#[cfg(test)]
mod tls_tests;
mod topology;
mod url;

pub use connection::{Connection, Role};
pub use consumer::{Consumer, Death, Delivery};
pub use publisher::Publisher;
pub use puller::Puller;
pub use topology::Topology;
pub use url::AmqpUrl;

use std::path::PathBuf;

use lapin::ErrorKind;
use lapin::protocol::{AMQPErrorKind, AMQPHardError, AMQPSoftError};

/// What may be wrong with an encrypted connection.
const CERTIFICATE_HINT: &str = " Is its certificate for this host, and of an authority that ASSIZE_AMQP_CA or this host names?";

/// Why an exchange with the broker failed.
#[derive(Debug, thiserror::Error)]
pub enum AmqpError {
    /// The URL is none.
    #[error("{url} is not an AMQP URL such as amqp://user:password@host:5672/vhost: {problem}")]
    Url {
        /// The URL without its password.
        url: AmqpUrl,
        /// What is wrong with it.
        problem: String,
    },
    /// Authorities are named for a connection without TLS.
    #[error(
        "ASSIZE_AMQP_CA is set, but {url} is not encrypted: let ASSIZE_AMQP_URL begin with amqps://, or unset ASSIZE_AMQP_CA"
    )]
    Unencrypted {
        /// The URL without its password.
        url: AmqpUrl,
    },
    /// The file of authorities can't be read.
    #[error("cannot read {}, named by ASSIZE_AMQP_CA", path.display())]
    Authorities {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// The file of authorities holds none.
    #[error("{}, named by ASSIZE_AMQP_CA, holds no certificate in PEM", path.display())]
    NoCertificate {
        /// The file.
        path: PathBuf,
    },
    /// No connection came about.
    #[error(
        "cannot connect to RabbitMQ at {url}: is it running, and are user and virtual host right?{}",
        if url.is_encrypted() { CERTIFICATE_HINT } else { "" }
    )]
    Connect {
        /// The URL without its password.
        url: AmqpUrl,
        /// The cause.
        #[source]
        source: lapin::Error,
    },
    /// The broker did not answer in time.
    #[error("RabbitMQ did not answer within {seconds} s when asked to {attempt}")]
    Timeout {
        /// What was attempted.
        attempt: String,
        /// How long we waited.
        seconds: u64,
    },
    /// The broker refused or the connection broke.
    #[error("cannot {attempt}")]
    Operation {
        /// What was attempted.
        attempt: String,
        /// The cause.
        #[source]
        source: lapin::Error,
    },
    /// A worker finds no topology.
    #[error(
        "{what} can't be found in RabbitMQ: a scheduler of this release declares it when it connects; \
         does one run, with the same virtual host and ASSIZE_AMQP_PREFIX?"
    )]
    Missing {
        /// The exchange or queue.
        what: String,
        /// The cause.
        #[source]
        source: lapin::Error,
    },
    /// The broker took no responsibility for a message.
    #[error("RabbitMQ did not take the message for {queue}: {problem}")]
    NotTaken {
        /// The queue it was meant for.
        queue: String,
        /// Returned or refused.
        problem: &'static str,
    },
    /// The broker ended a consumer, as when its queue is deleted.
    #[error("RabbitMQ does not deliver from {queue} any more: was the queue deleted?")]
    ConsumerEnded {
        /// The queue.
        queue: String,
    },
    /// The acknowledgement came too late: its channel is gone and the message
    /// will be delivered again.
    #[error("cannot acknowledge a message: its channel is gone")]
    Stale,
}

impl AmqpError {
    /// Whether the broker answered and does not let us in: user, password or
    /// virtual host are wrong, and trying again will not help.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        let Self::Connect { source, .. } = self else {
            return false;
        };
        match source.kind() {
            ErrorKind::ProtocolError(error) => matches!(
                error.kind(),
                AMQPErrorKind::Soft(AMQPSoftError::ACCESSREFUSED)
                    | AMQPErrorKind::Hard(AMQPHardError::NOTALLOWED)
            ),
            _ => false,
        }
    }

    /// Whether the broker refuses the message itself, as for its size, and will
    /// do so again.
    #[must_use]
    pub fn is_refusal_of_message(&self) -> bool {
        let Self::Operation { source, .. } = self else {
            return false;
        };
        matches!(source.kind(), ErrorKind::ProtocolError(error)
            if matches!(error.kind(), AMQPErrorKind::Soft(AMQPSoftError::PRECONDITIONFAILED)))
    }

    const fn missing(what: String) -> impl FnOnce(lapin::Error) -> Self {
        move |source| Self::Missing { what, source }
    }

    fn operation(attempt: impl Into<String>) -> impl FnOnce(lapin::Error) -> Self {
        move |source| Self::Operation {
            attempt: attempt.into(),
            source,
        }
    }
}
