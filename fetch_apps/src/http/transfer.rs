//! One file over HTTP, into the cache: caps, and going on where an earlier try ended.

use std::io::{Read, Write};
use std::path::PathBuf;

use reqwest::blocking::{Client, Response};
use reqwest::header::{CONTENT_LENGTH, CONTENT_RANGE, RANGE};
use reqwest::{StatusCode, Url};

use super::pace::Paced;
use super::trouble::{innermost, request_error};
use super::{Http, header, shown};
use crate::cache::Partial;
use crate::error::{Error, IoContext, Result};
use crate::report::{Meter, Report};

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
        let outcome = self.persist(report, |client| {
            self.transfer(client, download, partial, report)
        });
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
        self.persist(report, |client| {
            self.transfer(client, download, partial, report)
        })
    }

    fn transfer(
        &self,
        client: &Client,
        download: &Download<'_>,
        partial: &mut Partial,
        report: &Report,
    ) -> Result<()> {
        let url = shown(download.url);
        if partial.length() >= download.most() || !partial.can_continue() {
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
        let body = Paced::new(response, self.window());
        copy_body(body, download, partial, &meter)?;
        drop(meter);
        check_size(&url, download, partial.length())
    }
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
    mut body: impl Read,
    download: &Download<'_>,
    partial: &mut Partial,
    meter: &Meter,
) -> Result<()> {
    let interrupted = |received, cause| Error::Interrupted {
        url: shown(download.url),
        received,
        cause,
    };
    let mut buffer = vec![0; 64 * 1024];
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
    }
    Ok(())
}
