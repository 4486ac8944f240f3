//! The one error type of the tool. Every message stands alone: it says what was wanted, what came, and from where.

use std::fmt;
use std::io;
use std::path::Path;

pub(crate) type Result<T, E = Error> = std::result::Result<T, E>;

#[derive(Debug)]
pub(crate) struct Error {
    kind: Kind,
    message: String,
}

/// What follows from an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The command line is wrong.
    Usage,
    /// This machine's files: it will not get better at the next source.
    Files,
    /// Between here and the server, and the same request may well succeed a moment later.
    Passing,
    /// Between here and the server: what had come until then may well be right, but the next source is the better answer.
    Connection,
    WrongSize,
    Other,
}

impl Error {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self::of(Kind::Other, message)
    }

    pub(crate) fn of(kind: Kind, message: impl Into<String>) -> Self {
        let message = message.into();
        Self { kind, message }
    }

    pub(crate) fn status(url: &str, status: u16) -> Self {
        let kind = match status {
            408 | 425 | 429 | 500..=599 => Kind::Passing,
            _ => Kind::Connection,
        };
        Self::of(kind, format!("{url}: the server answered {status}"))
    }

    pub(crate) fn kind(&self) -> Kind {
        self.kind
    }

    pub(crate) fn is_of_connection(&self) -> bool {
        matches!(self.kind, Kind::Passing | Kind::Connection)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.message)
    }
}

/// Attaches what was being done, and to which path, to an I/O error.
pub(crate) trait IoContext<T> {
    fn doing(self, action: &str, path: &Path) -> Result<T>;
}

impl<T> IoContext<T> for io::Result<T> {
    fn doing(self, action: &str, path: &Path) -> Result<T> {
        let message = |cause| format!("cannot {action} {}: {cause}", path.display());
        self.map_err(|cause| Error::of(Kind::Files, message(cause)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_passing_troubles_are_tried_again() {
        for passing in [408, 429, 500, 502, 503] {
            assert!(
                Error::status("", passing).kind() == Kind::Passing,
                "{passing}"
            );
        }
        for lasting in [400, 401, 403, 404, 410] {
            assert!(
                Error::status("", lasting).kind() == Kind::Connection,
                "{lasting}"
            );
        }
    }
}
