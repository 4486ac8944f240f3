//! Reading a directory: one open stream, in which places stay valid while entries come and go.

use crate::host::abi::{self, DIRENT_SIZE, Errno};
use rustix::fd::OwnedFd;
use rustix::fs::{FileType, RawDir, SeekFrom, seek};
use rustix::io::Errno as HostErrno;
use std::collections::VecDeque;
use std::mem::MaybeUninit;
use std::sync::Arc;

/// Bytes of entries that the host is asked for at a time.
const BATCH: usize = 8 << 10;

struct Entry {
    /// The host's cookie of what comes behind it.
    next: u64,
    inode: u64,
    kind: u8,
    name: Vec<u8>,
}

/// Entries whose places are known by heart. A guest that goes back further makes the host count from the start.
const REMEMBERED: usize = 512;

/// A directory that is being read. What it remembers is memory of the host: a run has one of these at a time, and a [`Place`]
/// in each other directory.
///
/// A guest's cookie is the number of an entry: those of the host have 64 bits, and `telldir` of a guest returns 32.
pub(super) struct Listing {
    stream: Arc<OwnedFd>,
    /// Read from the host, and not told the guest as a whole.
    entries: VecDeque<Entry>,
    /// The number of the first of these, or of what the host reads next.
    position: u64,
    /// The host's cookies of the entries before, the last one at the end.
    cookies: VecDeque<u64>,
}

/// Where reading a directory has come to.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    position: u64,
    /// The host's.
    cookie: u64,
}

impl Listing {
    /// `stream` has not been read yet.
    pub(super) fn new(stream: Arc<OwnedFd>) -> Self {
        Listing {
            stream,
            entries: VecDeque::new(),
            position: 0,
            cookies: VecDeque::new(),
        }
    }

    /// Goes on where another listing of `stream` has come to.
    pub(super) fn resume(stream: Arc<OwnedFd>, place: Place) -> Result<Self, Errno> {
        let mut listing = Self::new(stream);
        listing.seek(place.cookie)?;
        listing.position = place.position;
        listing.cookies.push_back(place.cookie);
        Ok(listing)
    }

    pub(super) fn place(&self) -> Place {
        Place {
            position: self.position,
            cookie: self.cookies.back().copied().unwrap_or(0),
        }
    }

    /// Fills `buffer` with `dirent`s and names, from `cookie` on. The last one may be cut off: the guest then asks for it
    /// again. Returns the bytes written; fewer than there is room for at the end of the directory.
    /// `between` is called before the host is asked for more, and may end it.
    pub(super) fn read<E: From<Errno>>(
        &mut self,
        buffer: &mut [u8],
        cookie: u64,
        mut between: impl FnMut() -> Result<(), E>,
    ) -> Result<usize, E> {
        self.go_to(cookie, &mut between)?;
        let mut used = 0;
        while used < buffer.len() {
            if !self.has_next(&mut between)? {
                break;
            }
            let entry = self.entries[0].encoded(self.position + 1);
            let room = &mut buffer[used..];
            let length = entry.len().min(room.len());
            room[..length].copy_from_slice(&entry[..length]);
            used += length;
            if length == entry.len() {
                self.pass();
            }
        }
        Ok(used)
    }

    /// The guest knows the first entry.
    fn pass(&mut self) {
        if let Some(entry) = self.entries.pop_front() {
            if self.cookies.len() == REMEMBERED {
                self.cookies.pop_front();
            }
            self.cookies.push_back(entry.next);
            self.position += 1;
        }
    }

    fn has_next<E: From<Errno>>(
        &mut self,
        between: &mut impl FnMut() -> Result<(), E>,
    ) -> Result<bool, E> {
        if self.entries.is_empty() {
            between()?;
            self.fetch()?;
        }
        Ok(!self.entries.is_empty())
    }

    fn go_to<E: From<Errno>>(
        &mut self,
        target: u64,
        between: &mut impl FnMut() -> Result<(), E>,
    ) -> Result<(), E> {
        if target == self.position {
            return Ok(());
        }
        let back = self.position.checked_sub(target);
        let known = back.and_then(|back| {
            let last = self.cookies.len().checked_sub(1)?;
            last.checked_sub(usize::try_from(back).ok()?)
        });
        match known {
            Some(index) => {
                self.seek(self.cookies[index])?;
                self.cookies.truncate(index + 1);
                self.position = target;
            }
            None => self.start_again()?,
        }
        while self.position < target && self.has_next(between)? {
            self.pass();
        }
        Ok(())
    }

    fn seek(&mut self, host_cookie: u64) -> Result<(), Errno> {
        seek(&self.stream, SeekFrom::Start(host_cookie))?;
        self.entries.clear();
        Ok(())
    }

    fn start_again(&mut self) -> Result<(), Errno> {
        self.seek(0)?;
        self.cookies.clear();
        self.position = 0;
        Ok(())
    }

    /// Reads more from the host, nothing at the end.
    fn fetch(&mut self) -> Result<(), Errno> {
        let mut buffer = [MaybeUninit::uninit(); BATCH];
        let mut batch = RawDir::new(&self.stream, &mut buffer);
        while let Some(entry) = batch.next() {
            let entry = match entry {
                // It was removed: nothing is in it any more.
                Err(HostErrno::NOENT) => break,
                entry => entry?,
            };
            self.entries.push_back(Entry {
                next: entry.next_entry_cookie(),
                inode: entry.ino(),
                kind: match entry.file_type() {
                    FileType::Unknown => abi::UNKNOWN,
                    kind => abi::file_type(kind),
                },
                name: entry.file_name().to_bytes().to_vec(),
            });
            if batch.is_buffer_empty() {
                break;
            }
        }
        Ok(())
    }
}

impl Entry {
    /// The `dirent` and the name; `cookie` is that of the next entry.
    fn encoded(&self, cookie: u64) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(DIRENT_SIZE + self.name.len());
        bytes.extend_from_slice(&cookie.to_le_bytes());
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
    use std::collections::BTreeSet;
    use std::fs;

    fn go_on() -> Result<(), Errno> {
        Ok(())
    }

    fn listing(of: &tempfile::TempDir) -> Listing {
        Listing::new(Arc::new(fs::File::open(of.path()).unwrap().into()))
    }

    /// Reads on as a guest's C library does, `step` bytes at a time; `seen` is told each name.
    fn read_all(listing: &mut Listing, step: usize, mut seen: impl FnMut(&str)) -> usize {
        let (mut cookie, mut calls) = (0, 0);
        loop {
            let mut buffer = vec![0; step];
            let used = listing.read(&mut buffer, cookie, go_on).unwrap();
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
        listing.read(&mut first, 0, go_on).unwrap();
        let mut again = [0; 2000];
        read_all(&mut listing, 4096, |_| {});
        listing.read(&mut again, 0, go_on).unwrap();
        assert_eq!(first, again);
    }

    #[test]
    fn any_earlier_place_is_found_again() {
        let place = filled(2 * REMEMBERED);
        let mut listing = listing(&place);
        let mut names = Vec::new();
        read_all(&mut listing, 4096, |name| names.push(name.to_owned()));
        for number in [
            0,
            1,
            100,
            REMEMBERED - 1,
            REMEMBERED,
            REMEMBERED + 1,
            names.len() - 1,
        ] {
            let mut buffer = [0; 300];
            let used = listing.read(&mut buffer, number as u64, go_on).unwrap();
            let length = u32::from_le_bytes(buffer[16..20].try_into().unwrap()) as usize;
            assert!(used >= DIRENT_SIZE + length);
            let name = std::str::from_utf8(&buffer[DIRENT_SIZE..DIRENT_SIZE + length]).unwrap();
            assert_eq!(name, names[number], "entry {number}");
        }
        assert_eq!(
            listing.read(&mut [0; 300], names.len() as u64, go_on),
            Ok(0)
        );
        assert_eq!(listing.read(&mut [0; 300], u64::MAX, go_on), Ok(0));
    }

    #[test]
    fn a_removed_directory_is_empty() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("folder");
        fs::create_dir(&folder).unwrap();
        let mut listing = Listing::new(Arc::new(fs::File::open(&folder).unwrap().into()));
        fs::remove_dir(&folder).unwrap();
        assert_eq!(listing.read(&mut [0; 300], 0, go_on), Ok(0));
    }

    #[test]
    fn reading_goes_on_where_it_had_come_to() {
        let place = filled(300);
        let stream = Arc::new(fs::File::open(place.path()).unwrap().into());
        let mut listing = Listing::new(Arc::clone(&stream));
        let mut names = BTreeSet::new();
        let mut cookie = 0;
        loop {
            let mut buffer = [0; 100];
            let used = listing.read(&mut buffer, cookie, go_on).unwrap();
            listing = Listing::resume(Arc::clone(&stream), listing.place()).unwrap();
            if used == 0 {
                break;
            }
            let length = u32::from_le_bytes(buffer[16..20].try_into().unwrap()) as usize;
            cookie = u64::from_le_bytes(buffer[..8].try_into().unwrap());
            assert!(names.insert(buffer[DIRENT_SIZE..DIRENT_SIZE + length].to_vec()));
        }
        assert_eq!(names.len(), 302);
        // What was remembered is gone, and found again from the start.
        let mut buffer = [0; 100];
        listing.read(&mut buffer, 100, go_on).unwrap();
        assert_eq!(u64::from_le_bytes(buffer[..8].try_into().unwrap()), 101);
    }
}
