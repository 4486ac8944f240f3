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
use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, openat2};
use rustix::io::Errno as HostErrno;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::sync::OnceLock;

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

pub(super) type Opened = rustix::io::Result<OwnedFd>;

/// Opens what `path` names, with the rights that the guest has where it lies. A link to an absolute path leads to what the
/// guest has mounted there.
///
/// What leads out of every mount is refused with [`Errno::NOT_PERMITTED`]. It is not said to be missing: the guest would take
/// it for a place where something can be made.
pub(super) fn open_beneath(base: Base<'_>, path: &[u8], flags: OFlags) -> Result<Found, Errno> {
    let open = if kernel_resolves() { in_kernel } else { walk };
    open_by(open, base, path, flags)
}

type Open = fn(Base<'_>, &[u8], OFlags) -> rustix::io::Result<Found>;

fn open_by(open: Open, base: Base<'_>, path: &[u8], flags: OFlags) -> Result<Found, Errno> {
    if path.starts_with(b"/") {
        return Err(Errno::NOT_PERMITTED);
    }
    for _ in 0..MAX_TRIES {
        match open(base, path, flags | OFlags::CLOEXEC) {
            Err(HostErrno::AGAIN) => {}
            Err(HostErrno::XDEV) => return Err(Errno::NOT_PERMITTED),
            found => return Ok(found?),
        }
    }
    Err(Errno::AGAIN)
}

/// Whether there is `openat2`: Linux 5.6, and no filter of a container in its way.
fn kernel_resolves() -> bool {
    static KNOWN: OnceLock<bool> = OnceLock::new();
    *KNOWN.get_or_init(|| {
        let probe = openat2(
            CWD,
            ".",
            OFlags::PATH | OFlags::CLOEXEC,
            Mode::empty(),
            ResolveFlags::empty(),
        );
        !matches!(probe, Err(HostErrno::NOSYS | HostErrno::PERM))
    })
}

fn in_kernel(base: Base<'_>, path: &[u8], flags: OFlags) -> rustix::io::Result<Found> {
    // File systems that are mounted beneath a mount are wanted.
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
    let opened = open_under(base.terms, flags, |flags| {
        openat2(base.folder, path, flags, new_mode(flags), resolve)
    });
    match opened {
        Err(HostErrno::XDEV) => walk(base, path, flags),
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

/// Opens by `open` as much as `terms` allow. What would change something is only looked for, because it may lie under other
/// terms, which `open` says by an error.
pub(super) fn open_under(
    terms: Terms,
    flags: OFlags,
    open: impl FnOnce(OFlags) -> Opened,
) -> Opened {
    let writes = flags.intersects(OFlags::WRONLY | OFlags::RDWR | OFlags::TRUNC);
    let creates = flags.contains(OFlags::CREATE);
    let exclusive = flags.contains(OFlags::CREATE | OFlags::EXCL);
    if !terms.read_only || !(writes || creates) {
        return open(flags);
    }
    let mut allowed = flags - OFlags::CREATE - OFlags::EXCL;
    if writes || exclusive {
        allowed &= OFlags::NOFOLLOW | OFlags::CLOEXEC;
        allowed |= OFlags::PATH;
    }
    allowed.set(
        OFlags::NOFOLLOW,
        exclusive || flags.contains(OFlags::NOFOLLOW),
    );
    match open(allowed) {
        Err(errno @ (HostErrno::AGAIN | HostErrno::XDEV)) => Err(errno),
        Ok(_) if exclusive => Err(HostErrno::EXIST),
        Err(HostErrno::NOENT) => Err(HostErrno::PERM),
        _ if writes => Err(HostErrno::PERM),
        opened => opened,
    }
}
