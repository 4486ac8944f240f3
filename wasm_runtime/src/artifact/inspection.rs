//! What a start would find of a module, looked at without making, starting or touching anything.

use super::cache::Cache;
use super::digests::Digests;
use super::preinit::initializer;
use super::{ArtifactKey, Metadata, Preinit};
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
    /// The code of its snapshot. `None`: none is wanted, or the module allows none as far as can be told without compiling it.
    pub snapshot: Option<Code>,
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
    /// Looks at a module, and at its code and its snapshot in a cache directory.
    ///
    /// # Errors
    /// [`Error::Io`] when the module cannot be read. What is wrong with the cache is an answer.
    pub fn of(module: &Path, cache_directory: &Path, preinit: Option<&Preinit>) -> Result<Self> {
        let (sha256, version) = Digests::default().of_file(module)?;
        let (code, snapshot) = match Cache::find(cache_directory) {
            Ok(cache) => {
                let (code, metadata) = code_of(&cache, &sha256, false);
                let snapshot =
                    preinit.and_then(|it| snapshot_of(&cache, &sha256, metadata.as_ref(), it));
                (code, snapshot)
            }
            Err(error) => (without_cache(&error), None),
        };
        Ok(Inspection {
            size: version.size,
            sha256,
            code,
            snapshot,
        })
    }
}

fn without_cache(error: &Error) -> Code {
    match error {
        Error::Io { source, .. } if source.kind() == io::ErrorKind::NotFound => Code::None,
        error => Code::Unusable(error.to_string()),
    }
}

/// The code of this WebAssembly, and what is known of it.
fn code_of(cache: &Cache, sha256: &str, is_snapshot: bool) -> (Code, Option<Metadata>) {
    let settings = Settings::of_this_process();
    let mut code = Code::None;
    for target in Target::PREFERENCE {
        let key = ArtifactKey::new(sha256, &settings, target).of_snapshot(is_snapshot);
        match cache.look(&key) {
            None => {}
            Some(Ok(metadata)) => return (Code::Cached(target), Some(metadata)),
            Some(Err(reason)) => code = Code::Unusable(reason),
        }
    }
    (code, None)
}

fn snapshot_of(
    cache: &Cache,
    sha256: &str,
    module: Option<&Metadata>,
    preinit: &Preinit,
) -> Option<Code> {
    match cache.look_for_snapshot(sha256, |facts| preinit.is_met_by(facts, sha256)) {
        Some(facts) => Some(code_of(cache, &facts.sha256, true).0),
        None => initializer(&module?.facts).map(|_| Code::None),
    }
}
