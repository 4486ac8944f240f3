//! tar.gz and tar.xz: whole archives, and single members of npm tarballs.

use std::fs::File;
use std::io::{self, BufReader, Read, Write};
use std::time::Duration;

use flate2::read::MultiGzDecoder;
use lzma_rust2::XzReader;
use tar::EntryType;

use super::tree::{Kind, NewFile};
use super::{Archive, Capped, Selection, Tree};
use crate::error::{Error, Result};

/// The most that an archive may decompress to, entries that are skipped included.
const MAX_STREAM: u64 = 1024 * 1024 * 1024;

fn buffered(archive: Archive<'_>) -> Result<BufReader<File>> {
    Ok(BufReader::with_capacity(256 * 1024, archive.open()?))
}

fn tar<R: Read>(inner: R) -> tar::Archive<Capped<R>> {
    tar::Archive::new(Capped {
        inner,
        left: MAX_STREAM,
    })
}

/// Unpacks what is selected into the tree.
pub(crate) fn unpack_tar_gz(
    archive: Archive<'_>,
    selection: &Selection<'_>,
    tree: &mut Tree,
) -> Result<()> {
    unpack(
        archive,
        MultiGzDecoder::new(buffered(archive)?),
        selection,
        tree,
    )
}

/// Unpacks what is selected into the tree.
pub(crate) fn unpack_tar_xz(
    archive: Archive<'_>,
    selection: &Selection<'_>,
    tree: &mut Tree,
) -> Result<()> {
    // A file may be several streams, one behind the other.
    unpack(
        archive,
        XzReader::new(buffered(archive)?, true),
        selection,
        tree,
    )
}

fn unpack(
    archive: Archive<'_>,
    content: impl Read,
    selection: &Selection<'_>,
    tree: &mut Tree,
) -> Result<()> {
    let mut reader = tar(content);
    for entry in reader.entries().map_err(|error| archive.broken(error))? {
        let mut entry = entry.map_err(|error| archive.broken(error))?;
        let name = entry.path_bytes().into_owned();
        let target = entry.link_name_bytes().unwrap_or_default().into_owned();
        let executable = entry.header().mode().is_ok_and(|mode| mode & 0o100 != 0);
        // What was made from other files has to stay younger than they are, or make makes it again.
        let modified = entry.header().mtime().ok().map(Duration::from_secs);
        let kind = match entry.header().entry_type() {
            // A comment for the whole archive, not a file.
            EntryType::XGlobalHeader => continue,
            EntryType::Regular | EntryType::Continuous => Kind::File(NewFile {
                executable,
                modified,
                content: &mut entry,
            }),
            EntryType::Directory => Kind::Folder,
            EntryType::Symlink => Kind::Link { target: &target },
            EntryType::Link => Kind::Other("hard link"),
            EntryType::Char | EntryType::Block => Kind::Other("device"),
            EntryType::Fifo => Kind::Other("named pipe"),
            _ => Kind::Other("special entry"),
        };
        tree.take(archive, selection, &name, kind)?;
    }
    Ok(())
}

/// Copies one regular file of the archive; `limit` is the most bytes it may have.
pub(crate) fn copy_member(
    archive: Archive<'_>,
    member: &str,
    limit: u64,
    output: &mut dyn Write,
) -> Result<()> {
    let mut reader = tar(MultiGzDecoder::new(buffered(archive)?));
    for entry in reader.entries().map_err(|error| archive.broken(error))? {
        let entry = entry.map_err(|error| archive.broken(error))?;
        if *entry.path_bytes() != *member.as_bytes()
            || entry.header().entry_type() != EntryType::Regular
        {
            continue;
        }
        if entry.size() > limit {
            return Err(archive.refuse(
                member.as_bytes(),
                format!("it has {} bytes, {limit} are allowed", entry.size()),
            ));
        }
        io::copy(&mut io::Read::take(entry, limit), output).map_err(|error| {
            archive.refuse(member.as_bytes(), format!("cannot be copied: {error}"))
        })?;
        return Ok(());
    }
    Err(Error::new(format!(
        "{}: it has no member '{member}'",
        archive.name
    )))
}
