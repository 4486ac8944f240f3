//! One request: options and callbacks in, outcome out.

use super::engine::wrt_module;
use super::error::wrt_error;
use super::guard::{borrow, fallible, free, hand_out, options, slice};
use super::mounts::{mounts, wrt_mount};
use super::text::wrt_str;
use crate::error::{Error, Result};
use crate::host::StringList;
use crate::host::{Host, Stop};
use crate::run::{Ending, Exceeded, Limit, Limits, Options, Outcome, Run};
use std::ffi::c_void;
use std::sync::Arc;
use std::time::Duration;

/// Returned by a callback: the time it was given is over.
pub const WRT_IO_TIMEOUT: i64 = -1;
/// Returned by a callback: the client went away.
pub const WRT_IO_GONE: i64 = -2;
/// Returned by `read`: the request's body is larger than allowed.
pub const WRT_IO_TOO_LARGE: i64 = -3;
/// Returned by a callback: anything else that makes it pointless to go on.
pub const WRT_IO_FAILED: i64 = -4;

/// What the caller does for a run. Callbacks are called only on the thread inside `wrt_run_execute`, but for `connected`, and never two of
/// them at a time. They must not unwind, and must not call back into the run. `timeout_ms` is what is left of the run's time (`UINT64_MAX`: no limit).
#[repr(C)]
#[derive(Clone, Copy)]
pub struct wrt_callbacks {
    /// Passed to each callback. Has to outlive the run.
    pub context: *mut c_void,
    /// Reads the body of the request: up to `len` bytes into `buffer`. Returns their count, 0 at the end, or `WRT_IO_*`. With
    /// `timeout_ms` 0 it must not block: `WRT_IO_TIMEOUT` then says that nothing is there yet. NULL: standard input is empty.
    pub read: Option<
        unsafe extern "C" fn(
            context: *mut c_void,
            buffer: *mut u8,
            len: usize,
            timeout_ms: u64,
        ) -> i64,
    >,
    /// Takes `len` bytes of the response, all of them. `flush`: the client should see what there is, because the guest is
    /// about to wait; `len` may be 0 then. Returns 0 or `WRT_IO_*`. Must not be NULL.
    pub write: Option<
        unsafe extern "C" fn(
            context: *mut c_void,
            data: *const u8,
            len: usize,
            flush: bool,
            timeout_ms: u64,
        ) -> i64,
    >,
    /// Takes bytes of standard error, split anywhere. NULL: they are dropped.
    pub write_err: Option<unsafe extern "C" fn(context: *mut c_void, data: *const u8, len: usize)>,
    /// Asked about ten times a second while the guest computes or sleeps: whether the client is still there. It must not block, and may be
    /// called on a thread of the library. NULL: always.
    pub connected: Option<unsafe extern "C" fn(context: *mut c_void) -> bool>,
}

/// An environment variable.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct wrt_variable {
    pub name: wrt_str,
    pub value: wrt_str,
}

/// How much a run may use up. 0: no limit.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct wrt_limits {
    /// Wall-clock time in milliseconds, time blocked in callbacks included. Ends the run.
    pub time_ms: u64,
    /// Processor time of the thread in milliseconds. Ends the run.
    pub cpu_ms: u64,
    /// Bytes of linear memory, all memories and large tables together. More is refused.
    pub memory: u64,
    /// Bytes of standard output. Ends the run.
    pub output: u64,
    /// Bytes of standard error, as they take room in a log: an unprintable byte counts as 4, a line as 100 more. The rest is dropped.
    pub error_output: u64,
    /// Bytes written into mounts, and by which files are enlarged; a file, directory or link that is made counts as 4,096. More is
    /// refused.
    pub written: u64,
    /// Bytes in the scratch directory, counted alike; what is removed there makes room again. More is refused.
    pub scratch: u64,
    /// Descriptors at a time, standard streams and mounts among them. More are refused. While one call looks something up, up to 4 of
    /// the process's are open beside them (64 more where the kernel has no `openat2`).
    pub descriptors: u64,
}

/// One of `wrt_limits`.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum wrt_limit {
    WRT_LIMIT_TIME = 0,
    WRT_LIMIT_CPU = 1,
    WRT_LIMIT_MEMORY = 2,
    WRT_LIMIT_OUTPUT = 3,
    WRT_LIMIT_ERROR_OUTPUT = 4,
    WRT_LIMIT_WRITTEN = 5,
    WRT_LIMIT_SCRATCH = 6,
    WRT_LIMIT_DESCRIPTORS = 7,
    /// `scratch_count` of the engine: all scratch directories were taken when the run first used its own.
    WRT_LIMIT_SCRATCH_DIRECTORIES = 8,
}

/// A limit that a run came up against.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct wrt_exceeded {
    pub limit: wrt_limit,
    /// Milliseconds, bytes, or a count, as in `wrt_limits`.
    pub allowed: u64,
    /// What was used when a time ran out; otherwise the most that would have been in use.
    pub measured: u64,
}

/// All that is particular to one run. `wrt_run_new` copies it.
#[repr(C)]
pub struct wrt_run_options {
    /// `sizeof(wrt_run_options)`.
    pub struct_size: usize,
    /// `argv`, the program's name included.
    pub args: *const wrt_str,
    pub args_len: usize,
    pub env: *const wrt_variable,
    pub env_len: usize,
    pub mounts: *const wrt_mount,
    pub mounts_len: usize,
    /// The guest's path, UTF-8, of a scratch directory of this run alone, made at its first use and gone with it; empty: none. What
    /// is moved between it and a mount has to be copied (`EXDEV`). The engine must have a `scratch_dir`.
    pub scratch: wrt_str,
    /// Exported function to call; empty: `_start`, or for a snapshot `wizer-resume` (`wizer.resume`) where the module exports it.
    pub entry_point: wrt_str,
    /// Milliseconds to wait for a free instance.
    pub queue_timeout_ms: u64,
    pub limits: wrt_limits,
    /// Whether the guest may make symbolic links.
    pub allow_symlinks: bool,
    /// Whether `detail` of the outcome is wanted: the call stack of a trap.
    pub backtrace: bool,
    pub callbacks: wrt_callbacks,
}

/// How a run ended.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum wrt_outcome_kind {
    /// The entry point returned (`exit_code` 0) or the guest called `proc_exit(exit_code)`.
    WRT_OUTCOME_EXITED = 0,
    /// The guest trapped; `message` says how, `detail` where.
    WRT_OUTCOME_TRAPPED = 1,
    /// The limit `limit` ended the run; `message` says what it was doing. `WRT_LIMIT_MEMORY`: the module needs more before it can start.
    WRT_OUTCOME_LIMIT = 2,
    /// No instance became free in `queue_timeout_ms`; the guest was not started.
    WRT_OUTCOME_QUEUE_TIMEOUT = 3,
    /// `wrt_engine_stop` was called.
    WRT_OUTCOME_STOPPED = 4,
    /// The client went away.
    WRT_OUTCOME_CLIENT_GONE = 5,
    /// `read` returned `WRT_IO_TOO_LARGE`.
    WRT_OUTCOME_BODY_TOO_LARGE = 6,
    /// A callback returned `WRT_IO_FAILED`.
    WRT_OUTCOME_IO_FAILED = 7,
    /// A host directory cannot be opened; `message` names it.
    WRT_OUTCOME_MOUNT_FAILED = 8,
    /// No exported function of that name without parameters and results.
    WRT_OUTCOME_NO_ENTRY_POINT = 9,
    /// The module cannot be instantiated for another reason.
    WRT_OUTCOME_START_FAILED = 10,
}

/// The outcome of a run. Its strings live until the run is freed.
#[repr(C)]
pub struct wrt_outcome {
    /// `sizeof(wrt_outcome)`, set by the caller.
    pub struct_size: usize,
    pub kind: wrt_outcome_kind,
    /// For `WRT_OUTCOME_EXITED`.
    pub exit_code: i32,
    /// For `WRT_OUTCOME_LIMIT`.
    pub limit: wrt_limit,
    /// One line for the log, or empty.
    pub message: wrt_str,
    /// The guest's call stack after a trap, a line for each frame, or empty.
    pub detail: wrt_str,
    /// Output that `write` was not given: the last part of the response.
    pub tail: wrt_str,
    /// The limits that the run came up against, each once, whether or not they ended it.
    pub exceeded: *const wrt_exceeded,
    pub exceeded_len: usize,
}

/// One run of a guest. Execute it once, then read the outcome, then free it.
pub struct wrt_run {
    run: Option<Run>,
    message: String,
    detail: String,
    tail: Vec<u8>,
    exceeded: Vec<wrt_exceeded>,
}

/// The callbacks of a C caller.
struct CHost(wrt_callbacks);

// SAFETY: a run never leaves the thread that executes it, and it is on that thread that the callbacks are called. `connected` alone is
// called by the ticker as well: behind the lock that all of them are called behind, and only as long as the run is watched. Its
// documentation says so to whoever wrote it.
unsafe impl Send for CHost {}

impl Host for CHost {
    fn read(&mut self, buffer: &mut [u8], patience: Duration) -> std::result::Result<usize, Stop> {
        let Some(read) = self.0.read else {
            return Ok(0);
        };
        // SAFETY: `buffer` can be written to; `context` is valid by the promise of `wrt_run_new`.
        let count = unsafe {
            read(
                self.0.context,
                buffer.as_mut_ptr(),
                buffer.len(),
                milliseconds(patience),
            )
        };
        match usize::try_from(count) {
            Ok(count) => Ok(count.min(buffer.len())),
            Err(_) => Err(stop(count)),
        }
    }

    fn write(
        &mut self,
        data: &[u8],
        flush: bool,
        patience: Duration,
    ) -> std::result::Result<(), Stop> {
        let Some(write) = self.0.write else {
            return Err(Stop::IoFailed);
        };
        // SAFETY: `data` can be read; `context` is valid by the promise of `wrt_run_new`.
        let result = unsafe {
            write(
                self.0.context,
                data.as_ptr(),
                data.len(),
                flush,
                milliseconds(patience),
            )
        };
        if result < 0 {
            Err(stop(result))
        } else {
            Ok(())
        }
    }

    fn write_error(&mut self, data: &[u8], _patience: Duration) -> std::result::Result<(), Stop> {
        if let Some(write_err) = self.0.write_err {
            // SAFETY: as in `write`.
            unsafe { write_err(self.0.context, data.as_ptr(), data.len()) }
        }
        Ok(())
    }

    fn is_connected(&mut self) -> bool {
        // SAFETY: `context` is valid by the promise of `wrt_run_new`.
        self.0
            .connected
            .is_none_or(|connected| unsafe { connected(self.0.context) })
    }
}

/// Rounds up: 0 means "do not block" to a callback.
fn milliseconds(patience: Duration) -> u64 {
    u64::try_from(patience.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX)
}

fn stop(result: i64) -> Stop {
    match result {
        WRT_IO_TIMEOUT => Stop::Limit(Limit::Time),
        WRT_IO_GONE => Stop::ClientGone,
        WRT_IO_TOO_LARGE => Stop::BodyTooLarge,
        _ => Stop::IoFailed,
    }
}

/// Makes a run of `module`. Nothing happens until it is executed.
///
/// # Safety
/// `module` is live, `options` points to valid options whose `callbacks` stay callable until the run has ended, `out` can be
/// written to; NULL is an error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wrt_run_new(
    module: *const wrt_module,
    options: *const wrt_run_options,
    out: *mut *mut wrt_run,
) -> *mut wrt_error {
    fallible(|| {
        // SAFETY: the caller's promise.
        let module = unsafe { borrow(module, "module is NULL")? };
        // SAFETY: the caller's promise.
        let (options, callbacks) = unsafe { run_options(options)? };
        if options.scratch.is_some() && module.0.engine.scratch.is_none() {
            return Err(Error::InvalidArgument("the engine has no scratch_dir"));
        }
        let run = Run::new(Arc::clone(&module.0), options, Box::new(CHost(callbacks)));
        let run = wrt_run {
            run: Some(run),
            message: String::new(),
            detail: String::new(),
            tail: Vec::new(),
            exceeded: Vec::new(),
        };
        // SAFETY: the caller's promise.
        unsafe { hand_out(out, run) }
    })
}

/// # Safety
/// `given` is NULL or points to valid options.
unsafe fn run_options(given: *const wrt_run_options) -> Result<(Options, wrt_callbacks)> {
    // SAFETY: the caller's promise.
    let given = unsafe { options(given)? };
    if given.callbacks.write.is_none() {
        return Err(Error::InvalidArgument("callbacks.write is NULL"));
    }
    // SAFETY: the caller's promise, for the arrays and for the strings in them.
    let (args, env, mounts, scratch, entry_point) = unsafe {
        (
            strings(slice(given.args, given.args_len)?)?,
            variables(slice(given.env, given.env_len)?)?,
            mounts(given.mounts, given.mounts_len)?,
            given
                .scratch
                .text("the guest path of the scratch directory is not UTF-8")?,
            given.entry_point.text("entry_point is not UTF-8")?,
        )
    };
    let options = Options {
        args,
        env,
        mounts,
        scratch: (!scratch.is_empty()).then(|| scratch.to_owned()),
        entry_point: entry_point.to_owned(),
        queue_timeout: Duration::from_millis(given.queue_timeout_ms),
        limits: limits(&given.limits),
        allow_symlinks: given.allow_symlinks,
        backtrace: given.backtrace,
    };
    Ok((options, given.callbacks))
}

fn limits(given: &wrt_limits) -> Limits {
    let count = |given: u64| if given == 0 { u64::MAX } else { given };
    let time = |given: u64| Duration::from_millis(count(given));
    Limits {
        time: time(given.time_ms),
        cpu: time(given.cpu_ms),
        memory: count(given.memory),
        output: count(given.output),
        error_output: count(given.error_output),
        written: count(given.written),
        scratch: count(given.scratch),
        descriptors: count(given.descriptors),
    }
}

/// # Safety
/// The strings are valid.
unsafe fn strings(given: &[wrt_str]) -> Result<StringList> {
    let mut list = StringList::default();
    for string in given {
        // SAFETY: the caller's promise.
        list.push(&[unsafe { string.bytes()? }]);
    }
    Ok(list)
}

/// # Safety
/// The strings are valid.
unsafe fn variables(given: &[wrt_variable]) -> Result<StringList> {
    let mut list = StringList::default();
    for variable in given {
        // SAFETY: the caller's promise.
        let (name, value) = unsafe { (variable.name.bytes()?, variable.value.bytes()?) };
        list.push(&[name, b"=", value]);
    }
    Ok(list)
}

/// Runs the guest on this thread and returns when it has ended. Whatever the guest does is an outcome; an error means wrong use
/// or a bug.
///
/// # Safety
/// `run` is live and in use by no other thread, `out` points to a `wrt_outcome` with its `struct_size`; NULL is an error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wrt_run_execute(
    run: *mut wrt_run,
    out: *mut wrt_outcome,
) -> *mut wrt_error {
    fallible(|| {
        // SAFETY: the caller's promise; only the size is looked at.
        unsafe { options(out.cast_const())? };
        // SAFETY: the caller's promise.
        let handle = unsafe { run.as_mut() }.ok_or(Error::InvalidArgument("run is NULL"))?;
        let run = handle
            .run
            .take()
            .ok_or(Error::InvalidArgument("the run was executed already"))?;
        let outcome = handle.keep(run.execute());
        // SAFETY: checked above, and the caller promises the rest.
        unsafe { out.write(outcome) };
        Ok(())
    })
}

impl wrt_run {
    /// Keeps the texts of an outcome and describes it for C.
    fn keep(&mut self, outcome: Outcome) -> wrt_outcome {
        use wrt_outcome_kind::*;
        let mut exit_code = 0;
        let mut limit = Limit::Time;
        let (kind, message) = match outcome.ending {
            Ending::Exited(status) => {
                exit_code = status;
                (WRT_OUTCOME_EXITED, String::new())
            }
            Ending::Trapped { message, backtrace } => {
                self.detail = backtrace;
                (WRT_OUTCOME_TRAPPED, message)
            }
            Ending::Stopped { stop, doing } => {
                if let Stop::Limit(which) = stop {
                    limit = which;
                }
                stopped(stop, doing)
            }
            Ending::QueueTimeout => (WRT_OUTCOME_QUEUE_TIMEOUT, String::new()),
            Ending::MemoryLimit(message) => {
                limit = Limit::Memory;
                (WRT_OUTCOME_LIMIT, message)
            }
            Ending::MountFailed(message) => (WRT_OUTCOME_MOUNT_FAILED, message),
            Ending::NoEntryPoint(message) => (WRT_OUTCOME_NO_ENTRY_POINT, message),
            Ending::StartFailed(message) => (WRT_OUTCOME_START_FAILED, message),
        };
        self.message = message;
        self.tail = outcome.tail;
        self.exceeded = outcome.exceeded.iter().map(exceeded).collect();
        wrt_outcome {
            struct_size: size_of::<wrt_outcome>(),
            kind,
            exit_code,
            limit: limit.into(),
            message: wrt_str::new(self.message.as_bytes()),
            detail: wrt_str::new(self.detail.as_bytes()),
            tail: wrt_str::new(&self.tail),
            exceeded: self.exceeded.as_ptr(),
            exceeded_len: self.exceeded.len(),
        }
    }
}

/// Only of a limit does it matter what the run was doing.
fn stopped(stop: Stop, doing: String) -> (wrt_outcome_kind, String) {
    use wrt_outcome_kind::*;
    let kind = match stop {
        Stop::Limit(_) => return (WRT_OUTCOME_LIMIT, doing),
        Stop::ServerStopping => WRT_OUTCOME_STOPPED,
        Stop::ClientGone => WRT_OUTCOME_CLIENT_GONE,
        Stop::BodyTooLarge => WRT_OUTCOME_BODY_TOO_LARGE,
        Stop::IoFailed => WRT_OUTCOME_IO_FAILED,
    };
    (kind, String::new())
}

fn exceeded(exceeded: &Exceeded) -> wrt_exceeded {
    wrt_exceeded {
        limit: exceeded.limit.into(),
        allowed: exceeded.allowed,
        measured: exceeded.measured,
    }
}

impl From<Limit> for wrt_limit {
    fn from(limit: Limit) -> Self {
        use wrt_limit::*;
        match limit {
            Limit::Time => WRT_LIMIT_TIME,
            Limit::Cpu => WRT_LIMIT_CPU,
            Limit::Memory => WRT_LIMIT_MEMORY,
            Limit::Output => WRT_LIMIT_OUTPUT,
            Limit::ErrorOutput => WRT_LIMIT_ERROR_OUTPUT,
            Limit::Written => WRT_LIMIT_WRITTEN,
            Limit::Scratch => WRT_LIMIT_SCRATCH,
            Limit::Descriptors => WRT_LIMIT_DESCRIPTORS,
            Limit::ScratchDirectories => WRT_LIMIT_SCRATCH_DIRECTORIES,
        }
    }
}

/// Frees a run and the texts of its outcome; NULL is fine.
///
/// # Safety
/// `run` is NULL or live, not being executed, and not used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wrt_run_free(run: *mut wrt_run) {
    // SAFETY: the caller's promise.
    unsafe { free(run) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patience_is_rounded_up_so_that_it_never_means_no_blocking() {
        assert_eq!(milliseconds(Duration::ZERO), 0);
        assert_eq!(milliseconds(Duration::from_micros(1)), 1);
        assert_eq!(milliseconds(Duration::from_millis(2)), 2);
        assert_eq!(milliseconds(Duration::MAX), u64::MAX);
    }
}
