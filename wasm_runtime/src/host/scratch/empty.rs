//! Removing everything in a folder, however deep it goes: without recursion, without a path, with two descriptors.
//!
//! What is in a folder of the folder is removed or, where it is a folder with something in it, moved up to the top. So there are
//! never more than two levels to look at, and every operation is by a descriptor and one name.

use super::open_folder;
use rustix::fd::{AsFd, BorrowedFd};
use rustix::fs::{AtFlags, FileType, RawDir, SeekFrom, renameat, seek, unlinkat};
use rustix::io::{Errno, Result};
use std::ffi::CStr;
use std::mem::MaybeUninit;
use std::time::Instant;

/// Bytes of entries that the host is asked for at a time.
const BATCH: usize = 8 << 10;

/// Empties a folder that is open for reading and that nobody else changes. Gives up at `end` with [`Errno::TIMEDOUT`].
pub(super) fn empty(top: BorrowedFd<'_>, end: Option<Instant>) -> Result<()> {
    let mut number = 0;
    loop {
        let seen = clear(top, end, |name| flatten(top, end, name, &mut number))?;
        if seen == 0 {
            return Ok(());
        }
    }
}

/// Removes a folder in `top`; what is below its entries comes up.
fn flatten(top: BorrowedFd<'_>, end: Option<Instant>, name: &CStr, number: &mut u64) -> Result<()> {
    let folder = open_folder(top, name)?;
    let folder = folder.as_fd();
    let seen = clear(folder, end, |inner| raise(folder, inner, top, number))?;
    match unlinkat(top, name, AtFlags::REMOVEDIR) {
        // An entry was passed over while others were removed: there is another round.
        Err(Errno::NOTEMPTY | Errno::EXIST) if seen > 0 => Ok(()),
        removed => removed,
    }
}

/// Moves a folder up to `top`, under a name that is free there.
fn raise(folder: BorrowedFd<'_>, name: &CStr, top: BorrowedFd<'_>, number: &mut u64) -> Result<()> {
    loop {
        let new = number.to_string();
        *number += 1;
        match renameat(folder, name, top, new) {
            Err(Errno::NOTEMPTY | Errno::EXIST | Errno::NOTDIR) => {}
            moved => return moved,
        }
    }
}

/// Removes the entries of a folder that is open for reading; a folder with something in it is left to `full`. Returns how many
/// there were.
fn clear(
    folder: BorrowedFd<'_>,
    end: Option<Instant>,
    mut full: impl FnMut(&CStr) -> Result<()>,
) -> Result<usize> {
    seek(folder, SeekFrom::Start(0))?;
    let mut seen = 0;
    let mut buffer = [MaybeUninit::uninit(); BATCH];
    let mut entries = RawDir::new(folder, &mut buffer);
    while let Some(entry) = entries.next() {
        let entry = entry?;
        let name = entry.file_name();
        if is_dots(name) {
            continue;
        }
        seen += 1;
        if end.is_some_and(|end| Instant::now() >= end) {
            return Err(Errno::TIMEDOUT);
        }
        match remove(folder, name, entry.file_type()) {
            Err(Errno::NOTEMPTY | Errno::EXIST) => full(name)?,
            Err(Errno::NOENT) => {}
            removed => removed?,
        }
    }
    Ok(seen)
}

fn remove(folder: BorrowedFd<'_>, name: &CStr, kind: FileType) -> Result<()> {
    if let FileType::Directory | FileType::Unknown = kind {
        match unlinkat(folder, name, AtFlags::REMOVEDIR) {
            Err(Errno::NOTDIR) => {}
            removed => return removed,
        }
    }
    unlinkat(folder, name, AtFlags::empty())
}

pub(super) fn is_dots(name: &CStr) -> bool {
    matches!(name.to_bytes(), b"." | b"..")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::symlink;
    use std::path::Path;

    /// Empties `top`; `beside` it, nothing may change.
    fn emptied(make: impl FnOnce(&Path)) {
        let place = tempfile::tempdir().unwrap();
        let (top, beside) = (place.path().join("top"), place.path().join("beside"));
        for folder in [&top, &beside] {
            fs::create_dir(folder).unwrap();
        }
        fs::write(beside.join("file"), "content").unwrap();
        make(&top);
        let folder = fs::File::open(&top).unwrap();
        empty(folder.as_fd(), None).unwrap();
        assert_eq!(fs::read_dir(&top).unwrap().count(), 0);
        assert_eq!(fs::read(beside.join("file")).unwrap(), b"content");
    }

    #[test]
    fn nothing_is_left_of_files_folders_and_names_of_every_kind() {
        emptied(|_| {});
        emptied(|top| {
            fs::create_dir_all(top.join("0/1/2")).unwrap();
            fs::create_dir_all(top.join("1/1/0/x")).unwrap();
            // Names that folders would get on their way up.
            fs::write(top.join("2"), "").unwrap();
            fs::write(top.join("0/1/2/file"), "x").unwrap();
            fs::write(top.join("1/1/0/x/file"), "x").unwrap();
            fs::write(top.join("\u{1}\n"), "x").unwrap();
        });
    }

    #[test]
    fn links_are_removed_and_not_followed() {
        emptied(|top| {
            fs::create_dir_all(top.join("a/b")).unwrap();
            symlink("../beside", top.join("out")).unwrap();
            symlink("../../../beside", top.join("a/b/out")).unwrap();
            symlink("/etc/passwd", top.join("a/absolute")).unwrap();
            symlink(".", top.join("a/here")).unwrap();
        });
    }

    #[test]
    fn ten_thousand_entries_go() {
        emptied(|top| {
            fs::create_dir(top.join("wide")).unwrap();
            for number in 0..9_000 {
                fs::write(top.join(format!("wide/{number}")), "").unwrap();
            }
            for number in 0..500 {
                fs::create_dir_all(top.join(format!("{number}/inner"))).unwrap();
            }
        });
    }

    /// Deeper than a path can name, and than there are descriptors.
    #[test]
    fn a_tree_may_be_thousands_deep() {
        emptied(|top| {
            let mut here: rustix::fd::OwnedFd = fs::File::open(top).unwrap().into();
            for level in 0..3_000 {
                let mode = rustix::fs::Mode::from_raw_mode(0o700);
                rustix::fs::mkdirat(&here, "deeper", mode).unwrap();
                if level % 100 == 0 {
                    rustix::fs::symlinkat("..", &here, "up").unwrap();
                }
                here = open_folder(here.as_fd(), "deeper").unwrap();
            }
        });
    }

    #[test]
    fn what_cannot_be_removed_ends_it() {
        let place = tempfile::tempdir().unwrap();
        fs::write(place.path().join("file"), "").unwrap();
        let named = rustix::fs::open(
            place.path(),
            rustix::fs::OFlags::PATH,
            rustix::fs::Mode::empty(),
        )
        .unwrap();
        assert_eq!(empty(named.as_fd(), None), Err(Errno::BADF));
    }
}
