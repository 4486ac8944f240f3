//! The descriptors of a run: small numbers, the lowest free one first, as on the host.

use super::listing::{Listing, Place};
use super::locks::Ranges;
use super::resolve::Base;
use crate::host::abi::Errno;
use crate::host::scratch::Scratch;
use crate::run::Limit;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{Mode, OFlags, openat};
use std::sync::Arc;

/// What a descriptor stands for.
pub(crate) enum Kind {
    Stdin,
    Stdout,
    Stderr,
    File,
    Directory {
        mount: Option<Box<Mount>>,
        /// Where reading it has come to, once it has begun.
        place: Option<Place>,
    },
}

impl Kind {
    fn mount(path: &str) -> Self {
        let path = path.to_owned();
        Kind::Directory {
            mount: Some(Box::new(Mount { path, stream: None })),
            place: None,
        }
    }
}

/// What is particular to the descriptor of a mount.
pub(crate) struct Mount {
    /// Its path for the guest.
    path: String,
    /// The host's descriptor only names the directory. This one reads it, once that has begun.
    stream: Option<Arc<OwnedFd>>,
}

/// What a mount allows, which holds for all that is opened below it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Terms {
    /// Nothing may be changed.
    pub(crate) read_only: bool,
    /// Which limit counts what is added.
    pub(crate) account: Limit,
}

/// Where the host's descriptor of a file or directory comes from.
enum Host {
    /// From nowhere: a standard stream, which belongs to the server, or a mount that is not there yet.
    None,
    Open(Arc<OwnedFd>),
    /// From the run's scratch directory, which is made now if need be.
    Scratch(Arc<Scratch>),
}

pub(crate) struct Descriptor {
    pub(crate) kind: Kind,
    host: Host,
    /// Those of the mount that it lies in.
    pub(crate) terms: Terms,
    /// What the guest said of waiting. It makes no difference, files never make it wait, but it may ask.
    pub(super) nonblocking: bool,
    /// Of which it has locks.
    pub(super) ranges: Ranges,
}

impl Descriptor {
    fn stream(kind: Kind) -> Self {
        Descriptor {
            kind,
            host: Host::None,
            terms: Terms {
                read_only: true,
                account: Limit::Written,
            },
            nonblocking: false,
            ranges: Ranges::default(),
        }
    }

    pub(super) fn file(host: OwnedFd, terms: Terms) -> Self {
        Descriptor {
            kind: Kind::File,
            host: Host::Open(Arc::new(host)),
            terms,
            nonblocking: false,
            ranges: Ranges::default(),
        }
    }

    pub(super) fn directory(host: OwnedFd, mount: Option<String>, terms: Terms) -> Self {
        let mount = mount.map(|path| Box::new(Mount { path, stream: None }));
        Descriptor {
            kind: Kind::Directory { mount, place: None },
            host: Host::Open(Arc::new(host)),
            terms,
            nonblocking: false,
            ranges: Ranges::default(),
        }
    }

    /// A mount that is not there yet.
    pub(super) fn nothing(guest: &str) -> Self {
        Descriptor::stream(Kind::mount(guest))
    }

    /// The mount of a scratch directory.
    pub(super) fn scratch(scratch: &Arc<Scratch>, guest: &str) -> Self {
        Descriptor {
            kind: Kind::mount(guest),
            host: Host::Scratch(Arc::clone(scratch)),
            terms: Terms {
                read_only: false,
                account: Limit::Scratch,
            },
            nonblocking: false,
            ranges: Ranges::default(),
        }
    }

    /// The host's descriptor of a file or directory.
    pub(super) fn host(&self) -> Result<BorrowedFd<'_>, Errno> {
        self.owned().map(|host| host.as_fd())
    }

    fn owned(&self) -> Result<&Arc<OwnedFd>, Errno> {
        match &self.host {
            Host::None => Err(Errno::NOT_SUPPORTED),
            Host::Open(host) => Ok(host),
            Host::Scratch(scratch) => scratch.folder(),
        }
    }

    fn mount(&self) -> Option<&Mount> {
        match &self.kind {
            Kind::Directory { mount, .. } => mount.as_deref(),
            _ => None,
        }
    }

    /// Its path for the guest, where it is a mount.
    pub(super) fn mount_path(&self) -> Option<&str> {
        self.mount().map(|mount| mount.path.as_str())
    }

    /// A mount that is read needs a descriptor of the host beside its own.
    pub(super) fn has_stream_of_mount(&self) -> bool {
        self.mount().is_some_and(|mount| mount.stream.is_some())
    }

    /// Begins to read a directory, or goes on.
    pub(super) fn listing(&mut self) -> Result<Listing, Errno> {
        let stream = self.entries()?;
        match self.kind {
            Kind::Directory {
                place: Some(place), ..
            } => Listing::resume(stream, place),
            _ => Ok(Listing::new(stream)),
        }
    }

    fn entries(&mut self) -> Result<Arc<OwnedFd>, Errno> {
        let opened = match self.mount() {
            Some(Mount {
                stream: Some(stream),
                ..
            }) => Arc::clone(stream),
            _ => self.readable()?,
        };
        if let Kind::Directory {
            mount: Some(mount), ..
        } = &mut self.kind
        {
            mount.stream = Some(Arc::clone(&opened));
        }
        Ok(opened)
    }

    /// Remembers where reading a directory has come to.
    pub(super) fn keep_place(&mut self, here: Place) {
        if let Kind::Directory { place, .. } = &mut self.kind {
            *place = Some(here);
        }
    }

    /// A directory, open for reading: the descriptor of a mount only names it.
    pub(super) fn readable(&self) -> Result<Arc<OwnedFd>, Errno> {
        match &self.kind {
            Kind::Directory { mount: Some(_), .. } => {
                let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
                let opened = openat(self.host()?, ".", flags, Mode::empty())?;
                Ok(Arc::new(opened))
            }
            _ => self.shared_host(),
        }
    }

    /// The host's descriptor, kept open beyond the end of this one.
    pub(super) fn shared_host(&self) -> Result<Arc<OwnedFd>, Errno> {
        self.owned().cloned()
    }
}

/// All descriptors of a run.
pub(super) struct Table {
    slots: Vec<Option<Descriptor>>,
    /// No number below is free.
    lowest_free: usize,
    open: usize,
    /// Last: it is emptied when nothing in it is open any more.
    pub(super) scratch: Option<Arc<Scratch>>,
}

impl Table {
    /// Standard input, output and error.
    pub(super) fn new() -> Self {
        // A power of two, as the largest number of descriptors is: doubled until there, it has no slot too many.
        let mut slots = Vec::with_capacity(16);
        let streams = [Kind::Stdin, Kind::Stdout, Kind::Stderr];
        slots.extend(streams.map(|kind| Some(Descriptor::stream(kind))));
        Table {
            slots,
            lowest_free: 3,
            open: 3,
            scratch: None,
        }
    }

    /// How many are open.
    pub(super) fn len(&self) -> usize {
        self.open
    }

    /// The numbers of those that are open.
    pub(super) fn numbers(&self) -> impl Iterator<Item = u32> {
        let slots = self.slots.iter().zip(0u32..);
        slots.filter_map(|(slot, number)| slot.as_ref().map(|_| number))
    }

    /// How many ranges of files are locked.
    pub(super) fn locked_ranges(&self) -> usize {
        self.iter().map(|descriptor| descriptor.ranges.len()).sum()
    }

    pub(super) fn insert(&mut self, descriptor: Descriptor) -> u32 {
        let free =
            (self.lowest_free..self.slots.len()).find(|number| self.slots[*number].is_none());
        let number = free.unwrap_or(self.slots.len());
        if number == self.slots.len() {
            self.slots.push(None);
        }
        self.slots[number] = Some(descriptor);
        self.lowest_free = number + 1;
        self.open += 1;
        // No run has as many as that.
        number as u32
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Descriptor> {
        self.slots.iter().flatten()
    }

    pub(super) fn get(&self, number: u32) -> Result<&Descriptor, Errno> {
        let slot = self.slots.get(number as usize);
        slot.and_then(Option::as_ref).ok_or(Errno::BAD_DESCRIPTOR)
    }

    /// Where paths begin that are given with this descriptor.
    pub(super) fn base(&self, number: u32) -> Result<Base<'_>, Errno> {
        let descriptor = self.get(number)?;
        match descriptor.kind {
            Kind::Directory { .. } => self.base_of(descriptor),
            _ => Err(Errno::NOT_DIRECTORY),
        }
    }

    fn base_of<'a>(&'a self, descriptor: &'a Descriptor) -> Result<Base<'a>, Errno> {
        Ok(Base {
            folder: descriptor.host()?,
            terms: descriptor.terms,
            mounts: self,
        })
    }

    /// The mount that an absolute path of the guest lies in, the innermost one, and the path in it.
    pub(super) fn mount_of<'p>(&self, path: &'p [u8]) -> Option<(Base<'_>, &'p [u8])> {
        let mounts = self.iter().filter_map(|descriptor| {
            let rest = beneath(descriptor.mount_path()?.as_bytes(), path)?;
            Some((descriptor, rest))
        });
        let (mount, rest) = mounts.min_by_key(|(_, rest)| rest.len())?;
        Some((self.base_of(mount).ok()?, rest))
    }

    pub(super) fn get_mut(&mut self, number: u32) -> Result<&mut Descriptor, Errno> {
        let slot = self.slots.get_mut(number as usize);
        slot.and_then(Option::as_mut).ok_or(Errno::BAD_DESCRIPTOR)
    }

    pub(super) fn remove(&mut self, number: u32) -> Result<Descriptor, Errno> {
        let slot = self.slots.get_mut(number as usize);
        let removed = slot.and_then(Option::take).ok_or(Errno::BAD_DESCRIPTOR)?;
        self.lowest_free = self.lowest_free.min(number as usize);
        self.open -= 1;
        Ok(removed)
    }

    /// Moves a descriptor to the number of another one, which is returned; `None`: they are the same.
    pub(super) fn renumber(&mut self, from: u32, to: u32) -> Result<Option<Descriptor>, Errno> {
        self.get(to)?;
        self.get(from)?;
        if from == to {
            return Ok(None);
        }
        let moved = self.remove(from)?;
        Ok(self.slots[to as usize].replace(moved))
    }
}

/// What is left of `path` behind all components of `mount`.
fn beneath<'p>(mount: &[u8], path: &'p [u8]) -> Option<&'p [u8]> {
    let components = mount.split(|byte| *byte == b'/');
    let mut rest = to_name(path);
    for component in components.filter(|component| !component.is_empty()) {
        rest = match rest.strip_prefix(component)? {
            behind @ ([] | [b'/', ..]) => to_name(behind),
            _ => return None,
        };
    }
    Some(rest)
}

/// Skips what names nothing: slashes and dots.
fn to_name(mut path: &[u8]) -> &[u8] {
    loop {
        path = match path {
            [b'/', rest @ ..] | [b'.', b'/', rest @ ..] => rest,
            b"." => b"",
            _ => return path,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream() -> Descriptor {
        Descriptor::stream(Kind::Stdin)
    }

    #[test]
    fn the_lowest_free_number_is_given_out() {
        let mut table = Table::new();
        assert_eq!([3, 4, 5].map(|_| table.insert(stream())), [3, 4, 5]);
        table.remove(4).unwrap();
        table.remove(1).unwrap();
        assert_eq!(table.len(), 4);
        assert_eq!(table.insert(stream()), 1);
        assert_eq!(table.insert(stream()), 4);
        assert_eq!(table.insert(stream()), 6);
        assert_eq!(table.len(), 7);
    }

    #[test]
    fn renumbering_needs_two_open_descriptors_and_leaves_one() {
        let mut table = Table::new();
        table.insert(stream());
        let replaces = |table: &mut Table, from, to| Ok(table.renumber(from, to)?.is_some());
        assert_eq!(replaces(&mut table, 3, 4), Err(Errno::BAD_DESCRIPTOR));
        assert_eq!(replaces(&mut table, 4, 3), Err(Errno::BAD_DESCRIPTOR));
        assert_eq!(replaces(&mut table, 3, 3), Ok(false));
        assert_eq!(replaces(&mut table, 3, 0), Ok(true));
        assert!(table.get(0).is_ok());
        assert_eq!(table.len(), 3);
        assert_eq!(table.get(3).err(), Some(Errno::BAD_DESCRIPTOR));
    }

    #[test]
    fn a_path_is_beneath_a_mount_by_whole_components() {
        let rest = |mount: &str, path: &'static str| {
            beneath(mount.as_bytes(), path.as_bytes()).map(|rest| str::from_utf8(rest).unwrap())
        };
        assert_eq!(rest("/", "/etc/passwd"), Some("etc/passwd"));
        assert_eq!(rest("/", "//"), Some(""));
        assert_eq!(rest("/app", "/app"), Some(""));
        assert_eq!(rest("/app", "/./app//./file/"), Some("file/"));
        assert_eq!(rest("/app", "/app/.hidden"), Some(".hidden"));
        assert_eq!(rest("/app", "/app/../file"), Some("../file"));
        assert_eq!(rest("/app/up", "/app/up/x"), Some("x"));
        for other in ["/", "/apple", "/ap", "/x/app", "/../app", "/.app"] {
            assert_eq!(rest("/app", other), None, "{other}");
        }
    }
}
