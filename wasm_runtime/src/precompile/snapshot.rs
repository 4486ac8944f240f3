//! A snapshot: a module whose initialiser has run once. What it left in memories and globals is the initial state of a new
//! module, which each request begins with.

use super::compile::{Checked, Compiler};
use crate::artifact::{Order, SnapshotFacts};
use crate::engine::queue::Queue;
use crate::engine::ticker;
use crate::error::{Error, Result, one_line};
use crate::guest::command::{INITIALIZE, store};
use crate::host::files::{Files, Kind};
use crate::host::linker::Exit;
use crate::host::{Clock, Host, RunIo, Stop};
use crate::mounts::MountTable;
use crate::run::budget::Budget;
use crate::run::{Limit, Limits, Mount, Mounts, Sandbox};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use wasmtime::{Instance, Module, Store, Val};
use wasmtime_wizer::{InstanceState, SnapshotVal, ValType, Wizer};

impl Compiler {
    /// Runs the initialiser of a module on this thread, and takes a snapshot: a new module, and what is to be known of it. The
    /// initialiser has no input, and can change nothing.
    ///
    /// # Errors
    /// One line: why the module cannot be snapshotted, or how the initialiser failed, with what it printed last.
    pub fn snapshot(
        &self,
        checked: &Checked<'_>,
        order: &Order,
    ) -> Result<(Vec<u8>, SnapshotFacts)> {
        let mut wizer = Wizer::new();
        // Exports stay what they are: any of them may be the entry point.
        wizer.init_func(&order.initializer).keep_init_func(true);
        let (context, instrumented) = wizer
            .instrument(checked.wasm)
            .map_err(|error| refused(&error))?;
        let module = Module::from_binary(&self.engine, &instrumented)
            .map_err(|error| Error::Module(format!("cannot be compiled: {}", one_line(&error))))?;
        let mut run = Initialization::start(self, order)?;
        let called = run.call(self, &module, &order.initializer);
        let instance = called.map_err(|error| run.failed(order, &error))?;
        run.check_open(order)?;
        let state = &mut State {
            store: &mut run.store,
            instance,
        };
        let wasm = run
            .tokio
            .block_on(wizer.snapshot(&context, state))
            .map_err(|error| refused(&error))?;
        let memory = self.check(&wasm)?.findings.facts.minimum_memory;
        Ok((wasm, run.into_facts(order, memory)))
    }
}

fn refused(error: &wasmtime::Error) -> Error {
    Error::Module(format!("no snapshot can be taken: {}", one_line(error)))
}

/// The one run of an initialiser.
struct Initialization {
    store: Store<Sandbox>,
    words: Words,
    queue: Arc<Queue>,
    tokio: tokio::runtime::Runtime,
}

impl Initialization {
    fn start(compiler: &Compiler, order: &Order) -> Result<Self> {
        let failed = |error: std::io::Error| Error::Compile(error.to_string());
        let tokio = tokio::runtime::Builder::new_current_thread()
            .build()
            .map_err(failed)?;
        let queue = Queue::new(1);
        ticker::start(&compiler.engine, &queue).map_err(failed)?;
        let words = Words::default();
        let budget = Budget::new(Limits {
            time: order.time,
            memory: order.memory,
            descriptors: order.descriptors,
            ..Limits::UNLIMITED
        });
        let io = RunIo::new(Box::new(words.clone()), Arc::clone(&queue), budget);
        let table = MountTable::writable(order.writable.iter().cloned());
        let mounts = Mounts {
            directories: &mounts(order),
            table: &table,
            scratch: order.given.scratch.as_deref().map(|guest| (guest, None)),
        };
        let sandbox = Sandbox::new(io, Files::new(false), &mounts, Clock::new());
        let mut sandbox = sandbox.map_err(Error::Module)?;
        for variable in &order.given.env {
            sandbox.env.push(&[variable]);
        }
        sandbox.observer = Some(Box::default());
        Ok(Initialization {
            store: store(&compiler.engine, sandbox),
            words,
            queue,
            tokio,
        })
    }

    fn call(
        &mut self,
        compiler: &Compiler,
        module: &Module,
        initializer: &str,
    ) -> wasmtime::Result<Instance> {
        let _runtime = self.tokio.enter();
        let _permit = self.queue.enter(Duration::ZERO);
        let instance = compiler.linker.instantiate(&mut self.store, module)?;
        if instance.get_func(&mut self.store, INITIALIZE).is_some() {
            let reactor = instance.get_typed_func::<(), ()>(&mut self.store, INITIALIZE)?;
            reactor.call(&mut self.store, ())?;
        }
        let function = instance.get_typed_func::<(), ()>(&mut self.store, initializer)?;
        function.call(&mut self.store, ())?;
        Ok(instance)
    }

    fn failed(&mut self, order: &Order, error: &wasmtime::Error) -> Error {
        let io = &mut self.store.data_mut().io;
        let _ = io.flush();
        let cause = match (io.stopped(), error.downcast_ref()) {
            (Some(Stop::Limit(Limit::Time)), _) => {
                format!("it took longer than {} s", order.time.as_secs_f64())
            }
            // Whoever ends the program goes on nowhere.
            (_, Some(Exit(status))) => format!("it ended the program, with exit status {status}"),
            _ => error.root_cause().to_string(),
        };
        let refused = match io.budget.has_exceeded(Limit::Memory) {
            true => format!("; it was refused more memory than {} bytes", order.memory),
            false => String::new(),
        };
        let words = match self.words.last() {
            silence if silence.is_empty() => silence,
            said => format!("; it said: {said}"),
        };
        let initializer = &order.initializer;
        Error::Module(format!("{initializer} failed: {cause}{refused}{words}"))
    }

    /// What is open in a snapshot would be open in no run, and what has another number would be found there by none.
    fn check_open(&self, order: &Order) -> Result<()> {
        let Sandbox {
            files, observer, ..
        } = self.store.data();
        let Some(fd) = files.first_stray(&order.given.all_mounts()) else {
            return Ok(());
        };
        let stray = match (files.kind(fd), files.mount_path(fd)) {
            (_, Ok(mount)) => {
                format!("the directory {mount} as descriptor {fd}: no run finds it there")
            }
            (Ok(Kind::Stdin | Kind::Stdout | Kind::Stderr), _) => {
                format!("a standard stream as descriptor {fd}: no run finds it there")
            }
            _ => {
                let path = observer.as_ref().map(|observer| observer.path_of(fd));
                let path = path.unwrap_or_default();
                format!("{path} open: a snapshot holds no open files")
            }
        };
        Err(Error::Module(format!(
            "{} leaves {stray}",
            order.initializer
        )))
    }

    fn into_facts(self, order: &Order, memory: u64) -> SnapshotFacts {
        let Sandbox {
            observer,
            mut files,
            mut io,
            clock,
            ..
        } = self.store.into_data();
        let has_exceeded = |limit| io.budget.has_exceeded(limit);
        let refused_memory = has_exceeded(Limit::Memory).then_some(order.memory);
        let refused_descriptors = has_exceeded(Limit::Descriptors).then_some(order.descriptors);
        let sights = observer.map(|it| it.into_sights(&mut files, &mut io.budget));
        let sights = sights.unwrap_or_default();
        SnapshotFacts {
            given: order.given.clone(),
            found_in: order.found_in(&sights),
            sights,
            refused_memory,
            refused_descriptors,
            memory,
            said: self.words.last(),
            clock: clock.frozen(),
            sha256: String::new(),
        }
    }
}

fn mounts(order: &Order) -> Vec<Mount> {
    let both = order.given.mounts.iter().zip(&order.hosts);
    both.map(|(guest, host)| Mount {
        guest: guest.clone(),
        host: host.clone(),
        read_only: true,
    })
    .collect()
}

/// Bytes of what an initialiser printed that are told.
const LAST_WORDS: usize = 1024;

/// Keeps what an initialiser prints, for a message.
#[derive(Clone, Default)]
struct Words(Arc<Mutex<Vec<u8>>>);

impl Words {
    fn hear(&self, data: &[u8]) {
        let mut said = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        said.extend_from_slice(data);
        let surplus = said.len().saturating_sub(LAST_WORDS);
        said.drain(..surplus);
    }

    /// On one line; empty when nothing was said.
    fn last(&self) -> String {
        let said = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let text = String::from_utf8_lossy(&said);
        let words: Vec<_> = text.split_whitespace().collect();
        words.join(" ").replace(char::is_control, "?")
    }
}

impl Host for Words {
    fn read(
        &mut self,
        _buffer: &mut [u8],
        _patience: Duration,
    ) -> std::result::Result<usize, Stop> {
        Ok(0)
    }

    fn write(
        &mut self,
        data: &[u8],
        _flush: bool,
        _patience: Duration,
    ) -> std::result::Result<(), Stop> {
        self.hear(data);
        Ok(())
    }

    fn write_error(&mut self, data: &[u8], _patience: Duration) -> std::result::Result<(), Stop> {
        self.hear(data);
        Ok(())
    }

    fn is_connected(&mut self) -> bool {
        true
    }

    /// What is printed goes to no log, so nothing slows it down.
    fn is_direct(&self) -> bool {
        true
    }
}

/// What the snapshotter reads of an instance. The names are those of its own exports.
struct State<'a> {
    store: &'a mut Store<Sandbox>,
    instance: Instance,
}

impl InstanceState for State<'_> {
    async fn global_get(&mut self, name: &str, _: ValType) -> SnapshotVal {
        let global = self.instance.get_global(&mut *self.store, name);
        let value = global.expect("it was exported").get(&mut *self.store);
        match value {
            Val::I32(value) => SnapshotVal::I32(value),
            Val::I64(value) => SnapshotVal::I64(value),
            Val::F32(value) => SnapshotVal::F32(value),
            Val::F64(value) => SnapshotVal::F64(value),
            Val::V128(value) => SnapshotVal::V128(value.as_u128()),
            _ => unreachable!("modules with such globals were refused"),
        }
    }

    async fn memory_contents(&mut self, name: &str, contents: impl FnOnce(&[u8]) + Send) {
        let memory = self.instance.get_memory(&mut *self.store, name);
        contents(memory.expect("it was exported").data(&self.store));
    }
}

#[cfg(test)]
mod tests;
