//! One run of a guest: a fresh store, a fresh instance, one call of its entry point, and what came of it.

use crate::error::one_line;
use crate::limits::{Limits, MAX_HOST_RESOURCES, MAX_RANDOM_BYTES};
use crate::linker::Exit;
use crate::module::LoadedModule;
use crate::queue::Refused;
use crate::stdio::{Host, RunIo, SharedIo, Stderr, Stdin, Stdout, Stop};
use crate::strings::StringList;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use wasmtime::{Store, Trap, UpdateDeadline, WasmBacktrace};
use wasmtime_wasi::p1::WasiP1Ctx;
use wasmtime_wasi::{FsPerms, HostMonotonicClock, WasiCtx, WasiView};

/// The entry point of a WASI command.
pub const DEFAULT_ENTRY_POINT: &str = "_start";

/// A host directory as the guest sees it.
#[derive(Debug)]
pub struct Mount {
    pub guest: String,
    /// Bytes of the host path.
    pub host: Vec<u8>,
    pub read_only: bool,
}

/// Everything that is particular to one run.
pub struct Options {
    /// `argv`, the program's name included.
    pub args: StringList,
    /// `NAME=value`.
    pub env: StringList,
    pub mounts: Vec<Mount>,
    pub entry_point: String,
    /// Wall-clock time, counted from the start of the run; `None`: no limit.
    pub timeout: Option<Duration>,
    /// How long to wait for a free instance.
    pub queue_timeout: Duration,
    /// Bytes of linear memory.
    pub memory_limit: usize,
}

/// How a run ended. Messages are one line.
#[derive(Debug, PartialEq, Eq)]
pub enum Ending {
    /// The entry point returned (0), or the guest called `proc_exit`.
    Exited(i32),
    Trapped {
        message: String,
        /// The guest's call stack, in several lines.
        backtrace: String,
    },
    Stopped(Stop),
    QueueTimeout,
    /// The module needs more memory than allowed before it can start.
    MemoryLimit(String),
    MountFailed(String),
    NoEntryPoint(String),
    StartFailed(String),
}

/// The result of a run.
#[derive(Debug)]
pub struct Outcome {
    pub ending: Ending,
    /// Output that the host was not given yet: the end of the response.
    pub tail: Vec<u8>,
    /// The memory limit refused memory at least once.
    pub memory_refused: bool,
}

/// What host functions find in the store.
pub(crate) struct RunState {
    pub(crate) wasi: WasiP1Ctx,
    pub(crate) io: SharedIo,
    pub(crate) args: StringList,
    pub(crate) env: StringList,
    pub(crate) started: Instant,
    limits: Limits,
}

/// One run, to be executed once.
pub struct Run {
    module: Arc<LoadedModule>,
    options: Options,
    host: Box<dyn Host>,
}

impl Run {
    pub fn new(module: Arc<LoadedModule>, options: Options, host: Box<dyn Host>) -> Self {
        Run {
            module,
            options,
            host,
        }
    }

    /// Runs the guest on this thread and returns when it has ended and its sandbox is gone.
    pub fn execute(self) -> Outcome {
        let engine = Arc::clone(&self.module.engine);
        // Declared first, so that the place is given back after the store is gone.
        let _permit = match engine.queue.enter(self.options.queue_timeout) {
            Ok(permit) => permit,
            Err(Refused::TimedOut) => return Outcome::not_started(Ending::QueueTimeout),
            Err(Refused::Stopped) => {
                return Outcome::not_started(Ending::Stopped(Stop::ServerStopping));
            }
        };
        let _runtime = engine.tokio.enter();
        let queue = Arc::clone(&engine.queue);
        let io = SharedIo::new(RunIo::new(self.host, queue, self.options.timeout));
        let started = Instant::now();
        let wasi = match wasi(&io, &self.options.mounts, started) {
            Ok(wasi) => wasi,
            Err(message) => return Outcome::not_started(Ending::MountFailed(message)),
        };
        let state = RunState {
            wasi,
            io: io.clone(),
            args: self.options.args,
            env: self.options.env,
            started,
            limits: Limits::new(self.options.memory_limit, engine.table_elements),
        };
        let (ending, memory_refused) = call(&self.module, state, &self.options.entry_point);
        let mut io = io.lock();
        Outcome {
            // Whatever the guest made of it: once the host wanted to end the run, that is why it ended.
            ending: io.stopped().map_or(ending, Ending::Stopped),
            tail: io.take_tail(),
            memory_refused,
        }
    }
}

impl Outcome {
    fn not_started(ending: Ending) -> Self {
        Outcome {
            ending,
            tail: Vec::new(),
            memory_refused: false,
        }
    }
}

/// A clock whose zero `poll_oneoff` knows, for absolute times.
struct Clock(Instant);

impl HostMonotonicClock for Clock {
    fn resolution(&self) -> u64 {
        1
    }

    fn now(&self) -> u64 {
        u64::try_from(self.0.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }
}

fn wasi(io: &SharedIo, mounts: &[Mount], started: Instant) -> Result<WasiP1Ctx, String> {
    let mut builder = WasiCtx::builder();
    builder
        .stdin(Stdin(io.clone()))
        .stdout(Stdout(io.clone()))
        .stderr(Stderr(io.clone()))
        .monotonic_clock(Clock(started))
        .max_random_size(MAX_RANDOM_BYTES)
        .allow_tcp(false)
        .allow_udp(false)
        // File operations run on this thread instead of being handed to a thread pool.
        .allow_blocking_current_thread(true);
    for mount in mounts {
        let host = Path::new(OsStr::from_bytes(&mount.host));
        let permissions = if mount.read_only {
            FsPerms::ReadOnly
        } else {
            FsPerms::ReadWrite
        };
        builder
            .preopened_dir(host, &mount.guest, permissions)
            .map_err(|error| format!("{}: {}", host.display(), one_line(&error)))?;
    }
    let mut wasi = builder.build_p1();
    wasi.ctx().table.set_max_capacity(MAX_HOST_RESOURCES);
    Ok(wasi)
}

/// Returns how the guest ended and whether it was refused memory; its store is gone by then.
fn call(module: &LoadedModule, state: RunState, entry_point: &str) -> (Ending, bool) {
    let mut store = Store::new(&module.engine.engine, state);
    store.limiter(|state| &mut state.limits);
    store.set_epoch_deadline(1);
    store.epoch_deadline_callback(|context| {
        let mut io = context.data().io.lock();
        let go_on = io.check().and_then(|()| io.flush_stale());
        match go_on {
            Ok(()) => Ok(UpdateDeadline::Continue(1)),
            Err(stop) => Err(wasmtime::Error::msg(format!("ended by the host: {stop:?}"))),
        }
    });
    let ending = instantiate_and_call(module, &mut store, entry_point);
    let memory_refused = store.data().limits.memory_refused;
    (ending, memory_refused)
}

fn instantiate_and_call(
    module: &LoadedModule,
    store: &mut Store<RunState>,
    entry_point: &str,
) -> Ending {
    let instance = match module.instance_pre.instantiate(&mut *store) {
        Ok(instance) => instance,
        Err(error) if store.data().limits.memory_refused => {
            return Ending::MemoryLimit(one_line(&error));
        }
        Err(error) => return start_failure(&error),
    };
    let entry = match instance.get_typed_func::<(), ()>(&mut *store, entry_point) {
        Ok(entry) => entry,
        Err(error) => return Ending::NoEntryPoint(one_line(&error)),
    };
    match entry.call(&mut *store, ()) {
        Ok(()) => Ending::Exited(0),
        Err(error) => failure(&error),
    }
}

/// A module's start function may already trap or exit.
fn start_failure(error: &wasmtime::Error) -> Ending {
    if error.is::<Exit>() || error.is::<Trap>() {
        return failure(error);
    }
    Ending::StartFailed(one_line(error))
}

fn failure(error: &wasmtime::Error) -> Ending {
    if let Some(Exit(status)) = error.downcast_ref() {
        return Ending::Exited(*status);
    }
    let message = match error.downcast_ref::<Trap>() {
        Some(trap) => trap.to_string(),
        None => error.root_cause().to_string(),
    };
    let backtrace = error
        .downcast_ref::<WasmBacktrace>()
        .map(ToString::to_string)
        .unwrap_or_default();
    Ending::Trapped { message, backtrace }
}
