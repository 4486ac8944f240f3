//! Errors of the API.

use super::guard::{free, infallible};
use super::text::wrt_str;
use crate::error::Error;

/// Kind of a failure.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum wrt_error_kind {
    /// NULL where something is needed, a wrong `struct_size`, text that is not UTF-8 where it must be.
    WRT_ERROR_INVALID_ARGUMENT = 0,
    /// A bug in the library, caught.
    WRT_ERROR_PANIC = 1,
    /// A file is missing or cannot be read.
    WRT_ERROR_IO = 2,
    /// The module is not the one whose digest was given.
    WRT_ERROR_DIGEST = 3,
    /// The module is not WebAssembly, invalid, or imports what is not offered.
    WRT_ERROR_MODULE = 4,
    /// The program `wasm-precompile` is missing, was killed or failed.
    WRT_ERROR_COMPILE = 5,
    /// No exported function of that name without parameters and results.
    WRT_ERROR_ENTRY_POINT = 6,
    /// The cache directory could be written by others.
    WRT_ERROR_CACHE = 7,
    /// Engine or module cannot be made in this process.
    WRT_ERROR_ENGINE = 8,
    /// `required` of `wrt_preinit`: the module has no initialiser, or no snapshot could be taken.
    WRT_ERROR_PREINIT = 9,
}

/// A failure with a message. Owned by the caller: free it with `wrt_error_free`.
pub struct wrt_error {
    kind: wrt_error_kind,
    message: String,
    index: usize,
}

impl wrt_error {
    pub(super) fn new(error: &Error) -> Self {
        use wrt_error_kind::*;
        let kind = match error {
            Error::InvalidArgument(_) => WRT_ERROR_INVALID_ARGUMENT,
            Error::Panic(_) => WRT_ERROR_PANIC,
            Error::Io { .. } => WRT_ERROR_IO,
            Error::Digest { .. } => WRT_ERROR_DIGEST,
            Error::Module(_) => WRT_ERROR_MODULE,
            Error::Compile(_) => WRT_ERROR_COMPILE,
            Error::EntryPoint(_) => WRT_ERROR_ENTRY_POINT,
            Error::Cache { .. } => WRT_ERROR_CACHE,
            Error::Engine(_) => WRT_ERROR_ENGINE,
            Error::Preinit(_) => WRT_ERROR_PREINIT,
            Error::OneOfMany { index, error } => {
                return wrt_error {
                    index: *index,
                    ..wrt_error::new(error)
                };
            }
        };
        wrt_error {
            kind,
            message: error.to_string(),
            index: 0,
        }
    }
}

/// Kind of `error`; `WRT_ERROR_INVALID_ARGUMENT` for NULL.
///
/// # Safety
/// `error` is NULL or a live error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wrt_error_get_kind(error: *const wrt_error) -> wrt_error_kind {
    // SAFETY: the caller's promise.
    let error = unsafe { error.as_ref() };
    error.map_or(wrt_error_kind::WRT_ERROR_INVALID_ARGUMENT, |error| {
        error.kind
    })
}

/// Message of `error`, one line; it lives as long as `error`. Empty for NULL.
///
/// # Safety
/// `error` is NULL or a live error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wrt_error_message(error: *const wrt_error) -> wrt_str {
    // SAFETY: the caller's promise.
    let error = unsafe { error.as_ref() };
    infallible(wrt_str::EMPTY, || {
        error.map_or(wrt_str::EMPTY, |error| {
            wrt_str::new(error.message.as_bytes())
        })
    })
}

/// Which of several things that the failed call was given is at fault, from 0; 0 where there was one, and for NULL.
///
/// # Safety
/// `error` is NULL or a live error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wrt_error_get_index(error: *const wrt_error) -> usize {
    // SAFETY: the caller's promise.
    unsafe { error.as_ref() }.map_or(0, |error| error.index)
}

/// Frees `error`; NULL is fine.
///
/// # Safety
/// `error` is NULL or a live error, which is not used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wrt_error_free(error: *mut wrt_error) {
    // SAFETY: the caller's promise.
    unsafe { free(error) }
}
