//! Strings that cross the border.

use super::guard::slice;
use crate::error::{Error, Result};
use crate::run::DEFAULT_ENTRY_POINT;
use std::ffi::{OsStr, c_char};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Borrowed bytes, not NUL-terminated. `{NULL, 0}` is the empty string.
///
/// As an argument it only has to live during the call; as a result it lives as long as what it was taken from.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct wrt_str {
    pub data: *const c_char,
    pub len: usize,
}

impl wrt_str {
    pub(super) fn new(bytes: &[u8]) -> Self {
        wrt_str {
            data: bytes.as_ptr().cast(),
            len: bytes.len(),
        }
    }

    pub(super) const EMPTY: wrt_str = wrt_str {
        data: std::ptr::null(),
        len: 0,
    };

    /// # Safety
    /// `data` points to `len` bytes that live as long as the result, or `len` is 0.
    pub(super) unsafe fn bytes<'a>(self) -> Result<&'a [u8]> {
        // SAFETY: the caller's promise.
        unsafe { slice(self.data.cast(), self.len) }
    }

    /// # Safety
    /// As [`Self::bytes`].
    pub(super) unsafe fn text<'a>(self, name: &'static str) -> Result<&'a str> {
        // SAFETY: the caller's promise.
        let bytes = unsafe { self.bytes()? };
        std::str::from_utf8(bytes).map_err(|_| Error::InvalidArgument(name))
    }

    /// The name of an entry point; empty means the usual one.
    ///
    /// # Safety
    /// As [`Self::bytes`].
    pub(super) unsafe fn entry_point<'a>(self) -> Result<&'a str> {
        // SAFETY: the caller's promise.
        match unsafe { self.text("entry_point is not UTF-8")? } {
            "" => Ok(DEFAULT_ENTRY_POINT),
            name => Ok(name),
        }
    }

    /// The path, or `None` for the empty string.
    ///
    /// # Safety
    /// As [`Self::bytes`].
    pub(super) unsafe fn path<'a>(self) -> Result<Option<&'a Path>> {
        // SAFETY: the caller's promise.
        let bytes = unsafe { self.bytes()? };
        Ok((!bytes.is_empty()).then(|| Path::new(OsStr::from_bytes(bytes))))
    }
}

/// Version of this library. It has to equal `WRT_VERSION`, the version of the header that a program was compiled with.
///
/// Never fails; the result is static.
#[unsafe(no_mangle)]
pub extern "C" fn wrt_version() -> wrt_str {
    wrt_str::new(crate::VERSION.as_bytes())
}
