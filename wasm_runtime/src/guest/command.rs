//! A WASI command, or a reactor: an instance of its own, one call of its entry point, and what came of it.

use super::{LoadedModule, backtrace};
use crate::artifact::Checks;
use crate::engine::watch::Watched;
use crate::error::one_line;
use crate::ffi::stop_page::StopPage;
use crate::host::Stop;
use crate::host::linker::Exit;
use crate::run::{Ending, Limit, Sandbox};
use wasmtime::{Engine, Instance, Store, Trap, TypedFunc, UpdateDeadline, WasmBacktrace};

/// The export that makes a module a reactor.
pub(crate) const INITIALIZE: &str = "_initialize";

/// What a guest may export to be called where its call stack is exhausted: it can say so in its own words, and exit.
const STACK_EXHAUSTED: &str = "mod_wasm_stack_exhausted";

/// Bytes of the memory that the page of a run is.
const PAGE: u64 = 64 << 10;

/// What a run calls, and what is to be known of it afterwards.
pub(crate) struct Call<'a> {
    pub(crate) entry_point: &'a str,
    /// Whether the call stack of a trap is described.
    pub(crate) backtrace: bool,
}

/// Returns how the guest ended and what is left of its sandbox; its instance is gone by then.
pub(crate) fn run(module: &LoadedModule, sandbox: Sandbox, call: &Call<'_>) -> (Ending, Sandbox) {
    let mut store = store(&module.engine.engine, sandbox);
    match module.checks {
        Some(_) => store.data_mut().io.budget.leave_out(PAGE),
        None => end_by_epochs(&mut store),
    }
    let called = instantiate_and_call(module, &mut store, call);
    // Of a run that the host ended, nobody asks for more.
    let backtrace = call.backtrace && store.data().io.stopped().is_none();
    let ending = called.unwrap_or_else(|error| failure(module, &error, backtrace));
    (ending, store.into_data())
}

/// A store whose guest is held to its budget.
pub(crate) fn store(engine: &Engine, sandbox: Sandbox) -> Store<Sandbox> {
    let mut store = Store::new(engine, sandbox);
    store.limiter(|sandbox| &mut sandbox.io.budget);
    store
}

/// Lets the guest be ended when the host wants it to: its code looks at the epoch.
pub(crate) fn end_by_epochs(store: &mut Store<Sandbox>) {
    store.set_epoch_deadline(1);
    store.epoch_deadline_callback(|mut context| {
        let io = &mut context.data_mut().io;
        let go_on = io.check().and_then(|()| io.flush_stale());
        go_on
            .map(|()| UpdateDeadline::Continue(1))
            .map_err(Stop::into_trap)
    });
}

/// The same by its page.
fn end_by_page(
    module: &LoadedModule,
    store: &mut Store<Sandbox>,
    instance: &Instance,
    checks: &Checks,
) -> Option<Watched> {
    let memory = instance.get_memory(&mut *store, &checks.page)?;
    let page = StopPage::of(&memory, &*store);
    let io = &mut store.data_mut().io;
    io.flush_at_writes();
    let watches = &module.engine.watches;
    Some(watches.begin(page, io.budget.times(), io.client()))
}

/// What ended the guest, if it did not return, is an error.
fn instantiate_and_call(
    module: &LoadedModule,
    store: &mut Store<Sandbox>,
    call: &Call<'_>,
) -> wasmtime::Result<Ending> {
    let instance = match module.instance_pre.instantiate(&mut *store) {
        Ok(instance) => instance,
        Err(error) if store.data().io.budget.has_exceeded(Limit::Memory) => {
            return Ok(Ending::MemoryLimit(one_line(&error)));
        }
        Err(error) => return start_failure(error),
    };
    let called = watch_and_call(module, store, &instance, call);
    if let Some(memory) = store.data().memory {
        let memory = memory.data_mut(&mut *store);
        module
            .scattered_pages
            .bring_together(memory, module.engine.kept);
    }
    called
}

fn watch_and_call(
    module: &LoadedModule,
    store: &mut Store<Sandbox>,
    instance: &Instance,
    call: &Call<'_>,
) -> wasmtime::Result<Ending> {
    let Some(checks) = &module.checks else {
        return call_instance(module, store, instance, call);
    };
    let Some(watched) = end_by_page(module, store, instance, checks) else {
        let cause = "the code has no page that ends it";
        return Ok(Ending::StartFailed(cause.to_owned()));
    };
    let called = match &checks.start {
        Some(start) => start_and_call(module, store, instance, start, call),
        None => call_instance(module, store, instance, call),
    };
    if let Some(stop) = watched.end() {
        store.data_mut().io.was_cut(stop);
    }
    called
}

/// What the engine does itself where the code is that of the module's file.
fn start_and_call(
    module: &LoadedModule,
    store: &mut Store<Sandbox>,
    instance: &Instance,
    start: &str,
    call: &Call<'_>,
) -> wasmtime::Result<Ending> {
    let start = instance.get_typed_func::<(), ()>(&mut *store, start);
    match start.and_then(|start| start.call(&mut *store, ())) {
        Ok(()) => call_instance(module, store, instance, call),
        Err(error) => start_failure(error),
    }
}

fn call_instance(
    module: &LoadedModule,
    store: &mut Store<Sandbox>,
    instance: &Instance,
    call: &Call<'_>,
) -> wasmtime::Result<Ending> {
    let entry = match instance.get_typed_func(&mut *store, call.entry_point) {
        Ok(entry) => entry,
        Err(error) => return Ok(Ending::NoEntryPoint(one_line(&error))),
    };
    let initialize = match initializer(module, store, instance, call.entry_point) {
        Ok(initialize) => initialize,
        Err(error) => return Ok(Ending::StartFailed(one_line(&error))),
    };
    for function in initialize.iter().chain([&entry]) {
        if let Err(error) = function.call(&mut *store, ()) {
            let ending = last_words(store, instance, &error);
            return ending.ok_or(error);
        }
    }
    Ok(Ending::Exited(0))
}

/// How a guest ends that has an answer to the end of its stack. Its frames are gone, its memory is as the trap found it. Its answer may
/// go too deep itself, once: cleaning up is recursive as well.
fn last_words(
    store: &mut Store<Sandbox>,
    instance: &Instance,
    error: &wasmtime::Error,
) -> Option<Ending> {
    let exhausted = |error: &wasmtime::Error| error.downcast_ref() == Some(&Trap::StackOverflow);
    if !exhausted(error) {
        return None;
    }
    let answer = instance.get_typed_func::<(), ()>(&mut *store, STACK_EXHAUSTED);
    let answer = answer.ok()?;
    let mut ended = answer.call(&mut *store, ()).err()?;
    if exhausted(&ended) {
        ended = answer.call(store, ()).err()?;
    }
    let Exit(status) = ended.downcast_ref()?;
    Some(Ending::Exited(*status))
}

/// The function that a reactor wants to be called before any other (WASI application ABI): constructors run in it, and
/// the C library finds its mounts.
fn initializer(
    module: &LoadedModule,
    store: &mut Store<Sandbox>,
    instance: &Instance,
    entry_point: &str,
) -> wasmtime::Result<Option<TypedFunc<(), ()>>> {
    if !module.is_reactor || entry_point == INITIALIZE {
        return Ok(None);
    }
    instance.get_typed_func(store, INITIALIZE).map(Some)
}

/// A module's start function may already trap or exit.
fn start_failure(error: wasmtime::Error) -> wasmtime::Result<Ending> {
    if error.is::<Exit>() || error.is::<Trap>() {
        return Err(error);
    }
    Ok(Ending::StartFailed(one_line(&error)))
}

fn failure(module: &LoadedModule, error: &wasmtime::Error, backtrace: bool) -> Ending {
    if let Some(Exit(status)) = error.downcast_ref() {
        return Ending::Exited(*status);
    }
    let message = match error.downcast_ref::<Trap>() {
        Some(trap) => trap.to_string(),
        None => error.root_cause().to_string(),
    };
    let trace = error.downcast_ref::<WasmBacktrace>();
    let backtrace = trace
        .filter(|_| backtrace)
        .map(|trace| backtrace::describe(trace, module.places()))
        .unwrap_or_default();
    Ending::Trapped { message, backtrace }
}
