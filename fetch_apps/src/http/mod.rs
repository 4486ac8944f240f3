//! HTTP: time-outs, redirects, and another try after a passing trouble.

mod pace;
mod page;
mod transfer;
mod trouble;

use std::sync::OnceLock;
use std::thread;
use std::time::Duration;

use reqwest::Url;
use reqwest::blocking::{Client, ClientBuilder, Response};
use reqwest::header::HeaderName;
use reqwest::redirect::{Attempt, Policy};

use crate::error::{Error, Kind, Result};
use crate::report::Report;
pub(crate) use page::Page;
use trouble::{innermost, interrupted, request_error};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Pauses before the second and the third try.
const PAUSES: [Duration; 2] = [Duration::from_millis(500), Duration::from_secs(2)];
const MAX_REDIRECTS: usize = 10;

pub(crate) struct Http {
    timeout: Duration,
    client: OnceLock<Client>,
}

impl Http {
    /// `timeout` bounds connecting and each wait for more bytes, not the whole download.
    pub(crate) fn new(timeout: Duration) -> Self {
        Self {
            timeout,
            client: OnceLock::new(),
        }
    }

    pub(crate) fn timeout(&self) -> Duration {
        self.timeout
    }

    /// The time in which a body has to make some headway.
    fn window(&self) -> Duration {
        self.timeout * 2
    }

    /// Tries up to three times.
    fn persist<T>(
        &self,
        report: &Report,
        mut attempt: impl FnMut(&Client) -> Result<T>,
    ) -> Result<T> {
        let client = self.client()?;
        let mut pauses = PAUSES.iter();
        loop {
            let error = match attempt(client) {
                Ok(result) => return Ok(result),
                Err(error) => error,
            };
            match pauses.next() {
                Some(pause) if error.kind() == Kind::Passing => {
                    report.detail(&format!("{error}; trying again"));
                    thread::sleep(*pause);
                }
                _ => return Err(error),
            }
        }
    }

    /// Built at the first use: a run that has nothing to download reads no certificates.
    fn client(&self) -> Result<&Client> {
        if let Some(client) = self.client.get() {
            return Ok(client);
        }
        let client = client_builder(self.timeout).build().map_err(|error| {
            Error::new(format!(
                "cannot set up TLS: {}; install the package ca-certificates, or set SSL_CERT_FILE",
                innermost(&error)
            ))
        })?;
        Ok(self.client.get_or_init(|| client))
    }
}

/// The platform's certificates (or `SSL_CERT_FILE`, `SSL_CERT_DIR`) and the usual proxy variables are the defaults here.
fn client_builder(timeout: Duration) -> ClientBuilder {
    // A second call finds the provider installed already, which is what it asked for.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder()
        .user_agent(concat!("mod_wasm-fetch-apps/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(CONNECT_TIMEOUT.min(timeout))
        .timeout(timeout)
        .redirect(Policy::custom(follow))
}

fn follow(attempt: Attempt<'_>) -> reqwest::redirect::Action {
    if attempt.previous().len() > MAX_REDIRECTS {
        return attempt.error("too many redirects");
    }
    let was_secure = attempt
        .previous()
        .last()
        .is_some_and(|url| url.scheme() == "https");
    if was_secure && attempt.url().scheme() != "https" {
        return attempt.error("a redirect from https to http");
    }
    attempt.follow()
}

fn header(response: &Response, name: HeaderName) -> Option<&str> {
    response.headers().get(name)?.to_str().ok()
}

/// An address as it may be shown: a company's registry may carry a password.
pub(crate) fn shown(url: &Url) -> String {
    let mut url = url.clone();
    // Both fail only for addresses that cannot hold credentials in the first place.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_not_shown() {
        let url = Url::parse("https://me:secret@npm.example/a.tgz").unwrap();
        assert_eq!(shown(&url), "https://npm.example/a.tgz");
    }
}
