//! What leaves the cache: entries that no start has used for a long time, and what a writer that died left behind.

use super::key::Kind;
use rustix::fs::{AtFlags, Dir, FileType, Stat, statat, unlinkat};
use rustix::io::Errno;
use std::ffi::CStr;
use std::os::fd::OwnedFd;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// An entry that no start has used for so long goes.
pub(crate) const UNUSED: Duration = DAY.saturating_mul(30);

/// The same of a snapshot and its code: each change of what was seen leaves one behind, and it can be large.
pub(crate) const UNUSED_SNAPSHOT: Duration = DAY;

/// Writing takes seconds.
const ABANDONED: Duration = DAY;

/// Removes what is too old at `now`. Only files that this library names are touched, and what cannot be removed stays.
pub(super) fn sweep(folder: &OwnedFd, now: SystemTime) -> Result<(), Errno> {
    for entry in Dir::read_from(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let Some(patience) = patience(name) else {
            continue;
        };
        let found = statat(folder, name, AtFlags::SYMLINK_NOFOLLOW);
        if found.is_ok_and(|found| is_older(&found, patience, now)) {
            let _ = unlinkat(folder, name, AtFlags::empty());
        }
    }
    Ok(())
}

fn patience(name: &CStr) -> Option<Duration> {
    Some(match Kind::of_name(name.to_str().ok()?)? {
        Kind::Code => UNUSED,
        Kind::Snapshot => UNUSED_SNAPSHOT,
        Kind::Partial => ABANDONED,
    })
}

fn is_older(found: &Stat, patience: Duration, now: SystemTime) -> bool {
    let is_file = FileType::from_raw_mode(found.st_mode) == FileType::RegularFile;
    let modified = u64::try_from(found.st_mtime).unwrap_or(0);
    let age = now.duration_since(UNIX_EPOCH + Duration::from_secs(modified));
    is_file && age.is_ok_and(|age| age > patience)
}
