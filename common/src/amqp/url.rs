//! The broker's URL, whose password never shows.

use std::fmt;
use std::str::FromStr;

/// An AMQP URL. Displays without its password.
#[derive(Clone, PartialEq, Eq)]
pub struct AmqpUrl(String);

impl AmqpUrl {
    /// The URL with its password, for connecting.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl FromStr for AmqpUrl {
    type Err = super::AmqpError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let url = Self(text.to_owned());
        match text.parse::<lapin::uri::AMQPUri>() {
            Ok(_) => Ok(url),
            Err(problem) => Err(super::AmqpError::Url { url, problem }),
        }
    }
}

impl fmt::Display for AmqpUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some((scheme, rest)) = self.0.split_once("://") else {
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
}
