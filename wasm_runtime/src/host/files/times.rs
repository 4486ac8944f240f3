//! Times of access and modification, as a guest sets them.

use crate::host::abi::{Errno, fstflags};
use rustix::fs::{Timespec, Timestamps, UTIME_NOW, UTIME_OMIT};

/// Times to set, in nanoseconds, and which (`fstflags`).
#[derive(Clone, Copy)]
pub(crate) struct Times {
    pub(crate) access: u64,
    pub(crate) modification: u64,
    pub(crate) which: u16,
}

pub(super) fn timestamps(times: Times) -> Result<Timestamps, Errno> {
    let both = |mask: u16| times.which & mask == mask;
    if times.which & !fstflags::ALL != 0
        || both(fstflags::ACCESS | fstflags::ACCESS_NOW)
        || both(fstflags::MODIFICATION | fstflags::MODIFICATION_NOW)
    {
        return Err(Errno::INVALID);
    }
    Ok(Timestamps {
        last_access: timestamp(
            times.access,
            times.which,
            fstflags::ACCESS,
            fstflags::ACCESS_NOW,
        ),
        last_modification: timestamp(
            times.modification,
            times.which,
            fstflags::MODIFICATION,
            fstflags::MODIFICATION_NOW,
        ),
    })
}

fn timestamp(nanoseconds: u64, which: u16, set: u16, now: u16) -> Timespec {
    let special = |tv_nsec| Timespec { tv_sec: 0, tv_nsec };
    if which & now != 0 {
        return special(UTIME_NOW);
    }
    if which & set == 0 {
        return special(UTIME_OMIT);
    }
    Timespec {
        // Not more than 2^64 / 10^9.
        tv_sec: (nanoseconds / 1_000_000_000) as i64,
        tv_nsec: (nanoseconds % 1_000_000_000) as _,
    }
}
