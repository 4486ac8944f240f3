//! A snapshot as the parent process handles it: WebAssembly in a sealed memory file, with what its initialiser was given
//! and saw. It is data until it is compiled.

use super::footer;
use super::memory_file;
use super::order::Given;
use super::packed::unpack;
use crate::digest::{self, digest_of, sha256_hex};
use crate::error::{Error, Result};
use crate::host::Frozen;
use crate::host::sights::Sights;
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{self, Read, Seek};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Ends every snapshot file. Its last character is counted up when [`SnapshotFacts`] changes.
const FORMAT: [u8; 8] = *b"MODSNAP4";

/// Bytes of a snapshot, and of the file of a helper that delivers one.
pub(crate) const MAX_SNAPSHOT: u64 = 2 << 30;

/// What a snapshot was made of, and with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotFacts {
    pub given: Given,
    pub sights: Sights,
    /// Guest and host path of the mounts in which something was found. What tells files apart does so only beneath one host path:
    /// two file systems may have the same numbers.
    pub found_in: Vec<(String, Vec<u8>)>,
    /// The limit in bytes by which memory was refused to the initialiser, if that happened: with another one it may end otherwise.
    pub refused_memory: Option<u64>,
    /// The same of the limit of descriptors.
    pub refused_descriptors: Option<u64>,
    /// Bytes of linear memory that the snapshot begins with.
    pub memory: u64,
    /// What the initialiser printed last, on one line; empty when it printed nothing.
    pub said: String,
    /// Where the guest's monotonic clock stood.
    pub clock: Frozen,
    /// SHA-256 of the snapshot, in hex.
    pub sha256: String,
}

impl SnapshotFacts {
    /// Tells the snapshots of one module apart.
    pub(super) fn identity(&self) -> String {
        digest_of(&(
            &self.given,
            &self.sights,
            &self.found_in,
            self.refused_memory,
            self.refused_descriptors,
        ))
    }
}

/// What a helper delivers of a snapshot; fills in the digest.
///
/// # Errors
/// [`Error::Module`] when it would be larger than anybody takes it.
pub fn append_facts(wasm: Vec<u8>, mut facts: SnapshotFacts) -> Result<Vec<u8>> {
    facts.sha256 = sha256_hex(&wasm);
    let wasm_size = wasm.len() as u64;
    let content = footer::append(wasm, &facts, FORMAT);
    let size = content.len() as u64;
    check_room("the snapshot", size, MAX_SNAPSHOT)?;
    let seen = size - wasm_size - footer::TRAILER;
    check_room("what it looked at", seen, footer::MAX_METADATA.into())?;
    Ok(content)
}

fn check_room(what: &str, size: u64, most: u64) -> Result<()> {
    if size <= most {
        return Ok(());
    }
    Err(Error::Module(format!(
        "no snapshot can be taken: {what} would be kept in {size} bytes, and {most} is the limit"
    )))
}

/// The facts in a snapshot file. `None`: it is none, or was cut.
pub(super) fn read_facts(file: &File) -> io::Result<Option<SnapshotFacts>> {
    let read = footer::read::<SnapshotFacts>(file, FORMAT)?;
    Ok(read.map(|(facts, _)| facts))
}

/// The WebAssembly in the file of a snapshot in a cache. `None`: it is none, or was cut.
///
/// # Errors
/// Those of reading.
pub fn read_snapshot(file: &mut File) -> io::Result<Option<Vec<u8>>> {
    let Some((facts, size)) = footer::read::<SnapshotFacts>(file, FORMAT)? else {
        return Ok(None);
    };
    let mut wasm = Vec::new();
    file.rewind()?;
    let sha256 = digest::copy_hashed(&mut unpack(file.take(size))?, &mut wasm)?;
    Ok(Some(wasm).filter(|_| sha256 == facts.sha256))
}

/// A snapshot whose bytes nobody can change any more.
#[derive(Debug)]
pub(super) struct Snapshot {
    pub(super) facts: SnapshotFacts,
    /// Bytes of the WebAssembly.
    pub(super) size: u64,
    /// Nothing but the WebAssembly, until it is compiled.
    wasm: Mutex<Option<File>>,
}

impl Snapshot {
    /// What a helper delivered.
    pub(super) fn from_helper(output: &mut File) -> io::Result<Self> {
        let (facts, wasm) = facts_and_content(output)?;
        Self::copied(facts, wasm)
    }

    /// What is kept in a cache.
    pub(super) fn from_cache(file: &mut File) -> io::Result<Self> {
        let (facts, packed) = facts_and_content(file)?;
        Self::copied(facts, unpack(packed)?)
    }

    /// Copies a snapshot into a sealed memory file, and verifies it on the way: whoever wrote it may still have it open.
    fn copied(facts: SnapshotFacts, content: impl Read) -> io::Result<Self> {
        let mut wasm = memory_file::create()?;
        if digest::copy_hashed(&mut content.take(MAX_SNAPSHOT), &mut wasm)? != facts.sha256 {
            return Err(not_whole());
        }
        memory_file::seal(&wasm)?;
        Ok(Snapshot {
            facts,
            size: wasm.metadata()?.len(),
            wasm: Mutex::new(Some(wasm)),
        })
    }

    /// The WebAssembly from its beginning, for one reader at a time. `None`: it was given up.
    pub(super) fn open(&self) -> io::Result<Option<File>> {
        let wasm = self.lock();
        let Some(wasm) = &*wasm else {
            return Ok(None);
        };
        let mut file = wasm.try_clone()?;
        file.rewind()?;
        Ok(Some(file))
    }

    /// Whether the WebAssembly was not given up.
    pub(super) fn is_there(&self) -> bool {
        self.lock().is_some()
    }

    /// What stands behind the WebAssembly in its file.
    pub(super) fn footer(&self) -> Vec<u8> {
        footer::append(Vec::new(), &self.facts, FORMAT)
    }

    /// Gives the memory of the WebAssembly back: it is compiled.
    pub(super) fn give_up(&self) {
        *self.lock() = None;
    }

    fn lock(&self) -> MutexGuard<'_, Option<File>> {
        // It is there or not, whoever panicked.
        self.wasm.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn facts_and_content(file: &mut File) -> io::Result<(SnapshotFacts, impl Read)> {
    let (facts, size) = footer::read(file, FORMAT)?.ok_or_else(not_whole)?;
    file.rewind()?;
    Ok((facts, file.take(size)))
}

fn not_whole() -> io::Error {
    io::Error::other("not a snapshot, or cut short")
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::order::User;
    use super::*;
    use std::io::Write;

    pub(in super::super) fn facts(module: &str) -> SnapshotFacts {
        SnapshotFacts {
            given: Given {
                module: module.to_owned(),
                settings: Given::settings_of_this_build(),
                env: vec![b"NAME=\xff".to_vec()],
                mounts: vec!["/app".to_owned()],
                scratch: None,
                user: User::of_this_process(),
            },
            sights: Sights::new(),
            found_in: Vec::new(),
            refused_memory: None,
            refused_descriptors: None,
            memory: 1 << 16,
            said: String::new(),
            clock: Frozen::default(),
            sha256: String::new(),
        }
    }

    pub(in super::super) fn file(content: &[u8]) -> File {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(content).unwrap();
        file
    }

    #[test]
    fn what_was_written_is_read_again_and_can_be_given_up() {
        let content = append_facts(b"wasm".to_vec(), facts("m")).unwrap();
        let snapshot = Snapshot::from_helper(&mut file(&content)).unwrap();
        let mut wasm = Vec::new();
        snapshot
            .open()
            .unwrap()
            .unwrap()
            .read_to_end(&mut wasm)
            .unwrap();
        assert_eq!((wasm.as_slice(), snapshot.size), (b"wasm".as_slice(), 4));
        assert_eq!(snapshot.facts.given, facts("m").given);
        snapshot.give_up();
        assert!(snapshot.open().unwrap().is_none());
    }

    #[test]
    fn what_nobody_would_take_is_refused_by_name() {
        let mut facts = facts("m");
        facts.given.env = vec![vec![b'x'; footer::MAX_METADATA as usize]];
        let error = append_facts(Vec::new(), facts).unwrap_err().to_string();
        assert!(error.contains("what it looked at would be kept"), "{error}");
        let error = check_room("the snapshot", MAX_SNAPSHOT + 1, MAX_SNAPSHOT).unwrap_err();
        assert!(error.to_string().contains("the snapshot would"), "{error}");
    }

    #[test]
    fn what_is_damaged_is_none() {
        let content = append_facts(b"wasm".to_vec(), facts("m")).unwrap();
        let mut flipped = content.clone();
        flipped[0] ^= 1;
        let mut other_format = content.clone();
        *other_format.last_mut().unwrap() ^= 1;
        for damaged in [&content[..content.len() - 1], b"", &flipped, &other_format] {
            Snapshot::from_helper(&mut file(damaged)).unwrap_err();
        }
    }

    #[test]
    fn all_that_matters_is_part_of_the_identity() {
        let identity = facts("m").identity();
        assert_eq!(facts("m").identity(), identity);
        let changed = |change: fn(&mut SnapshotFacts)| {
            let mut facts = facts("m");
            change(&mut facts);
            facts.identity()
        };
        for other in [
            changed(|facts| facts.given.module.push('x')),
            changed(|facts| facts.given.settings.push('x')),
            changed(|facts| facts.given.env.clear()),
            changed(|facts| facts.given.mounts.clear()),
            changed(|facts| facts.given.scratch = Some("/tmp".to_owned())),
            changed(|facts| facts.given.user.group += 1),
            changed(|facts| facts.found_in.push(("/app".to_owned(), b"/srv".to_vec()))),
            changed(|facts| facts.refused_memory = Some(1)),
            changed(|facts| facts.refused_descriptors = Some(1)),
        ] {
            assert_ne!(other, identity);
        }
        assert_eq!(changed(|facts| facts.memory += 1), identity);
    }
}
