//! A short text over HTTP, such as a package index's page.

use std::io::Read;
use std::time::Duration;

use reqwest::blocking::{Client, Response};
use reqwest::header::{ACCEPT, CONTENT_TYPE};
use reqwest::{StatusCode, Url};

use super::pace::Paced;
use super::{Http, header, innermost, interrupted, request_error, shown};
use crate::error::{Error, Result};
use crate::report::Report;

/// The most bytes that such a text may have.
const MAX_PAGE: u64 = 64 * 1024 * 1024;

pub(crate) struct Page {
    /// After redirects: what relative addresses in the text are relative to.
    pub(crate) url: Url,
    pub(crate) content_type: String,
    pub(crate) text: Vec<u8>,
}

impl Http {
    /// Asks for a text in the form that `accept` names; the server may answer in another.
    pub(crate) fn page(&self, url: &Url, accept: &str, report: &Report) -> Result<Page> {
        self.persist(report, |client| {
            read_page(client, url, accept, self.window())
        })
    }
}

fn read_page(client: &Client, url: &Url, accept: &str, window: Duration) -> Result<Page> {
    let request = client.get(url.clone()).header(ACCEPT, accept);
    let response = request.send().map_err(|error| request_error(url, &error))?;
    if response.status() != StatusCode::OK {
        return Err(Error::status(&shown(url), response.status().as_u16()));
    }
    Ok(Page {
        url: response.url().clone(),
        content_type: header(&response, CONTENT_TYPE).unwrap_or_default().into(),
        text: read_text(Paced::new(response, window), url)?,
    })
}

fn read_text(response: Paced<Response>, url: &Url) -> Result<Vec<u8>> {
    let mut text = Vec::new();
    let outcome = response.take(MAX_PAGE + 1).read_to_end(&mut text);
    outcome.map_err(|error| interrupted(url, text.len() as u64, &innermost(&error)))?;
    match text.len() as u64 > MAX_PAGE {
        true => Err(Error::new(format!(
            "{}: more than {MAX_PAGE} bytes",
            shown(url)
        ))),
        false => Ok(text),
    }
}
