//! How a module is initialised for a snapshot.

use super::guard::{borrow, options, slice};
use super::mounts::{mounts, wrt_mount, wrt_mount_table};
use super::run::wrt_variable;
use super::text::wrt_str;
use crate::artifact::{Preinit, User};
use crate::error::Result;
use std::sync::Arc;
use std::time::Duration;

/// How a module is initialised for a snapshot: once, instead of in each run. The initialiser is an exported function
/// `wizer-initialize` (or `wizer.initialize`).
#[repr(C)]
pub struct wrt_preinit {
    /// `sizeof(wrt_preinit)`.
    pub struct_size: usize,
    /// A module without initialiser, or one whose initialiser fails, is an error; otherwise it runs without a snapshot.
    pub required: bool,
    /// What the initialiser sees, all of it read-only.
    pub mounts: *const wrt_mount,
    pub mounts_len: usize,
    /// As `scratch` of `wrt_run_options`: the path and the descriptor are there, and nothing else.
    pub scratch: wrt_str,
    /// All mounts of the configuration.
    pub mount_table: *const wrt_mount_table,
    /// Its whole environment.
    pub env: *const wrt_variable,
    pub env_len: usize,
    /// Milliseconds that it may take.
    pub timeout_ms: u64,
    /// Bytes of memory that it may use; 0: no limit.
    pub memory: u64,
    /// Descriptors that it may have at a time, standard streams and mounts among them; 0: no limit.
    pub descriptors: u64,
    /// Whom the process that runs it becomes before it reads anything; NULL: it stays who it is. The one that compiles the snapshot runs
    /// no guest.
    pub user: *const wrt_user,
}

/// A user without any right of root.
#[repr(C)]
pub struct wrt_user {
    pub user: u32,
    pub group: u32,
    /// All groups.
    pub groups: *const u32,
    pub groups_len: usize,
}

/// NULL: no snapshot is wanted.
///
/// # Safety
/// `given` is NULL or points to valid options.
pub(super) unsafe fn preinit(given: *const wrt_preinit) -> Result<Option<Preinit>> {
    if given.is_null() {
        return Ok(None);
    }
    // SAFETY: the caller's promise.
    let given = unsafe { options(given)? };
    // SAFETY: the caller's promise, for the arrays, the strings and the table in them.
    let (mounts, scratch, table, env, user) = unsafe {
        (
            mounts(given.mounts, given.mounts_len)?,
            given
                .scratch
                .text("the guest path of the scratch directory is not UTF-8")?,
            borrow(given.mount_table, "mount_table is NULL")?,
            slice(given.env, given.env_len)?,
            given.user.as_ref(),
        )
    };
    let mut variables = Vec::new();
    for variable in env {
        // SAFETY: the caller's promise.
        let (name, value) = unsafe { (variable.name.bytes()?, variable.value.bytes()?) };
        variables.push([name, b"=", value].concat());
    }
    variables.sort();
    let limit = |given: u64| if given == 0 { u64::MAX } else { given };
    Ok(Some(Preinit {
        required: given.required,
        mounts,
        scratch: (!scratch.is_empty()).then(|| scratch.to_owned()),
        table: Arc::clone(&table.0),
        env: variables,
        time: Duration::from_millis(given.timeout_ms),
        memory: limit(given.memory),
        descriptors: limit(given.descriptors),
        user: match user {
            // SAFETY: the caller's promise.
            Some(user) => Some(unsafe { self::user(user)? }),
            None => None,
        },
    }))
}

/// # Safety
/// `given.groups` is valid.
unsafe fn user(given: &wrt_user) -> Result<User> {
    // SAFETY: the caller's promise.
    let groups = unsafe { slice(given.groups, given.groups_len)? };
    Ok(User::new(given.user, given.group, groups.to_vec()))
}
