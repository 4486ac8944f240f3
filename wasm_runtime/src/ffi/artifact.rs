//! The parent process: compiled modules.

use super::error::wrt_error;
use super::guard::{borrow, fallible, free, hand_out, infallible, options, slice};
use super::preinit::{preinit, wrt_preinit};
use super::text::wrt_str;
use crate::artifact::{ArtifactStore, Begun, Origin, Prepared, Request, Stage};
use crate::error::{Error, Result};
use std::ffi::{CStr, OsStr, c_void};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// The parent's collection of compiled modules. Keep it across the passes over the configuration: nothing in it is
/// hashed, read or compiled again. May be used from any thread.
pub struct wrt_artifact_store(ArtifactStore);

/// A module that was found good, and its compiled code as soon as there is some, in a sealed memory file. Handles of the same
/// module share the code; free each handle.
pub struct wrt_artifact(pub(super) Prepared);

/// Where the code of an artifact came from.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum wrt_artifact_origin {
    /// It was in the store.
    WRT_ORIGIN_KEPT = 0,
    /// It was in the cache directory.
    WRT_ORIGIN_CACHE = 1,
    /// It was compiled just now.
    WRT_ORIGIN_COMPILED = 2,
    /// The same, because `wrt_module_new` failed with what was there before.
    WRT_ORIGIN_COMPILED_AGAIN = 3,
    /// There is no code yet: `wrt_artifact_compile` makes it.
    WRT_ORIGIN_NONE = 4,
}

/// What `wrt_artifact_examine` is asked for.
#[repr(C)]
pub struct wrt_examine_options {
    /// `sizeof(wrt_examine_options)`.
    pub struct_size: usize,
    /// Absolute path of the module.
    pub module_path: wrt_str,
    /// SHA-256 that the module must have, 64 hex digits; empty: any.
    pub digest: wrt_str,
    /// Absolute path of the cache directory, made if it is missing; empty: no cache.
    pub cache_dir: wrt_str,
    /// The program `wasm-precompile`; empty: the one beside this library.
    pub helper_path: wrt_str,
    /// A snapshot is wanted; NULL: none.
    pub preinit: *const wrt_preinit,
}

/// What is made of a module.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum wrt_stage {
    WRT_STAGE_SNAPSHOT = 0,
    WRT_STAGE_CODE = 1,
}

/// What `wrt_artifact_compile` is asked for.
#[repr(C)]
pub struct wrt_compile_options {
    /// `sizeof(wrt_compile_options)`.
    pub struct_size: usize,
    /// Those that have code already are passed over.
    pub artifacts: *const *const wrt_artifact,
    pub artifacts_len: usize,
    /// The same will be asked for once more, for the same start: what fails is not tried again then, and not told again.
    pub another_pass_follows: bool,
    /// Given to `begun`.
    pub context: *mut c_void,
    /// Called when the making of a snapshot, or of code, begins: path and bytes of the module's file, and how many of `total` are done.
    /// NULL: nobody wants to know.
    pub begun: Option<
        unsafe extern "C" fn(
            context: *mut c_void,
            stage: wrt_stage,
            module_path: wrt_str,
            module_size: u64,
            done: usize,
            total: usize,
        ),
    >,
}

/// Makes an empty store.
///
/// # Safety
/// `out` is NULL (an error) or can be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wrt_artifact_store_new(
    out: *mut *mut wrt_artifact_store,
) -> *mut wrt_error {
    // SAFETY: the caller's promise.
    fallible(|| unsafe { hand_out(out, wrt_artifact_store(ArtifactStore::default())) })
}

/// Frees `store`; NULL is fine. Artifacts live on.
///
/// # Safety
/// `store` is NULL or a live store, which is not used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wrt_artifact_store_free(store: *mut wrt_artifact_store) {
    // SAFETY: the caller's promise.
    unsafe { free(store) }
}

/// Forgets the artifacts that no handle uses any more. Call it when a configuration is complete: a cache directory that has
/// grown since the last time also loses the entries that no start has used for 30 days. NULL is fine.
///
/// # Safety
/// `store` is NULL or a live store.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wrt_artifact_store_trim(store: *const wrt_artifact_store) {
    // SAFETY: the caller's promise.
    let store = unsafe { store.as_ref() };
    infallible((), || {
        if let Some(store) = store {
            store.0.trim();
        }
    });
}

/// Finds the compiled code of a module in the store or in the cache. Where there is none, the helper program makes sure that the
/// module can be compiled, and is waited for: the file, its digest, the module and its imports are checked in any case. Makes
/// neither an engine nor a thread.
///
/// # Safety
/// `store` is a live store, `options` points to valid options, `out` can be written to; NULL is an error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wrt_artifact_examine(
    store: *const wrt_artifact_store,
    options: *const wrt_examine_options,
    out: *mut *mut wrt_artifact,
) -> *mut wrt_error {
    fallible(|| {
        // SAFETY: the caller's promise.
        let store = unsafe { borrow(store, "store is NULL")? };
        // SAFETY: the caller's promise.
        let prepared = unsafe { examine(&store.0, options)? };
        // SAFETY: the caller's promise.
        unsafe { hand_out(out, wrt_artifact(prepared)) }
    })
}

/// # Safety
/// `given` is NULL or points to valid options.
unsafe fn examine(store: &ArtifactStore, given: *const wrt_examine_options) -> Result<Prepared> {
    // SAFETY: the caller's promise, for the options and for the strings in them.
    let (module, digest, cache, helper, preinit) = unsafe {
        let given = options(given)?;
        (
            given.module_path.path()?,
            given.digest.text("digest is not UTF-8")?,
            given.cache_dir.path()?,
            given.helper_path.path()?,
            preinit(given.preinit)?,
        )
    };
    let helper = match helper {
        Some(helper) => helper.to_owned(),
        None => beside_this_library()?,
    };
    store.examine(&Request {
        module: module.ok_or(Error::InvalidArgument("module_path is empty"))?,
        digest: (!digest.is_empty()).then_some(digest),
        cache_directory: cache,
        helper: &helper,
        preinit,
    })
}

/// Whether the code of this handle is, or will be, that of a snapshot.
///
/// # Safety
/// `artifact` is NULL or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wrt_artifact_has_snapshot(artifact: *const wrt_artifact) -> bool {
    // SAFETY: the caller's promise.
    let artifact = unsafe { artifact.as_ref() };
    artifact.is_some_and(|artifact| artifact.0.has_snapshot())
}

/// What `of` tells of the artifact, or empty for NULL.
///
/// # Safety
/// `artifact` is NULL or a live handle.
unsafe fn text(artifact: *const wrt_artifact, of: impl Fn(&Prepared) -> &str) -> wrt_str {
    // SAFETY: the caller's promise.
    let artifact = unsafe { artifact.as_ref() };
    artifact.map_or(wrt_str::EMPTY, |artifact| {
        wrt_str::new(of(&artifact.0).as_bytes())
    })
}

/// Why the module runs without the snapshot that was wanted, or empty; complete when there is code. Lives as long as the handle.
///
/// # Safety
/// `artifact` is NULL or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wrt_artifact_snapshot_problem(artifact: *const wrt_artifact) -> wrt_str {
    // SAFETY: the caller's promise.
    unsafe { text(artifact, Prepared::snapshot_problem) }
}

/// What the initialiser printed before the snapshot was taken, its last part on one line, or empty. Lives as long as the handle.
///
/// # Safety
/// `artifact` is NULL or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wrt_artifact_snapshot_said(artifact: *const wrt_artifact) -> wrt_str {
    // SAFETY: the caller's promise.
    unsafe { text(artifact, Prepared::snapshot_said) }
}

/// Whether both handles have the same code, so that one `wrt_module` of a process is enough for both; false for NULL.
///
/// # Safety
/// Each is NULL or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wrt_artifact_shares_code(
    one: *const wrt_artifact,
    another: *const wrt_artifact,
) -> bool {
    // SAFETY: the caller's promise.
    let both = unsafe { (one.as_ref(), another.as_ref()) };
    matches!(both, (Some(one), Some(another)) if one.0.shares_code_with(&another.0))
}

/// Takes the snapshots that are wanted, and compiles those artifacts that have no code yet: several helper programs at a time, as
/// many as there are cores, are started and waited for. All snapshots of one call take 10 minutes at the most. Makes neither an engine nor a thread. `wrt_error_get_index` tells which artifact is at fault; what was compiled
/// before it is in the cache.
///
/// # Safety
/// `store` is a live store, `options` points to valid options with live artifacts; NULL is an error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wrt_artifact_compile(
    store: *const wrt_artifact_store,
    options: *const wrt_compile_options,
) -> *mut wrt_error {
    fallible(|| {
        // SAFETY: the caller's promise.
        let store = unsafe { borrow(store, "store is NULL")? };
        // SAFETY: the caller's promise.
        unsafe { compile(&store.0, options) }
    })
}

/// # Safety
/// `given` is NULL or points to valid options.
unsafe fn compile(store: &ArtifactStore, given: *const wrt_compile_options) -> Result<()> {
    // SAFETY: the caller's promise.
    let given = unsafe { options(given)? };
    let mut modules = Vec::new();
    // SAFETY: the caller's promise.
    for artifact in unsafe { slice(given.artifacts, given.artifacts_len)? } {
        // SAFETY: the caller's promise.
        modules.push(unsafe { &borrow(*artifact, "an artifact is NULL")?.0 });
    }
    let mut tell = |begun: &Begun<'_>| {
        if let Some(callback) = given.begun {
            let stage = match begun.stage {
                Stage::Snapshot => wrt_stage::WRT_STAGE_SNAPSHOT,
                Stage::Code => wrt_stage::WRT_STAGE_CODE,
            };
            let path = wrt_str::new(begun.module.module.as_os_str().as_bytes());
            // SAFETY: the caller's promise for the callback; the path lives during the call.
            unsafe {
                callback(
                    given.context,
                    stage,
                    path,
                    begun.module.size,
                    begun.done,
                    begun.total,
                )
            }
        }
    };
    store.compile(&modules, given.another_pass_follows, &mut tell)
}

/// Path of the helper program in the directory that this library was loaded from.
fn beside_this_library() -> Result<PathBuf> {
    let mut info = std::mem::MaybeUninit::<libc::Dl_info>::zeroed();
    let address = beside_this_library as *const ();
    // SAFETY: any address may be asked for, and `info` can be written to.
    let found = unsafe { libc::dladdr(address.cast(), info.as_mut_ptr()) };
    // SAFETY: zeroed above, which is valid, and written by `dladdr`.
    let name = unsafe { info.assume_init() }.dli_fname;
    if found == 0 || name.is_null() {
        return Err(Error::Compile("cannot tell where this library is".into()));
    }
    // SAFETY: the loader keeps this string, NUL-terminated, for as long as the library is loaded.
    let name = unsafe { CStr::from_ptr(name) };
    let library = Path::new(OsStr::from_bytes(name.to_bytes()));
    Ok(library.with_file_name("wasm-precompile"))
}

/// Where the code of this handle came from; `WRT_ORIGIN_KEPT` for NULL.
///
/// # Safety
/// `artifact` is NULL or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wrt_artifact_get_origin(
    artifact: *const wrt_artifact,
) -> wrt_artifact_origin {
    // SAFETY: the caller's promise.
    let artifact = unsafe { artifact.as_ref() };
    let origin = artifact.map_or(Some(Origin::Kept), |artifact| artifact.0.origin());
    match origin {
        None => wrt_artifact_origin::WRT_ORIGIN_NONE,
        Some(Origin::Kept) => wrt_artifact_origin::WRT_ORIGIN_KEPT,
        Some(Origin::Cache) => wrt_artifact_origin::WRT_ORIGIN_CACHE,
        Some(Origin::Compiled) => wrt_artifact_origin::WRT_ORIGIN_COMPILED,
        Some(Origin::CompiledAgain) => wrt_artifact_origin::WRT_ORIGIN_COMPILED_AGAIN,
    }
}

/// One line for the log (a cache that cannot be written, an entry that was damaged), or empty; complete when there is code. Lives as long as the handle.
///
/// # Safety
/// `artifact` is NULL or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wrt_artifact_warning(artifact: *const wrt_artifact) -> wrt_str {
    // SAFETY: the caller's promise.
    unsafe { text(artifact, Prepared::warning) }
}

/// SHA-256 of the module's file as 64 hex digits. Lives as long as the handle.
///
/// # Safety
/// `artifact` is NULL or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wrt_artifact_sha256(artifact: *const wrt_artifact) -> wrt_str {
    // SAFETY: the caller's promise.
    unsafe { text(artifact, |prepared| &prepared.sha256) }
}

/// Bytes of linear memory that the module has before it starts; 0 for NULL.
///
/// # Safety
/// `artifact` is NULL or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wrt_artifact_minimum_memory(artifact: *const wrt_artifact) -> u64 {
    // SAFETY: the caller's promise.
    let artifact = unsafe { artifact.as_ref() };
    artifact.map_or(0, |artifact| artifact.0.facts.minimum_memory)
}

/// Whether the module exports a function of this name that takes and returns nothing. Empty: `_start`.
///
/// # Safety
/// `artifact` is a live handle (NULL is an error), `entry_point` a valid string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wrt_artifact_check_entry_point(
    artifact: *const wrt_artifact,
    entry_point: wrt_str,
) -> *mut wrt_error {
    fallible(|| {
        // SAFETY: the caller's promise.
        let artifact = unsafe { borrow(artifact, "artifact is NULL")? };
        // SAFETY: the caller's promise.
        let name = unsafe { entry_point.entry_point()? };
        artifact.0.check_entry_point(name)
    })
}

/// Frees a handle; NULL is fine. Code that some process could not load leaves the cache then.
///
/// # Safety
/// `artifact` is NULL or a live handle, which is not used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wrt_artifact_free(artifact: *mut wrt_artifact) {
    // SAFETY: the caller's promise.
    if let Some(artifact) = unsafe { artifact.as_ref() } {
        infallible((), || artifact.0.remove_refused());
    }
    // SAFETY: the caller's promise; the borrow above has ended.
    unsafe { free(artifact) }
}
