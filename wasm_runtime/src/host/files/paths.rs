//! What is done by a path: opening, looking, making, removing, renaming, linking.
//!
//! An operation on the last part of a path (make, remove, rename, link, look) never follows a link there, so it is done by
//! the folder and this one name. Where a link at the end is followed, or a slash ends the path, the path is resolved as a whole.

use super::resolve::{Found, create_beneath, open_beneath};
use super::times::{Times, timestamps};
use super::{Files, Kind, Terms, descriptor, to_host};
use crate::host::abi::{Errno, fdflags, oflags, rights};
use crate::run::budget::{Budget, ENTRY};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{
    AtFlags, FileType, Mode, OFlags, Stat, fstat, linkat, mkdirat, readlinkat_raw, renameat,
    statat, symlinkat, unlinkat, utimensat,
};
use std::mem::MaybeUninit;
use std::sync::Arc;

/// Permissions of what a guest makes, less the umask: WASI has no modes.
const NEW_DIRECTORY: Mode = Mode::from_raw_mode(0o777);

/// How `path_open` is asked to open, in WASI's numbers.
#[derive(Clone, Copy)]
pub(crate) struct Open {
    pub(crate) follow: bool,
    pub(crate) oflags: u16,
    pub(crate) rights: u64,
    pub(crate) fdflags: u16,
}

impl Open {
    pub(crate) const TO_READ: Open = Open {
        follow: true,
        oflags: 0,
        rights: rights::FD_READ,
        fdflags: 0,
    };
}

/// The last part of a path in its folder.
struct Place<'a> {
    folder: Folder<'a>,
    /// With the slash behind it, if there was one; `.` and `..` as they are.
    name: &'a [u8],
    /// Those of the folder.
    terms: Terms,
}

/// A side of a renaming.
struct Renamed<'a> {
    folder: Arc<OwnedFd>,
    name: &'a [u8],
    terms: Terms,
}

enum Folder<'a> {
    Descriptor(BorrowedFd<'a>),
    Opened(Arc<OwnedFd>),
}

impl AsFd for Folder<'_> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Folder::Descriptor(fd) => *fd,
            Folder::Opened(fd) => fd.as_fd(),
        }
    }
}

fn writable(terms: Terms) -> Result<(), Errno> {
    if terms.read_only {
        return Err(Errno::NOT_PERMITTED);
    }
    Ok(())
}

/// The scratch directory is a file system of its own to the guest, wherever it lies: what goes in or out is written anew, and
/// counted.
fn same_file_system(from: Terms, to: Terms) -> Result<(), Errno> {
    if from.account != to.account {
        return Err(Errno::CROSS_DEVICE);
    }
    Ok(())
}

/// A path without the slashes at its end.
fn without_slashes(path: &[u8]) -> &[u8] {
    let end = path.iter().rposition(|byte| *byte != b'/');
    &path[..end.map_or(0, |last| last + 1)]
}

impl Place<'_> {
    fn has_slash(&self) -> bool {
        self.name.ends_with(b"/")
    }

    /// `.` and `..` are no names by which something could be made, removed or renamed.
    fn is_dots(&self) -> bool {
        matches!(without_slashes(self.name), b"." | b"..")
    }

    /// Fails where nothing may be changed, or with `errno`, the host's own, for `.` and `..`.
    fn changeable(&self, errno: Errno) -> Result<(), Errno> {
        writable(self.terms)?;
        if self.is_dots() {
            return Err(errno);
        }
        Ok(())
    }
}

impl Files {
    /// Does what is done by paths; once more where a folder that was kept has been removed meanwhile, and perhaps made again.
    pub(crate) fn again<T>(
        &mut self,
        mut operation: impl FnMut(&mut Self) -> Result<T, Errno>,
    ) -> Result<T, Errno> {
        self.folders.begin();
        match operation(self) {
            Err(Errno::NO_ENTRY) if self.folders.forget_removed() => operation(self),
            answer => answer,
        }
    }

    /// A place where something is changed: its folder is looked up anew, wherever others have moved it.
    fn place<'a>(&'a self, fd: u32, path: &'a [u8]) -> Result<Place<'a>, Errno> {
        let (parent, name) = self.split(fd, path)?;
        if parent.is_empty() {
            return self.place_in_base(fd, name);
        }
        let Found { host, terms } = self.open_folder(fd, parent)?;
        Ok(Place {
            folder: Folder::Opened(Arc::new(host)),
            name,
            terms,
        })
    }

    fn place_in_base<'a>(&'a self, fd: u32, name: &'a [u8]) -> Result<Place<'a>, Errno> {
        let base = self.table.base(fd)?;
        Ok(Place {
            folder: Folder::Descriptor(base.folder),
            name,
            terms: base.terms,
        })
    }

    /// A place that is only looked at: its folder may be one that was kept.
    fn seen_place<'a>(
        &'a mut self,
        fd: u32,
        path: &'a [u8],
        budget: &Budget,
    ) -> Result<Place<'a>, Errno> {
        let (parent, name) = self.split(fd, path)?;
        if parent.is_empty() {
            return self.place_in_base(fd, name);
        }
        let (folder, terms) = self.kept_folder(fd, parent, budget)?;
        Ok(Place {
            folder: Folder::Opened(folder),
            name,
            terms,
        })
    }

    fn kept_folder(
        &mut self,
        fd: u32,
        path: &[u8],
        budget: &Budget,
    ) -> Result<(Arc<OwnedFd>, Terms), Errno> {
        if let Some(kept) = self.folders.get(fd, path) {
            return Ok(kept);
        }
        let Found { host, terms } = self.open_folder(fd, path)?;
        let opened = (Arc::new(host), terms);
        if budget.has_descriptor(self.used()) {
            self.folders.keep(fd, path, opened.clone());
        }
        Ok(opened)
    }

    fn open_folder(&self, fd: u32, path: &[u8]) -> Result<Found, Errno> {
        self.resolve(fd, path, OFlags::DIRECTORY)
    }

    /// The folder and the last part of a path, with the slashes behind it.
    fn split<'a>(&self, fd: u32, path: &'a [u8]) -> Result<(&'a [u8], &'a [u8]), Errno> {
        self.table.get(fd)?;
        if path.is_empty() {
            return Err(Errno::NO_ENTRY);
        }
        self.table.base(fd)?;
        let trimmed = without_slashes(path);
        if trimmed.is_empty() {
            // The root of the host.
            return Err(Errno::NOT_PERMITTED);
        }
        let slash = trimmed.iter().rposition(|byte| *byte == b'/');
        Ok(path.split_at(slash.map_or(0, |slash| slash + 1)))
    }

    /// Opens a path as a whole, without reading or writing: to look at what a link leads to.
    fn resolve(&self, fd: u32, path: &[u8], flags: OFlags) -> Result<Found, Errno> {
        open_beneath(self.table.base(fd)?, path, OFlags::PATH | flags)
    }

    pub(crate) fn open(
        &mut self,
        fd: u32,
        path: &[u8],
        how: Open,
        budget: &mut Budget,
    ) -> Result<u32, Errno> {
        self.table.get(fd)?;
        let flags = open_flags(how)?;
        if path.is_empty() {
            return Err(Errno::NO_ENTRY);
        }
        self.make_room(budget)?;
        let found = create_beneath(self.table.base(fd)?, path, flags, budget)?;
        let mut opened = descriptor(found)?;
        // The host says so itself where something may be made.
        if flags.contains(OFlags::CREATE) && matches!(opened.kind, Kind::Directory { .. }) {
            return Err(Errno::IS_DIRECTORY);
        }
        opened.nonblocking = how.fdflags & fdflags::NONBLOCK != 0;
        Ok(self.table.insert(opened))
    }

    pub(crate) fn stat_path(
        &mut self,
        fd: u32,
        path: &[u8],
        follow: bool,
        budget: &Budget,
    ) -> Result<Stat, Errno> {
        let place = self.seen_place(fd, path, budget)?;
        // With a slash the kernel would follow a link, and out of the mount.
        if !place.has_slash() && !place.is_dots() {
            let stat = statat(&place.folder, place.name, AtFlags::SYMLINK_NOFOLLOW)?;
            if !follow || FileType::from_raw_mode(stat.st_mode) != FileType::Symlink {
                return Ok(stat);
            }
        }
        let flags = if follow {
            OFlags::empty()
        } else {
            OFlags::NOFOLLOW
        };
        Ok(fstat(self.resolve(fd, path, flags)?.host)?)
    }

    pub(crate) fn set_times_path(
        &mut self,
        fd: u32,
        path: &[u8],
        follow: bool,
        times: Times,
    ) -> Result<(), Errno> {
        let timestamps = timestamps(times)?;
        let flags = if follow {
            OFlags::empty()
        } else {
            OFlags::NOFOLLOW
        };
        let found = self.resolve(fd, path, flags)?;
        writable(found.terms)?;
        Ok(utimensat(
            &found.host,
            "",
            &timestamps,
            AtFlags::EMPTY_PATH,
        )?)
    }

    pub(crate) fn create_directory(
        &mut self,
        fd: u32,
        path: &[u8],
        budget: &mut Budget,
    ) -> Result<(), Errno> {
        let place = self.place(fd, path)?;
        place.changeable(Errno::EXISTS)?;
        self.table.grow(place.terms.account, ENTRY, budget, || {
            Ok(mkdirat(&place.folder, place.name, NEW_DIRECTORY)?)
        })
    }

    pub(crate) fn remove_directory(&mut self, fd: u32, path: &[u8]) -> Result<(), Errno> {
        let place = self.place(fd, path)?;
        let dots = match without_slashes(place.name) {
            b"." => Errno::INVALID,
            _ => Errno::NOT_EMPTY,
        };
        place.changeable(dots)?;
        unlinkat(&place.folder, place.name, AtFlags::REMOVEDIR)?;
        self.folders.forget_all();
        Ok(())
    }

    pub(crate) fn unlink(&mut self, fd: u32, path: &[u8]) -> Result<(), Errno> {
        let place = self.place(fd, path)?;
        place.changeable(Errno::IS_DIRECTORY)?;
        unlinkat(&place.folder, place.name, AtFlags::empty())?;
        // It may have been a link that a kept path went through.
        self.folders.forget_all();
        Ok(())
    }

    pub(crate) fn rename(&mut self, from: (u32, &[u8]), to: (u32, &[u8])) -> Result<(), Errno> {
        let old = self.renamed(from)?;
        let new = self.renamed(to)?;
        same_file_system(old.terms, new.terms)?;
        self.may_move(&old.folder, old.name)?;
        renameat(&old.folder, old.name, &new.folder, new.name)?;
        self.folders.forget_all();
        Ok(())
    }

    /// A link in another folder leads elsewhere: whoever may make none may not move one either.
    fn may_move(&self, folder: &OwnedFd, name: &[u8]) -> Result<(), Errno> {
        if self.allow_symlinks {
            return Ok(());
        }
        let found = statat(folder, without_slashes(name), AtFlags::SYMLINK_NOFOLLOW);
        let kind = found.map(|found| FileType::from_raw_mode(found.st_mode));
        if kind == Ok(FileType::Symlink) {
            return Err(Errno::NOT_PERMITTED);
        }
        Ok(())
    }

    fn renamed<'a>(&self, (fd, path): (u32, &'a [u8])) -> Result<Renamed<'a>, Errno> {
        let place = self.place(fd, path)?;
        place.changeable(Errno::BUSY)?;
        let name = &path[path.len() - place.name.len()..];
        let folder = match place.folder {
            Folder::Opened(folder) => folder,
            Folder::Descriptor(_) => self.table.get(fd)?.shared_host()?,
        };
        Ok(Renamed {
            folder,
            name,
            terms: place.terms,
        })
    }

    /// Makes another name for a file. A link is not followed: the new name is the link's.
    pub(crate) fn link(
        &mut self,
        from: (u32, &[u8]),
        to: (u32, &[u8]),
        budget: &mut Budget,
    ) -> Result<(), Errno> {
        let source = self.place(from.0, from.1)?;
        source.changeable(Errno::NOT_PERMITTED)?;
        if source.has_slash() {
            // Only a folder can be named so, and a folder has one name.
            self.resolve(from.0, from.1, OFlags::DIRECTORY)?;
            return Err(Errno::NOT_PERMITTED);
        }
        let old = self.renamed(from)?;
        self.may_move(&old.folder, old.name)?;
        let target = self.place(to.0, to.1)?;
        target.changeable(Errno::EXISTS)?;
        same_file_system(old.terms, target.terms)?;
        self.table.grow(target.terms.account, ENTRY, budget, || {
            Ok(linkat(
                &old.folder,
                old.name,
                &target.folder,
                target.name,
                AtFlags::empty(),
            )?)
        })
    }

    /// Makes a link where that is allowed: others may follow it who know no mounts. One to an absolute path would be about
    /// the host's files.
    pub(crate) fn symlink(
        &mut self,
        content: &[u8],
        fd: u32,
        path: &[u8],
        budget: &mut Budget,
    ) -> Result<(), Errno> {
        let allowed = self.allow_symlinks && content.first() != Some(&b'/');
        let place = self.place(fd, path)?;
        place.changeable(Errno::EXISTS)?;
        if !allowed {
            return Err(Errno::NOT_PERMITTED);
        }
        self.table.grow(place.terms.account, ENTRY, budget, || {
            Ok(symlinkat(content, &place.folder, place.name)?)
        })
    }

    /// Reads where a link leads into `buffer`; returns the bytes, cut where there is no more room.
    pub(crate) fn readlink(
        &mut self,
        fd: u32,
        path: &[u8],
        buffer: &mut [u8],
        budget: &Budget,
    ) -> Result<usize, Errno> {
        let place = self.seen_place(fd, path, budget)?;
        if place.has_slash() || place.is_dots() {
            self.resolve(fd, path, OFlags::empty())?;
            return Err(Errno::INVALID);
        }
        if buffer.is_empty() {
            // The kernel refuses an empty buffer; the answer is the same as for any other place that is none.
            let mut one = [MaybeUninit::uninit()];
            readlinkat_raw(&place.folder, place.name, &mut one)?;
            return Ok(0);
        }
        Ok(readlinkat_raw(&place.folder, place.name, buffer)?)
    }
}

fn open_flags(how: Open) -> Result<OFlags, Errno> {
    if how.oflags & !oflags::ALL != 0 || how.fdflags & !fdflags::ALL != 0 {
        return Err(Errno::INVALID);
    }
    let may = |right| how.rights & right != 0;
    let access = match (may(rights::FD_READ), may(rights::FD_WRITE)) {
        (true, true) => OFlags::RDWR,
        (false, true) => OFlags::WRONLY,
        (_, false) => OFlags::RDONLY,
    };
    if how.oflags & oflags::CREATE != 0 && how.oflags & oflags::DIRECTORY != 0 {
        return Err(Errno::INVALID);
    }
    // NONBLOCK: opening a FIFO or a device must not wait. NOCTTY: nor give the server a terminal.
    let mut flags = access | OFlags::NONBLOCK | OFlags::NOCTTY | to_host(how.fdflags);
    flags.set(OFlags::NOFOLLOW, !how.follow);
    for (bit, flag) in [
        (oflags::CREATE, OFlags::CREATE),
        (oflags::EXCLUSIVE, OFlags::EXCL),
        (oflags::TRUNCATE, OFlags::TRUNC),
        (oflags::DIRECTORY, OFlags::DIRECTORY),
    ] {
        flags.set(flag, how.oflags & bit != 0);
    }
    Ok(flags)
}
