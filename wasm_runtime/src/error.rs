//! The one error type of the library. A run that ends badly is no error: see [`crate::run::Ending`].

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

    #[error("{0}")]
    EntryPoint(String),

    #[error("{path}: {reason}")]
    Cache { path: PathBuf, reason: String },

    #[error("{0}")]
    Engine(String),
}

pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    pub(crate) fn io(path: &Path, source: std::io::Error) -> Self {
        Error::Io {
            path: path.to_owned(),
            source,
        }
    }
}

/// A whole chain of causes on one line: what a log wants.
pub(crate) fn one_line(error: &wasmtime::Error) -> String {
    let mut causes: Vec<String> = Vec::new();
    for cause in error.chain() {
        let text = cause.to_string();
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        // Names come from the module, and a terminal obeys control characters.
        let text = text.replace(char::is_control, "?");
        // Wrappers often repeat the text of what they wrap.
        if !causes.iter().any(|seen| seen.contains(&text)) {
            causes.push(text);
        }
    }
    causes.join(": ")
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
}
