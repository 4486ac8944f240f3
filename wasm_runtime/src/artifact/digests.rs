//! SHA-256 of module files, remembered as long as a file's directory entry tells of no change.

use crate::digest;
use crate::error::{Error, Result};
use std::collections::HashMap;
use std::fs::{self, File, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// A version of a file, as far as its directory entry tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct FileVersion {
    device: u64,
    inode: u64,
    pub(super) size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl FileVersion {
    fn of(metadata: &Metadata) -> Self {
        FileVersion {
            device: metadata.dev(),
            inode: metadata.ino(),
            size: metadata.size(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }
}

#[derive(Debug, Default)]
pub(super) struct Digests(HashMap<FileVersion, String>);

impl Digests {
    /// The digest of the file at `path`, in hex, and what the directory says of it.
    pub(super) fn of_file(&mut self, path: &Path) -> Result<(String, FileVersion)> {
        let failed = |error| Error::io(path, error);
        // Looked at before it is opened: opening a FIFO would wait for a writer.
        let metadata = fs::metadata(path).map_err(failed)?;
        if !metadata.is_file() {
            return Err(failed(io::Error::other("not a regular file")));
        }
        let version = FileVersion::of(&metadata);
        if let Some(known) = self.0.get(&version) {
            return Ok((known.clone(), version));
        }
        let mut file = File::open(path).map_err(failed)?;
        let sha256 = digest::copy_hashed(&mut file, &mut io::sink()).map_err(failed)?;
        self.0.insert(version, sha256.clone());
        Ok((sha256, version))
    }
}
