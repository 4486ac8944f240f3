//! Why a program was not run, and the exit status that says so.

use std::fmt;
use std::io;
use wasm_runtime::error::Error;

/// `wasm-run` itself cannot do what it was asked for, as for `env`, `nohup` and `timeout`.
pub(crate) const OWN: u8 = 125;
/// There is a module, and it cannot be run.
pub(crate) const CANNOT_RUN: u8 = 126;
/// There is no module.
pub(crate) const NOT_FOUND: u8 = 127;

/// A line for standard error, and an exit status.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) code: u8,
    message: String,
}

impl Failure {
    pub(crate) fn new(code: u8, message: String) -> Self {
        Failure { code, message }
    }

    /// One of `wasm-run` itself.
    pub(crate) fn own(message: String) -> Self {
        Failure::new(OWN, message)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let code = match &error {
            Error::Io { source, .. } if source.kind() == io::ErrorKind::NotFound => NOT_FOUND,
            Error::Io { .. } | Error::Digest { .. } | Error::Module(_) | Error::EntryPoint(_) => {
                CANNOT_RUN
            }
            _ => OWN,
        };
        Failure::new(code, error.to_string())
    }
}
