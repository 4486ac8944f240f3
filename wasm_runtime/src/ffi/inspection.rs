//! What a start would find of a module.

use super::error::wrt_error;
use super::guard::{fallible, free, hand_out};
use super::text::wrt_str;
use crate::artifact::{Code, Inspection};
use crate::error::Error;

/// A module that was looked at.
pub struct wrt_inspection(Inspection);

/// Looks at a module and at its code in a cache directory (both absolute paths), and makes, starts and touches nothing: no
/// directory, no helper, no code. `WRT_ERROR_IO` when the module cannot be read.
///
/// # Safety
/// The strings are valid, `out` can be written to; NULL is an error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wrt_inspection_new(
    module_path: wrt_str,
    cache_dir: wrt_str,
    out: *mut *mut wrt_inspection,
) -> *mut wrt_error {
    fallible(|| {
        // SAFETY: the caller's promise.
        let (module, cache) = unsafe { (module_path.path()?, cache_dir.path()?) };
        let module = module.ok_or(Error::InvalidArgument("module_path is empty"))?;
        let cache = cache.ok_or(Error::InvalidArgument("cache_dir is empty"))?;
        let inspection = wrt_inspection(Inspection::of(module, cache)?);
        // SAFETY: the caller's promise.
        unsafe { hand_out(out, inspection) }
    })
}

/// Bytes of the module's file; 0 for NULL.
///
/// # Safety
/// `inspection` is NULL or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wrt_inspection_size(inspection: *const wrt_inspection) -> u64 {
    // SAFETY: the caller's promise.
    let inspection = unsafe { inspection.as_ref() };
    inspection.map_or(0, |inspection| inspection.0.size)
}

/// SHA-256 of the module's file as 64 hex digits. Lives as long as the handle.
///
/// # Safety
/// `inspection` is NULL or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wrt_inspection_sha256(inspection: *const wrt_inspection) -> wrt_str {
    // SAFETY: the caller's promise.
    let inspection = unsafe { inspection.as_ref() };
    inspection.map_or(wrt_str::EMPTY, |inspection| {
        wrt_str::new(inspection.0.sha256.as_bytes())
    })
}

/// The code that is in the cache: `native`, `baseline`, `none` or `unusable`. Static.
///
/// # Safety
/// `inspection` is NULL or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wrt_inspection_code(inspection: *const wrt_inspection) -> wrt_str {
    // SAFETY: the caller's promise.
    let inspection = unsafe { inspection.as_ref() };
    let word = inspection.map_or("", |inspection| match &inspection.0.code {
        Code::None => "none",
        Code::Cached(target) => target.name(),
        Code::Unusable(_) => "unusable",
    });
    wrt_str::new(word.as_bytes())
}

/// Why the code is unusable, or empty. Lives as long as the handle.
///
/// # Safety
/// `inspection` is NULL or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wrt_inspection_reason(inspection: *const wrt_inspection) -> wrt_str {
    // SAFETY: the caller's promise.
    match unsafe { inspection.as_ref() } {
        Some(wrt_inspection(Inspection {
            code: Code::Unusable(reason),
            ..
        })) => wrt_str::new(reason.as_bytes()),
        _ => wrt_str::EMPTY,
    }
}

/// Frees a handle; NULL is fine.
///
/// # Safety
/// `inspection` is NULL or a live handle, which is not used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wrt_inspection_free(inspection: *mut wrt_inspection) {
    // SAFETY: the caller's promise.
    unsafe { free(inspection) }
}
