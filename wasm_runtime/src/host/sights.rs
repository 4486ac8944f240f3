//! What an initialiser sees of the files around it. A snapshot is good as long as another look finds the same: the very files, or
//! copies of them, as a container image brings them to another machine.

#[cfg(test)]
mod tests;

use super::abi::Errno;
use super::files::{Files, Open};
use crate::run::budget::Budget;
use rustix::fs::{FileType, Stat};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// A path that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Place {
    /// Guest path of the mount.
    mount: String,
    /// Bytes of the path beneath it; empty for the mount itself.
    path: Vec<u8>,
    /// A link at the end was followed.
    follow: bool,
}

/// What was there.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Sight {
    Nothing,
    /// A folder that was passed or asked about: what is in it makes no difference.
    Folder(Access),
    /// A folder whose entries were read.
    Listing(Version, Content),
    /// Anything else.
    File(Version, Content),
}

/// What it is, and who may use it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Access {
    mode: u32,
    user: u32,
    group: u32,
}

/// Which file it is, and of when. The number of the device is no part of it: it changes with a new start of the machine.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Version {
    access: Access,
    inode: u64,
    /// Of a file.
    size: i64,
    /// When it was changed last, as it says: that can be set to anything. Seconds and nanoseconds.
    modified: (i64, u64),
    /// The same as the kernel saw it.
    changed: (i64, u64),
}

/// What is in it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Content {
    /// Nobody has looked.
    Unread,
    /// It was opened or listed; the fingerprint, where one could be taken.
    Read(Option<String>),
}

/// All that was seen, each place once.
pub(crate) type Sights = Vec<(Place, Sight)>;

impl Sight {
    fn of(found: &Result<Stat, Errno>, listed: bool) -> Self {
        let Ok(stat) = found else {
            return Sight::Nothing;
        };
        match (is_folder(stat), listed) {
            (false, _) => Sight::File(Version::of(stat), Content::Unread),
            (true, true) => Sight::Listing(Version::of(stat), Content::Read(None)),
            (true, false) => Sight::Folder(Access::of(stat)),
        }
    }
}

impl Access {
    fn of(stat: &Stat) -> Self {
        Access {
            mode: stat.st_mode,
            user: stat.st_uid,
            group: stat.st_gid,
        }
    }
}

impl Version {
    fn of(stat: &Stat) -> Self {
        Version {
            access: Access::of(stat),
            inode: stat.st_ino,
            size: if is_folder(stat) { 0 } else { stat.st_size },
            modified: (stat.st_mtime, stat.st_mtime_nsec),
            changed: (stat.st_ctime, stat.st_ctime_nsec),
        }
    }

    /// Whether it has content that can be compared: what a link or a device leads to is none.
    fn has_content(&self) -> bool {
        let kind = FileType::from_raw_mode(self.access.mode);
        matches!(kind, FileType::RegularFile | FileType::Directory)
    }

    /// Whether `other` may be a copy of it. Archives keep whole seconds.
    fn may_be_copied_to(&self, other: &Version) -> bool {
        let copy = Version {
            inode: self.inode,
            modified: (other.modified.0, self.modified.1),
            changed: self.changed,
            ..other.clone()
        };
        copy == *self && self.has_content()
    }
}

fn is_folder(stat: &Stat) -> bool {
    FileType::from_raw_mode(stat.st_mode) == FileType::Directory
}

/// The folder that a path names something in; `None`: the one that it begins at.
fn parent(path: &[u8]) -> Option<&[u8]> {
    let end = path.iter().rposition(|byte| *byte != b'/')?;
    let slash = path[..end].iter().rposition(|byte| *byte == b'/')?;
    Some(&path[..slash])
}

/// Takes note of what a guest looks at, before it sees it: what changes meanwhile makes the snapshot old. Descriptors are followed to
/// the paths that they were opened by.
#[derive(Default)]
pub(crate) struct Observer {
    sights: BTreeMap<Place, Sight>,
    /// Mounts have their own paths.
    opened: HashMap<u32, Place>,
    /// Files that were opened.
    read: BTreeSet<Place>,
}

impl Observer {
    /// The guest asks about `path` beneath the descriptor `fd`.
    pub(crate) fn look(
        &mut self,
        files: &mut Files,
        budget: &Budget,
        (fd, path, follow): (u32, &[u8], bool),
    ) {
        let Some(place) = self.place(files, fd, path, follow) else {
            return;
        };
        let found = files.again(|files| files.stat_path(fd, path, follow, budget));
        match found {
            // Root, who looks again, may pass everywhere: what stands in the way has to be the same.
            Err(Errno::ACCESS) => self.look_at_parent(files, budget, fd, path),
            // The path leads out of the folder that it begins in, and that is all that is seen.
            Err(Errno::NOT_PERMITTED) if files.mount_path(fd).is_err() => {}
            found => {
                let place = self.sights.entry(place);
                place.or_insert_with(|| Sight::of(&found, false));
            }
        }
    }

    /// The guest tries to change what `path` names, and learns whether there is a folder for it.
    pub(crate) fn look_at_parent(
        &mut self,
        files: &mut Files,
        budget: &Budget,
        fd: u32,
        path: &[u8],
    ) {
        match parent(path) {
            Some(parent) => self.look(files, budget, (fd, parent, true)),
            None => self.look_at_open(files, fd),
        }
    }

    /// The guest asks about what it has open.
    pub(crate) fn look_at_open(&mut self, files: &Files, fd: u32) {
        self.note_open(files, fd, false);
    }

    /// The guest reads the entries of the folder `fd`.
    pub(crate) fn list(&mut self, files: &Files, fd: u32) {
        self.note_open(files, fd, true);
    }

    fn note_open(&mut self, files: &Files, fd: u32, listed: bool) {
        let (Some(place), Ok(Some(stat))) = (self.base(files, fd), files.stat(fd)) else {
            return;
        };
        let seen = self.sights.get(&place);
        if seen.is_none() || listed && matches!(seen, Some(Sight::Folder(_))) {
            self.sights.insert(place, Sight::of(&Ok(stat), listed));
        }
    }

    /// The guest opened `path` as the descriptor `opened`.
    pub(crate) fn open(&mut self, files: &Files, fd: u32, path: &[u8], opened: u32) {
        if let Some(place) = self.place(files, fd, path, true) {
            self.read.insert(place.clone());
            self.opened.insert(opened, place);
        }
    }

    pub(crate) fn close(&mut self, fd: u32) {
        self.opened.remove(&fd);
    }

    pub(crate) fn renumber(&mut self, from: u32, to: u32) {
        if from == to {
            return;
        }
        match self.opened.remove(&from) {
            Some(place) => self.opened.insert(to, place),
            None => self.opened.remove(&to),
        };
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

    /// All that was seen, with fingerprints of what was read. What was changed since it was looked at has none.
    pub(crate) fn into_sights(self, files: &mut Files, budget: &mut Budget) -> Sights {
        let read = self.read;
        let mut print = |place: &Place, version: &Version| {
            if !version.has_content() {
                return None;
            }
            let print = fingerprint(files, place, budget)?;
            let found = stat(files, place, budget)?;
            (Version::of(&found) == *version).then_some(print)
        };
        let complete = |(place, sight)| {
            let sight = match sight {
                Sight::Listing(version, _) => {
                    let print = print(&place, &version);
                    Sight::Listing(version, Content::Read(print))
                }
                Sight::File(version, _) if read.contains(&place) => {
                    let print = print(&place, &version);
                    Sight::File(version, Content::Read(print))
                }
                sight => sight,
            };
            (place, sight)
        };
        self.sights.into_iter().map(complete).collect()
    }

    /// `None`: nothing can be found by such a path.
    fn place(&self, files: &Files, fd: u32, path: &[u8], follow: bool) -> Option<Place> {
        if path.is_empty() || path.starts_with(b"/") {
            return None;
        }
        let base = self.base(files, fd)?;
        let slash: &[u8] = if base.path.is_empty() { b"" } else { b"/" };
        Some(Place {
            path: [&base.path, slash, path].concat(),
            follow,
            ..base
        })
    }

    fn base(&self, files: &Files, fd: u32) -> Option<Place> {
        match files.mount_path(fd) {
            Ok(mount) => Some(Place {
                mount: mount.to_owned(),
                path: Vec::new(),
                follow: true,
            }),
            Err(_) => self.opened.get(&fd).cloned(),
        }
    }
}

/// Guest paths of the mounts in which something was found.
pub(crate) fn found_in(sights: &Sights) -> BTreeSet<&str> {
    let found = sights.iter().filter(|(_, sight)| *sight != Sight::Nothing);
    found.map(|(place, _)| place.mount.as_str()).collect()
}

/// Whether another look finds what was seen. `files` has the mounts, and nothing else open.
pub(crate) fn hold(sights: &Sights, files: &mut Files, budget: &mut Budget) -> bool {
    let holds = |(place, sight): &(Place, Sight)| {
        let found = stat(files, place, budget);
        match (sight, found) {
            (Sight::Nothing, found) => found.is_none(),
            (_, None) => false,
            (Sight::Folder(access), Some(found)) => *access == Access::of(&found),
            (Sight::Listing(version, content) | Sight::File(version, content), Some(found)) => {
                let now = Version::of(&found);
                *version == now
                    || version.may_be_copied_to(&now) && is_still(content, files, place, budget)
            }
        }
    };
    sights.iter().all(holds)
}

fn is_still(content: &Content, files: &mut Files, place: &Place, budget: &mut Budget) -> bool {
    match content {
        Content::Unread => true,
        Content::Read(print) => print.is_some() && *print == fingerprint(files, place, budget),
    }
}

impl Place {
    /// Where it is looked for; `None`: it has no mount any more.
    fn beneath(&self, files: &Files) -> Option<(u32, &[u8])> {
        let path = match self.path.as_slice() {
            b"" => b".",
            path => path,
        };
        Some((files.mount_of(&self.mount)?, path))
    }
}

fn stat(files: &mut Files, place: &Place, budget: &Budget) -> Option<Stat> {
    let (fd, path) = place.beneath(files)?;
    let found = files.again(|files| files.stat_path(fd, path, place.follow, budget));
    found.ok()
}

fn fingerprint(files: &mut Files, place: &Place, budget: &mut Budget) -> Option<String> {
    let (fd, path) = place.beneath(files)?;
    let how = Open {
        follow: place.follow,
        ..Open::TO_READ
    };
    let opened = files
        .again(|files| files.open(fd, path, how, budget))
        .ok()?;
    let print = files.fingerprint(opened).ok();
    files.close(opened).ok()?;
    print
}
