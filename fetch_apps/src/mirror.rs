//! A folder of files named by their SHA-256 digest, for machines that reach nothing else.
//!
//! The download cache of another machine is such a folder.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use crate::cache::Partial;
use crate::digest::Sha256;
use crate::error::{Error, IoContext, Result};

pub(crate) struct Mirror {
    folder: PathBuf,
}

impl Mirror {
    pub(crate) fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(crate) fn has(&self, sha256: Sha256) -> bool {
        self.path(sha256).exists()
    }

    /// Copies a file into the cache, where it is checked like one from anywhere else.
    pub(crate) fn copy(&self, sha256: Sha256, mut partial: Partial) -> Result<PathBuf> {
        let path = self.path(sha256);
        // An unreadable mirror is a source that does not deliver; the next one may.
        let unreadable = |error| Error::Plain {
            cause: format!("cannot read {}: {error}", path.display()),
        };
        let mut file = File::open(&path).map_err(unreadable)?;
        if !file.metadata().map_err(unreadable)?.is_file() {
            return Err(unreadable(io::Error::other("not a regular file")));
        }
        io::copy(&mut file, &mut partial).doing("copy into the cache", &path)?;
        partial.finish(&path.display().to_string())
    }

    fn path(&self, sha256: Sha256) -> PathBuf {
        self.folder.join(sha256.to_string())
    }
}
