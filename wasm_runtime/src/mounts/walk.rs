//! From `/` to the directory of a mount.

use crate::openat2::{self, MAX_LINKS};
use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, fstat, open, openat, openat2, readlinkat};
use rustix::io::Errno;
use std::collections::{HashSet, VecDeque};
use std::os::fd::OwnedFd;

/// Device and inode of a directory: the same by whatever names, or mounts of the host, it was reached.
pub(super) type Identity = (u64, u64);
pub(super) type Identities = HashSet<Identity>;
type Opened = rustix::io::Result<OwnedFd>;

const DIRECTORY: OFlags = OFlags::PATH.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

/// Directories above one another. What was just unmounted has no top.
const MAX_DEPTH: usize = 4096;

pub(super) fn names(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    path.split(|byte| *byte == b'/')
        .filter(|name| !matches!(*name, b"" | b"."))
}

pub(super) fn identity(directory: &OwnedFd) -> rustix::io::Result<Identity> {
    let stat = fstat(directory)?;
    Ok((stat.st_dev, stat.st_ino))
}

/// Opens a directory that no link is on the way to; `LOOP` where there is one.
pub(super) fn without_links(path: &[u8]) -> Opened {
    if openat2::is_available() {
        in_kernel(path)
    } else {
        by_steps(path)
    }
}

pub(super) fn in_kernel(path: &[u8]) -> Opened {
    let resolve = ResolveFlags::NO_SYMLINKS;
    openat2(CWD, path, DIRECTORY, Mode::empty(), resolve)
}

pub(super) fn by_steps(path: &[u8]) -> Opened {
    descend(root()?, &names(path).collect::<Vec<_>>())
}

fn root() -> Opened {
    open("/", DIRECTORY, Mode::empty())
}

fn descend(from: OwnedFd, names: &[&[u8]]) -> Opened {
    let mut here = from;
    for name in names {
        here = match step(&here, name)? {
            Step::Into(directory) => directory,
            Step::Link(_) => return Err(Errno::LOOP),
        };
    }
    Ok(here)
}

enum Step {
    Into(OwnedFd),
    /// Where it leads.
    Link(Vec<u8>),
}

fn step(here: &OwnedFd, name: &[u8]) -> rustix::io::Result<Step> {
    match openat(here, name, DIRECTORY | OFlags::NOFOLLOW, Mode::empty()) {
        Err(Errno::NOTDIR | Errno::LOOP) => match readlinkat(here, name, Vec::new()) {
            Err(Errno::INVAL) => Err(Errno::NOTDIR),
            target => Ok(Step::Link(target?.into_bytes())),
        },
        opened => opened.map(Step::Into),
    }
}

/// Opens `above` and then `below`. Links are followed as the kernel does, but none in a writable directory, nor in `below`:
/// `XDEV`.
pub(super) fn follow(above: &[&[u8]], below: &[&[u8]], writable: &Identities) -> Opened {
    let mut here = root()?;
    let mut rest: VecDeque<Vec<u8>> = above.iter().map(|name| name.to_vec()).collect();
    let mut links = 0;
    while let Some(name) = rest.pop_front() {
        if name == b".." {
            here = openat(&here, "..", DIRECTORY, Mode::empty())?;
            continue;
        }
        if writable.contains(&identity(&here)?) {
            rest.push_front(name);
            let rest = rest.iter().map(Vec::as_slice);
            return descend_closed(here, &rest.chain(below.iter().copied()).collect::<Vec<_>>());
        }
        match step(&here, &name)? {
            Step::Into(directory) => here = directory,
            Step::Link(target) => {
                links += 1;
                if links > MAX_LINKS {
                    return Err(Errno::LOOP);
                }
                if target.first() == Some(&b'/') {
                    here = root()?;
                }
                for name in names(&target).collect::<Vec<_>>().into_iter().rev() {
                    rest.push_front(name.to_vec());
                }
            }
        }
    }
    descend_closed(here, below)
}

/// [`descend`] where guests may move things: `..` too would lead where they like.
fn descend_closed(from: OwnedFd, names: &[&[u8]]) -> Opened {
    if names.contains(&b"..".as_slice()) {
        return Err(Errno::XDEV);
    }
    descend(from, names).map_err(|errno| match errno {
        Errno::LOOP => Errno::XDEV,
        errno => errno,
    })
}

/// The directory itself, the one above it, and so on up to `/`.
pub(super) fn lineage(directory: OwnedFd) -> rustix::io::Result<Vec<Identity>> {
    let top = identity(&root()?)?;
    let mut lineage = vec![identity(&directory)?];
    let mut here = directory;
    while lineage.len() < MAX_DEPTH {
        here = openat(&here, "..", DIRECTORY, Mode::empty())?;
        let above = identity(&here)?;
        // Only the top is its own parent; elsewhere the same directory may be mounted above itself.
        if above == top && lineage.last() == Some(&above) {
            return Ok(lineage);
        }
        lineage.push(above);
    }
    Err(Errno::NAMETOOLONG)
}
