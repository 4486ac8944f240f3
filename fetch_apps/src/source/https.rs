//! `https`: a web address, usually the project's own.

use std::path::PathBuf;

use reqwest::Url;
use serde::Deserialize;

use super::Kind;
use crate::error::{Error, Result};
use crate::fetcher::{Fetcher, Wanted};
use crate::http::shown;
use crate::manifest::Manifest;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Https {
    url: String,
}

impl Https {
    /// Plain http is left for this machine itself, where nobody can listen in: local mirrors and tests.
    fn url(&self) -> Result<Url, String> {
        let text = &self.url;
        let url =
            Url::parse(text).map_err(|error| format!("'{text}' is not an address: {error}"))?;
        match (url.scheme(), url.host_str()) {
            ("https", Some(_)) | ("http", Some("127.0.0.1" | "localhost" | "[::1]")) => Ok(url),
            _ => Err(format!("'{text}' is not an https address")),
        }
    }
}

impl Kind for Https {
    fn check(&self, _manifest: &Manifest) -> Result<(), String> {
        self.url().map(|_| ())
    }

    fn describe(&self, _manifest: &Manifest) -> String {
        self.url()
            .map_or_else(|_| self.url.clone(), |url| shown(&url))
    }

    fn deliver(&self, wanted: &Wanted<'_>, fetcher: &Fetcher<'_>) -> Result<PathBuf> {
        let url = self.url().map_err(Error::new)?;
        fetcher.download(
            wanted,
            &url,
            &format!("{} from {}", wanted.name, shown(&url)),
        )
    }
}
