//! `openat2`, by which the kernel resolves paths as it is told to; and what those have to know who do it in its place.

use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, openat2};
use rustix::io::Errno;
use std::sync::OnceLock;

/// Links on the way of one path, as in the kernel.
pub(crate) const MAX_LINKS: usize = 40;

/// Whether there is such a call: Linux 5.6, and no filter of a container in its way.
pub(crate) fn is_available() -> bool {
    static KNOWN: OnceLock<bool> = OnceLock::new();
    *KNOWN.get_or_init(|| {
        let probe = openat2(
            CWD,
            ".",
            OFlags::PATH | OFlags::CLOEXEC,
            Mode::empty(),
            ResolveFlags::empty(),
        );
        !matches!(probe, Err(Errno::NOSYS | Errno::PERM))
    })
}
