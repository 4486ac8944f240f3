//! A module on its way to compiled code: what is asked for, and how far it is.

use super::cache::Cache;
use super::snapshot::{Snapshot, SnapshotFacts};
use super::{Artifact, Facts};
use crate::error::{Error, Result};
use crate::host::files::{Files, Terms};
use crate::host::sights;
use crate::mounts::MountTable;
use crate::run::budget::Budget;
use crate::run::{Limit, Limits, Mount};
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

/// How a module is initialised for a snapshot.
#[derive(Clone, Debug)]
pub struct Preinit {
    /// Without an initialiser, or when it fails, the module is refused; otherwise it runs without a snapshot.
    pub required: bool,
    /// What the initialiser sees, all of it read-only.
    pub mounts: Vec<Mount>,
    /// All mounts of any run: what a program may write to, no link in there leads to a mount.
    pub table: Arc<MountTable>,
    /// `NAME=value`, sorted.
    pub env: Vec<Vec<u8>>,
    /// Milliseconds that it may take.
    pub timeout_ms: u64,
    /// Bytes of memory that it may use.
    pub memory: u64,
    /// Whom the process that runs it becomes; `None`: it stays who it is.
    pub user: Option<User>,
}

/// A user without any right of root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    pub user: u32,
    pub group: u32,
    /// All groups.
    pub groups: Vec<u32>,
}

/// The names by which modules export an initialiser, the newer one first.
const INITIALIZERS: [&str; 2] = ["wizer-initialize", "wizer.initialize"];

impl Preinit {
    /// Whether this snapshot is what the initialiser would lead to now.
    pub(super) fn is_met_by(&self, facts: &SnapshotFacts) -> bool {
        if facts.version != crate::VERSION || facts.env != self.env {
            return false;
        }
        let mut files = Files::new(false);
        let mut budget = Budget::new(Limits::UNLIMITED);
        for mount in &self.mounts {
            let terms = Terms {
                read_only: true,
                account: Limit::Written,
            };
            if let Ok(host) = self.table.open(&mount.host) {
                let _ = files.mount(&mount.guest, host, terms, &mut budget);
            }
        }
        sights::hold(&facts.sights, &mut files, &budget)
    }
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
    /// Why there is no snapshot although one was wanted.
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
        let has = |name: &&str| self.facts.entry_points.iter().any(|entry| entry == name);
        INITIALIZERS.into_iter().find(has)
    }

    /// A snapshot is wanted and not there yet.
    pub(super) fn lacks_snapshot(&self) -> bool {
        self.preinit.is_some()
            && self.snapshot.get().is_none()
            && self.without.get().is_none()
            && self.initializer().is_some()
    }

    /// SHA-256 of what is compiled, in hex.
    pub(super) fn code_of(&self) -> &str {
        let snapshot = self.snapshot.get();
        snapshot.map_or(&self.sha256, |snapshot| &snapshot.facts.sha256)
    }

    pub(super) fn is_pending(&self) -> bool {
        self.made.get().is_none()
    }

    /// The code is there. Nothing changes when it was there before.
    pub(super) fn complete(&self, artifact: Arc<Artifact>, origin: Origin, warnings: &[String]) {
        let without = self.without.get().cloned();
        let all = self.warnings.iter().chain(warnings).cloned().chain(without);
        let warning = all.collect::<Vec<_>>().join("; ");
        let _ = self.made.set(Made {
            artifact,
            origin,
            warning,
        });
    }
}
