//! Reading a directory: one open stream, whose cookies are the host's own and stay valid while entries come and go.

use crate::host::abi::{self, DIRENT_SIZE, Errno};
use rustix::fd::{BorrowedFd, OwnedFd};
use rustix::fs::{Mode, OFlags, RawDir, SeekFrom, openat, seek};
use std::collections::VecDeque;
use std::mem::MaybeUninit;

/// Bytes of entries that the host is asked for at a time.
const BATCH: usize = 8 << 10;

struct Entry {
    next: u64,
    inode: u64,
    kind: u8,
    name: Vec<u8>,
}

/// A directory that is being read.
pub(crate) struct Listing {
    stream: OwnedFd,
    /// Read from the host, and not told the guest as a whole.
    entries: VecDeque<Entry>,
    /// The cookie of the first of these, or of what the host reads next.
    cookie: u64,
}

/// The same directory, open for reading: the descriptor of a mount only names it.
pub(super) fn open_directory(directory: BorrowedFd<'_>) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    Ok(openat(directory, ".", flags, Mode::empty())?)
}

impl Listing {
    pub(super) fn new(directory: BorrowedFd<'_>) -> Result<Self, Errno> {
        Ok(Listing {
            stream: open_directory(directory)?,
            entries: VecDeque::new(),
            cookie: 0,
        })
    }

    /// Fills `buffer` with `dirent`s and names, from `cookie` on. The last one may be cut off: the guest then asks for it
    /// again. Returns the bytes written; fewer than there is room for at the end of the directory.
    pub(super) fn read(&mut self, buffer: &mut [u8], cookie: u64) -> Result<usize, Errno> {
        if cookie != self.cookie {
            self.entries.clear();
            seek(&self.stream, SeekFrom::Start(cookie))?;
            self.cookie = cookie;
        }
        let mut used = 0;
        while used < buffer.len() {
            if self.entries.is_empty() && !self.fetch()? {
                break;
            }
            let entry = &self.entries[0];
            let room = &mut buffer[used..];
            let length = DIRENT_SIZE + entry.name.len();
            if length > room.len() {
                let whole = entry.encoded();
                room.copy_from_slice(&whole[..room.len()]);
                return Ok(buffer.len());
            }
            room[..length].copy_from_slice(&entry.encoded());
            used += length;
            self.cookie = entry.next;
            self.entries.pop_front();
        }
        Ok(used)
    }

    /// Reads more from the host; false at the end.
    fn fetch(&mut self) -> Result<bool, Errno> {
        let mut buffer = [MaybeUninit::uninit(); BATCH];
        let mut batch = RawDir::new(&self.stream, &mut buffer);
        while let Some(entry) = batch.next() {
            let entry = entry?;
            self.entries.push_back(Entry {
                next: entry.next_entry_cookie(),
                inode: entry.ino(),
                kind: match entry.file_type() {
                    rustix::fs::FileType::Unknown => abi::UNKNOWN,
                    kind => abi::file_type(kind),
                },
                name: entry.file_name().to_bytes().to_vec(),
            });
            if batch.is_buffer_empty() {
                break;
            }
        }
        Ok(!self.entries.is_empty())
    }
}

impl Entry {
    fn encoded(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(DIRENT_SIZE + self.name.len());
        bytes.extend_from_slice(&self.next.to_le_bytes());
        bytes.extend_from_slice(&self.inode.to_le_bytes());
        bytes.extend_from_slice(&(self.name.len() as u32).to_le_bytes());
        bytes.extend_from_slice(&[self.kind, 0, 0, 0]);
        bytes.extend_from_slice(&self.name);
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::fd::AsFd;
    use std::collections::BTreeSet;
    use std::fs;

    fn listing(of: &tempfile::TempDir) -> Listing {
        let folder = fs::File::open(of.path()).unwrap();
        Listing::new(folder.as_fd()).unwrap()
    }

    /// Reads on as a guest's C library does, `step` bytes at a time; `seen` is told each name.
    fn read_all(listing: &mut Listing, step: usize, mut seen: impl FnMut(&str)) -> usize {
        let (mut cookie, mut calls) = (0, 0);
        loop {
            let mut buffer = vec![0; step];
            let used = listing.read(&mut buffer, cookie).unwrap();
            calls += 1;
            let mut rest = &buffer[..used];
            while rest.len() >= DIRENT_SIZE {
                let length = u32::from_le_bytes(rest[16..20].try_into().unwrap()) as usize;
                let Some(name) = rest.get(DIRENT_SIZE..DIRENT_SIZE + length) else {
                    break;
                };
                cookie = u64::from_le_bytes(rest[..8].try_into().unwrap());
                seen(std::str::from_utf8(name).unwrap());
                rest = &rest[DIRENT_SIZE + length..];
            }
            if used < step {
                return calls;
            }
        }
    }

    fn filled(count: usize) -> tempfile::TempDir {
        let place = tempfile::tempdir().unwrap();
        for number in 0..count {
            fs::write(
                place.path().join(format!("a name of some length {number}")),
                "",
            )
            .unwrap();
        }
        place
    }

    #[test]
    fn each_entry_is_told_once_whatever_the_room() {
        let place = filled(1000);
        for step in [300, 4096, 100_000] {
            let mut names = BTreeSet::new();
            let mut listing = listing(&place);
            read_all(&mut listing, step, |name| {
                assert!(names.insert(name.to_owned()))
            });
            assert_eq!(names.len(), 1002);
            assert!(names.contains(".") && names.contains(".."));
        }
    }

    #[test]
    fn a_loop_that_removes_what_it_reads_leaves_nothing() {
        let place = filled(1000);
        let mut listing = listing(&place);
        read_all(&mut listing, 4096, |name| {
            if !name.starts_with('.') {
                fs::remove_file(place.path().join(name)).unwrap();
            }
        });
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), 0);
    }

    #[test]
    fn an_earlier_cookie_goes_back() {
        let place = filled(100);
        let mut listing = listing(&place);
        let mut first = [0; 2000];
        listing.read(&mut first, 0).unwrap();
        let mut again = [0; 2000];
        read_all(&mut listing, 4096, |_| {});
        listing.read(&mut again, 0).unwrap();
        assert_eq!(first, again);
    }
}
