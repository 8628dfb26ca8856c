//! The broker's URL, whose password never shows, and whom to trust there.

use std::fmt;
use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;

use lapin::uri::AMQPUri;

use super::AmqpError;

/// What RabbitMQ and we agree on: after two without a word the other one is gone.
const HEARTBEAT_SECONDS: u16 = 10;

/// How a certificate begins in PEM.
const CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----";

/// An AMQP URL. Displays without its password.
#[derive(Clone, PartialEq, Eq)]
pub struct AmqpUrl {
    url: Arc<str>,
    /// Authorities that are trusted beside those of the host, in PEM.
    authorities: Option<Arc<str>>,
}

impl AmqpUrl {
    /// The same, and the certificate authorities in the PEM file `path` are trusted
    /// beside those of the host.
    ///
    /// # Errors
    /// When the URL does not ask for TLS, or the file holds no certificate.
    pub fn trusting(self, path: &Path) -> Result<Self, AmqpError> {
        if !self.is_encrypted() {
            return Err(AmqpError::Unencrypted { url: self });
        }
        let path = || path.to_owned();
        let authorities =
            std::fs::read_to_string(path()).map_err(|source| AmqpError::Authorities {
                path: path(),
                source,
            })?;
        if !authorities.contains(CERTIFICATE) {
            return Err(AmqpError::NoCertificate { path: path() });
        }
        Ok(Self {
            authorities: Some(authorities.into()),
            ..self
        })
    }

    /// Whether it asks for TLS.
    #[must_use]
    pub fn is_encrypted(&self) -> bool {
        self.url.starts_with("amqps://")
    }

    /// To connect to. Unless it says otherwise, a broker or a host that vanishes without a word is
    /// missed within half a minute, and so is ours by the broker, which then gives others what we held.
    pub(super) fn uri(&self) -> Result<AMQPUri, lapin::Error> {
        let parsed = self.url.parse::<AMQPUri>();
        let mut uri = parsed.map_err(std::io::Error::other)?;
        uri.query.heartbeat.get_or_insert(HEARTBEAT_SECONDS);
        Ok(uri)
    }

    pub(super) fn authorities(&self) -> Option<String> {
        self.authorities.as_deref().map(str::to_owned)
    }

    /// The URL with its password, for connecting.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.url
    }
}

impl FromStr for AmqpUrl {
    type Err = AmqpError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let url = Self {
            url: text.into(),
            authorities: None,
        };
        match text.parse::<AMQPUri>() {
            Ok(_) => Ok(url),
            Err(problem) => Err(AmqpError::Url { url, problem }),
        }
    }
}

impl fmt::Display for AmqpUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some((scheme, rest)) = self.url.split_once("://") else {
            return f.write_str("(hidden)");
        };
        let address = rest.rsplit_once('@').map_or(rest, |(_, address)| address);
        write!(f, "{scheme}://{address}")
    }
}

impl fmt::Debug for AmqpUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AmqpUrl({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_password_never_shows() {
        let url: AmqpUrl = "amqp://judge:hunter2@localhost:5672/%2f".parse().unwrap();
        assert_eq!(url.to_string(), "amqp://localhost:5672/%2f");
        assert!(!format!("{url:?}").contains("hunter2"));
        let error = "http://judge:hunter2@localhost"
            .parse::<AmqpUrl>()
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("http://localhost") && !error.contains("hunter2"),
            "{error}"
        );
    }
    #[test]
    fn authorities_are_for_encrypted_connections() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let path = file.path();
        let trusting = |url: &str, path| url.parse::<AmqpUrl>().unwrap().trusting(path);
        let error = trusting("amqp://judge:hunter2@localhost", path).unwrap_err();
        let error = error.to_string();
        assert!(
            error.contains("amqps://") && !error.contains("hunter2"),
            "{error}"
        );
        let encrypted = "amqps://judge:hunter2@localhost";
        let error = trusting(encrypted, path).unwrap_err().to_string();
        assert!(
            error.contains("no certificate") && error.contains("ASSIZE_AMQP_CA"),
            "{error}"
        );
        let error = trusting(encrypted, Path::new("/nowhere")).unwrap_err();
        assert!(error.to_string().contains("/nowhere"), "{error}");
    }

    #[test]
    fn silence_is_noticed_as_soon_as_wanted() {
        let heartbeat = |url: &str| {
            let url: AmqpUrl = url.parse().unwrap();
            url.uri().unwrap().query.heartbeat
        };
        assert_eq!(heartbeat("amqp://localhost/%2f"), Some(HEARTBEAT_SECONDS));
        assert_eq!(heartbeat("amqp://localhost/%2f?heartbeat=7"), Some(7));
    }
}
