//! A snapshot: a module whose initialiser has run once. What it left in memories and globals is the initial state of a new
//! module, which each request begins with.

use super::compile::{Checked, Compiler};
use crate::artifact::SnapshotFacts;
use crate::engine::queue::Queue;
use crate::engine::ticker;
use crate::error::{Error, Result, one_line};
use crate::guest::command::{INITIALIZE, store};
use crate::host::files::Files;
use crate::host::sights::{Observer, Sights};
use crate::host::{Clock, Frozen, Host, RunIo, Stop};
use crate::mounts::MountTable;
use crate::run::budget::Budget;
use crate::run::{Limit, Limits, Mount, Sandbox};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use wasmtime::{Instance, Module, Store, Val};
use wasmtime_wizer::{InstanceState, SnapshotVal, ValType, Wizer};

/// What an initialiser finds around itself. No input, and nothing that it could change.
pub struct Surroundings {
    pub mounts: Vec<Mount>,
    /// Host paths that some program may write to: no link in there leads to a mount.
    pub writable: Vec<Vec<u8>>,
    /// `NAME=value`.
    pub env: Vec<Vec<u8>>,
    /// How long it may take.
    pub time: Duration,
    /// Bytes of memory that it may use.
    pub memory: u64,
}

impl Compiler {
    /// Runs the function `initializer` of a module on this thread, and takes a snapshot: a new module and what is to be known of it.
    ///
    /// # Errors
    /// One line: why the module cannot be snapshotted, or how the initialiser failed, with what it printed last.
    pub fn snapshot(
        &self,
        checked: &Checked<'_>,
        initializer: &str,
        around: Surroundings,
    ) -> Result<(Vec<u8>, SnapshotFacts)> {
        let mut wizer = Wizer::new();
        wizer.init_func(initializer);
        let (context, instrumented) = wizer
            .instrument(checked.wasm)
            .map_err(|error| refused(&error))?;
        let module = Module::from_binary(&self.engine, &instrumented)
            .map_err(|error| Error::Module(format!("cannot be compiled: {}", one_line(&error))))?;
        let mut facts = SnapshotFacts {
            module: checked.findings.key.module.clone(),
            version: crate::VERSION.to_owned(),
            initializer: initializer.to_owned(),
            env: around.env.clone(),
            sights: Sights::new(),
            clock: Frozen::default(),
            sha256: String::new(),
        };
        let mut run = Initialization::start(self, around)?;
        let called = run.call(self, &module, initializer);
        let instance = called.map_err(|error| run.failed(initializer, &error))?;
        run.check_open(initializer)?;
        let state = &mut State {
            store: &mut run.store,
            instance,
        };
        let wasm = run
            .tokio
            .block_on(wizer.snapshot(&context, state))
            .map_err(|error| refused(&error))?;
        facts.clock = run.store.data().clock.frozen();
        facts.sights = run.into_sights();
        Ok((wasm, facts))
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
    fn start(compiler: &Compiler, around: Surroundings) -> Result<Self> {
        let failed = |error: std::io::Error| Error::Compile(error.to_string());
        let tokio = tokio::runtime::Builder::new_current_thread()
            .build()
            .map_err(failed)?;
        let queue = Queue::new(1);
        ticker::start(&compiler.engine, &queue).map_err(failed)?;
        let words = Words::default();
        let io = RunIo::new(
            Box::new(words.clone()),
            Arc::clone(&queue),
            Budget::new(Limits {
                time: around.time,
                memory: around.memory,
                ..Limits::UNLIMITED
            }),
        );
        let table = MountTable::writable(around.writable);
        let mut sandbox = Sandbox::new(io, Files::new(false), &around.mounts, &table, Clock::new())
            .map_err(Error::Module)?;
        for variable in &around.env {
            sandbox.env.push(&[variable]);
        }
        sandbox.observer = Some(Observer::default());
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

    fn failed(&mut self, initializer: &str, error: &wasmtime::Error) -> Error {
        let io = &mut self.store.data_mut().io;
        let _ = io.flush();
        let cause = match io.stopped() {
            Some(Stop::Limit(Limit::Time)) => "it took too long".to_owned(),
            Some(Stop::Limit(Limit::Cpu)) => "it used too much processor time".to_owned(),
            _ => error.root_cause().to_string(),
        };
        let words = self.words.last();
        Error::Module(format!("{initializer} failed: {cause}{words}"))
    }

    /// What is open in a snapshot would be open in no run.
    fn check_open(&self, initializer: &str) -> Result<()> {
        let Sandbox {
            files, observer, ..
        } = self.store.data();
        let beyond = files.numbers().find(|fd| files.mount_path(*fd).is_err());
        let Some(fd) = beyond else {
            return Ok(());
        };
        let name = observer.as_ref().map(|observer| observer.path_of(fd));
        Err(Error::Module(format!(
            "{initializer} leaves {} open: a snapshot holds no open files",
            name.unwrap_or_default()
        )))
    }

    fn into_sights(self) -> Sights {
        let observer = self.store.into_data().observer;
        observer.map(Observer::into_sights).unwrap_or_default()
    }
}

/// Bytes of what an initialiser printed that its failure repeats.
const LAST_WORDS: usize = 1024;

/// Keeps what an initialiser prints, for the message when it fails.
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
        if words.is_empty() {
            return String::new();
        }
        let line = words.join(" ").replace(char::is_control, "?");
        format!("; it said: {line}")
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

    fn write_error(&mut self, data: &[u8]) {
        self.hear(data);
    }

    fn is_connected(&mut self) -> bool {
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
mod tests {
    use super::*;
    use crate::engine::settings::Target;
    use std::path::Path;

    fn surroundings(directory: &Path) -> Surroundings {
        Surroundings {
            mounts: vec![Mount {
                guest: "/app".to_owned(),
                host: directory.as_os_str().as_encoded_bytes().to_owned(),
                read_only: true,
            }],
            writable: Vec::new(),
            env: vec![b"NAME=value".to_vec()],
            time: Duration::from_secs(2),
            memory: 64 << 20,
        }
    }

    fn snapshot_in(directory: &Path, body: &str) -> Result<(Vec<u8>, SnapshotFacts)> {
        let wat = format!(
            r#"(module
              (import "wasi_snapshot_preview1" "path_open"
                (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
              (import "wasi_snapshot_preview1" "path_filestat_get"
                (func $stat (param i32 i32 i32 i32 i32) (result i32)))
              (import "wasi_snapshot_preview1" "fd_close" (func $close (param i32) (result i32)))
              (import "wasi_snapshot_preview1" "fd_readdir"
                (func $list (param i32 i32 i32 i64 i32) (result i32)))
              (import "wasi_snapshot_preview1" "fd_write"
                (func $write (param i32 i32 i32 i32) (result i32)))
              (memory (export "memory") 1)
              (global $count (mut i32) (i32.const 0))
              (data (i32.const 0) "folder/file")
              (data (i32.const 32) "\40\00\00\00\0a\00\00\00")
              (data (i32.const 64) "last words")
              (func (export "_start"))
              {body})"#
        );
        let wasm = wat::parse_str(wat).unwrap();
        let compiler = Compiler::new(Target::Native)?;
        let checked = compiler.check(&wasm)?;
        let snapshot = compiler.snapshot(&checked, "wizer-initialize", surroundings(directory))?;
        // What came of it is a module that can be compiled as any other.
        compiler.check(&snapshot.0)?;
        Ok(snapshot)
    }

    const OPEN: &str = "(drop (call $open (i32.const 3) (i32.const 1) (i32.const 0) (i32.const 11) (i32.const 0) \
                        (i64.const 2) (i64.const 0) (i32.const 0) (i32.const 1024)))";

    fn initializer(body: &str) -> String {
        format!(r#"(func (export "wizer-initialize") {body})"#)
    }

    fn place() -> tempfile::TempDir {
        let place = tempfile::tempdir().unwrap();
        std::fs::create_dir(place.path().join("folder")).unwrap();
        std::fs::write(place.path().join("folder/file"), "content").unwrap();
        place
    }

    fn holds(snapshot: &(Vec<u8>, SnapshotFacts), directory: &Path) -> bool {
        let budget = Budget::new(Limits::UNLIMITED);
        let words = Box::new(Words::default());
        let io = RunIo::new(words, Queue::new(1), Budget::new(Limits::UNLIMITED));
        let mounts = surroundings(directory).mounts;
        let mut sandbox = Sandbox::new(
            io,
            Files::new(false),
            &mounts,
            &MountTable::default(),
            Clock::new(),
        )
        .unwrap();
        crate::host::sights::hold(&snapshot.1.sights, &mut sandbox.files, &budget)
    }

    #[test]
    fn memory_and_globals_begin_with_what_the_initializer_left() {
        let place = place();
        let body =
            "(global.set $count (i32.const 7)) (i32.store (i32.const 200) (i32.const 0x11223344))";
        let snapshot = snapshot_in(place.path(), &initializer(body)).unwrap();
        assert!(snapshot.1.sights.is_empty());
        assert!(
            snapshot
                .0
                .windows(4)
                .any(|bytes| bytes == [0x44, 0x33, 0x22, 0x11])
        );
    }

    #[test]
    fn a_snapshot_is_good_as_long_as_what_was_seen_is_the_same() {
        let place = place();
        let file = place.path().join("folder/file");
        let body = format!("{OPEN} (drop (call $close (i32.const 4)))");
        let snapshot = snapshot_in(place.path(), &initializer(&body)).unwrap();
        assert_eq!(snapshot.1.sights.len(), 1);
        assert!(holds(&snapshot, place.path()));
        std::fs::write(place.path().join("folder/other"), "").unwrap();
        assert!(holds(&snapshot, place.path()), "nobody looked at that");
        std::fs::write(&file, "changed").unwrap();
        assert!(!holds(&snapshot, place.path()));
        std::fs::remove_file(&file).unwrap();
        assert!(!holds(&snapshot, place.path()));
    }

    #[test]
    fn what_was_missing_has_to_be_missing() {
        let place = place();
        std::fs::remove_file(place.path().join("folder/file")).unwrap();
        let snapshot = snapshot_in(place.path(), &initializer(OPEN)).unwrap();
        assert!(holds(&snapshot, place.path()));
        std::fs::write(place.path().join("folder/file"), "new").unwrap();
        assert!(!holds(&snapshot, place.path()));
    }

    #[test]
    fn a_listed_folder_has_to_have_the_same_entries() {
        let place = place();
        let body = "(drop (call $list (i32.const 3) (i32.const 2048) (i32.const 100) (i64.const 0) (i32.const 1024)))";
        let snapshot = snapshot_in(place.path(), &initializer(body)).unwrap();
        assert!(holds(&snapshot, place.path()));
        std::fs::write(place.path().join("folder/deeper"), "").unwrap();
        assert!(holds(&snapshot, place.path()), "only the top was listed");
        std::fs::write(place.path().join("new"), "").unwrap();
        assert!(!holds(&snapshot, place.path()));
    }

    #[test]
    fn failures_are_told_on_one_line() {
        let place = place();
        let wrong = |body: &str| {
            let error = snapshot_in(place.path(), body).err().unwrap();
            assert!(matches!(error, Error::Module(_)), "{error}");
            error.to_string()
        };
        let say =
            "(drop (call $write (i32.const 2) (i32.const 32) (i32.const 1) (i32.const 1024)))";
        for (body, expected) in [
            (initializer(&format!("{say} unreachable")), "unreachable"),
            (
                initializer(&format!("{say} unreachable")),
                "it said: last words",
            ),
            (initializer(OPEN), "leaves /app/folder/file open"),
            (initializer("(loop $again (br $again))"), "it took too long"),
            (
                r#"(table 1 funcref) (func (export "wizer-initialize")
                    (table.set (i32.const 0) (ref.null func)))"#
                    .to_owned(),
                "table.set",
            ),
        ] {
            let error = wrong(&body);
            assert!(error.contains(expected), "{error}");
        }
    }
}
