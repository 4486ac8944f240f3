//! The directory of the host in which runs have their slots.

use super::empty::empty;
use super::open_folder;
use crate::host::abi::Errno;
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{CWD, Dir, FlockOperation, Mode, flock, mkdirat};
use rustix::io::Errno as HostErrno;
use std::cell::Cell;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

thread_local! {
    /// The slot that this thread had last: it is probably free. So there are no more slots than runs at a time ever were.
    static LAST: Cell<u32> = const { Cell::new(0) };
}

/// How long a request is kept by what is left in its slot. Removing thousands of folders takes a minute on some disks.
const PATIENCE: Duration = Duration::from_millis(50);

/// The slots of this process and of all others that use the directory.
pub(crate) struct Slots {
    directory: Result<OwnedFd, HostErrno>,
    count: u32,
    cleaner: Cleaner,
}

/// Empties folders: at once, or, where that takes long, on a thread of its own. Their locks are held until then.
#[derive(Clone)]
struct Cleaner {
    patience: Duration,
    /// `None`: there is no thread.
    thread: Option<Sender<Arc<OwnedFd>>>,
}

impl Cleaner {
    /// Starts the thread. It ends with the last slot.
    fn start(patience: Duration) -> io::Result<Self> {
        let (sender, folders) = channel::<Arc<OwnedFd>>();
        thread::Builder::new()
            .name("wasm-scratch".to_owned())
            .spawn(move || {
                for folder in folders {
                    // What cannot be removed now, whoever takes the slot next will try again.
                    let _ = empty(folder.as_fd(), None);
                }
            })?;
        Ok(Cleaner {
            patience,
            thread: Some(sender),
        })
    }

    /// Whether the folder is empty now. Otherwise it will be.
    fn empty(&self, folder: &Arc<OwnedFd>) -> rustix::io::Result<bool> {
        let end = self
            .thread
            .as_ref()
            .and_then(|_| Instant::now().checked_add(self.patience));
        match (empty(folder.as_fd(), end), &self.thread) {
            (Err(HostErrno::TIMEDOUT), Some(thread)) => {
                // It listens as long as there is a sender.
                let _ = thread.send(Arc::clone(folder));
                Ok(false)
            }
            (emptied, _) => emptied.map(|()| true),
        }
    }
}

/// Why a run has no slot.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refused {
    AllTaken,
    Unusable(Errno),
}

impl Slots {
    /// Opens a directory for `count` slots and empties all that nobody uses: a process that was killed may have left something.
    /// What goes wrong with that is a warning; where the directory cannot be opened, runs are told the same.
    /// Starts a thread.
    pub(crate) fn open(path: &Path, count: u32, warnings: &mut Vec<String>) -> Arc<Self> {
        Slots::with_patience(path, count, PATIENCE, warnings)
    }

    fn with_patience(
        path: &Path,
        count: u32,
        patience: Duration,
        warnings: &mut Vec<String>,
    ) -> Arc<Self> {
        let cleaner = Cleaner::start(patience).unwrap_or(Cleaner {
            patience,
            thread: None,
        });
        let directory = open_folder(CWD, path);
        let swept = match &directory {
            Ok(directory) => sweep(directory, &cleaner),
            Err(error) => Err(*error),
        };
        if let Err(error) = swept {
            let path = path.display();
            warnings.push(format!(
                "the scratch directories in {path} cannot be used as they should: {error}"
            ));
        }
        Arc::new(Slots {
            directory,
            count,
            cleaner,
        })
    }

    pub(super) fn count(&self) -> u32 {
        self.count
    }

    /// Takes a slot that is free, and empty.
    pub(super) fn take(&self) -> Result<Slot, Refused> {
        let unusable = |error: HostErrno| Refused::Unusable(error.into());
        let directory = self.directory.as_ref().map_err(|error| unusable(*error))?;
        let first = LAST.get();
        let mut refused = Refused::AllTaken;
        for step in 0..self.count {
            let number = first.wrapping_add(step) % self.count;
            let locked = open_or_make(directory, number);
            match locked.and_then(|folder| lock(folder, &self.cleaner)) {
                Ok(Some(slot)) => {
                    LAST.set(number);
                    return Ok(slot);
                }
                Ok(None) => {}
                Err(error) => refused = unusable(error),
            }
        }
        Err(refused)
    }
}

fn open_or_make(directory: &OwnedFd, number: u32) -> rustix::io::Result<OwnedFd> {
    let name = number.to_string();
    match open_folder(directory.as_fd(), &name) {
        Err(HostErrno::NOENT) => {}
        opened => return opened,
    }
    match mkdirat(directory, &name, Mode::RWXU) {
        // Another process may have been faster.
        Ok(()) | Err(HostErrno::EXIST) => open_folder(directory.as_fd(), &name),
        Err(error) => Err(error),
    }
}

/// Makes a slot of a folder, and empties it. `None`: somebody has it, be it to empty it.
fn lock(folder: OwnedFd, cleaner: &Cleaner) -> rustix::io::Result<Option<Slot>> {
    match flock(&folder, FlockOperation::NonBlockingLockExclusive) {
        Err(HostErrno::WOULDBLOCK) => return Ok(None),
        locked => locked?,
    }
    let folder = Arc::new(folder);
    let is_empty = cleaner.empty(&folder)?;
    Ok(is_empty.then(|| Slot {
        folder,
        cleaner: cleaner.clone(),
    }))
}

/// Empties all slots that nobody has, those beyond today's number among them.
fn sweep(directory: &OwnedFd, cleaner: &Cleaner) -> rustix::io::Result<()> {
    let mut result = Ok(());
    for entry in Dir::read_from(directory)? {
        let entry = entry?;
        let name = entry.file_name();
        if !name.to_bytes().iter().all(u8::is_ascii_digit) {
            continue;
        }
        let opened = open_folder(directory.as_fd(), name);
        if let Err(error) = opened.and_then(|folder| lock(folder, cleaner)) {
            result = Err(error);
        }
    }
    result
}

/// A folder of one run's own. Dropped, it is emptied and free for the next.
pub(super) struct Slot {
    /// Holds the lock.
    folder: Arc<OwnedFd>,
    cleaner: Cleaner,
}

impl Slot {
    pub(super) fn folder(&self) -> &Arc<OwnedFd> {
        &self.folder
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        // What cannot be removed now, whoever takes the slot next will try again.
        let _ = self.cleaner.empty(&self.folder);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn slots(of: &tempfile::TempDir, count: u32) -> Arc<Slots> {
        let mut warnings = Vec::new();
        let slots = Slots::open(of.path(), count, &mut warnings);
        assert!(warnings.is_empty(), "{warnings:?}");
        slots
    }

    fn inode(slot: &Slot) -> u64 {
        rustix::fs::fstat(slot.folder()).unwrap().st_ino
    }

    #[test]
    fn each_holder_has_a_slot_of_its_own_and_there_are_no_more() {
        let place = tempfile::tempdir().unwrap();
        let slots = slots(&place, 2);
        let (first, second) = (slots.take().unwrap(), slots.take().unwrap());
        assert_ne!(inode(&first), inode(&second));
        assert_eq!(slots.take().err(), Some(Refused::AllTaken));
        let was = inode(&second);
        drop(second);
        assert_eq!(inode(&slots.take().unwrap()), was);
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), 2);
    }

    #[test]
    fn processes_share_the_slots() {
        let place = tempfile::tempdir().unwrap();
        let (one, other) = (slots(&place, 1), slots(&place, 1));
        let taken = one.take().unwrap();
        assert_eq!(other.take().err(), Some(Refused::AllTaken));
        drop(taken);
        assert!(other.take().is_ok());
    }

    #[test]
    fn a_slot_is_empty_when_it_is_taken_and_when_it_is_given_back() {
        let place = tempfile::tempdir().unwrap();
        let slots = slots(&place, 1);
        // Left by somebody who was killed.
        fs::create_dir_all(place.path().join("0/left/over")).unwrap();
        let taken = slots.take().unwrap();
        let entries = || fs::read_dir(place.path().join("0")).unwrap().count();
        assert_eq!(entries(), 0);
        fs::write(place.path().join("0/file"), "").unwrap();
        drop(taken);
        assert_eq!(entries(), 0);
    }

    #[test]
    fn what_takes_long_to_remove_keeps_its_slot_and_nobody_waits() {
        let place = tempfile::tempdir().unwrap();
        let slots = Slots::with_patience(place.path(), 1, Duration::ZERO, &mut Vec::new());
        let taken = slots.take().unwrap();
        fs::create_dir_all(place.path().join("0").join("deep/".repeat(200))).unwrap();
        drop(taken);
        // With no patience at all, a slot with something in it is always handed on.
        let started = Instant::now();
        while slots.take().is_err() {
            assert!(started.elapsed() < Duration::from_secs(60));
            thread::sleep(Duration::from_millis(1));
        }
        let left = fs::read_dir(place.path().join("0")).unwrap().count();
        assert_eq!(left, 0, "it is empty when it is free again");
    }

    #[test]
    fn opening_empties_what_nobody_has_and_leaves_the_rest_alone() {
        let place = tempfile::tempdir().unwrap();
        let running = slots(&place, 9);
        let taken = running.take().unwrap();
        fs::write(place.path().join("0/in use"), "").unwrap();
        for folder in ["7/left/over", "1000/left", "other/folder"] {
            fs::create_dir_all(place.path().join(folder)).unwrap();
        }
        slots(&place, 3);
        let is_there = |path: &str| place.path().join(path).exists();
        assert!(is_there("0/in use") && is_there("other/folder"));
        assert!(!is_there("7/left") && !is_there("1000/left"));
        drop(taken);
    }

    #[test]
    fn a_directory_that_cannot_be_used_is_a_warning_and_an_error_of_each_run() {
        let place = tempfile::tempdir().unwrap();
        let missing = place.path().join("missing");
        let mut warnings = Vec::new();
        let slots = Slots::open(&missing, 1, &mut warnings);
        assert!(warnings[0].contains("missing"), "{warnings:?}");
        let refused = slots.take().err();
        assert_eq!(refused, Some(Refused::Unusable(Errno::NO_ENTRY)));
    }

    #[test]
    fn a_link_in_the_place_of_a_slot_is_not_followed() {
        let place = tempfile::tempdir().unwrap();
        let outside = tempfile::tempdir().unwrap();
        fs::write(outside.path().join("file"), "").unwrap();
        std::os::unix::fs::symlink(outside.path(), place.path().join("0")).unwrap();
        let mut warnings = Vec::new();
        let slots = Slots::open(place.path(), 1, &mut warnings);
        assert_eq!(warnings.len(), 1);
        assert!(matches!(slots.take(), Err(Refused::Unusable(_))));
        assert!(outside.path().join("file").exists());
    }
}
