//! The files that a guest sees: mounts, descriptors, and what can be done with them. Paths are bytes, errors are the
//! host's, and no path leads out of the mounts ([`resolve`]).

mod data;
mod fingerprint;
mod folders;
mod listing;
mod locks;
mod paths;
mod resolve;
mod room;
mod table;
#[cfg(test)]
mod tests;
mod times;
mod walk;

pub(crate) use data::Whence;
pub(crate) use locks::Lock;
pub(crate) use paths::Open;
pub(crate) use table::{Kind, Terms};
pub(crate) use times::Times;

use super::RunIo;
use super::abi::{self, Errno, fdflags, rights};
use super::calls::Failure;
use super::scratch::{Scratch, Slots};
use crate::run::budget::Budget;
use folders::Folders;
use listing::Listing;
use resolve::Found;
use rustix::fd::OwnedFd;
use rustix::fs::{FileType, OFlags, Stat, fstat};
use std::sync::Arc;
use table::{Descriptor, Table};

/// The descriptors of one run. Dropped with it, which closes them all.
pub(crate) struct Files {
    table: Table,
    folders: Folders,
    /// Streams of mounts that are read, descriptors of the host beside the mounts' own.
    mount_streams: usize,
    /// The directory that was read last, and what is remembered of it.
    listing: Option<(u32, Listing)>,
    allow_symlinks: bool,
}

impl Files {
    /// Standard streams only.
    pub(crate) fn new(allow_symlinks: bool) -> Self {
        Files {
            table: Table::new(),
            folders: Folders::default(),
            mount_streams: 0,
            listing: None,
            allow_symlinks,
        }
    }

    /// Shows the guest a directory of the host under the path `guest`.
    pub(crate) fn mount(
        &mut self,
        guest: &str,
        directory: OwnedFd,
        terms: Terms,
        budget: &mut Budget,
    ) -> Result<(), std::io::Error> {
        self.make_room_for_mount(budget)?;
        let mount = Descriptor::directory(directory, Some(guest.to_owned()), terms);
        self.table.insert(mount);
        Ok(())
    }

    /// Shows the guest a scratch directory under the path `guest`. Nothing is made before it is used.
    pub(crate) fn mount_scratch(
        &mut self,
        guest: &str,
        slots: &Arc<Slots>,
        budget: &mut Budget,
    ) -> Result<(), std::io::Error> {
        self.make_room_for_mount(budget)?;
        let scratch = Arc::new(Scratch::new(Arc::clone(slots)));
        self.table.insert(Descriptor::scratch(&scratch, guest));
        self.table.scratch = Some(scratch);
        Ok(())
    }

    /// Takes the number and the path of a mount that is not there yet. What is done with it fails.
    pub(crate) fn mount_nothing(
        &mut self,
        guest: &str,
        budget: &mut Budget,
    ) -> Result<(), std::io::Error> {
        self.make_room_for_mount(budget)?;
        self.table.insert(Descriptor::nothing(guest));
        Ok(())
    }

    fn make_room_for_mount(&mut self, budget: &mut Budget) -> Result<(), std::io::Error> {
        self.make_room(budget)
            .map_err(|_| std::io::Error::other("no descriptor is left for it"))
    }

    /// The number of scratch directories there are, when the run wanted one and all were taken.
    pub(crate) fn found_no_scratch_of(&self) -> Option<u32> {
        self.table.scratch.as_ref()?.found_none_of()
    }

    /// Descriptors of the host that this run has: its own, kept folders and streams of mounts.
    fn used(&self) -> usize {
        self.table.len() + self.folders.len() + self.mount_streams
    }

    /// Makes sure that one descriptor more can be opened. To be asked before a file is made or cut that could not be opened.
    fn make_room(&mut self, budget: &mut Budget) -> Result<(), Errno> {
        while !budget.has_descriptor(self.used()) {
            if !self.folders.drop_oldest() {
                return Err(budget.no_descriptor(self.used()));
            }
        }
        Ok(())
    }

    pub(crate) fn kind(&self, fd: u32) -> Result<&Kind, Errno> {
        Ok(&self.table.get(fd)?.kind)
    }

    /// The guest path of a mount.
    pub(crate) fn mount_path(&self, fd: u32) -> Result<&str, Errno> {
        let path = self.table.get(fd)?.mount_path();
        // A guest counts up until it is told that there is no such descriptor.
        path.ok_or(Errno::BAD_DESCRIPTOR)
    }

    /// The descriptor of the mount with this guest path.
    pub(crate) fn mount_of(&self, path: &str) -> Option<u32> {
        self.table
            .numbers()
            .find(|fd| self.mount_path(*fd).is_ok_and(|mount| mount == path))
    }

    /// The first descriptor that is not where a run has it that begins with `mounts`, if there is one. Closed ones do no harm.
    pub(crate) fn first_stray(&self, mounts: &[&str]) -> Option<u32> {
        self.table.numbers().find(|fd| {
            let place = usize::try_from(*fd).unwrap_or(usize::MAX);
            let expected = place.checked_sub(3).and_then(|index| mounts.get(index));
            match self.kind(*fd) {
                Ok(Kind::Stdin) => *fd != 0,
                Ok(Kind::Stdout) => *fd != 1,
                Ok(Kind::Stderr) => *fd != 2,
                _ => self
                    .mount_path(*fd)
                    .map_or(true, |path| expected != Some(&path)),
            }
        })
    }

    pub(crate) fn close(&mut self, fd: u32) -> Result<(), Errno> {
        let closed = self.table.remove(fd)?;
        self.forget(fd, &closed);
        Ok(())
    }

    pub(crate) fn renumber(&mut self, from: u32, to: u32) -> Result<(), Errno> {
        self.leave_listing();
        if let Some(replaced) = self.table.renumber(from, to)? {
            self.forget(to, &replaced);
            self.folders.forget(from);
        }
        Ok(())
    }

    /// `fd` was this descriptor, and is no longer.
    fn forget(&mut self, fd: u32, descriptor: &Descriptor) {
        self.mount_streams -= usize::from(descriptor.has_stream_of_mount());
        if self.is_listing(fd) {
            self.listing = None;
        }
        if descriptor.mount_path().is_some() {
            // Wherever a path began, a link may have led here.
            self.folders.forget_all();
        }
        self.folders.forget(fd);
    }

    /// Type, flags and rights, in WASI's numbers.
    pub(crate) fn status(&self, fd: u32) -> Result<Status, Errno> {
        let descriptor = self.table.get(fd)?;
        let waiting = if descriptor.nonblocking {
            fdflags::NONBLOCK
        } else {
            0
        };
        let stream = |rights| Status {
            kind: abi::UNKNOWN,
            flags: 0,
            rights,
            inherited: rights,
        };
        match descriptor.kind {
            Kind::Stdin => Ok(stream(rights::FD_READ)),
            Kind::Stdout | Kind::Stderr => Ok(stream(rights::FD_WRITE)),
            Kind::Directory { .. } => Ok(Status {
                kind: abi::DIRECTORY,
                flags: waiting,
                rights: rights::DIRECTORY,
                inherited: rights::INHERITED,
            }),
            Kind::File => {
                let flags = rustix::fs::fcntl_getfl(descriptor.host()?)?;
                Ok(Status {
                    kind: abi::REGULAR_FILE,
                    flags: from_host(flags) | waiting,
                    rights: file_rights(flags),
                    inherited: 0,
                })
            }
        }
    }

    /// Size, times and so on. Standard streams have none.
    pub(crate) fn stat(&self, fd: u32) -> Result<Option<Stat>, Errno> {
        let descriptor = self.table.get(fd)?;
        match descriptor.kind {
            Kind::Stdin | Kind::Stdout | Kind::Stderr => Ok(None),
            Kind::File | Kind::Directory { .. } => Ok(Some(fstat(descriptor.host()?)?)),
        }
    }

    /// Fills `buffer` with entries of a directory, as [`Listing::read`] does.
    pub(crate) fn list(
        &mut self,
        fd: u32,
        buffer: &mut [u8],
        cookie: u64,
        io: &mut RunIo,
    ) -> Result<usize, Failure> {
        let listing = match self.listing.take() {
            Some((listed, listing)) if listed == fd => listing,
            other => {
                self.listing = other;
                self.leave_listing();
                self.start_listing(fd, &mut io.budget)?
            }
        };
        let (_, listing) = self.listing.insert((fd, listing));
        listing.read(buffer, cookie, || io.check().map_err(Failure::Stop))
    }

    fn is_listing(&self, fd: u32) -> bool {
        self.listing
            .as_ref()
            .is_some_and(|(listed, _)| *listed == fd)
    }

    fn start_listing(&mut self, fd: u32, budget: &mut Budget) -> Result<Listing, Errno> {
        self.table.base(fd)?;
        let descriptor = self.table.get(fd)?;
        let opens = descriptor.mount_path().is_some() && !descriptor.has_stream_of_mount();
        if opens {
            self.make_room(budget)?;
        }
        let listing = self.table.get_mut(fd)?.listing()?;
        self.mount_streams += usize::from(opens);
        Ok(listing)
    }

    /// Forgets of the directory that was read last all but where that has come to.
    fn leave_listing(&mut self) {
        if let Some((fd, listing)) = self.listing.take()
            && let Ok(descriptor) = self.table.get_mut(fd)
        {
            descriptor.keep_place(listing.place());
        }
    }
}

/// What `fd_fdstat_get` tells.
pub(crate) struct Status {
    pub(crate) kind: u8,
    pub(crate) flags: u16,
    pub(crate) rights: u64,
    pub(crate) inherited: u64,
}

/// `O_DSYNC` of Linux: the crate gives this name to `O_SYNC`, which it is a part of.
const DSYNC: OFlags = OFlags::from_bits_retain(libc::O_DSYNC as u32);

fn from_host(flags: OFlags) -> u16 {
    let mut bits = 0;
    for (host, bit) in [
        (OFlags::APPEND, fdflags::APPEND),
        (DSYNC, fdflags::DSYNC),
        (OFlags::SYNC, fdflags::SYNC | fdflags::RSYNC),
    ] {
        if flags.contains(host) {
            bits |= bit;
        }
    }
    bits
}

fn to_host(bits: u16) -> OFlags {
    let mut flags = OFlags::empty();
    for (bit, host) in [
        (fdflags::APPEND, OFlags::APPEND),
        (fdflags::DSYNC, DSYNC),
        (fdflags::SYNC | fdflags::RSYNC, OFlags::SYNC),
    ] {
        if bits & bit != 0 {
            flags |= host;
        }
    }
    flags
}

fn file_rights(flags: OFlags) -> u64 {
    match flags & OFlags::RWMODE {
        OFlags::RDWR => rights::FILE,
        OFlags::WRONLY => rights::FILE & !rights::FD_READ,
        _ => rights::FILE & !rights::FD_WRITE,
    }
}

/// What was opened, as a descriptor. A FIFO or a device is none: reading it could wait for ever.
fn descriptor(Found { host, terms }: Found) -> Result<Descriptor, Errno> {
    match FileType::from_raw_mode(fstat(&host)?.st_mode) {
        FileType::RegularFile => Ok(Descriptor::file(host, terms)),
        FileType::Directory => Ok(Descriptor::directory(host, None, terms)),
        _ => Err(Errno::NOT_SUPPORTED),
    }
}
