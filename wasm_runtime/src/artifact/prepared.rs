//! A module on its way to compiled code: what is asked for, and how far it is.

use super::cache::Cache;
use super::{Artifact, Facts};
use crate::error::{Error, Result};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

/// A module to prepare.
#[derive(Debug)]
pub struct Request<'a> {
    pub module: &'a Path,
    /// SHA-256 that the file must have, in hex.
    pub digest: Option<&'a str>,
    /// No cache when absent.
    pub cache_directory: Option<&'a Path>,
    /// The program `wasm-precompile`.
    pub helper: &'a Path,
}

/// Where an artifact came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Already in the store.
    Kept,
    Cache,
    Compiled,
    /// As `Compiled`, because a process could not load what was there before.
    CompiledAgain,
}

/// A module that was found good. Its code may be there already.
#[derive(Debug)]
pub struct Prepared {
    pub module: PathBuf,
    /// Bytes of the module's file.
    pub size: u64,
    /// SHA-256 of the module's file, in hex.
    pub sha256: String,
    pub facts: Facts,
    pub(super) helper: PathBuf,
    pub(super) cache_directory: Option<PathBuf>,
    /// A process could not load the code that was there.
    pub(super) was_refused: bool,
    /// What is to be told once the code is there.
    pub(super) warnings: Vec<String>,
    pub(super) made: OnceLock<Made>,
}

/// The code, and how it was come by.
#[derive(Debug)]
pub(super) struct Made {
    pub(super) artifact: Arc<Artifact>,
    pub(super) origin: Origin,
    pub(super) warning: String,
}

impl Prepared {
    /// The code.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] before it was compiled.
    pub fn artifact(&self) -> Result<&Arc<Artifact>> {
        let made = self.made.get().map(|made| &made.artifact);
        made.ok_or(Error::InvalidArgument("the artifact is not compiled yet"))
    }

    /// Where the code came from, once it is there.
    pub fn origin(&self) -> Option<Origin> {
        self.made.get().map(|made| made.origin)
    }

    /// One line for the log, or nothing.
    pub fn warning(&self) -> &str {
        self.made.get().map_or("", |made| &made.warning)
    }

    /// Whether `name` is a function that a run can start with.
    pub fn check_entry_point(&self, name: &str) -> Result<()> {
        if self.facts.entry_points.iter().any(|entry| entry == name) {
            return Ok(());
        }
        let offered = match self.facts.entry_points.as_slice() {
            [] => "it exports none".to_owned(),
            names => format!("it exports {}", names.join(", ")),
        };
        Err(Error::EntryPoint(format!(
            "no exported function \"{name}\" without parameters and results ({offered})"
        )))
    }

    /// Code that a process could not load leaves the cache, so that the next start compiles it again.
    pub fn remove_refused(&self) {
        if let (Some(directory), Ok(artifact)) = (&self.cache_directory, self.artifact())
            && artifact.is_refused()
            && let Ok(cache) = Cache::open(directory)
        {
            cache.remove(&artifact.metadata.key);
        }
    }

    pub(super) fn is_pending(&self) -> bool {
        self.made.get().is_none()
    }

    /// The code is there. Nothing changes when it was there before.
    pub(super) fn complete(&self, artifact: Arc<Artifact>, origin: Origin, warnings: &[String]) {
        let warning = [self.warnings.as_slice(), warnings].concat().join("; ");
        let _ = self.made.set(Made {
            artifact,
            origin,
            warning,
        });
    }
}
