//! One run of a guest: a fresh store, a fresh instance, one call of its entry point, and what came of it.

pub(crate) mod limits;
mod outcome;
mod sandbox;

pub use outcome::{Ending, Outcome};
pub use sandbox::Mount;
pub(crate) use sandbox::Sandbox;

use crate::engine::queue::Refused;
use crate::guest::LoadedModule;
use crate::guest::command::{self, Call};
use crate::host::files::Files;
use crate::host::{Host, RunIo, SharedIo, Stop, StringList};
use limits::Limits;
use std::sync::Arc;
use std::time::Duration;

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
    /// Descriptors at a time, standard streams and mounts among them.
    pub max_descriptors: usize,
    /// Whether the guest may make symbolic links.
    pub allow_symlinks: bool,
    /// Whether the call stack of a trap is wanted.
    pub backtrace: bool,
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
        let mut files = Files::new(self.options.max_descriptors, self.options.allow_symlinks);
        for mount in &self.options.mounts {
            if let Err(message) = mount.show(&engine.mounts, &mut files) {
                return Outcome::not_started(Ending::MountFailed(message));
            }
        }
        let mut sandbox = Sandbox::new(&io, files, limits);
        sandbox.args = self.options.args;
        sandbox.env = self.options.env;
        let call = Call {
            entry_point: &self.options.entry_point,
            backtrace: self.options.backtrace,
        };
        let (ending, memory_refused) = command::run(&self.module, sandbox, &call);
        let mut io = io.lock();
        Outcome {
            // Whatever the guest made of it: once the host wanted to end the run, that is why it ended.
            ending: io.stopped().map_or(ending, Ending::Stopped),
            tail: io.take_tail(),
            memory_refused,
        }
    }
}
