//! Unpacking of archives that are not trusted to stay in their folder.

mod path;
mod tar_file;
mod tree;
mod zip_file;

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use crate::error::{Error, IoContext, Result};
pub(crate) use path::Selection;
pub(crate) use tar_file::{copy_member, unpack_tar_gz, unpack_tar_xz};
pub(crate) use tree::{Contents, Limits, Tree};
pub(crate) use zip_file::unpack_zip;

/// An archive on disk and the name that messages give it.
#[derive(Clone, Copy)]
pub(crate) struct Archive<'a> {
    pub(crate) path: &'a Path,
    pub(crate) name: &'a str,
}

impl Archive<'_> {
    fn open(&self) -> Result<File> {
        File::open(self.path).doing("open", self.path)
    }

    fn broken(&self, error: impl std::fmt::Display) -> Error {
        Error::new(format!("{}: cannot be read: {error}", self.name))
    }

    fn refuse(&self, entry: &[u8], problem: impl std::fmt::Display) -> Error {
        // Debug formatting would double the backslashes of a hostile name; escape_ascii keeps the line printable.
        let (name, entry) = (self.name, entry.escape_ascii());
        Error::new(format!("{name}: entry '{entry}' is refused: {problem}"))
    }
}

/// Fails once more than `left` bytes came out of a decompressor: a bomb must not even be skipped over for ever.
struct Capped<R> {
    inner: R,
    left: u64,
}

impl<R: Read> Read for Capped<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.left = self
            .left
            .checked_sub(count as u64)
            .ok_or_else(|| io::Error::other("it decompresses to more than is allowed"))?;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_ends_with_an_error_once_it_gives_too_much() {
        let read = |left| {
            Capped {
                inner: &[0; 100][..],
                left,
            }
            .read_to_end(&mut Vec::new())
        };
        assert_eq!(read(100).unwrap(), 100);
        assert!(read(99).is_err());
    }
}
