//! Which directory of the host a mount stands for, and whether mounts of one run contradict each other.
//!
//! Whatever lies in a writable mount, guests can exchange. So no link in there is followed on the way to another mount; links
//! elsewhere are the administrator's, and are followed at each run.

#[cfg(test)]
mod tests;
mod walk;

use crate::error::{Error, Result};
use rustix::io::Errno as HostErrno;
use std::collections::{HashMap, HashSet};
use std::ffi::OsStr;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use walk::{Identities, identity, names};

/// How long it may take until a directory counts as writable that an administrator puts in the place of another.
const FRESH: Duration = Duration::from_secs(1);

/// Combinations of mounts whose verdicts are remembered.
const MAX_VERDICTS: usize = 1024;

/// All mounts that any run may have.
#[derive(Debug, Default)]
pub struct MountTable {
    /// Host paths of the writable ones.
    writable: Vec<Vec<u8>>,
    /// The directories that these are, and when that was found out.
    identities: Mutex<Option<(Instant, Arc<Identities>)>>,
    verdicts: Mutex<HashMap<Vec<Place>, Option<Conflict>>>,
}

/// What of a mount lies on the host.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Place {
    /// Bytes of an absolute path without `..`.
    pub host: Vec<u8>,
    pub read_only: bool,
}

/// A read-only mount that a guest could change through a writable one, because it is the same directory or lies in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// Both are places in the list that was checked.
    pub read_only: usize,
    pub writable: usize,
}

impl MountTable {
    /// The table of the mounts of all runs.
    pub fn new(all: Vec<Place>) -> Self {
        let writable = all.into_iter().filter(|place| !place.read_only);
        let distinct: HashSet<Vec<u8>> = writable.map(|place| place.host).collect();
        MountTable {
            writable: distinct.into_iter().collect(),
            ..MountTable::default()
        }
    }

    /// Host paths of the directories that some run may write to.
    pub(crate) fn hosts_writable(&self) -> &[Vec<u8>] {
        &self.writable
    }

    /// The table of runs to which these directories are writable.
    pub fn writable(hosts: impl IntoIterator<Item = Vec<u8>>) -> Self {
        let place = |host| Place {
            host,
            read_only: false,
        };
        MountTable::new(hosts.into_iter().map(place).collect())
    }

    /// Opens the directory of a mount, to name it only (`O_PATH`).
    pub(crate) fn open(&self, host: &[u8]) -> io::Result<OwnedFd> {
        let opened = match walk::without_links(host) {
            // What has no link on its way is what it says, whoever may write to it.
            Err(HostErrno::LOOP) => self.follow(host, &self.identities()),
            opened => opened,
        };
        opened.map_err(|errno| match errno {
            HostErrno::XDEV => io::Error::other(
                "a link is on the way to it, in a directory that programs may write to",
            ),
            errno => errno.into(),
        })
    }

    fn follow(&self, host: &[u8], writable: &Identities) -> rustix::io::Result<OwnedFd> {
        let (above, below) = self.split(host);
        walk::follow(&above, &below, writable)
    }

    /// The path up to the first writable mount that it names, and the rest.
    fn split<'a>(&self, host: &'a [u8]) -> (Vec<&'a [u8]>, Vec<&'a [u8]>) {
        let mut above: Vec<&[u8]> = names(host).collect();
        let names_it = |count: &usize| {
            let front = &above[..*count];
            self.writable
                .iter()
                .any(|writable| names(writable).eq(front.iter().copied()))
        };
        let count = (0..above.len()).find(names_it).unwrap_or(above.len());
        let below = above.split_off(count);
        (above, below)
    }

    fn identities(&self) -> Arc<Identities> {
        let mut known = lock(&self.identities);
        if let Some((since, identities)) = &*known
            && since.elapsed() < FRESH
        {
            return Arc::clone(identities);
        }
        let identities = Arc::new(self.identify());
        *known = Some((Instant::now(), Arc::clone(&identities)));
        identities
    }

    /// Where a writable mount is reached through another one by other names, a guest may lead it astray: then too many
    /// directories count as writable, never too few.
    fn identify(&self) -> Identities {
        let mut plain = Identities::new();
        let mut linked = Vec::new();
        for host in &self.writable {
            match walk::without_links(host).and_then(|directory| identity(&directory)) {
                Ok(identity) => {
                    plain.insert(identity);
                }
                Err(HostErrno::LOOP) => linked.push(host),
                // It cannot be mounted, and cannot be written to.
                Err(_) => {}
            }
        }
        let mut all = plain.clone();
        for host in linked {
            let directory = self.follow(host, &plain);
            all.extend(directory.and_then(|directory| identity(&directory)));
        }
        all
    }

    /// Whether a run may have these mounts. What was found out about a combination stays so.
    ///
    /// # Errors
    /// With the place of the mount that cannot be opened.
    pub fn check(&self, mounts: Vec<Place>) -> Result<Option<Conflict>> {
        if let Some(known) = lock(&self.verdicts).get(&mounts) {
            return Ok(*known);
        }
        let verdict = self.find_conflict(&mounts)?;
        let mut verdicts = lock(&self.verdicts);
        // Clients may have a say in which sections apply.
        if verdicts.len() >= MAX_VERDICTS {
            verdicts.clear();
        }
        verdicts.insert(mounts, verdict);
        Ok(verdict)
    }

    fn find_conflict(&self, mounts: &[Place]) -> Result<Option<Conflict>> {
        let mut lineages = Vec::new();
        for (index, mount) in mounts.iter().enumerate() {
            let directory = self.open(&mount.host);
            let lineage = directory.and_then(|directory| Ok(walk::lineage(directory)?));
            let path = Path::new(OsStr::from_bytes(&mount.host));
            lineages.push(lineage.map_err(|error| Error::io(path, error).at(index))?);
        }
        let pairs = (0..mounts.len()).flat_map(|read_only| {
            (0..mounts.len()).map(move |writable| Conflict {
                read_only,
                writable,
            })
        });
        Ok(pairs
            .filter(|pair| mounts[pair.read_only].read_only && !mounts[pair.writable].read_only)
            .find(|pair| lineages[pair.read_only].contains(&lineages[pair.writable][0])))
    }
}

/// What the locks guard is true at any time.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
