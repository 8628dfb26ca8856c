//! A scheduler that does not answer for a while.

use std::time::Duration;

use tokio::time::Instant;

use super::Display;
use crate::client::ClientError;
use crate::exit;

/// A scheduler that is started again meanwhile is worth waiting for.
const PATIENCE: Duration = Duration::from_secs(60);

/// Since when a scheduler has not answered, if it is silent.
#[derive(Debug, Default)]
pub struct Silence {
    since: Option<Instant>,
}

impl Silence {
    /// Takes an answer: nothing while one is worth waiting for, which it says once.
    ///
    /// # Errors
    /// When the scheduler refuses, or has not answered for a minute.
    pub fn heard<T>(
        &mut self,
        answer: Result<T, ClientError>,
        display: &Display,
    ) -> Result<Option<T>, ClientError> {
        let error = match answer {
            Ok(answer) => {
                self.since = None;
                return Ok(Some(answer));
            }
            Err(error) if error.exit_code() == exit::TEMPORARY => error,
            Err(error) => return Err(error),
        };
        let since = self.since.get_or_insert_with(|| {
            display.line(&format!("{error}; asking again"));
            Instant::now()
        });
        if since.elapsed() > PATIENCE {
            return Err(error);
        }
        Ok(None)
    }
}
