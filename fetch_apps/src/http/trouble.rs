//! What went wrong with a request, told from the client's errors.

use reqwest::Url;

use super::shown;
use crate::error::{Error, Kind};

pub(super) fn request_error(url: &Url, error: &reqwest::Error) -> Error {
    let (shown, cause) = (shown(url), innermost(error));
    if error.is_redirect() {
        return Error::new(format!("{shown}: refused: {cause}"));
    }
    if is_unresolved(error) {
        let host = url.host_str().unwrap_or_default();
        return Error::of(
            Kind::Connection,
            format!("{shown}: the name {host} does not resolve"),
        );
    }
    if error.is_connect() {
        let kind = if is_passing(error) {
            Kind::Passing
        } else {
            Kind::Connection
        };
        return Error::of(kind, format!("{shown}: cannot connect: {cause}"));
    }
    interrupted(url, 0, &cause)
}

pub(super) fn interrupted(url: &Url, received: u64, cause: &str) -> Error {
    let shown = shown(url);
    Error::of(
        Kind::Passing,
        format!("{shown}: the transfer broke off after {received} bytes: {cause}"),
    )
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
pub(super) fn innermost(error: &(dyn std::error::Error + 'static)) -> String {
    causes(error).last().unwrap_or(error).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::{CONNECT_TIMEOUT, client_builder};

    #[test]
    fn a_name_that_cannot_resolve_is_told_from_other_troubles() {
        // A label over 63 characters fails in the resolver itself, so this asks no name server.
        let url = Url::parse(&format!("http://{}.invalid/", "x".repeat(64))).unwrap();
        let client = client_builder(CONNECT_TIMEOUT).no_proxy().build().unwrap();
        let error = client.get(url.clone()).send().unwrap_err();
        let message = request_error(&url, &error).to_string();
        assert!(message.ends_with(".invalid does not resolve"), "{error:?}");
    }
}
