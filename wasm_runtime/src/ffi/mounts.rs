//! Mounts: those of a run, and what is to be known of all that a server may have.

use super::error::wrt_error;
use super::guard::{borrow, fallible, free, hand_out, slice};
use super::text::wrt_str;
use crate::error::{Error, Result};
use crate::mounts::{MountTable, Place};
use crate::run::Mount;
use std::sync::Arc;

/// A host directory that the guest sees.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct wrt_mount {
    /// Its path for the guest, UTF-8.
    pub guest: wrt_str,
    /// Its path on the host.
    pub host: wrt_str,
    pub read_only: bool,
}

/// All mounts that any run may have. May be used from any thread, and made in any process.
pub struct wrt_mount_table(pub(super) Arc<MountTable>);

/// Two mounts of one run that contradict each other, by their places in the array.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct wrt_mount_conflict {
    /// Whether there are such two.
    pub found: bool,
    /// A read-only mount that is the same directory as `writable`, or lies in it, whatever names they have.
    pub read_only: usize,
    pub writable: usize,
}

/// Makes the table of all mounts of a configuration. Host paths are absolute and have no `..`.
///
/// # Safety
/// `all` points to `all_len` mounts, `out` can be written to; NULL is an error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wrt_mount_table_new(
    all: *const wrt_mount,
    all_len: usize,
    out: *mut *mut wrt_mount_table,
) -> *mut wrt_error {
    fallible(|| {
        // SAFETY: the caller's promise.
        let all = unsafe { places(all, all_len)? };
        let table = wrt_mount_table(Arc::new(MountTable::new(all)));
        // SAFETY: the caller's promise.
        unsafe { hand_out(out, table) }
    })
}

/// Whether a run may have these mounts of the table. It is found out once for each combination, and kept. `WRT_ERROR_IO`, with
/// the index of the mount, when one cannot be opened; nothing is kept then.
///
/// # Safety
/// `table` is live, `given` points to `len` mounts, `out` can be written to; NULL is an error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wrt_mount_table_check(
    table: *const wrt_mount_table,
    given: *const wrt_mount,
    len: usize,
    out: *mut wrt_mount_conflict,
) -> *mut wrt_error {
    fallible(|| {
        // SAFETY: the caller's promise.
        let (table, given) = unsafe { (borrow(table, "table is NULL")?, places(given, len)?) };
        // SAFETY: the caller's promise.
        let out = unsafe { out.as_mut() }.ok_or(Error::InvalidArgument("out is NULL"))?;
        let conflict = table.0.check(given)?;
        *out = wrt_mount_conflict {
            found: conflict.is_some(),
            read_only: conflict.map_or(0, |conflict| conflict.read_only),
            writable: conflict.map_or(0, |conflict| conflict.writable),
        };
        Ok(())
    })
}

/// Frees a handle; NULL is fine. An engine that was made with it keeps what it needs.
///
/// # Safety
/// `table` is NULL or a live handle, which is not used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wrt_mount_table_free(table: *mut wrt_mount_table) {
    // SAFETY: the caller's promise.
    unsafe { free(table) }
}

/// # Safety
/// `given` points to `len` mounts with valid strings.
pub(super) unsafe fn mounts(given: *const wrt_mount, len: usize) -> Result<Vec<Mount>> {
    let mount = |mount: &wrt_mount| {
        // SAFETY: the caller's promise.
        let (guest, host) = unsafe {
            (
                mount.guest.text("the guest path of a mount is not UTF-8")?,
                mount.host.bytes()?,
            )
        };
        Ok(Mount {
            guest: guest.to_owned(),
            host: host.to_owned(),
            read_only: mount.read_only,
        })
    };
    // SAFETY: the caller's promise.
    unsafe { slice(given, len)? }.iter().map(mount).collect()
}

/// # Safety
/// As [`mounts`]; guest paths are not looked at.
unsafe fn places(given: *const wrt_mount, len: usize) -> Result<Vec<Place>> {
    let place = |mount: &wrt_mount| {
        Ok(Place {
            // SAFETY: the caller's promise.
            host: unsafe { mount.host.bytes()? }.to_owned(),
            read_only: mount.read_only,
        })
    };
    // SAFETY: the caller's promise.
    unsafe { slice(given, len)? }.iter().map(place).collect()
}
