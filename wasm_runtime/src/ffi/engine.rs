//! A serving process: its engine and its modules.

use super::artifact::wrt_artifact;
use super::error::wrt_error;
use super::guard::{borrow, fallible, free, hand_out, infallible, options, slice};
use super::mounts::wrt_mount_table;
use super::text::wrt_str;
use crate::artifact::Needs;
use crate::engine::settings::{HOST_STACK_MARGIN, MIN_WASM_STACK, wasm_stack};
use crate::engine::{ServingEngine, open_written_pages};
use crate::error::{Error, Result};
use crate::guest::LoadedModule;
use std::sync::Arc;

/// Stack in bytes that a thread needs which calls `wrt_run_execute`.
pub const WRT_STACK_NEEDED: u64 = 1310720;

const _: () = assert!(WRT_STACK_NEEDED as usize == MIN_WASM_STACK + HOST_STACK_MARGIN);

/// The engine of a serving process: make one, after the process was forked, with all signals blocked (it starts a thread).
/// May be used from any thread.
pub struct wrt_engine(Arc<ServingEngine>);

/// A module that is ready to run. May be used from any thread.
pub struct wrt_module(pub(super) Arc<LoadedModule>);

/// How to make an engine.
#[repr(C)]
pub struct wrt_engine_options {
    /// `sizeof(wrt_engine_options)`.
    pub struct_size: usize,
    /// All modules that this process may run; the pool of instances is sized from them.
    pub artifacts: *const *const wrt_artifact,
    pub artifacts_len: usize,
    /// Most runs at a time, at least 1.
    pub max_instances: u32,
    /// All mounts that its runs may have: on the way to one, no link is followed that lies in a writable one. NULL: all links are.
    pub mount_table: *const wrt_mount_table,
    /// Stack in bytes of the threads that will call `wrt_run_execute`; 0: not checked. Less than `WRT_STACK_NEEDED` is
    /// refused; with more, programs may call deeper, up to four times as deep.
    pub thread_stack_size: u64,
    /// A directory, of this process's user alone, in which runs have their scratch directories; empty: they can have none. What
    /// killed processes left there is removed now. Several engines may use it.
    pub scratch_dir: wrt_str,
    /// Most scratch directories at a time, at least 1 with `scratch_dir`.
    pub scratch_count: u32,
}

/// Makes the engine of this process.
///
/// # Safety
/// `options` points to valid options, `out` can be written to; NULL is an error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wrt_engine_new(
    options: *const wrt_engine_options,
    out: *mut *mut wrt_engine,
) -> *mut wrt_error {
    fallible(|| {
        // SAFETY: the caller's promise.
        let engine = unsafe { new_engine(options)? };
        // SAFETY: the caller's promise.
        unsafe { hand_out(out, wrt_engine(engine)) }
    })
}

/// # Safety
/// `given` is NULL or points to valid options.
unsafe fn new_engine(given: *const wrt_engine_options) -> Result<Arc<ServingEngine>> {
    // SAFETY: the caller's promise.
    let given = unsafe { options(given)? };
    if given.max_instances == 0 {
        return Err(Error::InvalidArgument("max_instances is 0"));
    }
    if (1..WRT_STACK_NEEDED).contains(&given.thread_stack_size) {
        return Err(Error::Engine(format!(
            "threads have {} bytes of stack, but running WebAssembly needs {WRT_STACK_NEEDED}",
            given.thread_stack_size
        )));
    }
    let mut needs = Needs::default();
    // SAFETY: the caller's promise.
    for artifact in unsafe { slice(given.artifacts, given.artifacts_len)? } {
        // SAFETY: the caller's promise.
        let artifact = unsafe { borrow(*artifact, "an artifact is NULL")? };
        needs = needs.or(&artifact.0.facts.needs);
    }
    // SAFETY: the caller's promise.
    let table = unsafe { given.mount_table.as_ref() };
    let mounts = table.map(|table| Arc::clone(&table.0)).unwrap_or_default();
    // SAFETY: the caller's promise.
    let scratch = unsafe { given.scratch_dir.path()? };
    if scratch.is_some() && given.scratch_count == 0 {
        return Err(Error::InvalidArgument("scratch_count is 0"));
    }
    let scratch = scratch.map(|path| (path, given.scratch_count));
    let stack = wasm_stack(given.thread_stack_size);
    ServingEngine::new(&needs, given.max_instances, stack, mounts, scratch)
}

/// Opens what the engine of this process wants and what a process may not open once it has changed its user: call it before that, in
/// the process that will make an engine. What cannot be opened, `wrt_engine_warning` tells.
#[unsafe(no_mangle)]
pub extern "C" fn wrt_engine_prepare() {
    infallible((), open_written_pages);
}

/// One line for the log about what this machine lacks (an old kernel), or empty. Lives as long as the engine.
///
/// # Safety
/// `engine` is NULL or live.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wrt_engine_note(engine: *const wrt_engine) -> wrt_str {
    // SAFETY: the caller's promise.
    let engine = unsafe { engine.as_ref() };
    engine.map_or(wrt_str::EMPTY, |engine| {
        wrt_str::new(engine.0.note().as_bytes())
    })
}

/// One line for the log about what can be put right (no address space for a pool), or empty. Lives as long as the engine.
///
/// # Safety
/// `engine` is NULL or live.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wrt_engine_warning(engine: *const wrt_engine) -> wrt_str {
    // SAFETY: the caller's promise.
    let engine = unsafe { engine.as_ref() };
    engine.map_or(wrt_str::EMPTY, |engine| {
        wrt_str::new(engine.0.warning().as_bytes())
    })
}

/// Ends all runs, those that wait for an instance included, with `WRT_OUTCOME_STOPPED`, and refuses new ones. NULL is fine.
///
/// # Safety
/// `engine` is NULL or live. May be called from any thread, but not from a signal handler.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wrt_engine_stop(engine: *const wrt_engine) {
    // SAFETY: the caller's promise.
    let engine = unsafe { engine.as_ref() };
    infallible((), || {
        if let Some(engine) = engine {
            engine.0.stop();
        }
    });
}

/// Gives the handle back, after `wrt_engine_stop`; NULL is fine. The engine itself lives until its last module and run are
/// freed. A web server's child rather lets it go with the process.
///
/// # Safety
/// `engine` is NULL or a live handle, which is not used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wrt_engine_free(engine: *mut wrt_engine) {
    // SAFETY: the caller's promise.
    unsafe { free(engine) }
}

/// Maps an artifact into this process and links it. When that fails, all processes that share the artifact know: it leaves the
/// cache when its handle is freed, and the next time it is compiled again.
///
/// # Safety
/// `engine` and `artifact` are live, `out` can be written to; NULL is an error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wrt_module_new(
    engine: *const wrt_engine,
    artifact: *const wrt_artifact,
    out: *mut *mut wrt_module,
) -> *mut wrt_error {
    fallible(|| {
        // SAFETY: the caller's promise.
        let engine = unsafe { borrow(engine, "engine is NULL")? };
        // SAFETY: the caller's promise.
        let artifact = unsafe { borrow(artifact, "artifact is NULL")? };
        let module = LoadedModule::new(&engine.0, &artifact.0)?;
        // SAFETY: the caller's promise.
        unsafe { hand_out(out, wrt_module(Arc::new(module))) }
    })
}

/// Frees a handle; NULL is fine. Runs that were made from it live on.
///
/// # Safety
/// `module` is NULL or a live handle, which is not used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wrt_module_free(module: *mut wrt_module) {
    // SAFETY: the caller's promise.
    unsafe { free(module) }
}
