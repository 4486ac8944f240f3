//! How much is in a folder and all below it.

use super::empty::is_dots;
use super::open_folder;
use crate::run::budget::ENTRY;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{AtFlags, FileType, RawDir, SeekFrom, Stat, seek, statat};
use rustix::io::{Errno, Result};
use std::mem::MaybeUninit;

/// Bytes of entries that the host is asked for at a time. A folder is asked again after each one in it.
const BATCH: usize = 2 << 10;

/// Bytes in a folder that nobody changes meanwhile: each entry, and what is in files. It fails with `CANCELED` when `go_on` is
/// false.
///
/// One folder is open at a time; of those above, the place in their listing is remembered.
pub(super) fn measure(top: BorrowedFd<'_>, mut go_on: impl FnMut() -> bool) -> Result<u64> {
    let mut total: u64 = 0;
    let mut above = Vec::new();
    let mut here = open_folder(top, ".")?;
    loop {
        match count(here.as_fd(), &mut total, &mut go_on)? {
            Some((folder, next)) => {
                above.push(next);
                here = folder;
            }
            None => {
                let Some(next) = above.pop() else {
                    return Ok(total);
                };
                here = open_folder(here.as_fd(), "..")?;
                seek(&here, SeekFrom::Start(next))?;
            }
        }
    }
}

/// Counts entries up to a folder: that one, and where to go on behind it.
fn count(
    folder: BorrowedFd<'_>,
    total: &mut u64,
    go_on: &mut impl FnMut() -> bool,
) -> Result<Option<(OwnedFd, u64)>> {
    let mut buffer = [MaybeUninit::uninit(); BATCH];
    let mut entries = RawDir::new(folder, &mut buffer);
    while let Some(entry) = entries.next() {
        let entry = entry?;
        let name = entry.file_name();
        if is_dots(name) {
            continue;
        }
        if !go_on() {
            return Err(Errno::CANCELED);
        }
        let stat = statat(folder, name, AtFlags::SYMLINK_NOFOLLOW)?;
        *total = total.saturating_add(ENTRY).saturating_add(room(&stat));
        if FileType::from_raw_mode(stat.st_mode) == FileType::Directory {
            return Ok(Some((
                open_folder(folder, name)?,
                entry.next_entry_cookie(),
            )));
        }
    }
    Ok(None)
}

/// Bytes of a file's content, for one of its names. The entry stands for what is in a folder or a link.
fn room(stat: &Stat) -> u64 {
    match FileType::from_raw_mode(stat.st_mode) {
        // Links are counted in 32 or 64 bits, as the machine has it.
        FileType::RegularFile => content(stat).div_ceil(u64::from(stat.st_nlink.max(1) as u32)),
        _ => 0,
    }
}

/// Bytes of a file's content, holes among them. The blocks on the disk say less: some file systems reserve twice as many.
pub(crate) fn content(stat: &Stat) -> u64 {
    u64::try_from(stat.st_size).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn measured(place: &tempfile::TempDir) -> Result<u64> {
        let folder = fs::File::open(place.path()).unwrap();
        measure(folder.as_fd(), || true)
    }

    #[test]
    fn entries_and_contents_count_and_a_file_of_two_names_once() {
        let place = tempfile::tempdir().unwrap();
        assert_eq!(measured(&place), Ok(0));
        let inside = |path: &str| place.path().join(path);
        fs::create_dir_all(inside("a/b")).unwrap();
        fs::create_dir_all(inside("c")).unwrap();
        fs::File::create(inside("a/b/hole"))
            .unwrap()
            .set_len(1 << 30)
            .unwrap();
        std::os::unix::fs::symlink("/etc/passwd", inside("c/link")).unwrap();
        assert_eq!(measured(&place), Ok(5 * ENTRY + (1 << 30)));
        fs::hard_link(inside("a/b/hole"), inside("c/again")).unwrap();
        assert_eq!(measured(&place), Ok(6 * ENTRY + (1 << 30)));
    }

    #[test]
    fn all_of_a_wide_and_deep_tree_is_counted() {
        let place = tempfile::tempdir().unwrap();
        for number in 0..300 {
            fs::create_dir_all(place.path().join(format!("{number}/in/inner"))).unwrap();
        }
        let mut deep: OwnedFd = fs::File::open(place.path()).unwrap().into();
        for _ in 0..2_000 {
            let mode = rustix::fs::Mode::from_raw_mode(0o700);
            rustix::fs::mkdirat(&deep, "deeper", mode).unwrap();
            deep = open_folder(deep.as_fd(), "deeper").unwrap();
        }
        assert_eq!(measured(&place), Ok(2_900 * ENTRY));
        let folder = fs::File::open(place.path()).unwrap();
        super::super::empty::empty(folder.as_fd(), None).unwrap();
    }

    #[test]
    fn measuring_ends_when_it_must() {
        let place = tempfile::tempdir().unwrap();
        fs::write(place.path().join("file"), "").unwrap();
        let folder = fs::File::open(place.path()).unwrap();
        assert_eq!(measure(folder.as_fd(), || false), Err(Errno::CANCELED));
    }
}
