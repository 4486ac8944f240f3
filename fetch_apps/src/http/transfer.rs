//! One file over HTTP, into the cache: caps, and going on where an earlier try ended.

use std::io::{Read, Write};
use std::path::PathBuf;

use reqwest::blocking::{Client, Response};
use reqwest::header::{CONTENT_LENGTH, CONTENT_RANGE, RANGE};
use reqwest::{StatusCode, Url};

use super::pace::Paced;
use super::{Http, header, innermost, interrupted, request_error, shown};
use crate::cache::Partial;
use crate::error::{Error, IoContext, Kind, Result};
use crate::fetcher::Wanted;
use crate::report::{Meter, Report};

/// One download and what it needs.
struct Transfer<'a> {
    http: &'a Http,
    wanted: &'a Wanted<'a>,
    url: &'a Url,
    label: &'a str,
    report: &'a Report,
}

impl Http {
    /// Downloads into `partial` and puts it into its place; goes on with what is there already, if that fits. `label` is
    /// shown meanwhile.
    ///
    /// After a trouble with the connection what has come so far is left for the next try, of this source or another.
    pub(crate) fn download(
        &self,
        wanted: &Wanted<'_>,
        url: &Url,
        label: &str,
        mut partial: Partial,
        report: &Report,
    ) -> Result<PathBuf> {
        let transfer = Transfer {
            http: self,
            wanted,
            url,
            label,
            report,
        };
        match transfer.complete(&mut partial) {
            Ok(()) => partial.finish(&shown(url)),
            Err(error) => {
                if error.is_of_connection() {
                    partial.leave();
                }
                Err(error)
            }
        }
    }
}

impl Transfer<'_> {
    fn complete(&self, partial: &mut Partial) -> Result<()> {
        // An earlier run can have been killed between the last byte and the renaming.
        if partial.is_continued() && partial.is_right() {
            return Ok(());
        }
        let outcome = self.persist(partial);
        let wrong = match &outcome {
            Ok(()) => !partial.is_right(),
            Err(error) => error.kind() == Kind::WrongSize,
        };
        if !wrong || !partial.is_continued() {
            return outcome;
        }
        let label = self.label;
        let detail = format!("{label}: what was there does not fit what followed; starting over");
        self.report.detail(&detail);
        partial.restart()?;
        self.persist(partial)
    }

    fn persist(&self, partial: &mut Partial) -> Result<()> {
        self.http
            .persist(self.report, |client| self.transfer(client, partial))
    }

    fn transfer(&self, client: &Client, partial: &mut Partial) -> Result<()> {
        if partial.length() >= self.wanted.most() {
            partial.restart()?;
        }
        let mut response = self.request(client, partial.length())?;
        if partial.length() > 0 && !continues_at(&response, partial.length()) {
            partial.restart()?;
            // A server that does not know ranges sends the whole at once; any other answer is about the range.
            if response.status() != StatusCode::OK {
                response = self.request(client, 0)?;
            }
        }
        match response.status() {
            StatusCode::OK => {}
            StatusCode::PARTIAL_CONTENT if partial.length() > 0 => partial.continues(),
            status => return Err(Error::status(&shown(self.url), status.as_u16())),
        }
        let announced = announced_size(&response).map(|rest| rest.saturating_add(partial.length()));
        announced.map_or(Ok(()), |actual| self.check_size(actual))?;
        let total = announced.or(self.wanted.size);
        let meter = self
            .report
            .meter(self.label, &shown(self.url), total, partial.length());
        self.copy(Paced::new(response, self.http.window()), partial, &meter)?;
        drop(meter);
        self.check_size(partial.length())
    }

    /// Asks for the bytes from `start` on.
    fn request(&self, client: &Client, start: u64) -> Result<Response> {
        let mut request = client.get(self.url.clone());
        if start > 0 {
            request = request.header(RANGE, format!("bytes={start}-"));
        }
        request
            .send()
            .map_err(|error| request_error(self.url, &error))
    }

    fn check_size(&self, actual: u64) -> Result<()> {
        let problem = match self.wanted.size {
            Some(expected) if actual != expected => {
                format!("wrong size: expected {expected} bytes, got {actual}")
            }
            None if actual > self.wanted.most() => {
                format!(
                    "larger than the {} bytes that are allowed for it",
                    self.wanted.most()
                )
            }
            _ => return Ok(()),
        };
        Err(Error::of(
            Kind::WrongSize,
            format!("{}: {problem}", shown(self.url)),
        ))
    }

    /// Copies until the end of the body or one byte over what is allowed.
    fn copy(&self, mut body: impl Read, partial: &mut Partial, meter: &Meter) -> Result<()> {
        let mut buffer = vec![0; 64 * 1024];
        while partial.length() <= self.wanted.most() {
            let count = body
                .read(&mut buffer)
                .map_err(|error| interrupted(self.url, partial.length(), &innermost(&error)))?;
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
