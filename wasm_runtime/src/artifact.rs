//! Compiled modules as the parent process handles them: found in the cache or made by the helper program, verified, kept
//! in sealed memory files that the children map.

mod cache;
mod digests;
mod expiry;
mod folder;
mod footer;
mod helper;
mod inspection;
mod key;
mod memory_file;
mod order;
mod packed;
mod places;
mod preinit;
mod prepared;
mod refusal;
mod side_by_side;
mod snapshot;
mod snapshots;
mod store;

pub use cache::Cache;
pub use footer::{Checks, Facts, Findings, Metadata, Needs, append_footer};
pub use inspection::{Code, Inspection};
pub use key::ArtifactKey;
pub use order::{Given, Order, User};
pub use preinit::Preinit;
pub use prepared::{Origin, Prepared, Request};
pub use snapshot::{SnapshotFacts, append_facts, read_snapshot};
pub use store::{ArtifactStore, Begun, Stage};

pub(crate) use places::{Places, PlacesBuilder};
pub(crate) use snapshot::MAX_SNAPSHOT;

use crate::error::{Error, Result};
use footer::FORMAT;
use refusal::Refusal;
use std::fs::File;
use std::io;
use std::path::Path;

/// A compiled module whose code nobody can change any more.
#[derive(Debug)]
pub struct Artifact {
    pub metadata: Metadata,
    code: File,
    refusal: Refusal,
}

impl Artifact {
    /// Takes over a memory file with the code and seals it.
    fn seal(metadata: Metadata, code: File) -> io::Result<Self> {
        memory_file::seal(&code)?;
        Ok(Artifact {
            metadata,
            code,
            refusal: Refusal::new()?,
        })
    }

    /// Notes that this process cannot load the code. All processes that share the artifact see it, the parent included.
    pub fn refuse(&self) {
        self.refusal.note();
    }

    /// Whether some process could not load the code.
    pub fn is_refused(&self) -> bool {
        self.refusal.is_noted()
    }

    /// A handle of the memory file, for mapping.
    pub(crate) fn code(&self) -> Result<File> {
        self.code
            .try_clone()
            .map_err(|error| Error::io(Path::new("memory file"), error))
    }
}
