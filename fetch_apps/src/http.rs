//! One download over HTTP: time-outs, caps, redirects, and after a passing trouble another try that goes on where the
//! last one ended.

use std::io::{Read, Write};
use std::path::PathBuf;
use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};

use reqwest::blocking::{Client, ClientBuilder, Response};
use reqwest::header::{CONTENT_LENGTH, CONTENT_RANGE, HeaderName, RANGE};
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

impl Download<'_> {
    fn most(&self) -> u64 {
        self.size.unwrap_or(self.limit)
    }
}

impl Http {
    /// `timeout` bounds connecting and each wait for more bytes, not the whole download.
    pub(crate) fn new(timeout: Duration) -> Self {
        Self {
            timeout,
            client: OnceLock::new(),
        }
    }

    /// Downloads into `partial` and puts it into its place; goes on with what is there already, if that fits.
    ///
    /// After a trouble with the connection what has come so far is left for the next try, of this source or another.
    pub(crate) fn download(
        &self,
        download: &Download<'_>,
        mut partial: Partial,
        report: &Report,
    ) -> Result<PathBuf> {
        match self.complete(download, &mut partial, report) {
            Ok(()) => partial.finish(&shown(download.url)),
            Err(error) => {
                if error.is_of_connection() {
                    partial.leave();
                }
                Err(error)
            }
        }
    }

    fn complete(
        &self,
        download: &Download<'_>,
        partial: &mut Partial,
        report: &Report,
    ) -> Result<()> {
        // An earlier run can have been killed between the last byte and the renaming.
        if partial.is_continued() && partial.is_right() {
            return Ok(());
        }
        let outcome = self.persist(download, partial, report);
        let wrong = match &outcome {
            Ok(()) => !partial.is_right(),
            Err(error) => error.is_wrong_size(),
        };
        if !wrong || !partial.is_continued() {
            return outcome;
        }
        let label = download.label;
        report.detail(&format!(
            "{label}: what was there does not fit what followed; starting over"
        ));
        partial.restart()?;
        self.persist(download, partial, report)
    }

    /// Tries up to three times.
    fn persist(
        &self,
        download: &Download<'_>,
        partial: &mut Partial,
        report: &Report,
    ) -> Result<()> {
        let client = self.client()?;
        let mut pauses = PAUSES.iter();
        loop {
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
    if partial.length() >= download.most() {
        partial.restart()?;
    }
    let mut response = request(client, download, partial.length())?;
    if partial.length() > 0 && !continues_at(&response, partial.length()) {
        partial.restart()?;
        // A server that does not know ranges sends the whole at once; any other answer is about the range.
        if response.status() != StatusCode::OK {
            response = request(client, download, 0)?;
        }
    }
    match response.status() {
        StatusCode::OK => {}
        StatusCode::PARTIAL_CONTENT if partial.length() > 0 => partial.continues(),
        status => {
            return Err(Error::Status {
                url,
                status: status.as_u16(),
            });
        }
    }
    let announced = announced_size(&response).map(|rest| rest.saturating_add(partial.length()));
    if let Some(actual) = announced {
        check_size(&url, download, actual)?;
    }
    let meter = report.meter(
        download.label,
        &url,
        announced.or(download.size),
        partial.length(),
    );
    copy_body(response, &url, download, partial, &meter)?;
    drop(meter);
    check_size(&url, download, partial.length())
}

/// Asks for the bytes from `start` on.
fn request(client: &Client, download: &Download<'_>, start: u64) -> Result<Response> {
    let mut request = client.get(download.url.clone());
    if start > 0 {
        request = request.header(RANGE, format!("bytes={start}-"));
    }
    request
        .send()
        .map_err(|error| request_error(&shown(download.url), download.url, &error))
}

/// Whether the answer is the part that begins at `start`. An error that may pass says nothing about ranges.
fn continues_at(response: &Response, start: u64) -> bool {
    match response.status() {
        StatusCode::PARTIAL_CONTENT => header(response, CONTENT_RANGE)
            .is_some_and(|range| range.starts_with(&format!("bytes {start}-"))),
        status => status != StatusCode::OK && status != StatusCode::RANGE_NOT_SATISFIABLE,
    }
}

/// The announced length, unless a transfer coding makes it meaningless.
fn announced_size(response: &Response) -> Option<u64> {
    header(response, CONTENT_LENGTH)?.parse().ok()
}

fn header(response: &Response, name: HeaderName) -> Option<&str> {
    response.headers().get(name)?.to_str().ok()
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

/// Copies until the end of the body or one byte over what is allowed.
fn copy_body(
    mut body: Response,
    url: &str,
    download: &Download<'_>,
    partial: &mut Partial,
    meter: &Meter,
) -> Result<()> {
    let interrupted = |received, cause| Error::Interrupted {
        url: url.into(),
        received,
        cause,
    };
    let mut buffer = vec![0; 64 * 1024];
    let mut window = (Instant::now(), partial.length());
    while partial.length() <= download.most() {
        let count = body
            .read(&mut buffer)
            .map_err(|error| interrupted(partial.length(), innermost(&error)))?;
        if count == 0 {
            break;
        }
        partial
            .write_all(&buffer[..count])
            .doing("write", partial.path())?;
        meter.advance(count as u64);
        if window.0.elapsed() > SLOWEST.1 {
            if partial.length() - window.1 < SLOWEST.0 {
                return Err(interrupted(partial.length(), "it became too slow".into()));
            }
            window = (Instant::now(), partial.length());
        }
    }
    Ok(())
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
