//! The folders that a run looked into. A path such as `wp-includes/blocks/list.php` is split before its last part, and the
//! folder is kept open for a moment: looking at the next file in it costs one system call.

use super::table::Terms;
use rustix::fd::OwnedFd;
use rustix::fs::fstat;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Folders that are kept at a time.
const KEPT: usize = 32;

/// Bytes of its path: those of 32 long ones would be a lot of memory.
const MAX_KEPT_PATH: usize = 512;

/// How long one is kept: others may put a new folder in its place.
const FRESH: Duration = Duration::from_millis(100);

struct Folder {
    /// The descriptor that the path begins at.
    fd: u32,
    path: Vec<u8>,
    host: Arc<OwnedFd>,
    terms: Terms,
    since: Instant,
    /// The operation under way goes through it.
    in_use: bool,
}

/// The kept ones, the newest last.
#[derive(Default)]
pub(super) struct Folders(Vec<Folder>);

impl Folders {
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// The folder `path` beneath the descriptor `fd`, if it is kept.
    pub(super) fn get(&mut self, fd: u32, path: &[u8]) -> Option<(Arc<OwnedFd>, Terms)> {
        let is_meant = |folder: &Folder| folder.fd == fd && folder.path == path;
        let index = self.0.iter().rposition(is_meant)?;
        if self.0[index].since.elapsed() > FRESH {
            self.0.remove(index);
            return None;
        }
        let kept = &mut self.0[index];
        kept.in_use = true;
        Some((Arc::clone(&kept.host), kept.terms))
    }

    pub(super) fn keep(&mut self, fd: u32, path: &[u8], (host, terms): (Arc<OwnedFd>, Terms)) {
        if path.len() > MAX_KEPT_PATH {
            return;
        }
        if self.0.len() == KEPT {
            self.drop_oldest();
        }
        self.0.push(Folder {
            fd,
            path: path.to_vec(),
            host,
            terms,
            since: Instant::now(),
            in_use: false,
        });
    }

    /// Gives one host descriptor back; false: none is kept.
    pub(super) fn drop_oldest(&mut self) -> bool {
        if self.0.is_empty() {
            return false;
        }
        self.0.remove(0);
        true
    }

    /// The descriptor stands for something else from now on.
    pub(super) fn forget(&mut self, fd: u32) {
        self.0.retain(|folder| folder.fd != fd);
    }

    /// An operation begins.
    pub(super) fn begin(&mut self) {
        for folder in &mut self.0 {
            folder.in_use = false;
        }
    }

    /// Forgets those in use that somebody else has removed meanwhile; false: there is none.
    pub(super) fn forget_removed(&mut self) -> bool {
        let before = self.0.len();
        self.0.retain(|folder| {
            !folder.in_use || fstat(&folder.host).is_ok_and(|found| found.st_nlink > 0)
        });
        self.0.len() < before
    }

    /// A folder was renamed or removed, or a link: paths may lead elsewhere.
    pub(super) fn forget_all(&mut self) {
        self.0.clear();
    }
}
