//! What an initialiser sees of the files around it. A snapshot is good as long as another look finds the same.

use super::abi::Errno;
use super::files::Files;
use crate::run::budget::Budget;
use rustix::fs::{FileType, Stat};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};

/// A path that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Place {
    /// Guest path of the mount.
    pub mount: String,
    /// Bytes of the path beneath it.
    pub path: Vec<u8>,
    /// A link at the end was followed.
    pub follow: bool,
}

/// What was there.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Sight {
    /// Nothing, or nothing that could be looked at.
    Nothing,
    /// A file, or a directory whose entries were read: also changes of its content matter.
    Content {
        inode: u64,
        size: i64,
        seconds: i64,
        nanoseconds: u64,
    },
    /// A directory that was passed or asked about, or a link.
    Name { inode: u64 },
}

/// All that was seen, each place once.
pub type Sights = Vec<(Place, Sight)>;

impl Sight {
    fn of(found: &Result<Stat, Errno>, listed: bool) -> Self {
        let Ok(stat) = found else {
            return Sight::Nothing;
        };
        let has_content = match FileType::from_raw_mode(stat.st_mode) {
            FileType::Directory => listed,
            kind => kind == FileType::RegularFile,
        };
        if !has_content {
            return Sight::Name { inode: stat.st_ino };
        }
        Sight::Content {
            inode: stat.st_ino,
            // That of a directory is not the same on every file system that copies it.
            size: if listed { 0 } else { stat.st_size },
            seconds: stat.st_mtime,
            nanoseconds: stat.st_mtime_nsec,
        }
    }
}

/// Takes note of what a guest looks at. Descriptors of folders are followed to the paths that they were opened by.
#[derive(Default)]
pub(crate) struct Observer {
    sights: BTreeMap<Place, Sight>,
    opened: HashMap<u32, Place>,
}

impl Observer {
    /// The guest asked about `path` beneath the descriptor `fd`.
    pub(crate) fn look(
        &mut self,
        files: &mut Files,
        budget: &Budget,
        fd: u32,
        path: &[u8],
        follow: bool,
    ) {
        let Some(place) = self.place(files, fd, path, follow) else {
            return;
        };
        let found = files.stat_path(fd, path, follow, budget);
        let sight = Sight::of(&found, false);
        self.sights.entry(place).or_insert(sight);
    }

    /// The guest opened `path` as the descriptor `opened`.
    pub(crate) fn open(&mut self, files: &Files, fd: u32, path: &[u8], opened: u32) {
        if let Some(place) = self.place(files, fd, path, true) {
            self.opened.insert(opened, place);
        }
    }

    /// The guest reads the entries of the directory `fd`.
    pub(crate) fn list(&mut self, files: &Files, fd: u32) {
        let Some(place) = self.place(files, fd, b"", true) else {
            return;
        };
        if let Ok(Some(stat)) = files.stat(fd) {
            let sight = Sight::of(&Ok(stat), true);
            self.sights.insert(place, sight);
        }
    }

    /// The path of an open file, as the guest named it.
    pub(crate) fn path_of(&self, fd: u32) -> String {
        self.opened.get(&fd).map_or_else(
            || format!("descriptor {fd}"),
            |place| {
                let path = String::from_utf8_lossy(&place.path);
                format!("{}/{path}", place.mount.trim_end_matches('/'))
            },
        )
    }

    pub(crate) fn into_sights(self) -> Sights {
        self.sights.into_iter().collect()
    }

    fn place(&self, files: &Files, fd: u32, path: &[u8], follow: bool) -> Option<Place> {
        let (mount, mut full) = match files.mount_path(fd) {
            Ok(mount) => (mount.to_owned(), Vec::new()),
            Err(_) => {
                let base = self.opened.get(&fd)?;
                (base.mount.clone(), base.path.clone())
            }
        };
        if !full.is_empty() && !path.is_empty() {
            full.push(b'/');
        }
        full.extend_from_slice(path);
        Some(Place {
            mount,
            path: full,
            follow,
        })
    }
}

/// Whether another look finds what was seen. `files` has the mounts, and nothing else open.
pub(crate) fn hold(sights: &Sights, files: &mut Files, budget: &Budget) -> bool {
    sights.iter().all(|(place, sight)| {
        let Some(fd) = files.mount_of(&place.mount) else {
            return *sight == Sight::Nothing;
        };
        let path: &[u8] = match place.path.as_slice() {
            b"" => b".",
            path => path,
        };
        let found = files.stat_path(fd, path, place.follow, budget);
        let listed = matches!(sight, Sight::Content { size: 0, .. })
            && found.is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::Directory);
        Sight::of(&found, listed) == *sight
    })
}
