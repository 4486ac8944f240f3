//! Digests of what is in files and folders.

use super::Files;
use super::table::Kind;
use crate::digest::{hex, sha256_hex};
use crate::host::abi::Errno;
use rustix::fs::Dir;
use sha2::{Digest, Sha256};
use std::io::IoSliceMut;

/// A larger file has no fingerprint: taking it would take longer than most initialisers.
const MAX_SIZE: i64 = 64 << 20;

/// Nor has a folder with more entries.
const MAX_ENTRIES: usize = 65_536;

const CHUNK: usize = 64 << 10;

impl Files {
    /// The digest of a file's bytes, or of a folder's sorted names, as hex.
    ///
    /// # Errors
    /// Those of reading; `EFBIG` for what is too large.
    pub(crate) fn fingerprint(&self, fd: u32) -> Result<String, Errno> {
        match self.table.get(fd)?.kind {
            Kind::Directory { .. } => self.fingerprint_of_names(fd),
            _ => self.fingerprint_of_bytes(fd),
        }
    }

    fn fingerprint_of_bytes(&self, fd: u32) -> Result<String, Errno> {
        if self.stat(fd)?.is_none_or(|stat| stat.st_size > MAX_SIZE) {
            return Err(Errno::FILE_TOO_BIG);
        }
        let mut hasher = Sha256::new();
        let mut buffer = vec![0; CHUNK];
        let mut offset = 0;
        loop {
            let piece = &mut [IoSliceMut::new(&mut buffer)];
            let count = self.read(fd, piece, Some(offset))?;
            // Whoever makes it longer meanwhile changes it.
            if count == 0 || offset > MAX_SIZE as u64 {
                return Ok(hex(&hasher.finalize()));
            }
            hasher.update(&buffer[..count]);
            offset += count as u64;
        }
    }

    fn fingerprint_of_names(&self, fd: u32) -> Result<String, Errno> {
        let folder = self.table.get(fd)?.readable()?;
        let mut names = Vec::new();
        for entry in Dir::read_from(&folder)? {
            names.push(entry?.file_name().to_bytes_with_nul().to_vec());
            if names.len() > MAX_ENTRIES {
                return Err(Errno::FILE_TOO_BIG);
            }
        }
        names.sort();
        Ok(sha256_hex(&names.concat()))
    }
}
