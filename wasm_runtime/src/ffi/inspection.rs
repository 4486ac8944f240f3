//! What a start would find of a module.

use super::error::wrt_error;
use super::guard::{fallible, free, hand_out};
use super::preinit::{preinit, wrt_preinit};
use super::text::wrt_str;
use crate::artifact::{Code, Inspection};
use crate::error::Error;

/// A module that was looked at.
pub struct wrt_inspection(Inspection);

/// Looks at a module, and at its code and its snapshot in a cache directory (both absolute paths), and makes, starts and touches
/// nothing: no directory, no helper, no code. `preinit` may be NULL: no snapshot is wanted. `WRT_ERROR_IO` when the module cannot
/// be read.
///
/// # Safety
/// The strings and what `preinit` points to are valid, `out` can be written to; NULL is an error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wrt_inspection_new(
    module_path: wrt_str,
    cache_dir: wrt_str,
    preinit: *const wrt_preinit,
    out: *mut *mut wrt_inspection,
) -> *mut wrt_error {
    fallible(|| {
        // SAFETY: the caller's promise.
        let (module, cache) = unsafe { (module_path.path()?, cache_dir.path()?) };
        let module = module.ok_or(Error::InvalidArgument("module_path is empty"))?;
        let cache = cache.ok_or(Error::InvalidArgument("cache_dir is empty"))?;
        // SAFETY: the caller's promise.
        let preinit = unsafe { self::preinit(preinit)? };
        let inspection = wrt_inspection(Inspection::of(module, cache, preinit.as_ref())?);
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
    word(inspection.map(|inspection| &inspection.0.code))
}

/// Why the code is unusable, or empty. Lives as long as the handle.
///
/// # Safety
/// `inspection` is NULL or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wrt_inspection_reason(inspection: *const wrt_inspection) -> wrt_str {
    // SAFETY: the caller's promise.
    let inspection = unsafe { inspection.as_ref() };
    reason(inspection.map(|inspection| &inspection.0.code))
}

/// The same of the code of its snapshot; empty where none is wanted, or the module allows none as far as can be told. Static.
///
/// # Safety
/// `inspection` is NULL or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wrt_inspection_snapshot(inspection: *const wrt_inspection) -> wrt_str {
    // SAFETY: the caller's promise.
    let inspection = unsafe { inspection.as_ref() };
    word(inspection.and_then(|inspection| inspection.0.snapshot.as_ref()))
}

/// Why the code of its snapshot is unusable, or empty. Lives as long as the handle.
///
/// # Safety
/// `inspection` is NULL or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wrt_inspection_snapshot_reason(
    inspection: *const wrt_inspection,
) -> wrt_str {
    // SAFETY: the caller's promise.
    let inspection = unsafe { inspection.as_ref() };
    reason(inspection.and_then(|inspection| inspection.0.snapshot.as_ref()))
}

fn word(code: Option<&Code>) -> wrt_str {
    let word = code.map_or("", |code| match code {
        Code::None => "none",
        Code::Cached(target) => target.name(),
        Code::Unusable(_) => "unusable",
    });
    wrt_str::new(word.as_bytes())
}

fn reason(code: Option<&Code>) -> wrt_str {
    match code {
        Some(Code::Unusable(reason)) => wrt_str::new(reason.as_bytes()),
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
