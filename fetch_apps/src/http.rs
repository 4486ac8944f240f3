//! One download over HTTP: time-outs, caps, redirects, and another try after a passing trouble.

use std::io::{Read, Write};
use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};

use reqwest::blocking::{Client, ClientBuilder, Response};
use reqwest::redirect::{Attempt, Policy};
use reqwest::{StatusCode, Url};

use crate::cache::Partial;
use crate::error::{Error, IoContext, Result};
use crate::report::{Meter, Report};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Pauses before the second and the third try.
const PAUSES: [Duration; 2] = [Duration::from_millis(500), Duration::from_secs(2)];
const MAX_REDIRECTS: usize = 10;
/// A server that drips slower than this is treated as one that stopped.
const SLOWEST: (u64, Duration) = (64 * 1024, Duration::from_secs(60));

pub(crate) struct Http {
    timeout: Duration,
    client: OnceLock<Client>,
}

/// What is asked for, and how much of it is believable.
pub(crate) struct Download<'a> {
    pub(crate) url: &'a Url,
    /// Shown while it runs.
    pub(crate) label: &'a str,
    /// The exact size in bytes, where it is known.
    pub(crate) size: Option<u64>,
    /// The most bytes taken where `size` is not known.
    pub(crate) limit: u64,
}

impl Http {
    /// `timeout` bounds connecting and each wait for more bytes, not the whole download.
    pub(crate) fn new(timeout: Duration) -> Self {
        Self {
            timeout,
            client: OnceLock::new(),
        }
    }

    /// Downloads into `partial`, from its beginning in every try.
    pub(crate) fn download(
        &self,
        download: &Download<'_>,
        partial: &mut Partial,
        report: &Report,
    ) -> Result<()> {
        let client = self.client()?;
        let mut pauses = PAUSES.iter();
        loop {
            partial.restart()?;
            let error = match transfer(client, download, partial, report) {
                Ok(()) => return Ok(()),
                Err(error) => error,
            };
            match pauses.next() {
                Some(pause) if error.is_transient() => {
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
        let client = client_builder(self.timeout).build().map_err(|error| Error::Plain {
            cause: format!(
                "cannot set up TLS: {}; install the package ca-certificates, or set SSL_CERT_FILE",
                innermost(&error)
            ),
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

fn transfer(
    client: &Client,
    download: &Download<'_>,
    partial: &mut Partial,
    report: &Report,
) -> Result<()> {
    let url = shown(download.url);
    let response = client
        .get(download.url.clone())
        .send()
        .map_err(|error| request_error(&url, download.url, &error))?;
    if response.status() != StatusCode::OK {
        return Err(Error::Status {
            url,
            status: response.status().as_u16(),
        });
    }
    let announced = announced_size(&response);
    if let Some(actual) = announced {
        check_size(&url, download, actual)?;
    }
    let meter = report.meter(download.label, announced.or(download.size));
    let received = copy_body(response, &url, download, partial, &meter)?;
    drop(meter);
    check_size(&url, download, received)
}

/// The announced length, unless a transfer coding makes it meaningless.
fn announced_size(response: &Response) -> Option<u64> {
    response
        .headers()
        .get(reqwest::header::CONTENT_LENGTH)?
        .to_str()
        .ok()?
        .parse()
        .ok()
}

fn check_size(url: &str, download: &Download<'_>, actual: u64) -> Result<()> {
    match download.size {
        Some(expected) if actual != expected => Err(Error::WrongSize {
            url: url.into(),
            expected,
            actual,
        }),
        None if actual > download.limit => Err(Error::TooLarge {
            url: url.into(),
            limit: download.limit,
        }),
        _ => Ok(()),
    }
}

/// Copies until the end of the body or one byte over what is allowed; returns the number of bytes.
fn copy_body(
    mut body: Response,
    url: &str,
    download: &Download<'_>,
    partial: &mut Partial,
    meter: &Meter,
) -> Result<u64> {
    let limit = download.size.unwrap_or(download.limit);
    let mut buffer = vec![0; 64 * 1024];
    let mut received = 0;
    let mut window = (Instant::now(), 0);
    while received <= limit {
        let count = body.read(&mut buffer).map_err(|error| Error::Interrupted {
            url: url.into(),
            received,
            cause: innermost(&error),
        })?;
        if count == 0 {
            break;
        }
        received += count as u64;
        partial
            .write_all(&buffer[..count])
            .doing("write", partial.path())?;
        meter.advance(count as u64);
        if window.0.elapsed() > SLOWEST.1 {
            if received - window.1 < SLOWEST.0 {
                return Err(Error::Interrupted {
                    url: url.into(),
                    received,
                    cause: "it became too slow".into(),
                });
            }
            window = (Instant::now(), received);
        }
    }
    Ok(received)
}

fn request_error(shown: &str, url: &Url, error: &reqwest::Error) -> Error {
    let url_text = shown.to_string();
    if error.is_redirect() {
        return Error::Redirect {
            url: url_text,
            cause: innermost(error),
        };
    }
    if is_unresolved(error) {
        return Error::Unresolved {
            url: url_text,
            host: url.host_str().unwrap_or_default().to_string(),
        };
    }
    if error.is_connect() {
        return Error::Connect {
            url: url_text,
            cause: innermost(error),
            passing: is_passing(error),
        };
    }
    Error::Interrupted {
        url: url_text,
        received: 0,
        cause: innermost(error),
    }
}

/// The client has no type for a failed look-up, only this text (a test below notices when it changes).
fn is_unresolved(error: &reqwest::Error) -> bool {
    causes(error).any(|cause| cause.to_string().starts_with("dns error"))
}

/// Whether a connection failed as it does while a server restarts: not by a time-out, which has cost enough patience,
/// and not by a certificate, which stays what it is.
fn is_passing(error: &reqwest::Error) -> bool {
    use std::io::ErrorKind::{
        ConnectionAborted, ConnectionRefused, ConnectionReset, UnexpectedEof,
    };
    let mut kinds = causes(error)
        .filter_map(|cause| cause.downcast_ref::<std::io::Error>())
        .map(std::io::Error::kind);
    kinds.any(|kind| {
        matches!(
            kind,
            ConnectionAborted | ConnectionRefused | ConnectionReset | UnexpectedEof
        )
    })
}

fn causes<'a>(
    error: &'a (dyn std::error::Error + 'static),
) -> impl Iterator<Item = &'a (dyn std::error::Error + 'static)> {
    std::iter::successors(Some(error), |error| error.source())
}

/// The last error of a chain says what happened; those above it only say where.
fn innermost(error: &(dyn std::error::Error + 'static)) -> String {
    causes(error).last().unwrap_or(error).to_string()
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

    #[test]
    fn a_name_that_cannot_resolve_is_told_from_other_troubles() {
        // A label over 63 characters fails in the resolver itself, so this asks no name server.
        let url = Url::parse(&format!("http://{}.invalid/", "x".repeat(64))).unwrap();
        let client = client_builder(CONNECT_TIMEOUT).no_proxy().build().unwrap();
        let error = client.get(url.clone()).send().unwrap_err();
        assert!(
            matches!(request_error("", &url, &error), Error::Unresolved { .. }),
            "{error:?}"
        );
    }
}
