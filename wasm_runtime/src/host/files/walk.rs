//! A path, component by component: where the kernel has no `openat2`, and for links to absolute paths, which lead to what the
//! guest has mounted there. No component is ever followed by the kernel, so that nobody can exchange one for a link meanwhile.

use super::resolve::{Base, Found, Opened, is_exclusive, new_mode, open_under};
use crate::host::abi::Errno;
use crate::host::memory::MAX_PATH;
use crate::openat2::MAX_LINKS;
use crate::run::budget::Budget;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{AtFlags, Mode, OFlags, openat, readlinkat, statat};
use rustix::io::Errno as HostErrno;

/// Folders that are opened for one path: it must not keep the host busy.
pub(super) const MAX_FOLDERS: usize = 4096;

/// Bytes of a way, behind and ahead: the longest link on the longest path.
const MAX_WAY: usize = 2 * MAX_PATH;

/// Opens what `path` names; [`Errno::CROSS_DEVICE`] where it leads out of every mount.
pub(super) fn walk(
    base: Base<'_>,
    path: &[u8],
    flags: OFlags,
    mut budget: Option<&mut Budget>,
) -> Result<Found, Errno> {
    if path.is_empty() {
        return Err(Errno::NO_ENTRY);
    }
    let mut walk = Walk {
        base,
        way: Vec::new(),
        here: None,
        rest: Some(path.to_vec()),
        links: 0,
        folders: 0,
    };
    while let Some(name) = walk.next_name() {
        match name.as_slice() {
            b"" | b"." => {}
            b".." => walk.up()?,
            name if walk.rest.is_none() => {
                if let Some(opened) = walk.open_last(name, flags, budget.as_deref_mut())? {
                    return Ok(walk.found(opened));
                }
            }
            // Nothing but a directory could be named so, and none is made by opening.
            _ if flags.contains(OFlags::CREATE) && walk.has_only_slashes_left() => {
                return Err(Errno::IS_DIRECTORY);
            }
            name => walk.enter(name)?,
        }
    }
    walk.open_here(flags)
}

struct Walk<'a> {
    /// Where the way began, or the mount that the last absolute link led to.
    base: Base<'a>,
    /// The names of the folders from there to here, a slash before each.
    way: Vec<u8>,
    /// `None`: at `base`.
    here: Option<OwnedFd>,
    /// What is still to go; `None` behind the last name.
    rest: Option<Vec<u8>>,
    links: usize,
    folders: usize,
}

impl Walk<'_> {
    fn here(&self) -> BorrowedFd<'_> {
        self.here.as_ref().map_or(self.base.folder, AsFd::as_fd)
    }

    fn found(&self, host: OwnedFd) -> Found {
        Found {
            host,
            terms: self.base.terms,
        }
    }

    fn next_name(&mut self) -> Option<Vec<u8>> {
        let mut name = self.rest.take()?;
        if let Some(slash) = name.iter().position(|byte| *byte == b'/') {
            self.rest = Some(name.split_off(slash + 1));
            name.truncate(slash);
        }
        Some(name)
    }

    fn has_only_slashes_left(&self) -> bool {
        let mut rest = self.rest.iter().flatten();
        rest.all(|byte| *byte == b'/')
    }

    /// Not by the host's `..`: others may have moved this folder out of its mount. Instead, again from the base.
    fn up(&mut self) -> Result<(), Errno> {
        let slash = self.way.iter().rposition(|byte| *byte == b'/');
        self.way.truncate(slash.ok_or(Errno::CROSS_DEVICE)?);
        // It fails where the host's would: without the right to look anything up here.
        statat(self.here(), "..", AtFlags::empty())?;
        self.here = None;
        let way = std::mem::take(&mut self.way);
        for name in way.split(|byte| *byte == b'/').skip(1) {
            self.here = Some(match self.open_folder(name) {
                // Somebody put a link there: tried again as a whole.
                Err(Errno::NOT_DIRECTORY | Errno::LOOP) => return Err(Errno::AGAIN),
                opened => opened?,
            });
        }
        self.way = way;
        Ok(())
    }

    fn open_folder(&mut self, name: &[u8]) -> Opened {
        self.folders += 1;
        if self.folders > MAX_FOLDERS || self.way.len() > MAX_WAY {
            return Err(Errno::NAME_TOO_LONG);
        }
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        Ok(openat(self.here(), name, flags, Mode::empty())?)
    }

    fn enter(&mut self, name: &[u8]) -> Result<(), Errno> {
        match self.open_folder(name) {
            Ok(folder) => {
                self.here = Some(folder);
                self.way.push(b'/');
                self.way.extend_from_slice(name);
                Ok(())
            }
            Err(Errno::NOT_DIRECTORY | Errno::LOOP) => self.follow(name),
            Err(errno) => Err(errno),
        }
    }

    /// Goes where the link `name` leads; `NOTDIR` when it is none.
    fn follow(&mut self, name: &[u8]) -> Result<(), Errno> {
        let content = match readlinkat(self.here(), name, Vec::new()) {
            Err(HostErrno::INVAL) => return Err(Errno::NOT_DIRECTORY),
            content => content?,
        };
        self.links += 1;
        if self.links > MAX_LINKS {
            return Err(Errno::LOOP);
        }
        self.go_on_with(content.as_bytes())
    }

    /// An absolute path is the guest's: it begins at one of its mounts.
    fn go_on_with(&mut self, content: &[u8]) -> Result<(), Errno> {
        let mut way = content;
        if content.starts_with(b"/") {
            (self.base, way) = self
                .base
                .mounts
                .mount_of(content)
                .ok_or(Errno::CROSS_DEVICE)?;
            self.here = None;
            self.way.clear();
        }
        let mut way = way.to_vec();
        if let Some(rest) = &self.rest {
            way.push(b'/');
            way.extend_from_slice(rest);
        }
        if way.len() > MAX_WAY {
            return Err(Errno::NAME_TOO_LONG);
        }
        self.rest = Some(way);
        Ok(())
    }

    /// `None`: it is a link, and the way goes on.
    fn open_last(
        &mut self,
        name: &[u8],
        flags: OFlags,
        budget: Option<&mut Budget>,
    ) -> Result<Option<OwnedFd>, Errno> {
        let follows = !flags.contains(OFlags::NOFOLLOW);
        if follows && !is_exclusive(flags) {
            match self.follow(name) {
                Ok(()) => return Ok(None),
                Err(Errno::NOT_DIRECTORY | Errno::NO_ENTRY) => {}
                Err(errno) => return Err(errno),
            }
        }
        let flags = flags | OFlags::NOFOLLOW;
        let opened = open_under(self.base, flags, budget, |flags| {
            Ok(openat(self.here(), name, flags, new_mode(flags))?)
        });
        match opened {
            // It became a link since: tried again as a whole.
            Err(Errno::LOOP) if follows => Err(Errno::AGAIN),
            opened => opened.map(Some),
        }
    }

    /// The path ended in a slash or a dot: the folder that was reached is meant.
    fn open_here(&self, flags: OFlags) -> Result<Found, Errno> {
        if is_exclusive(flags) {
            return Err(Errno::EXISTS);
        }
        if flags.contains(OFlags::CREATE) {
            return Err(Errno::IS_DIRECTORY);
        }
        let opened = open_under(self.base, flags - OFlags::NOFOLLOW, None, |flags| {
            Ok(openat(self.here(), ".", flags, Mode::empty())?)
        });
        Ok(self.found(opened?))
    }
}
