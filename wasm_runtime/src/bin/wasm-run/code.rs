//! Compiled code of the module: from the cache, or compiled by the program `wasm-precompile` beside this one.

use crate::failure::{CANNOT_RUN, Failure};
use crate::settings::{DEFAULT_CACHE_DIR, Settings, Snapshot};
use std::io::{IsTerminal, stderr};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;
use wasm_runtime::artifact::{ArtifactStore, Preinit, Prepared, Request};
use wasm_runtime::error::Error;

/// A compilation that takes longer is told of even where nobody seems to watch.
const LONG: Duration = Duration::from_secs(2);

/// Finds or makes the code, that of a snapshot where `preinit` says how one is made.
pub(crate) fn prepare(settings: &Settings, preinit: Option<Preinit>) -> Result<Prepared, Failure> {
    let helper = helper()?;
    let store = ArtifactStore::default();
    let is_wanted =
        |found: &Prepared| settings.snapshot == Snapshot::Required || !found.lacks_snapshot();
    let examined = match examine(&store, settings, &helper, preinit) {
        Ok(found) if !is_wanted(&found) => examine(&store, settings, &helper, None),
        examined => examined,
    };
    let checked = examined.and_then(|prepared| {
        prepared.check_entry_point(settings.entry_point())?;
        Ok(prepared)
    });
    let prepared = checked.map_err(|error| of_module(&settings.module, error))?;
    if prepared.origin().is_none() {
        compile(&store, &prepared)?;
    }
    Ok(prepared)
}

fn examine(
    store: &ArtifactStore,
    settings: &Settings,
    helper: &Path,
    preinit: Option<Preinit>,
) -> Result<Prepared, Error> {
    let directory = settings.cache_dir.as_deref();
    let examine = |cache_directory| {
        store.examine(&Request {
            module: &settings.module,
            digest: settings.digest.as_deref(),
            cache_directory,
            helper,
            preinit: preinit.clone(),
        })
    };
    match examine(Some(directory.unwrap_or(Path::new(DEFAULT_CACHE_DIR)))) {
        // Nobody asked for this cache.
        Err(Error::Cache { .. }) if directory.is_none() => examine(None),
        examined => examined,
    }
}

/// Some errors do not name the module.
fn of_module(module: &Path, error: Error) -> Failure {
    match error {
        Error::Module(reason) | Error::EntryPoint(reason) | Error::Preinit(reason) => {
            Failure::new(CANNOT_RUN, format!("{}: {reason}", module.display()))
        }
        error => error.into(),
    }
}

fn helper() -> Result<PathBuf, Failure> {
    let own = std::env::current_exe();
    let own = own.map_err(|error| Failure::own(format!("/proc/self/exe: {error}")))?;
    Ok(own.with_file_name("wasm-precompile"))
}

/// Whoever waits is told what for.
fn compile(store: &ArtifactStore, prepared: &Prepared) -> Result<(), Failure> {
    let patience = if stderr().is_terminal() {
        Duration::ZERO
    } else {
        LONG
    };
    let task = if prepared.lacks_snapshot() {
        "taking a snapshot of"
    } else {
        "compiling"
    };
    let line = format!("wasm-run: {task} {}", prepared.module.display());
    let (done, is_done) = channel::<()>();
    let teller = thread::spawn(move || {
        if is_done.recv_timeout(patience) == Err(RecvTimeoutError::Timeout) {
            eprintln!("{line}");
        }
    });
    let compiled = store.compile(&[prepared], false, &mut |_| {});
    drop(done);
    let _ = teller.join();
    compiled.map_err(|error| match error {
        Error::OneOfMany { error, .. } => of_module(&prepared.module, *error),
        error => error.into(),
    })?;
    let said = prepared.snapshot_said();
    if !said.is_empty() {
        eprintln!("wasm-run: its initialiser said: {said}");
    }
    Ok(())
}
