//! Small guests, written in the text format, and the way from one to its outcome.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use wasm_runtime::artifact::{ArtifactStore, Origin, Prepared, Request};
use wasm_runtime::engine::ServingEngine;
use wasm_runtime::engine::settings::MIN_WASM_STACK;
use wasm_runtime::error::Result;
use wasm_runtime::guest::LoadedModule;
use wasm_runtime::host::{Host, Stop};
use wasm_runtime::run::{Ending, Limits, Options, Outcome, Run};

/// The program under test that the parent starts.
pub(crate) fn helper() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_wasm-precompile"))
}

/// Wraps `body` in a module with WASI's most used functions and one page of memory.
///
/// `$out` and `$in` are descriptors 1 and 0; `$put` writes `length` bytes at `offset`.
pub(crate) fn guest(body: &str) -> String {
    format!(
        r#"(module
            (import "wasi_snapshot_preview1" "fd_write"
              (func $fd_write (param i32 i32 i32 i32) (result i32)))
            (import "wasi_snapshot_preview1" "fd_read"
              (func $fd_read (param i32 i32 i32 i32) (result i32)))
            (import "wasi_snapshot_preview1" "poll_oneoff"
              (func $poll_oneoff (param i32 i32 i32 i32) (result i32)))
            (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
            (import "wasi_snapshot_preview1" "environ_sizes_get"
              (func $environ_sizes_get (param i32 i32) (result i32)))
            (import "wasi_snapshot_preview1" "environ_get"
              (func $environ_get (param i32 i32) (result i32)))
            (import "wasi_snapshot_preview1" "args_sizes_get"
              (func $args_sizes_get (param i32 i32) (result i32)))
            (import "wasi_snapshot_preview1" "args_get"
              (func $args_get (param i32 i32) (result i32)))
            (memory (export "memory") 2)
            (func $put (param $fd i32) (param $offset i32) (param $length i32)
              (i32.store (i32.const 0) (local.get $offset))
              (i32.store (i32.const 4) (local.get $length))
              (drop (call $fd_write (local.get $fd) (i32.const 0) (i32.const 1) (i32.const 8))))
            {body})"#
    )
}

/// A directory with one module in it, and a store to prepare it with.
pub(crate) struct Workshop {
    pub(crate) directory: tempfile::TempDir,
    pub(crate) module: PathBuf,
    pub(crate) store: ArtifactStore,
}

impl Workshop {
    pub(crate) fn new(wat: &str) -> Self {
        Self::of_wasm(&wat::parse_str(wat).unwrap())
    }

    pub(crate) fn of_wasm(wasm: &[u8]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let module = directory.path().join("guest.wasm");
        std::fs::write(&module, wasm).unwrap();
        Workshop {
            directory,
            module,
            store: ArtifactStore::default(),
        }
    }

    pub(crate) fn cache(&self) -> PathBuf {
        self.directory.path().join("cache")
    }

    pub(crate) fn prepare(&self) -> Result<Prepared> {
        self.prepare_with(&self.store)
    }

    pub(crate) fn prepare_with(&self, store: &ArtifactStore) -> Result<Prepared> {
        let prepared = store.examine(&Request {
            module: &self.module,
            digest: None,
            cache_directory: Some(&self.cache()),
            helper: helper(),
            preinit: None,
        })?;
        compile(store, &[&prepared])?;
        Ok(prepared)
    }

    pub(crate) fn origin(&self) -> Origin {
        let prepared = self.prepare_with(&ArtifactStore::default()).unwrap();
        prepared.origin().unwrap()
    }
}

/// Compiles and tells nobody.
pub(crate) fn compile(store: &ArtifactStore, modules: &[&Prepared]) -> Result<()> {
    store.compile(modules, false, &mut |_| {})
}

/// Writes a program in the shell's language.
pub(crate) fn write_program(path: &Path, script: &str) {
    std::fs::write(path, script).unwrap();
    let everyone = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(path, everyone).unwrap();
}

/// A guest, loaded into an engine of its own.
pub(crate) fn load(wat: &str, max_instances: u32) -> Arc<LoadedModule> {
    let prepared = Workshop::new(wat).prepare().unwrap();
    load_prepared(&prepared, max_instances)
}

pub(crate) fn load_prepared(prepared: &Prepared, max_instances: u32) -> Arc<LoadedModule> {
    let needs = &prepared.artifact().unwrap().metadata.facts.needs;
    let engine = ServingEngine::new(
        needs,
        max_instances,
        MIN_WASM_STACK,
        Default::default(),
        None,
    )
    .unwrap();
    Arc::new(LoadedModule::new(&engine, prepared).unwrap())
}

pub(crate) fn limits() -> Limits {
    Limits {
        time: Duration::from_secs(60),
        cpu: Duration::from_secs(60),
        memory: 64 << 20,
        output: u64::MAX,
        error_output: 1 << 20,
        written: u64::MAX,
        scratch: u64::MAX,
        descriptors: 256,
    }
}

/// Why the host ended a run, if it did.
pub(crate) fn stop_of(outcome: &Outcome) -> Option<Stop> {
    match outcome.ending {
        Ending::Stopped { stop, .. } => Some(stop),
        _ => None,
    }
}

pub(crate) fn options() -> Options {
    Options {
        args: Default::default(),
        env: Default::default(),
        mounts: Vec::new(),
        scratch: None,
        entry_point: "_start".into(),
        queue_timeout: Duration::ZERO,
        limits: limits(),
        allow_symlinks: false,
        backtrace: true,
    }
}

/// What the host saw of a run.
#[derive(Clone, Default)]
pub(crate) struct Seen {
    pub(crate) output: Arc<Mutex<Vec<u8>>>,
    pub(crate) errors: Arc<Mutex<Vec<u8>>>,
}

/// A client that sends nothing and, when it is said to be gone, is found to be gone.
pub(crate) struct Client {
    pub(crate) seen: Seen,
    pub(crate) gone: bool,
}

impl Host for Client {
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
        self.seen.output.lock().unwrap().extend_from_slice(data);
        Ok(())
    }

    fn write_error(&mut self, data: &[u8], _patience: Duration) -> std::result::Result<(), Stop> {
        self.seen.errors.lock().unwrap().extend_from_slice(data);
        Ok(())
    }

    fn is_connected(&mut self) -> bool {
        !self.gone
    }
}

pub(crate) fn run_with(
    module: &Arc<LoadedModule>,
    options: Options,
    gone: bool,
) -> (Outcome, Seen) {
    let seen = Seen::default();
    let client = Client {
        seen: seen.clone(),
        gone,
    };
    let outcome = Run::new(Arc::clone(module), options, Box::new(client)).execute();
    (outcome, seen)
}

pub(crate) fn run(wat: &str) -> Outcome {
    run_with(&load(wat, 1), options(), false).0
}
