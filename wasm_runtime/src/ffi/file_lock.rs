//! Locks of a byte range that belong to an open file: the crates that wrap system calls offer only those that belong to a process.

use rustix::fd::{AsRawFd, BorrowedFd};
use rustix::io::Errno;

/// What is to become of a range.
#[derive(Clone, Copy)]
#[repr(i32)]
pub(crate) enum RangeLock {
    Unlocked = libc::F_UNLCK,
    Shared = libc::F_RDLCK,
    Exclusive = libc::F_WRLCK,
}

/// Sets the lock of the bytes from `start` on, `length` of them or, with 0, all; does not wait. Both are at least 0.
///
/// # Errors
/// The host's: `EAGAIN` where somebody else's lock is in the way, `EBADF` where the file is not open for what the lock needs.
pub(crate) fn set_range_lock(
    file: BorrowedFd<'_>,
    lock: RangeLock,
    start: i64,
    length: i64,
) -> Result<(), Errno> {
    let range = libc::flock {
        l_type: lock as libc::c_short,
        l_whence: libc::SEEK_SET as libc::c_short,
        l_start: start,
        l_len: length,
        l_pid: 0,
    };
    // SAFETY: the descriptor is open while it is borrowed, and this command of `fcntl` reads one `struct flock`, which is this one.
    let result = unsafe { libc::fcntl(file.as_raw_fd(), libc::F_OFD_SETLK, &raw const range) };
    if result == 0 {
        return Ok(());
    }
    Err(Errno::from_io_error(&std::io::Error::last_os_error()).unwrap_or(Errno::IO))
}
