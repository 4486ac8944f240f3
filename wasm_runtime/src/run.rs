//! One run of a guest: a fresh store, a fresh instance, one call of its entry point, and what came of it.

use crate::error::one_line;
use crate::limits::Limits;
use crate::linker::Exit;
use crate::module::LoadedModule;
use crate::queue::Refused;
use crate::sandbox::{Mount, Sandbox};
use crate::stdio::{Host, RunIo, SharedIo, Stop};
use crate::strings::StringList;
use std::sync::Arc;
use std::time::Duration;
use wasmtime::{Store, Trap, UpdateDeadline, WasmBacktrace};

/// The entry point of a WASI command.
pub const DEFAULT_ENTRY_POINT: &str = "_start";

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
        let limits = Limits::new(self.options.memory_limit);
        let mut sandbox = match Sandbox::new(&io, &self.options.mounts, limits) {
            Ok(sandbox) => sandbox,
            Err(message) => return Outcome::not_started(Ending::MountFailed(message)),
        };
        sandbox.args = self.options.args;
        sandbox.env = self.options.env;
        let (ending, memory_refused) = call(&self.module, sandbox, &self.options.entry_point);
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

/// Returns how the guest ended and whether it was refused memory; its store is gone by then.
fn call(module: &LoadedModule, sandbox: Sandbox, entry_point: &str) -> (Ending, bool) {
    let mut store = Store::new(&module.engine.engine, sandbox);
    store.limiter(|sandbox| &mut sandbox.limits);
    store.set_epoch_deadline(1);
    store.epoch_deadline_callback(|context| {
        let mut io = context.data().io.lock();
        let go_on = io.check().and_then(|()| io.flush_stale());
        go_on
            .map(|()| UpdateDeadline::Continue(1))
            .map_err(Stop::into_trap)
    });
    let ending = instantiate_and_call(module, &mut store, entry_point);
    let memory_refused = store.data().limits.memory_refused;
    (ending, memory_refused)
}

fn instantiate_and_call(
    module: &LoadedModule,
    store: &mut Store<Sandbox>,
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
