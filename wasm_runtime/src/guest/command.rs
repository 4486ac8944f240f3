//! A WASI command: an instance of its own, one call of its entry point, and what came of it.

use super::LoadedModule;
use crate::error::one_line;
use crate::host::Stop;
use crate::host::linker::Exit;
use crate::run::{Ending, Sandbox};
use wasmtime::{Store, Trap, UpdateDeadline, WasmBacktrace};

/// Returns how the guest ended and whether it was refused memory; its store is gone by then.
pub(crate) fn call(module: &LoadedModule, sandbox: Sandbox, entry_point: &str) -> (Ending, bool) {
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
