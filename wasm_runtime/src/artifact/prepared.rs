//! A module on its way to compiled code: what is asked for, and how far it is.

use super::cache::Cache;
use super::order::Order;
use super::preinit::{Preinit, initializer};
use super::snapshot::{Snapshot, SnapshotFacts};
use super::{Artifact, ArtifactKey, Facts};
use crate::engine::settings::{Settings, Target};
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
    /// A snapshot is wanted, if the module allows one.
    pub preinit: Option<Preinit>,
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
    /// A snapshot is wanted.
    pub(super) preinit: Option<Preinit>,
    pub(super) snapshot: OnceLock<Arc<Snapshot>>,
    /// Why there is no snapshot although one was wanted; empty where that was told before.
    pub(super) without: OnceLock<String>,
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

    /// Why it runs without the snapshot that was wanted, in one line, or nothing.
    pub fn snapshot_problem(&self) -> &str {
        self.without.get().map_or("", |reason| reason)
    }

    /// What the initialiser of its snapshot printed, in one line, or nothing.
    pub fn snapshot_said(&self) -> &str {
        self.snapshot.get().map_or("", |taken| &taken.facts.said)
    }

    /// Whether both are the same code, a snapshot or not, so that a process has to load it once only.
    pub fn shares_code_with(&self, other: &Prepared) -> bool {
        let same_snapshot = match (self.snapshot.get(), other.snapshot.get()) {
            (Some(one), Some(another)) => Arc::ptr_eq(one, another),
            (None, None) => true,
            _ => false,
        };
        match (self.made.get(), other.made.get()) {
            (Some(one), Some(another)) => {
                same_snapshot && Arc::ptr_eq(&one.artifact, &another.artifact)
            }
            _ => false,
        }
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

    /// What is to be known of the snapshot, if the code is that of one.
    pub(crate) fn snapshot(&self) -> Option<&SnapshotFacts> {
        self.snapshot.get().map(|snapshot| &snapshot.facts)
    }

    /// Without a snapshot the module is refused.
    pub(super) fn requires_snapshot(&self) -> bool {
        self.preinit
            .as_ref()
            .is_some_and(|preinit| preinit.required)
    }

    /// Whether the code is, or will be, that of a snapshot.
    pub fn has_snapshot(&self) -> bool {
        self.snapshot.get().is_some() || self.lacks_snapshot()
    }

    /// The function that initialises the module, if it has one.
    pub(super) fn initializer(&self) -> Option<&'static str> {
        initializer(&self.facts)
    }

    /// A snapshot is wanted and not there yet.
    pub fn lacks_snapshot(&self) -> bool {
        self.preinit.is_some()
            && self.snapshot.get().is_none()
            && self.without.get().is_none()
            && self.initializer().is_some()
    }

    /// What the process is to do that runs the initialiser.
    pub(super) fn order(&self) -> Option<Order> {
        let preinit = self.preinit.as_ref()?;
        Some(preinit.order(&self.sha256, self.initializer()?))
    }

    /// SHA-256 of what is compiled, in hex.
    pub(super) fn code_of(&self) -> &str {
        let snapshot = self.snapshot.get();
        snapshot.map_or(&self.sha256, |snapshot| &snapshot.facts.sha256)
    }

    /// The key of its code.
    pub(super) fn key(&self, target: Target) -> ArtifactKey {
        let settings = Settings::of_this_process();
        ArtifactKey::new(self.code_of(), &settings, target)
            .of_snapshot(self.snapshot.get().is_some())
    }

    pub(super) fn is_pending(&self) -> bool {
        self.made.get().is_none()
    }

    /// The code is there. Nothing changes when it was there before.
    pub(super) fn complete(&self, artifact: Arc<Artifact>, origin: Origin, warnings: &[String]) {
        let all = self.warnings.iter().chain(warnings).cloned();
        let warning = all.collect::<Vec<_>>().join("; ");
        let _ = self.made.set(Made {
            artifact,
            origin,
            warning,
        });
    }
}
