//! What a guest calls: arguments are taken from its memory, answers put there. What happens to files stands in [`files`](super::files),
//! what happens to standard streams in [`streams`](super::streams).

mod descriptors;
mod locks;
mod other;
mod paths;
mod strings;

use super::abi::{Errno, Generation};
use super::memory::Memory;
use super::streams::Stop;
use crate::run::Sandbox;
use wasmtime::{Caller, Extern, Result};

/// Bytes that one call moves at a time, before the deadline is looked at.
const STEP: usize = 1 << 20;

/// One call of a host function.
pub(super) struct Call<'a> {
    memory: Memory<'a>,
    sandbox: &'a mut Sandbox,
    generation: Generation,
}

/// Why a host function did not do what it was asked for.
pub(crate) enum Failure {
    /// The guest is told.
    Errno(Errno),
    /// The guest is ended.
    Stop(Stop),
}

impl From<Errno> for Failure {
    fn from(errno: Errno) -> Self {
        Failure::Errno(errno)
    }
}

impl From<Stop> for Failure {
    fn from(stop: Stop) -> Self {
        Failure::Stop(stop)
    }
}

pub(super) type Answer = std::result::Result<(), Failure>;

/// Runs the body of a host function and turns its answer into what WASI wants.
pub(super) fn answer(
    mut caller: Caller<'_, Sandbox>,
    generation: Generation,
    name: &'static str,
    body: impl FnOnce(&mut Call<'_>) -> Answer,
) -> Result<i32> {
    let Some(memory) = memory_of(&mut caller) else {
        return Ok(Errno::FAULT.code());
    };
    let (bytes, sandbox) = memory.data_and_store_mut(&mut caller);
    let mut call = Call {
        memory: Memory(bytes),
        sandbox,
        generation,
    };
    match body(&mut call) {
        Ok(()) => Ok(0),
        Err(Failure::Errno(errno)) => Ok(errno.code()),
        Err(Failure::Stop(stop)) => {
            call.sandbox.stopped_in = Some(name);
            Err(stop.into_trap())
        }
    }
}

/// The memory that the guest exports; looked up once in a run.
fn memory_of(caller: &mut Caller<'_, Sandbox>) -> Option<wasmtime::Memory> {
    if caller.data().memory.is_none() {
        let memory = caller.get_export("memory").and_then(Extern::into_memory);
        caller.data_mut().memory = memory;
    }
    caller.data().memory
}
