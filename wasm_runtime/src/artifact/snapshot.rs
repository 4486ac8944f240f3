//! A snapshot as the parent process handles it: WebAssembly in a sealed memory file, with what its initialiser was given
//! and saw. It is data until it is compiled.

use super::digest::{digest_of, sha256_hex};
use super::footer;
use super::memory_file;
use crate::error::{Error, Result};
use crate::host::Frozen;
use crate::host::sights::Sights;
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{self, Read, Seek, Write};

/// Ends every snapshot file. Its last character is counted up when [`SnapshotFacts`] changes.
const FORMAT: [u8; 8] = *b"MODSNAP1";

/// Bytes of a snapshot, its facts included: what one can be is bounded by the memory of the initialiser, too.
const MAX_SNAPSHOT: u64 = 2 << 30;

/// What a snapshot was made from, and with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotFacts {
    /// SHA-256 of the original module, in hex.
    pub module: String,
    pub version: String,
    pub initializer: String,
    /// `NAME=value`.
    pub env: Vec<Vec<u8>>,
    pub sights: Sights,
    /// Where the guest's monotonic clock stood.
    pub clock: Frozen,
    /// SHA-256 of the snapshot, in hex.
    pub sha256: String,
}

/// A snapshot whose bytes nobody can change any more.
#[derive(Debug)]
pub struct Snapshot {
    pub facts: SnapshotFacts,
    /// WebAssembly, and nothing behind it.
    wasm: File,
    pub size: u64,
}

impl SnapshotFacts {
    /// Tells the snapshots of one module apart.
    pub(super) fn identity(&self) -> String {
        digest_of(&(&self.version, &self.initializer, &self.env, &self.sights))
    }
}

/// The content of a snapshot file; fills in the digest.
pub fn append_facts(wasm: Vec<u8>, mut facts: SnapshotFacts) -> Vec<u8> {
    facts.sha256 = sha256_hex(&wasm);
    footer::append(wasm, &facts, FORMAT)
}

/// The facts in a snapshot file. `None`: it is none, or was cut.
pub(super) fn read_facts(file: &File) -> io::Result<Option<SnapshotFacts>> {
    let read = footer::read::<SnapshotFacts>(file, FORMAT)?;
    Ok(read.map(|(facts, _)| facts))
}

impl Snapshot {
    /// Copies a snapshot file into a sealed memory file, and verifies it on the way.
    pub(super) fn from_file(file: &mut File) -> Result<Self> {
        let failed = |error: io::Error| Error::Compile(error.to_string());
        let not_whole = || Error::Compile("not a snapshot, or cut short".to_owned());
        if file.metadata().map_err(failed)?.len() > MAX_SNAPSHOT {
            return Err(Error::Compile("the snapshot is too large".to_owned()));
        }
        let read = footer::read::<SnapshotFacts>(file, FORMAT).map_err(failed)?;
        let (facts, size) = read.ok_or_else(not_whole)?;
        let mut content = Vec::new();
        file.rewind().map_err(failed)?;
        file.take(size).read_to_end(&mut content).map_err(failed)?;
        if sha256_hex(&content) != facts.sha256 {
            return Err(not_whole());
        }
        let mut wasm = memory_file::create().map_err(failed)?;
        wasm.write_all(&content).map_err(failed)?;
        memory_file::seal(&wasm).map_err(failed)?;
        Ok(Snapshot { facts, wasm, size })
    }

    /// The WebAssembly, from its beginning: for one reader at a time.
    pub(super) fn open(&self) -> io::Result<File> {
        let mut file = self.wasm.try_clone()?;
        file.rewind()?;
        Ok(file)
    }
}
