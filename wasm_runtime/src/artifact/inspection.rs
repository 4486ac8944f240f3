//! What a start would find of a module, looked at without making, starting or touching anything.

use super::ArtifactKey;
use super::cache::Cache;
use super::digests::Digests;
use crate::engine::settings::{Settings, Target};
use crate::error::{Error, Result};
use std::io;
use std::path::Path;

/// A module, and its code in a cache.
#[derive(Debug)]
pub struct Inspection {
    /// Bytes of the module's file.
    pub size: u64,
    /// SHA-256 of the module's file, in hex.
    pub sha256: String,
    pub code: Code,
}

/// The code that a start would take from the cache.
#[derive(Debug, PartialEq, Eq)]
pub enum Code {
    /// None is there: it would be compiled.
    None,
    Cached(Target),
    /// The same as `None`, or a reason not to start at all. Says why.
    Unusable(String),
}

impl Inspection {
    /// Looks at a module and at its code in a cache directory.
    ///
    /// # Errors
    /// [`Error::Io`] when the module cannot be read. What is wrong with the cache is an answer.
    pub fn of(module: &Path, cache_directory: &Path) -> Result<Self> {
        let (sha256, version) = Digests::default().of_file(module)?;
        Ok(Inspection {
            size: version.size,
            code: code_of(&sha256, cache_directory),
            sha256,
        })
    }
}

fn code_of(sha256: &str, cache_directory: &Path) -> Code {
    let cache = match Cache::find(cache_directory) {
        Ok(cache) => cache,
        Err(Error::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
            return Code::None;
        }
        Err(error) => return Code::Unusable(error.to_string()),
    };
    let settings = Settings::of_this_process();
    let mut code = Code::None;
    for target in Target::PREFERENCE {
        match cache.look(&ArtifactKey::new(sha256, &settings, target)) {
            None => {}
            Some(Ok(())) => return Code::Cached(target),
            Some(Err(reason)) => code = Code::Unusable(reason),
        }
    }
    code
}
