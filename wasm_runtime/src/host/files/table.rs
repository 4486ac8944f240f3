//! The descriptors of a run: small numbers, the lowest free one first, as on the host.

use super::listing::Listing;
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
        /// Its path for the guest, where it is a mount.
        mount: Option<String>,
        /// The stream of its entries, once they are asked for.
        listing: Option<Listing>,
    },
}

/// What a mount allows, which holds for all that is opened below it.
#[derive(Clone, Copy)]
pub(crate) struct Terms {
    /// Nothing may be changed.
    pub(crate) read_only: bool,
    /// Which limit counts what is added.
    pub(crate) account: Limit,
}

/// Where the host's descriptor of a file or directory comes from.
enum Host {
    /// From nowhere: a standard stream, which belongs to the server.
    None,
    Open(Arc<OwnedFd>),
    /// From the run's scratch directory, which is made now if need be.
    Scratch(Arc<Scratch>),
}

pub(crate) struct Descriptor {
    pub(crate) kind: Kind,
    host: Host,
    pub(crate) terms: Terms,
    /// What the guest said of waiting. It makes no difference, files never make it wait, but it may ask.
    pub(super) nonblocking: bool,
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
        }
    }

    pub(super) fn file(host: OwnedFd, terms: Terms) -> Self {
        Descriptor {
            kind: Kind::File,
            host: Host::Open(Arc::new(host)),
            terms,
            nonblocking: false,
        }
    }

    pub(super) fn directory(host: OwnedFd, mount: Option<String>, terms: Terms) -> Self {
        Descriptor {
            kind: Kind::Directory {
                mount,
                listing: None,
            },
            host: Host::Open(Arc::new(host)),
            terms,
            nonblocking: false,
        }
    }

    /// The mount of a scratch directory.
    pub(super) fn scratch(scratch: &Arc<Scratch>, guest: &str) -> Self {
        Descriptor {
            kind: Kind::Directory {
                mount: Some(guest.to_owned()),
                listing: None,
            },
            host: Host::Scratch(Arc::clone(scratch)),
            terms: Terms {
                read_only: false,
                account: Limit::Scratch,
            },
            nonblocking: false,
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

    pub(super) fn has_listing_of_mount(&self) -> bool {
        matches!(
            self.kind,
            Kind::Directory {
                mount: Some(_),
                listing: Some(_)
            }
        )
    }

    pub(super) fn start_listing(&mut self, fresh: Listing) {
        if let Kind::Directory { listing, .. } = &mut self.kind {
            *listing = Some(fresh);
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
}

impl Table {
    /// Standard input, output and error.
    pub(super) fn new() -> Self {
        let streams = [Kind::Stdin, Kind::Stdout, Kind::Stderr];
        Table {
            slots: streams.map(|kind| Some(Descriptor::stream(kind))).into(),
            lowest_free: 3,
            open: 3,
        }
    }

    /// How many are open.
    pub(super) fn len(&self) -> usize {
        self.open
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

    /// Moves a descriptor to the number of another one, which is closed.
    pub(super) fn renumber(&mut self, from: u32, to: u32) -> Result<(), Errno> {
        self.get(to)?;
        self.get(from)?;
        if from != to {
            let moved = self.remove(from)?;
            self.slots[to as usize] = Some(moved);
        }
        Ok(())
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
        assert_eq!(table.renumber(3, 4), Err(Errno::BAD_DESCRIPTOR));
        assert_eq!(table.renumber(4, 3), Err(Errno::BAD_DESCRIPTOR));
        assert_eq!(table.renumber(3, 3), Ok(()));
        assert_eq!(table.renumber(3, 0), Ok(()));
        assert!(table.get(0).is_ok());
        assert_eq!(table.len(), 3);
        assert_eq!(table.get(3).err(), Some(Errno::BAD_DESCRIPTOR));
    }
}
