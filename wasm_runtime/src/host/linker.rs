//! What a guest may import: WASI preview 1 and the older `wasi_unstable`, with a few functions of our own.

use super::StringList;
use super::poll::{self, Layout, errno};
use crate::run::Sandbox;
use wasmtime::{Caller, Engine, Extern, Linker, Result};

/// A guest that called `proc_exit`. The engine's own refuses statuses above 125, which programs do use.
#[derive(Debug, thiserror::Error)]
#[error("exit status {0}")]
pub(crate) struct Exit(pub(crate) i32);

/// One of the lists of strings that a guest may ask for.
type List = fn(&Sandbox) -> &StringList;

/// Both generations, ready to link modules against.
pub(crate) fn new(engine: &Engine) -> Result<Linker<Sandbox>> {
    let mut linker = Linker::new(engine);
    wasmtime_wasi::p1::add_to_linker_sync(&mut linker, |sandbox: &mut Sandbox| &mut sandbox.wasi)?;
    wasmtime_wasi::p0::add_to_linker_sync(&mut linker, |sandbox: &mut Sandbox| &mut sandbox.wasi)?;
    linker.allow_shadowing(true);
    replace(&mut linker, "wasi_snapshot_preview1", poll::PREVIEW1)?;
    replace(&mut linker, "wasi_unstable", poll::PREVIEW0)?;
    linker.allow_shadowing(false);
    Ok(linker)
}

fn replace(linker: &mut Linker<Sandbox>, module: &str, layout: Layout) -> Result<()> {
    linker.func_wrap(
        module,
        "poll_oneoff",
        move |caller: Caller<'_, Sandbox>, subscriptions, events, count, count_out| {
            poll_oneoff(caller, layout, [subscriptions, events, count, count_out])
        },
    )?;
    linker.func_wrap(module, "proc_exit", |status: i32| -> Result<()> {
        Err(wasmtime::Error::new(Exit(status)))
    })?;
    let lists: [(&str, &str, List); 2] = [
        ("args_sizes_get", "args_get", |sandbox| &sandbox.args),
        ("environ_sizes_get", "environ_get", |sandbox| &sandbox.env),
    ];
    for (sizes, get, list) in lists {
        linker.func_wrap(
            module,
            sizes,
            move |caller: Caller<'_, Sandbox>, count, size| string_sizes(caller, count, size, list),
        )?;
        linker.func_wrap(
            module,
            get,
            move |caller: Caller<'_, Sandbox>, pointers, bytes| {
                strings(caller, pointers, bytes, list)
            },
        )?;
    }
    Ok(())
}

fn poll_oneoff(
    mut caller: Caller<'_, Sandbox>,
    layout: Layout,
    arguments: [u32; 4],
) -> Result<i32> {
    with_memory(&mut caller, |memory, sandbox| {
        poll::poll_oneoff(memory, &sandbox.io, sandbox.started, layout, arguments)
    })
    .unwrap_or(Some(errno::FAULT))
    .ok_or_else(|| wasmtime::Error::msg("ended by the host while it waited"))
}

fn string_sizes(mut caller: Caller<'_, Sandbox>, count: u32, size: u32, list: List) -> i32 {
    with_memory(&mut caller, |memory, sandbox| {
        let list = list(sandbox);
        write_u32(memory, count as usize, list.count())?;
        write_u32(memory, size as usize, list.bytes().len())
    })
    .flatten()
    .map_or(errno::FAULT, |()| errno::SUCCESS)
}

fn strings(mut caller: Caller<'_, Sandbox>, pointers: u32, bytes: u32, list: List) -> i32 {
    with_memory(&mut caller, |memory, sandbox| {
        let list = list(sandbox);
        let target = memory.get_mut(bytes as usize..)?;
        target
            .get_mut(..list.bytes().len())?
            .copy_from_slice(list.bytes());
        for (index, start) in list.starts().iter().enumerate() {
            write_u32(
                memory,
                pointers as usize + index * 4,
                bytes as usize + start,
            )?;
        }
        Some(())
    })
    .flatten()
    .map_or(errno::FAULT, |()| errno::SUCCESS)
}

fn write_u32(memory: &mut [u8], offset: usize, value: usize) -> Option<()> {
    let value = u32::try_from(value).ok()?;
    let target = memory.get_mut(offset..)?.get_mut(..4)?;
    target.copy_from_slice(&value.to_le_bytes());
    Some(())
}

/// `None` when the guest exports no memory.
fn with_memory<R>(
    caller: &mut Caller<'_, Sandbox>,
    use_it: impl FnOnce(&mut [u8], &Sandbox) -> R,
) -> Option<R> {
    let memory = caller.get_export("memory").and_then(Extern::into_memory)?;
    let (bytes, sandbox) = memory.data_and_store_mut(caller);
    Some(use_it(bytes, sandbox))
}
