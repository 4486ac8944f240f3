//! What every exported function needs: panics stay inside, pointers are checked.

use super::error::wrt_error;
use crate::error::{Error, Result};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs the body of a fallible function: NULL for success, an owned error otherwise. A panic becomes an error.
pub(super) fn fallible(body: impl FnOnce() -> Result<()>) -> *mut wrt_error {
    let error = match catch_unwind(AssertUnwindSafe(body)) {
        Ok(Ok(())) => return std::ptr::null_mut(),
        Ok(Err(error)) => error,
        Err(panic) => Error::Panic(panic_text(&*panic)),
    };
    Box::into_raw(Box::new(wrt_error::new(&error)))
}

/// Runs the body of a function that cannot report errors: a panic yields `fallback`.
pub(super) fn infallible<T>(fallback: T, body: impl FnOnce() -> T) -> T {
    catch_unwind(AssertUnwindSafe(body)).unwrap_or(fallback)
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic
        .downcast_ref::<&str>()
        .map(ToString::to_string)
        .or_else(|| panic.downcast_ref::<String>().cloned());
    text.unwrap_or_else(|| "panic".to_owned())
}

/// Borrows what a handle points to.
///
/// # Safety
/// `pointer` is NULL or a live handle of this library that nobody frees or changes meanwhile.
pub(super) unsafe fn borrow<'a, T>(pointer: *const T, name: &'static str) -> Result<&'a T> {
    // SAFETY: the caller's promise.
    unsafe { pointer.as_ref() }.ok_or(Error::InvalidArgument(name))
}

/// Moves `value` to the heap and hands the handle out.
///
/// # Safety
/// `out` is NULL or can be written to.
pub(super) unsafe fn hand_out<T>(out: *mut *mut T, value: T) -> Result<()> {
    if out.is_null() {
        return Err(Error::InvalidArgument("out is NULL"));
    }
    // SAFETY: not NULL, and the caller promises the rest.
    unsafe { out.write(Box::into_raw(Box::new(value))) };
    Ok(())
}

/// Frees a handle that [`hand_out`] made; NULL is fine.
///
/// # Safety
/// `handle` is NULL or a live handle, which is not used again.
pub(super) unsafe fn free<T>(handle: *mut T) {
    if handle.is_null() {
        return;
    }
    // SAFETY: it came from `Box::into_raw` in `hand_out`.
    infallible((), || drop(unsafe { Box::from_raw(handle) }));
}

/// Borrows an options structure after checking that both sides agree on its size.
///
/// # Safety
/// `options` is NULL or points to a `T` that begins with its size and lives as long as the result.
pub(super) unsafe fn options<'a, T>(options: *const T) -> Result<&'a T> {
    if options.is_null() {
        return Err(Error::InvalidArgument("options is NULL"));
    }
    // SAFETY: every options structure begins with its size, so these bytes are there whatever version wrote them.
    let size = unsafe { options.cast::<usize>().read() };
    if size != size_of::<T>() {
        return Err(Error::InvalidArgument(
            "struct_size is wrong: header and library are of different versions",
        ));
    }
    // SAFETY: not NULL, of the right size, and the caller promises the rest.
    Ok(unsafe { &*options })
}

/// Borrows an array; `length` 0 goes with any pointer.
///
/// # Safety
/// Unless `length` is 0, `data` is NULL or points to that many values, which live as long as the result.
pub(super) unsafe fn slice<'a, T>(data: *const T, length: usize) -> Result<&'a [T]> {
    if length == 0 {
        return Ok(&[]);
    }
    if data.is_null() {
        return Err(Error::InvalidArgument(
            "array is NULL but its length is not 0",
        ));
    }
    // SAFETY: not NULL, and the caller promises the rest.
    Ok(unsafe { std::slice::from_raw_parts(data, length) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ffi::error::{wrt_error_free, wrt_error_get_kind, wrt_error_kind};

    #[test]
    fn a_panic_becomes_an_error() {
        let error = fallible(|| panic!("boom"));
        // SAFETY: a live error, freed once.
        unsafe {
            assert!(matches!(
                wrt_error_get_kind(error),
                wrt_error_kind::WRT_ERROR_PANIC
            ));
            wrt_error_free(error);
        }
        assert_eq!(infallible(1, || panic!("boom")), 1);
    }
}
