//! The engine of a serving process. Made once for each child, after it was forked: its signal handlers would not survive
//! in the parent, nor its threads in the child.

pub mod features;
mod pool;
mod processor;
pub(crate) mod queue;
pub(crate) mod scattered_pages;
pub mod settings;
mod swap;
pub(crate) mod ticker;
pub(crate) mod watch;
mod written_pages;

use crate::artifact::{Metadata, Needs};
use crate::error::{Error, Result, one_line};
use crate::host::linker;
use crate::host::scratch::Slots;
use crate::mounts::MountTable;
use crate::run::Sandbox;
use queue::Queue;
use settings::{Interruption, Settings, Target, compatibility};
use std::path::Path;
use std::sync::{Arc, OnceLock};
use tokio::runtime::{Builder, Runtime};
use wasmtime::{Engine, Linker};
use watch::Watches;

pub use written_pages::open as open_written_pages;

/// Engine, pool, admission and ticker.
pub struct ServingEngine {
    pub(crate) engine: Engine,
    pub(crate) linker: Linker<Sandbox>,
    pub(crate) queue: Arc<Queue>,
    pub(crate) mounts: Arc<MountTable>,
    pub(crate) watches: Arc<Watches>,
    /// Where runs have their scratch directories.
    pub(crate) scratch: Option<Arc<Slots>>,
    /// Entered by each run, so that WASI finds a runtime and does not start one with threads of its own. It is never
    /// driven: every operation completes at once on the thread of the run.
    pub(crate) tokio: Runtime,
    /// Bytes that a slot keeps of a memory, where just the written pages of that are cleared; otherwise 0.
    pub(crate) kept: usize,
    warning: String,
    note: &'static str,
    /// The engine's word on code for the baseline, once a module of that kind is loaded.
    baseline: OnceLock<String>,
}

impl ServingEngine {
    /// An engine for at most `max_instances` guests at a time of modules that need no more than `needs`, with mounts of a table.
    /// `scratch` is the directory in which guests have scratch directories, and how many at a time; without it they can have none.
    /// Code of a guest may use `stack` bytes of a thread's.
    pub fn new(
        needs: &Needs,
        max_instances: u32,
        stack: usize,
        mounts: Arc<MountTable>,
        scratch: Option<(&Path, u32)>,
    ) -> Result<Arc<Self>> {
        let (engine, mut remarks) = pool::make_engine(needs, max_instances, stack)?;
        let scratch = scratch.map(|(path, count)| Slots::open(path, count, &mut remarks.warnings));
        let linker = linker::new(&engine).map_err(|error| Error::Engine(one_line(&error)))?;
        let tokio = Builder::new_current_thread()
            .build()
            .map_err(|error| Error::Engine(error.to_string()))?;
        let queue = Queue::new(max_instances as usize);
        let watches = Arc::default();
        let started = match Settings::of_this_process().interruption() {
            Interruption::Epochs => ticker::advance_epochs(&engine, &queue),
            Interruption::Page => ticker::look_at(&watches, &queue),
        };
        started.map_err(|error| Error::Engine(error.to_string()))?;
        Ok(Arc::new(ServingEngine {
            engine,
            linker,
            queue,
            mounts,
            watches,
            scratch,
            tokio,
            kept: remarks.kept,
            warning: remarks.warnings.join("; "),
            note: remarks.note,
            baseline: OnceLock::new(),
        }))
    }

    /// Whether code can be mapped into this engine. The engine itself looks no further than its major version.
    pub fn check(&self, metadata: &Metadata) -> Result<()> {
        let own = match metadata.key.target {
            Target::Native => compatibility(&self.engine),
            Target::Baseline => self.baseline()?,
        };
        let interruption = match metadata.checks {
            Some(_) => Interruption::Page,
            None => Interruption::Epochs,
        };
        let wanted = Settings::of_this_process().interruption();
        if own == metadata.compatibility && interruption == wanted {
            return Ok(());
        }
        Err(Error::Engine(
            "its code was compiled by an engine that differs from the one of this process"
                .to_owned(),
        ))
    }

    fn baseline(&self) -> Result<String> {
        if let Some(known) = self.baseline.get() {
            return Ok(known.clone());
        }
        let config = Settings::of_this_process().config(Target::Baseline);
        let engine = config.and_then(|config| Engine::new(&config));
        let engine = engine.map_err(|error| Error::Engine(one_line(&error)))?;
        Ok(self.baseline.get_or_init(|| compatibility(&engine)).clone())
    }

    /// One line for the log about what can be put right, or nothing.
    pub fn warning(&self) -> &str {
        &self.warning
    }

    /// One line for the log about what this machine lacks, or nothing.
    pub fn note(&self) -> &'static str {
        self.note
    }

    /// Ends all runs and refuses new ones.
    pub fn stop(&self) {
        self.queue.stop();
    }
}

impl Drop for ServingEngine {
    fn drop(&mut self) {
        self.stop();
    }
}
