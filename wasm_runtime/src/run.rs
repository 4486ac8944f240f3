//! One run of a guest: a fresh store, a fresh instance, one call of its entry point, and what came of it.

pub(crate) mod budget;
mod outcome;
mod sandbox;

pub use budget::{Exceeded, Limit, Limits};
pub use outcome::{Ending, Outcome};
pub use sandbox::Mount;
pub(crate) use sandbox::{Mounts, Sandbox};

use crate::engine::queue::Refused;
use crate::guest::LoadedModule;
use crate::guest::command::{self, Call};
use crate::host::files::Files;
use crate::host::{Host, RunIo, Stop, StringList};
use budget::Budget;
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
    /// The guest path of a private scratch directory.
    pub scratch: Option<String>,
    /// Empty: the one that the module has for it.
    pub entry_point: String,
    /// How long to wait for a free instance.
    pub queue_timeout: Duration,
    pub limits: Limits,
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
                return Outcome::not_started(Ending::Stopped {
                    stop: Stop::ServerStopping,
                    doing: String::new(),
                });
            }
        };
        let _runtime = engine.tokio.enter();
        let budget = Budget::new(self.options.limits);
        let io = RunIo::new(self.host, Arc::clone(&engine.queue), budget);
        let files = Files::new(self.options.allow_symlinks);
        let mounts = Mounts {
            directories: &self.options.mounts,
            table: &engine.mounts,
            scratch: self
                .options
                .scratch
                .as_deref()
                .map(|guest| (guest, engine.scratch.as_ref())),
        };
        let mut sandbox = match Sandbox::new(io, files, &mounts, self.module.clock()) {
            Ok(sandbox) => sandbox,
            Err(message) => return Outcome::not_started(Ending::MountFailed(message)),
        };
        sandbox.args = self.options.args;
        sandbox.env = self.options.env;
        let call = Call {
            entry_point: match self.options.entry_point.as_str() {
                "" => self.module.entry_point,
                name => name,
            },
            backtrace: self.options.backtrace,
        };
        let (ending, sandbox) = command::run(&self.module, sandbox, &call);
        conclude(ending, sandbox)
    }
}

fn conclude(ending: Ending, sandbox: Sandbox) -> Outcome {
    let doing = sandbox.doing();
    let mut io = sandbox.io;
    if let Some(count) = sandbox.files.found_no_scratch_of() {
        io.budget.no_scratch_of(count);
    }
    // What it wrote for itself is gone before its end is known.
    drop(sandbox.files);
    Outcome {
        // Whatever the guest made of it: once the host wanted to end the run, that is why it ended.
        ending: match io.stopped() {
            Some(stop) => Ending::Stopped { stop, doing },
            None => ending,
        },
        tail: io.take_tail(),
        exceeded: io.budget.into_exceeded(),
    }
}
