//! The scratch directory of a run: private, made at its first use, gone with the run.
//!
//! Runs share a directory of the host, in which each has a slot of its own: a folder with a number for a name. Who holds the
//! lock on a folder has the slot. The kernel gives the lock back however its holder ends, so nothing is ever locked by the dead.

mod empty;
mod measure;
mod slots;

pub(crate) use slots::Slots;

use super::abi::Errno;
pub(crate) use measure::content;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use slots::{Refused, Slot};
use std::sync::{Arc, OnceLock};

/// The scratch directory of one run.
pub(crate) struct Scratch {
    slots: Arc<Slots>,
    /// Asked for once.
    slot: OnceLock<Result<Slot, Refused>>,
}

impl Scratch {
    pub(crate) fn new(slots: Arc<Slots>) -> Self {
        Scratch {
            slots,
            slot: OnceLock::new(),
        }
    }

    /// The run's own folder. The first call takes a slot.
    pub(crate) fn folder(&self) -> Result<&Arc<OwnedFd>, Errno> {
        match self.slot.get_or_init(|| self.slots.take()) {
            Ok(slot) => Ok(slot.folder()),
            Err(Refused::AllTaken) => Err(Errno::NO_SPACE),
            Err(Refused::Unusable(errno)) => Err(*errno),
        }
    }

    /// The number of slots, when the run wanted one and all were taken.
    pub(crate) fn found_none_of(&self) -> Option<u32> {
        let refused = self.slot.get().and_then(|slot| slot.as_ref().err());
        (refused == Some(&Refused::AllTaken)).then(|| self.slots.count())
    }

    /// Bytes in the folder, counted as a budget does. `go_on` is asked now and then.
    pub(crate) fn measure(&self, go_on: impl FnMut() -> bool) -> Result<u64, Errno> {
        Ok(measure::measure(self.folder()?.as_fd(), go_on)?)
    }
}

/// Flags for a folder whose entries are read. A link in its place is not followed.
const FOLDER: rustix::fs::OFlags = rustix::fs::OFlags::RDONLY
    .union(rustix::fs::OFlags::DIRECTORY)
    .union(rustix::fs::OFlags::NOFOLLOW)
    .union(rustix::fs::OFlags::CLOEXEC);

fn open_folder(at: BorrowedFd<'_>, name: impl rustix::path::Arg) -> rustix::io::Result<OwnedFd> {
    rustix::fs::openat(at, name, FOLDER, rustix::fs::Mode::empty())
}
