//! The one error type of the library. A run that ends badly is no error: see [`crate::run::Ending`].

use std::fmt::{self, Write as _};
use std::path::{Path, PathBuf};

/// What can go wrong before a guest runs. Each message is one line, meant for the administrator.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{0}")]
    InvalidArgument(&'static str),

    #[error("internal error: {0}")]
    Panic(String),

    #[error("{path}: {source}")]
    Io {
        path: PathBuf,
        source: std::io::Error,
    },

    #[error("{path}: its SHA-256 is {actual}, expected {expected}")]
    Digest {
        path: PathBuf,
        expected: String,
        actual: String,
    },

    #[error("{0}")]
    Module(String),

    #[error("{0}")]
    Compile(String),

    /// There is no snapshot although one is required.
    #[error("{0}")]
    Preinit(String),

    #[error("{0}")]
    EntryPoint(String),

    #[error("{path}: {reason}")]
    Cache { path: PathBuf, reason: String },

    #[error("{0}")]
    Engine(String),

    /// One of several things that a call was given is at fault.
    #[error("{error}")]
    OneOfMany { index: usize, error: Box<Error> },
}

pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// This error, as that of the thing at `index`.
    pub(crate) fn at(self, index: usize) -> Self {
        Error::OneOfMany {
            index,
            error: Box::new(self),
        }
    }

    pub(crate) fn io(path: &Path, source: std::io::Error) -> Self {
        Error::Io {
            path: path.to_owned(),
            source,
        }
    }
}

/// Bytes of a message that are kept. What a module is to blame for repeats names of the module, of any length.
const MAX_MESSAGE: usize = 1024;

/// A whole chain of causes on one line: what a log wants.
pub(crate) fn one_line(error: &wasmtime::Error) -> String {
    let mut causes: Vec<String> = Vec::new();
    for cause in error.chain() {
        let mut text = Beginning::default();
        // The text says by an error that it is full.
        let _ = write!(text, "{cause}");
        let text = text.0.split_whitespace().collect::<Vec<_>>().join(" ");
        // Names come from the module, and a terminal obeys control characters.
        let text = text.replace(char::is_control, "?");
        // Wrappers often repeat the text of what they wrap.
        if !causes.iter().any(|seen| seen.contains(&text)) {
            causes.push(text);
        }
    }
    causes.join(": ")
}

/// The first [`MAX_MESSAGE`] bytes of what is written; formatting ends there.
#[derive(Default)]
struct Beginning(String);

impl fmt::Write for Beginning {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = MAX_MESSAGE - self.0.len();
        let end = text.floor_char_boundary(room);
        self.0.push_str(&text[..end]);
        if end < text.len() {
            return Err(fmt::Error);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_are_joined_on_one_line_without_repeats() {
        let error = wasmtime::Error::msg("inner\n  cause").context("outer");
        assert_eq!(one_line(&error), "outer: inner cause");
        let escape = wasmtime::Error::msg("import \x1b[2J");
        assert_eq!(one_line(&escape), "import ?[2J");
        let repeated = wasmtime::Error::msg("same").context("same");
        assert_eq!(one_line(&repeated), "same");
    }

    #[test]
    fn a_message_has_an_end() {
        let error = wasmtime::Error::msg("x".repeat(10 * MAX_MESSAGE))
            .context("\u{e9}".repeat(MAX_MESSAGE));
        assert_eq!(one_line(&error).len(), 2 * MAX_MESSAGE + 2);
    }
}
