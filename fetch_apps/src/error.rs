//! The one error type of the tool. Every message stands alone: it says what was wanted, what came, and from where.

use std::io;
use std::path::{Path, PathBuf};

use crate::digest::Sha256;

pub(crate) type Result<T, E = Error> = std::result::Result<T, E>;

#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("{}: {message}", path.display())]
    Manifest { path: PathBuf, message: String },

    #[error("'{name}' is not in the manifest; it lists: {known}")]
    UnknownArtifact { name: String, known: String },

    #[error(
        "no npm registry is known: {reason}; set NPM_CONFIG_REGISTRY to the address of an npm registry or mirror"
    )]
    NoRegistry { reason: String },

    #[error(
        "no Python package index is known: {reason}; set PIP_INDEX_URL to the address of an index or mirror"
    )]
    NoIndex { reason: String },

    #[error("{url}: the name {host} does not resolve")]
    Unresolved { url: String, host: String },

    #[error("{url}: cannot connect: {cause}")]
    Connect {
        url: String,
        cause: String,
        passing: bool,
    },

    #[error("{url}: the server answered {status}")]
    Status { url: String, status: u16 },

    #[error("{url}: refused: {cause}")]
    Redirect { url: String, cause: String },

    #[error("{url}: the transfer broke off after {received} bytes: {cause}")]
    Interrupted {
        url: String,
        received: u64,
        cause: String,
    },

    #[error("{url}: wrong size: expected {expected} bytes, got {actual}")]
    WrongSize {
        url: String,
        expected: u64,
        actual: u64,
    },

    #[error("{url}: larger than the {limit} bytes that are allowed for it")]
    TooLarge { url: String, limit: u64 },

    #[error("{origin}: wrong content: expected sha256 {expected}, calculated {calculated}")]
    WrongDigest {
        origin: String,
        expected: Sha256,
        calculated: Sha256,
    },

    #[error("{archive}: entry '{entry}' is refused: {problem}")]
    Entry {
        archive: String,
        entry: String,
        problem: String,
    },

    #[error("{archive}: {problem}")]
    Archive { archive: String, problem: String },

    #[error("not available offline: {places} holds {}", missing.join(" or "))]
    Offline {
        missing: Vec<String>,
        places: String,
    },

    #[error("none of its sources delivered:{}", indented(failures))]
    NoSource { failures: Vec<String> },

    #[error(
        "{} holds files that this tool did not put there ({examples}); move them away, or replace the folder with --force",
        folder.display()
    )]
    ForeignFiles { folder: PathBuf, examples: String },

    #[error("cannot {action} {}: {cause}", path.display())]
    Io {
        action: &'static str,
        path: PathBuf,
        cause: io::Error,
    },

    #[error("{cause}")]
    Plain { cause: String },
}

impl Error {
    /// Whether the same request may well succeed a moment later.
    ///
    /// A name that does not resolve, for one, is better answered by the next source.
    pub(crate) fn is_transient(&self) -> bool {
        match self {
            Self::Interrupted { .. } => true,
            Self::Connect { passing, .. } => *passing,
            Self::Status { status, .. } => matches!(status, 408 | 425 | 429 | 500..=599),
            _ => false,
        }
    }

    /// Whether the trouble lay between here and the server, so that what had come until then may well be right.
    pub(crate) fn is_of_connection(&self) -> bool {
        matches!(
            self,
            Self::Unresolved { .. }
                | Self::Connect { .. }
                | Self::Status { .. }
                | Self::Interrupted { .. }
        )
    }

    pub(crate) fn is_wrong_size(&self) -> bool {
        matches!(self, Self::WrongSize { .. } | Self::TooLarge { .. })
    }
}

fn indented(failures: &[String]) -> String {
    failures
        .iter()
        .map(|failure| format!("\n    {failure}"))
        .collect()
}

/// Attaches what was being done, and to which path, to an I/O error.
pub(crate) trait IoContext<T> {
    fn doing(self, action: &'static str, path: &Path) -> Result<T>;
}

impl<T> IoContext<T> for io::Result<T> {
    fn doing(self, action: &'static str, path: &Path) -> Result<T> {
        self.map_err(|cause| Error::Io {
            action,
            path: path.to_path_buf(),
            cause,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(status: u16) -> Error {
        Error::Status {
            url: String::new(),
            status,
        }
    }

    #[test]
    fn only_passing_troubles_are_tried_again() {
        for passing in [408, 429, 500, 502, 503] {
            assert!(status(passing).is_transient(), "{passing}");
        }
        for lasting in [400, 401, 403, 404, 410] {
            assert!(!status(lasting).is_transient(), "{lasting}");
        }
        let unresolved = Error::Unresolved {
            url: String::new(),
            host: String::new(),
        };
        assert!(!unresolved.is_transient());
    }
}
