//! Which scheduler to call: the one that arguments or the environment name, or
//! the one of the `assize up` that runs on this host.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use assize_common::secret::Secret;
use clap::Args;
use serde::{Deserialize, Serialize};

use super::Api;
use crate::exit::{self, Failure};
use crate::up::data_dir::{self, secret_path};

/// The name of the secret that holds a [`Server`].
const FILE: &str = "client.json";

/// Where the scheduler is.
#[derive(Debug, Clone, Default, Args)]
pub struct ServerArguments {
    /// The scheduler's address, such as http://127.0.0.1:8420; without it the one of the `assize up` on this host
    #[arg(long, env = "ASSIZE_URL", value_name = "URL")]
    url: Option<String>,
    /// A token
    // From the environment only: every user of a host can read command lines.
    #[arg(long, env = "ASSIZE_TOKEN", hide = true, hide_env_values = true)]
    token: Option<Secret>,
    /// File that holds a token; or set ASSIZE_TOKEN to the token
    #[arg(long, env = "ASSIZE_TOKEN_FILE", value_name = "PATH")]
    token_file: Option<PathBuf>,
    /// Data directory of the `assize up` to call [default: ./data, or /var/lib/assize]
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
}

/// A scheduler and what is needed to call it, as `assize up` leaves it in its
/// data directory while it runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Server {
    /// Its URL.
    pub url: String,
    /// A token that allows everything.
    pub token: String,
}

impl ServerArguments {
    /// The API of the scheduler that is meant.
    ///
    /// # Errors
    /// When none is named and none runs here, or the token can't be read.
    pub fn api(&self) -> anyhow::Result<Api> {
        let token = match (&self.token, &self.token_file) {
            (None, None) => None,
            (token, file) => Some(Secret::load(
                "ASSIZE_TOKEN",
                token.clone(),
                file.as_deref(),
            )?),
        };
        let token = token.as_ref().map(Secret::reveal);
        if let Some(url) = &self.url {
            return Ok(Api::new(url, token)?);
        }
        let data = match &self.data_dir {
            Some(path) => path.clone(),
            None => data_dir::default_path_here()?,
        };
        let server = Server::of_installation(&data)?;
        Ok(Api::new(&server.url, Some(token.unwrap_or(&server.token)))?)
    }
}

impl Server {
    /// The scheduler of the `assize up` with the data directory `data`.
    ///
    /// # Errors
    /// When none runs there, or this user may not read its token.
    pub fn of_installation(data: &Path) -> anyhow::Result<Self> {
        let path = secret_path(data, FILE);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Err(Failure::new(
                    exit::TEMPORARY,
                    format!(
                        "no `assize up` runs with the data directory {}: start one, name its directory with --data-dir, \
                         or name another scheduler with --url",
                        data.display()
                    ),
                )
                .into());
            }
            Err(error) if error.kind() == ErrorKind::PermissionDenied => {
                return Err(error).with_context(|| {
                    format!(
                        "the token in {} is not for this user: set ASSIZE_URL and ASSIZE_TOKEN",
                        path.display()
                    )
                });
            }
            Err(error) => {
                return Err(error).with_context(|| format!("cannot read {}", path.display()));
            }
        };
        serde_json::from_str(&text).with_context(|| format!("{} is damaged", path.display()))
    }

    /// Leaves it for other commands.
    ///
    /// # Errors
    /// When it can't be written.
    pub(crate) fn publish(&self, data: &data_dir::DataDir) -> anyhow::Result<()> {
        data.keep_secret(FILE, &serde_json::to_string(self)?)
    }

    /// Takes it away, when it runs no more.
    ///
    /// # Errors
    /// When it can't be removed.
    pub(crate) fn withdraw(data: &data_dir::DataDir) -> anyhow::Result<()> {
        data.forget_secret(FILE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::up::data_dir::DataDir;

    #[test]
    fn what_up_leaves_is_found_until_withdrawn() {
        let root = tempfile::tempdir().unwrap();
        let data = DataDir::open(&root.path().join("data"), None).unwrap();
        let server = Server {
            url: "http://127.0.0.1:8420".into(),
            token: "asz_1_2".into(),
        };
        server.publish(&data).unwrap();
        assert_eq!(Server::of_installation(data.path()).unwrap(), server);
        let arguments = ServerArguments {
            data_dir: Some(data.path().to_owned()),
            ..ServerArguments::default()
        };
        assert_eq!(arguments.api().unwrap().url(), server.url);
        Server::withdraw(&data).unwrap();
        let error = arguments.api().unwrap_err();
        assert!(error.to_string().contains("no `assize up` runs"), "{error}");
        assert_eq!(
            format!("{:?}", exit::code_of(&error)),
            format!("{:?}", std::process::ExitCode::from(exit::TEMPORARY))
        );
    }

    #[test]
    fn a_named_scheduler_needs_no_installation() {
        let arguments = ServerArguments {
            url: Some("http://judge.example:8420/".into()),
            ..ServerArguments::default()
        };
        assert_eq!(arguments.api().unwrap().url(), "http://judge.example:8420");
        for url in ["judge.example", "ftp://judge.example", "http://"] {
            let arguments = ServerArguments {
                url: Some(url.into()),
                ..ServerArguments::default()
            };
            let error = arguments.api().unwrap_err().to_string();
            assert!(error.contains("is not the URL"), "{url}: {error}");
        }
    }
}
