//! Locks on the host's files. They belong to the open file: other runs, other processes and other descriptors of the same run
//! see them, and they end when the descriptor is closed, as all of a run's are when it ends.

use super::{Files, Kind};
use crate::ffi::file_lock::{RangeLock, set_range_lock};
use crate::host::abi::Errno;
use rustix::fd::BorrowedFd;
use rustix::fs::{FlockOperation, OFlags, fcntl_getfl, flock};

/// Ranges that a run may have locks of. The host keeps some 200 bytes for each, and looks through all of a file for every lock.
const MAX_RANGES: usize = 1000;

/// What is to be locked or unlocked.
#[derive(Clone, Copy)]
pub(crate) enum Lock {
    /// Some bytes; `length` 0: to the end of the file, wherever that will be.
    Range {
        lock: RangeLock,
        start: i64,
        length: i64,
    },
    /// The file, as `flock(2)` does it.
    Whole(FlockOperation),
}

impl Lock {
    /// A lock in the numbers of `fd_lock`.
    pub(crate) fn new(kind: u32, start: i64, length: i64) -> Result<Self, Errno> {
        let range = |lock| {
            let last = start.checked_add(length.saturating_sub(1));
            if start < 0 || length < 0 || last.is_none() {
                return Err(Errno::INVALID);
            }
            Ok(Lock::Range {
                lock,
                start,
                length,
            })
        };
        match kind {
            0 => range(RangeLock::Unlocked),
            1 => range(RangeLock::Shared),
            2 => range(RangeLock::Exclusive),
            4 => Ok(Lock::Whole(FlockOperation::NonBlockingUnlock)),
            5 => Ok(Lock::Whole(FlockOperation::NonBlockingLockShared)),
            6 => Ok(Lock::Whole(FlockOperation::NonBlockingLockExclusive)),
            _ => Err(Errno::INVALID),
        }
    }

    fn set(self, file: BorrowedFd<'_>) -> Result<(), Errno> {
        match self {
            Lock::Range {
                lock,
                start,
                length,
            } => Ok(set_range_lock(file, lock, start, length)?),
            Lock::Whole(FlockOperation::NonBlockingLockExclusive) if !is_writable(file)? => {
                Err(Errno::BAD_DESCRIPTOR)
            }
            Lock::Whole(operation) => Ok(flock(file, operation)?),
        }
    }
}

/// Ranges that an open file has locks of, by their first and last byte. The host knows them too; here they are counted.
#[derive(Default)]
pub(super) struct Ranges(Vec<(i64, i64)>);

impl Ranges {
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// These, once `lock` is set: what it does not cover stays.
    fn with(&self, lock: Lock) -> Self {
        let Lock::Range {
            lock,
            start,
            length,
        } = lock
        else {
            return Ranges(self.0.clone());
        };
        let end = match length {
            0 => i64::MAX,
            _ => start + (length - 1),
        };
        let rest = self.0.iter().flat_map(|&(first, last)| {
            let before = (first < start).then(|| (first, last.min(start - 1)));
            let behind = (last > end).then(|| (first.max(end + 1), last));
            [before, behind]
        });
        let mut ranges: Vec<_> = rest.flatten().collect();
        if !matches!(lock, RangeLock::Unlocked) {
            ranges.push((start, end));
        }
        Ranges(ranges)
    }
}

impl Files {
    /// Locks or unlocks; whether that was granted. Does not wait.
    pub(crate) fn lock(&mut self, fd: u32, lock: Lock) -> Result<bool, Errno> {
        let descriptor = self.table.get(fd)?;
        let file = match descriptor.kind {
            Kind::File => descriptor.host()?,
            Kind::Directory { .. } => return Err(Errno::IS_DIRECTORY),
            Kind::Stdin | Kind::Stdout | Kind::Stderr => return Err(Errno::INVALID),
        };
        let ranges = descriptor.ranges.with(lock);
        let others = self.table.locked_ranges() - descriptor.ranges.len();
        if others + ranges.len() > MAX_RANGES {
            return Err(Errno::NO_LOCKS);
        }
        match lock.set(file) {
            Ok(()) => {}
            Err(Errno::AGAIN) => return Ok(false),
            Err(errno) => return Err(errno),
        }
        self.table.get_mut(fd)?.ranges = ranges;
        Ok(true)
    }
}

/// `flock(2)` does not ask for it. Without it a guest could keep everybody from a file that it may only read.
fn is_writable(file: BorrowedFd<'_>) -> Result<bool, Errno> {
    Ok(fcntl_getfl(file)? & OFlags::RWMODE != OFlags::RDONLY)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::abi::rights;
    use crate::host::files::{Open, Terms};
    use crate::run::budget::Budget;
    use crate::run::{Limit, Limits};
    use rustix::fs::Mode;
    use std::fs;

    const MOUNT: u32 = 3;

    fn budget() -> Budget {
        Budget::new(Limits::UNLIMITED)
    }

    fn open(files: &mut Files, rights: u64) -> u32 {
        let how = Open {
            follow: true,
            oflags: 0,
            rights,
            fdflags: 0,
        };
        files.open(MOUNT, b"file", how, &mut budget()).unwrap()
    }

    /// A run with a mount that has one file.
    fn place(read_only: bool) -> (tempfile::TempDir, Files) {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("file"), "content").unwrap();
        let mut files = Files::new(false);
        let host = rustix::fs::open(directory.path(), OFlags::PATH, Mode::empty()).unwrap();
        let terms = Terms {
            read_only,
            account: Limit::Written,
        };
        files.mount("/", host, terms, &mut budget()).unwrap();
        (directory, files)
    }

    fn set(files: &mut Files, fd: u32, kind: u32) -> Result<bool, Errno> {
        files.lock(fd, Lock::new(kind, 0, 0)?)
    }

    const READ: u64 = rights::FD_READ;
    const WRITE: u64 = rights::FD_WRITE;

    #[test]
    fn kinds_and_ranges_are_checked() {
        let last = i64::MAX;
        for (kind, start, length) in [
            (3, 0, 0),
            (7, 0, 0),
            (u32::MAX, 0, 0),
            (0, -1, 0),
            (1, -1, 5),
            (2, 0, -1),
            (2, i64::MIN, i64::MIN),
            (1, last, 2),
            (1, 2, last),
            (0, last, last),
        ] {
            let lock = Lock::new(kind, start, length).map(drop);
            assert_eq!(lock, Err(Errno::INVALID), "{kind} {start} {length}");
        }
        let (_directory, mut files) = place(false);
        let fd = open(&mut files, READ | WRITE);
        for (start, length) in [(0, 0), (last, 0), (last, 1), (1, last), (0, last)] {
            let lock = Lock::new(2, start, length).unwrap();
            assert_eq!(files.lock(fd, lock), Ok(true), "{start} {length}");
        }
    }

    #[test]
    fn descriptors_of_one_run_exclude_each_other() {
        let (_directory, mut files) = place(false);
        let [one, two] = [0; 2].map(|_| open(&mut files, READ | WRITE));
        for (unlock, shared, exclusive) in [(0, 1, 2), (4, 5, 6)] {
            assert_eq!(set(&mut files, one, exclusive), Ok(true));
            assert_eq!(set(&mut files, two, shared), Ok(false));
            assert_eq!(set(&mut files, one, shared), Ok(true));
            assert_eq!(set(&mut files, two, shared), Ok(true));
            assert_eq!(set(&mut files, two, exclusive), Ok(false));
            assert_eq!(set(&mut files, one, unlock), Ok(true));
            assert_eq!(set(&mut files, two, exclusive), Ok(true));
            assert_eq!(set(&mut files, two, unlock), Ok(true));
        }
    }

    #[test]
    fn ranges_that_do_not_touch_are_apart() {
        let (_directory, mut files) = place(false);
        let [one, two] = [0; 2].map(|_| open(&mut files, READ | WRITE));
        let mut lock = |fd, start, length| files.lock(fd, Lock::new(2, start, length).unwrap());
        assert_eq!(lock(one, 10, 5), Ok(true));
        assert_eq!(lock(two, 15, 0), Ok(true));
        assert_eq!(lock(two, 0, 10), Ok(true));
        assert_eq!(lock(two, 0, 11), Ok(false));
        assert_eq!(lock(two, 14, 1), Ok(false));
        assert_eq!(lock(one, 1 << 40, 1), Ok(false));
    }

    #[test]
    fn ranges_are_what_locks_leave() {
        let end = i64::MAX;
        let mut ranges = Ranges::default();
        for (kind, start, length, expected) in [
            (1, 10, 10, vec![(10, 19)]),
            (2, 12, 2, vec![(10, 11), (14, 19), (12, 13)]),
            (1, 0, 0, vec![(0, end)]),
            (0, 5, 1, vec![(0, 4), (6, end)]),
            (0, end, 0, vec![(0, 4), (6, end - 1)]),
            (6, 0, 0, vec![(0, 4), (6, end - 1)]),
            (0, 0, 0, vec![]),
        ] {
            ranges = ranges.with(Lock::new(kind, start, length).unwrap());
            assert_eq!(ranges.0, expected);
        }
    }

    #[test]
    fn a_run_has_locks_of_so_many_ranges_and_not_more() {
        let (_directory, mut files) = place(false);
        let [one, two] = [0; 2].map(|_| open(&mut files, READ | WRITE));
        let lock = |kind, start| Lock::new(kind, start, 1).unwrap();
        for number in 0..MAX_RANGES as i64 {
            let fd = if number % 2 == 0 { one } else { two };
            assert_eq!(files.lock(fd, lock(1, 2 * number)), Ok(true));
        }
        for fd in [one, two] {
            assert_eq!(files.lock(fd, lock(1, 9999)), Err(Errno::NO_LOCKS));
        }
        assert_eq!(files.lock(one, lock(0, 0)), Ok(true));
        assert_eq!(files.lock(two, lock(1, 9999)), Ok(true));
        assert_eq!(files.lock(one, lock(1, 0)), Err(Errno::NO_LOCKS));
        files.close(two).unwrap();
        assert_eq!(files.lock(one, lock(1, 0)), Ok(true));
    }

    #[test]
    fn a_lock_moves_and_ends_with_its_descriptor() {
        for kind in [2, 6] {
            let (_directory, mut files) = place(false);
            let [one, two, three, four] = [0; 4].map(|_| open(&mut files, READ | WRITE));
            assert_eq!(set(&mut files, one, kind), Ok(true));
            files.renumber(one, two).unwrap();
            assert_eq!(set(&mut files, three, kind), Ok(false));
            files.close(two).unwrap();
            assert_eq!(set(&mut files, three, kind), Ok(true));
            // Closes what held it.
            let other = open(&mut files, READ | WRITE);
            files.renumber(other, three).unwrap();
            assert_eq!(set(&mut files, four, kind), Ok(true));
        }
    }

    #[test]
    fn locks_need_what_their_kind_needs() {
        let (_directory, mut files) = place(false);
        let [reader, writer] = [READ, WRITE].map(|rights| open(&mut files, rights));
        for exclusive in [2, 6] {
            assert_eq!(
                set(&mut files, reader, exclusive),
                Err(Errno::BAD_DESCRIPTOR)
            );
            assert_eq!(set(&mut files, writer, exclusive), Ok(true));
            assert_eq!(set(&mut files, writer, exclusive - 2), Ok(true));
        }
        assert_eq!(set(&mut files, writer, 1), Err(Errno::BAD_DESCRIPTOR));
        for other in [1, 5] {
            assert_eq!(set(&mut files, reader, other), Ok(true));
            for (fd, errno) in [
                (0, Errno::INVALID),
                (1, Errno::INVALID),
                (2, Errno::INVALID),
                (MOUNT, Errno::IS_DIRECTORY),
                (99, Errno::BAD_DESCRIPTOR),
            ] {
                assert_eq!(set(&mut files, fd, other), Err(errno), "{fd}");
            }
        }
    }

    #[test]
    fn a_read_only_mount_has_shared_locks_only() {
        let (directory, mut files) = place(true);
        let fd = open(&mut files, READ);
        for exclusive in [2, 6] {
            assert_eq!(set(&mut files, fd, exclusive), Err(Errno::BAD_DESCRIPTOR));
        }
        assert_eq!(set(&mut files, fd, 5), Ok(true));
        let host = fs::File::open(directory.path().join("file")).unwrap();
        assert!(host.try_lock().is_err());
        assert_eq!(set(&mut files, fd, 4), Ok(true));
        assert!(host.try_lock().is_ok());
    }
}
