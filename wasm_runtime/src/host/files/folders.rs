//! The folders that paths of this run went through. A path such as `wp-includes/blocks/list.php` is split before its last
//! part, and the folder is kept open: the next file in it costs one system call.

use super::resolve::open_beneath;
use super::table::Table;
use crate::host::abi::Errno;
use rustix::fd::OwnedFd;
use rustix::fs::{Mode, OFlags, fstat};
use std::sync::Arc;

/// Folders that are kept at a time.
const KEPT: usize = 32;

struct Folder {
    /// The descriptor that the path begins at.
    fd: u32,
    path: Vec<u8>,
    host: Arc<OwnedFd>,
    /// The operation under way goes through it.
    in_use: bool,
}

/// The kept ones, the newest last.
#[derive(Default)]
pub(super) struct Folders(Vec<Folder>);

impl Folders {
    /// The folder `path` beneath the descriptor `fd`, which is no empty path.
    pub(super) fn open(
        &mut self,
        table: &Table,
        fd: u32,
        path: &[u8],
    ) -> Result<Arc<OwnedFd>, Errno> {
        let known = self
            .0
            .iter_mut()
            .rev()
            .find(|folder| folder.fd == fd && folder.path == path);
        if let Some(known) = known {
            known.in_use = true;
            return Ok(Arc::clone(&known.host));
        }
        let flags = OFlags::PATH | OFlags::DIRECTORY;
        let base = table.get(fd)?.host()?;
        let host = Arc::new(open_beneath(base, path, flags, Mode::empty())?);
        if self.0.len() == KEPT {
            self.0.remove(0);
        }
        self.0.push(Folder {
            fd,
            path: path.to_vec(),
            host: Arc::clone(&host),
            in_use: false,
        });
        Ok(host)
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
