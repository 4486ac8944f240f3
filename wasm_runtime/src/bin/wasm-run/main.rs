//! Runs a WebAssembly program as a command, in the sandbox that it has in the web server: with the same engine, cache of
//! compiled code, imports and limits.

mod code;
mod dump;
mod ending;
mod failure;
mod httpd;
mod options;
mod scratch;
mod section;
mod settings;
mod streams;
mod values;

use clap::Parser;
use failure::Failure;
use options::Options;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use settings::Settings;
use std::process::ExitCode;
use std::sync::Arc;
use std::thread;
use streams::Streams;
use wasm_runtime::engine::ServingEngine;
use wasm_runtime::engine::settings::{HOST_STACK_MARGIN, MAX_WASM_STACK};
use wasm_runtime::guest::LoadedModule;
use wasm_runtime::mounts::MountTable;
use wasm_runtime::run::{Outcome, Run};

/// Descriptors that this process has for itself: standard streams, compiled code, what is open while a path is looked up.
const OWN_DESCRIPTORS: u64 = 96;

/// Stack in bytes of the thread that runs the guest.
const THREAD_STACK: usize = MAX_WASM_STACK + 4 * HOST_STACK_MARGIN;

fn main() -> ExitCode {
    let options = match Options::try_parse() {
        Ok(options) => options,
        Err(error) => {
            // What was asked for, or what is wrong; nobody may be there to read it.
            let _ = error.print();
            let is_wrong = error.use_stderr();
            return ExitCode::from(if is_wrong { failure::OWN } else { 0 });
        }
    };
    match run(&options) {
        Ok(code) => ExitCode::from(code),
        Err(failure) => {
            eprintln!("wasm-run: {failure}");
            ExitCode::from(failure.code)
        }
    }
}

fn run(options: &Options) -> Result<u8, Failure> {
    let settings = options.settings()?;
    let table = Arc::new(MountTable::new(settings.all_places()));
    settings.check_mounts(&table)?;
    let prepared = code::prepare(&settings, settings.preinit(&table))?;
    let scratch = settings.tmp_dir.as_ref().map(|_| scratch::folder());
    let scratch = scratch.transpose()?;
    let scratch = scratch.as_deref().map(|folder| (folder, scratch::MOST));
    let engine = ServingEngine::new(&prepared.facts.needs, 1, MAX_WASM_STACK, table, scratch)?;
    if !engine.warning().is_empty() {
        eprintln!("wasm-run: {}", engine.warning());
    }
    let module = LoadedModule::new(&engine, &prepared);
    // Code that cannot be loaded leaves the cache, so that the next run compiles it again.
    prepared.remove_refused();
    let outcome = execute(Arc::new(module?), &settings)?;
    Ok(ending::conclude(&prepared.module, &outcome))
}

/// On a thread of its own: a terminal's limits may leave the first one too little stack.
fn execute(module: Arc<LoadedModule>, settings: &Settings) -> Result<Outcome, Failure> {
    let options = settings.run_options(open_files(settings.descriptors()));
    let thread = thread::Builder::new()
        .name("wasm-guest".to_owned())
        .stack_size(THREAD_STACK)
        .spawn(move || Run::new(module, options, Box::new(Streams::new())).execute());
    let thread = thread.map_err(|error| Failure::own(format!("cannot start a thread: {error}")))?;
    thread
        .join()
        .map_err(|_| Failure::own("it failed by a mistake of its own".to_owned()))
}

/// Makes room for so many descriptors of a guest, or for as many as this process may have.
fn open_files(wanted: u64) -> u64 {
    let mut limit = getrlimit(Resource::Nofile);
    let Some(current) = limit.current else {
        return wanted;
    };
    if current < wanted + OWN_DESCRIPTORS {
        let most = limit.maximum.unwrap_or(u64::MAX);
        let raised = Rlimit {
            current: Some(most.min(wanted + OWN_DESCRIPTORS)),
            ..limit
        };
        if setrlimit(Resource::Nofile, raised).is_ok() {
            limit = raised;
        }
    }
    let current = limit.current.unwrap_or(u64::MAX);
    wanted.min(current.saturating_sub(OWN_DESCRIPTORS))
}
