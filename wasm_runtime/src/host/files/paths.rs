//! What is done by a path: opening, looking, making, removing, renaming, linking.
//!
//! An operation on the last part of a path (make, remove, rename, link, look) never follows a link there, so it is done by
//! the folder and this one name. Where a link at the end is followed, or a slash ends the path, the path is resolved as a whole.

use super::resolve::open_beneath;
use super::times::{Times, timestamps};
use super::{Files, Terms, descriptor, to_host};
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
const NEW_FILE: Mode = Mode::from_raw_mode(0o666);
const NEW_DIRECTORY: Mode = Mode::from_raw_mode(0o777);

/// How `path_open` is asked to open, in WASI's numbers.
#[derive(Clone, Copy)]
pub(crate) struct Open {
    pub(crate) follow: bool,
    pub(crate) oflags: u16,
    pub(crate) rights: u64,
    pub(crate) fdflags: u16,
}

/// The last part of a path in its folder.
struct Place<'a> {
    folder: Folder<'a>,
    /// With the slash behind it, if there was one; `.` and `..` as they are.
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

fn open_folder(base: BorrowedFd<'_>, path: &[u8]) -> Result<OwnedFd, Errno> {
    open_beneath(base, path, OFlags::PATH | OFlags::DIRECTORY, Mode::empty())
}

impl Files {
    /// The descriptor that paths begin at, and the terms of its mount.
    fn base(&self, fd: u32) -> Result<(BorrowedFd<'_>, Terms), Errno> {
        let descriptor = self.table.get(fd)?;
        match descriptor.kind {
            super::Kind::Directory { .. } => Ok((descriptor.host()?, descriptor.terms)),
            _ => Err(Errno::NOT_DIRECTORY),
        }
    }

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
        let (base, terms) = self.base(fd)?;
        let folder = match parent {
            b"" => Folder::Descriptor(base),
            parent => Folder::Opened(Arc::new(open_folder(base, parent)?)),
        };
        Ok(Place {
            folder,
            name,
            terms,
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
        let terms = self.base(fd)?.1;
        let folder = match parent {
            b"" => Folder::Descriptor(self.base(fd)?.0),
            parent => Folder::Opened(self.kept_folder(fd, parent, budget)?),
        };
        Ok(Place {
            folder,
            name,
            terms,
        })
    }

    fn kept_folder(
        &mut self,
        fd: u32,
        path: &[u8],
        budget: &Budget,
    ) -> Result<Arc<OwnedFd>, Errno> {
        if let Some(kept) = self.folders.get(fd, path) {
            return Ok(kept);
        }
        let opened = Arc::new(open_folder(self.base(fd)?.0, path)?);
        if budget.has_descriptor(self.used()) {
            self.folders.keep(fd, path, &opened);
        }
        Ok(opened)
    }

    /// The folder and the last part of a path, with the slashes behind it.
    fn split<'a>(&self, fd: u32, path: &'a [u8]) -> Result<(&'a [u8], &'a [u8]), Errno> {
        self.table.get(fd)?;
        if path.is_empty() {
            return Err(Errno::NO_ENTRY);
        }
        self.base(fd)?;
        let trimmed = without_slashes(path);
        if trimmed.is_empty() {
            // The root of the host.
            return Err(Errno::NOT_PERMITTED);
        }
        let slash = trimmed.iter().rposition(|byte| *byte == b'/');
        Ok(path.split_at(slash.map_or(0, |slash| slash + 1)))
    }

    /// Opens a path as a whole, without reading or writing: to look at what a link leads to.
    fn resolve(&self, fd: u32, path: &[u8], flags: OFlags) -> Result<OwnedFd, Errno> {
        open_beneath(self.base(fd)?.0, path, OFlags::PATH | flags, Mode::empty())
    }

    pub(crate) fn open(
        &mut self,
        fd: u32,
        path: &[u8],
        how: Open,
        budget: &mut Budget,
    ) -> Result<u32, Errno> {
        let terms = self.table.get(fd)?.terms;
        let flags = open_flags(how, terms.read_only)?;
        if path.is_empty() {
            return Err(Errno::NO_ENTRY);
        }
        self.make_room(budget)?;
        let opened = self.open_or_create(fd, path, flags, budget);
        // Where nothing can be made, a file that is there can still be opened.
        let refused = terms.read_only && how.oflags & oflags::CREATE != 0;
        let host = match opened {
            Err(Errno::NO_ENTRY) if refused => return Err(Errno::NOT_PERMITTED),
            Ok(_) if refused && how.oflags & oflags::EXCLUSIVE != 0 => return Err(Errno::EXISTS),
            opened => opened?,
        };
        let mut opened = descriptor(host, terms)?;
        opened.nonblocking = how.fdflags & fdflags::NONBLOCK != 0;
        Ok(self.table.insert(opened))
    }

    /// A file that is made counts; whether one will be is known once there is none.
    fn open_or_create(
        &self,
        fd: u32,
        path: &[u8],
        flags: OFlags,
        budget: &mut Budget,
    ) -> Result<OwnedFd, Errno> {
        let (base, terms) = self.base(fd)?;
        if !flags.contains(OFlags::CREATE) {
            return open_beneath(base, path, flags, Mode::empty());
        }
        let create = || open_beneath(base, path, flags, NEW_FILE);
        if !budget.counts(terms.account) {
            return create();
        }
        if !flags.contains(OFlags::EXCL) {
            match open_beneath(base, path, flags - OFlags::CREATE, Mode::empty()) {
                Err(Errno::NO_ENTRY) => {}
                opened => return opened,
            }
        }
        self.grow(terms.account, ENTRY, budget, create)
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
        Ok(fstat(self.resolve(fd, path, flags)?)?)
    }

    pub(crate) fn set_times_path(
        &mut self,
        fd: u32,
        path: &[u8],
        follow: bool,
        times: Times,
    ) -> Result<(), Errno> {
        let timestamps = timestamps(times)?;
        writable(self.base(fd)?.1)?;
        let flags = if follow {
            OFlags::empty()
        } else {
            OFlags::NOFOLLOW
        };
        let file = self.resolve(fd, path, flags)?;
        Ok(utimensat(&file, "", &timestamps, AtFlags::EMPTY_PATH)?)
    }

    pub(crate) fn create_directory(
        &mut self,
        fd: u32,
        path: &[u8],
        budget: &mut Budget,
    ) -> Result<(), Errno> {
        let place = self.place(fd, path)?;
        place.changeable(Errno::EXISTS)?;
        self.grow(place.terms.account, ENTRY, budget, || {
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
        let (old_folder, old_name) = self.renamed(from)?;
        let (new_folder, new_name) = self.renamed(to)?;
        self.same_account(from.0, to.0)?;
        self.may_move(&old_folder, old_name)?;
        renameat(&old_folder, old_name, &new_folder, new_name)?;
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

    /// The scratch directory is a file system of its own to the guest, wherever it lies: what goes in or out is written anew, and
    /// counted.
    fn same_account(&self, from: u32, to: u32) -> Result<(), Errno> {
        if self.table.get(from)?.terms.account != self.table.get(to)?.terms.account {
            return Err(Errno::CROSS_DEVICE);
        }
        Ok(())
    }

    /// A side of a renaming: its folder and name.
    fn renamed<'a>(&self, (fd, path): (u32, &'a [u8])) -> Result<(Arc<OwnedFd>, &'a [u8]), Errno> {
        let place = self.place(fd, path)?;
        place.changeable(Errno::BUSY)?;
        let name = &path[path.len() - place.name.len()..];
        let folder = match place.folder {
            Folder::Opened(folder) => folder,
            Folder::Descriptor(_) => self.table.get(fd)?.shared_host()?,
        };
        Ok((folder, name))
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
        let (old_folder, old_name) = self.renamed(from)?;
        self.may_move(&old_folder, old_name)?;
        let target = self.place(to.0, to.1)?;
        target.changeable(Errno::EXISTS)?;
        self.same_account(from.0, to.0)?;
        self.grow(target.terms.account, ENTRY, budget, || {
            Ok(linkat(
                &old_folder,
                old_name,
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
        self.grow(place.terms.account, ENTRY, budget, || {
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

fn open_flags(how: Open, read_only: bool) -> Result<OFlags, Errno> {
    if how.oflags & !oflags::ALL != 0 || how.fdflags & !fdflags::ALL != 0 {
        return Err(Errno::INVALID);
    }
    let writes = how.rights & rights::FD_WRITE != 0;
    if read_only && (writes || how.oflags & oflags::TRUNCATE != 0) {
        return Err(Errno::NOT_PERMITTED);
    }
    let access = match (how.rights & rights::FD_READ != 0, writes) {
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
    if read_only {
        flags -= OFlags::CREATE | OFlags::EXCL;
    }
    Ok(flags)
}
