//! From a path of the guest to a file of the host: beneath a mount, whatever links and `..` say. The one place where the
//! sandbox of files is kept closed, and where it is decided what may be opened in a read-only mount.
//!
//! The kernel resolves what stays beneath one folder. Where it says that the way leads out, the [`walk`] looks whether it leads
//! to another mount.

#[cfg(test)]
mod tests;

use super::table::{Table, Terms};
use super::walk::walk;
use crate::host::abi::Errno;
use crate::run::budget::{Budget, ENTRY};
use rustix::fs::{Mode, OFlags, ResolveFlags, openat2};
use std::os::fd::{BorrowedFd, OwnedFd};

/// The kernel gives up (`EAGAIN`) when somebody renames folders while it resolves a path.
const MAX_TRIES: usize = 64;

/// Permissions of a file that a guest makes, less the umask: WASI has no modes.
const NEW_FILE: Mode = Mode::from_raw_mode(0o666);

/// Where a path begins, and what the guest has mounted.
#[derive(Clone, Copy)]
pub(super) struct Base<'a> {
    pub(super) folder: BorrowedFd<'a>,
    pub(super) terms: Terms,
    pub(super) mounts: &'a Table,
}

/// What a path led to.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) host: OwnedFd,
    /// Those of the mount that it lies in, which need not be the one that the path began in.
    pub(super) terms: Terms,
}

pub(super) type Opened = Result<OwnedFd, Errno>;

/// Opens what `path` names, with the rights that the guest has where it lies; makes nothing. A link to an absolute path leads
/// to what the guest has mounted there.
///
/// What leads out of every mount is refused with [`Errno::NOT_PERMITTED`]. It is not said to be missing: the guest would take
/// it for a place where something can be made.
pub(super) fn open_beneath(base: Base<'_>, path: &[u8], flags: OFlags) -> Result<Found, Errno> {
    open_by(resolution(), base, path, flags, None)
}

/// The same; a file that is made counts.
pub(super) fn create_beneath(
    base: Base<'_>,
    path: &[u8],
    flags: OFlags,
    budget: &mut Budget,
) -> Result<Found, Errno> {
    open_by(resolution(), base, path, flags, Some(budget))
}

/// A way of resolving; [`Errno::CROSS_DEVICE`] where the path leads out of every mount, [`Errno::AGAIN`] where others renamed
/// something meanwhile.
type Resolution = fn(Base<'_>, &[u8], OFlags, Option<&mut Budget>) -> Result<Found, Errno>;

fn resolution() -> Resolution {
    if crate::openat2::is_available() {
        in_kernel
    } else {
        walk
    }
}

fn open_by(
    open: Resolution,
    base: Base<'_>,
    path: &[u8],
    flags: OFlags,
    mut budget: Option<&mut Budget>,
) -> Result<Found, Errno> {
    if path.starts_with(b"/") {
        return Err(Errno::NOT_PERMITTED);
    }
    for _ in 0..MAX_TRIES {
        match open(base, path, flags | OFlags::CLOEXEC, budget.as_deref_mut()) {
            Err(Errno::AGAIN) => {}
            Err(Errno::CROSS_DEVICE) => return Err(Errno::NOT_PERMITTED),
            found => return found,
        }
    }
    Err(Errno::AGAIN)
}

fn in_kernel(
    base: Base<'_>,
    path: &[u8],
    flags: OFlags,
    mut budget: Option<&mut Budget>,
) -> Result<Found, Errno> {
    // File systems that are mounted beneath a mount are wanted.
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
    let opened = open_under(base, flags, budget.as_deref_mut(), |flags| {
        Ok(openat2(base.folder, path, flags, new_mode(flags), resolve)?)
    });
    match opened {
        Err(Errno::CROSS_DEVICE) => walk(base, path, flags, budget),
        opened => Ok(Found {
            host: opened?,
            terms: base.terms,
        }),
    }
}

/// `openat2` takes a mode with nothing but this flag.
pub(super) fn new_mode(flags: OFlags) -> Mode {
    if flags.contains(OFlags::CREATE) {
        NEW_FILE
    } else {
        Mode::empty()
    }
}

/// Opens by `open` as the terms of `base` allow. What would be refused or counted under them is looked for first: `open` says whether it
/// lies there at all.
pub(super) fn open_under(
    base: Base<'_>,
    flags: OFlags,
    budget: Option<&mut Budget>,
    open: impl Fn(OFlags) -> Opened,
) -> Opened {
    if base.terms.read_only {
        return open_unchanged(flags, open);
    }
    match budget {
        Some(budget) if flags.contains(OFlags::CREATE) && budget.counts(base.terms.account) => {
            create_counted(base, flags, budget, open)
        }
        _ => open(flags),
    }
}

/// Where nothing may be made, what is there can still be opened to read.
fn open_unchanged(flags: OFlags, open: impl Fn(OFlags) -> Opened) -> Opened {
    let changes = flags.intersects(OFlags::WRONLY | OFlags::RDWR | OFlags::TRUNC);
    let creates = flags.contains(OFlags::CREATE);
    if !changes && !creates {
        return open(flags);
    }
    let found = if changes || is_exclusive(flags) {
        look(flags, open)
    } else {
        open(flags - OFlags::CREATE)
    };
    match found {
        Err(errno @ (Errno::AGAIN | Errno::CROSS_DEVICE)) => Err(errno),
        Ok(_) if is_exclusive(flags) => Err(Errno::EXISTS),
        Err(Errno::NO_ENTRY) if creates => Err(Errno::NOT_PERMITTED),
        _ if changes => Err(Errno::NOT_PERMITTED),
        found => found,
    }
}

/// Whether a file will be made is known once there is none.
fn create_counted(
    base: Base<'_>,
    flags: OFlags,
    budget: &mut Budget,
    open: impl Fn(OFlags) -> Opened,
) -> Opened {
    let found = if is_exclusive(flags) {
        look(flags, &open)
    } else {
        open(flags - OFlags::CREATE)
    };
    match found {
        Err(Errno::NO_ENTRY) => {
            let account = base.terms.account;
            base.mounts.grow(account, ENTRY, budget, || open(flags))
        }
        Ok(_) if is_exclusive(flags) => Err(Errno::EXISTS),
        found => found,
    }
}

/// A link at the end is followed as it would be by opening.
fn look(flags: OFlags, open: impl Fn(OFlags) -> Opened) -> Opened {
    let mut looking = OFlags::PATH | OFlags::CLOEXEC;
    let follows = !flags.contains(OFlags::NOFOLLOW) && !is_exclusive(flags);
    looking.set(OFlags::NOFOLLOW, !follows);
    open(looking)
}

pub(super) fn is_exclusive(flags: OFlags) -> bool {
    flags.contains(OFlags::CREATE | OFlags::EXCL)
}
