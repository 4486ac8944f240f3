//! What a guest may import: WASI preview 1, the older `wasi_unstable`, and what WASI lacks, as `mod_wasm`. Of WASI, descriptors,
//! paths, standard streams, strings, random numbers and waiting are ours; clocks and scheduling are the engine's.

use super::abi::Generation;
use super::calls::answer;
use crate::run::Sandbox;
use wasmtime::{Caller, Engine, Linker, Result};

/// A guest that called `proc_exit`. The engine's own refuses statuses above 125, which programs do use.
#[derive(Debug, thiserror::Error)]
#[error("exit status {0}")]
pub(crate) struct Exit(pub(crate) i32);

/// The module of what WASI lacks; `docs/host-imports.md` is its reference.
pub(crate) const BEYOND_WASI: &str = "mod_wasm";

/// Everything, ready to link modules against.
pub(crate) fn new(engine: &Engine) -> Result<Linker<Sandbox>> {
    let mut linker = Linker::new(engine);
    wasmtime_wasi::p1::add_to_linker_sync(&mut linker, |sandbox: &mut Sandbox| &mut sandbox.wasi)?;
    wasmtime_wasi::p0::add_to_linker_sync(&mut linker, |sandbox: &mut Sandbox| &mut sandbox.wasi)?;
    linker.allow_shadowing(true);
    replace(&mut linker, "wasi_snapshot_preview1", Generation::Preview1)?;
    replace(&mut linker, "wasi_unstable", Generation::Preview0)?;
    linker.allow_shadowing(false);
    add_beyond_wasi(&mut linker, BEYOND_WASI, Generation::Preview1)?;
    Ok(linker)
}

/// Defines functions that are methods of [`Call`](super::calls::Call) of the same name.
macro_rules! define {
    ($linker:ident, $module:ident, $generation:ident: $($name:ident($($argument:ident: $type:ty),*);)*) => {
        $(
            $linker.func_wrap(
                $module,
                stringify!($name),
                move |caller: Caller<'_, Sandbox>, $($argument: $type),*| -> Result<i32> {
                    answer(caller, $generation, stringify!($name), |call| call.$name($($argument),*))
                },
            )?;
        )*
    };
}

/// Defines the functions of [`BEYOND_WASI`], and keeps their names for messages.
macro_rules! beyond_wasi {
    ($($name:ident($($argument:ident: $type:ty),*);)*) => {
        /// What [`BEYOND_WASI`] has.
        pub(crate) const NAMES_BEYOND_WASI: &[&str] = &[$(stringify!($name)),*];

        fn add_beyond_wasi(
            linker: &mut Linker<Sandbox>,
            module: &str,
            generation: Generation,
        ) -> Result<()> {
            define! { linker, module, generation: $($name($($argument: $type),*);)* }
            Ok(())
        }
    };
}

beyond_wasi! {
    fd_lock(fd: u32, kind: u32, start: i64, length: i64, timeout: i64);
}

fn replace(linker: &mut Linker<Sandbox>, module: &str, generation: Generation) -> Result<()> {
    linker.func_wrap(module, "proc_exit", |status: i32| -> Result<()> {
        Err(wasmtime::Error::new(Exit(status)))
    })?;
    define! { linker, module, generation:
        args_get(pointers: u32, bytes: u32);
        args_sizes_get(count: u32, size: u32);
        environ_get(pointers: u32, bytes: u32);
        environ_sizes_get(count: u32, size: u32);
        fd_advise(fd: u32, offset: u64, length: u64, advice: u32);
        fd_allocate(fd: u32, offset: u64, length: u64);
        fd_close(fd: u32);
        fd_datasync(fd: u32);
        fd_fdstat_get(fd: u32, out: u32);
        fd_fdstat_set_flags(fd: u32, flags: u32);
        fd_fdstat_set_rights(fd: u32, base: u64, inheriting: u64);
        fd_filestat_get(fd: u32, out: u32);
        fd_filestat_set_size(fd: u32, size: u64);
        fd_filestat_set_times(fd: u32, access: u64, modification: u64, which: u32);
        fd_pread(fd: u32, vectors: u32, count: u32, offset: u64, out: u32);
        fd_prestat_dir_name(fd: u32, out: u32, room: u32);
        fd_prestat_get(fd: u32, out: u32);
        fd_pwrite(fd: u32, vectors: u32, count: u32, offset: u64, out: u32);
        fd_read(fd: u32, vectors: u32, count: u32, out: u32);
        fd_readdir(fd: u32, buffer: u32, room: u32, cookie: u64, out: u32);
        fd_renumber(from: u32, to: u32);
        fd_seek(fd: u32, offset: i64, whence: u32, out: u32);
        fd_sync(fd: u32);
        fd_tell(fd: u32, out: u32);
        fd_write(fd: u32, vectors: u32, count: u32, out: u32);
        path_create_directory(fd: u32, path: u32, length: u32);
        path_filestat_get(fd: u32, flags: u32, path: u32, length: u32, out: u32);
        path_filestat_set_times(
            fd: u32, flags: u32, path: u32, length: u32, access: u64, modification: u64, which: u32
        );
        path_link(
            old_fd: u32, flags: u32, old: u32, old_length: u32, new_fd: u32, new: u32, new_length: u32
        );
        path_open(
            fd: u32, flags: u32, path: u32, length: u32, oflags: u32, rights: u64, inheriting: u64, fdflags: u32,
            out: u32
        );
        path_readlink(fd: u32, path: u32, length: u32, buffer: u32, room: u32, out: u32);
        path_remove_directory(fd: u32, path: u32, length: u32);
        path_rename(old_fd: u32, old: u32, old_length: u32, new_fd: u32, new: u32, new_length: u32);
        path_symlink(content: u32, content_length: u32, fd: u32, path: u32, length: u32);
        path_unlink_file(fd: u32, path: u32, length: u32);
        poll_oneoff(subscriptions: u32, events: u32, count: u32, out: u32);
        random_get(buffer: u32, length: u32);
        sock_recv(fd: u32, vectors: u32, count: u32, flags: u32, out: u32, out_flags: u32);
        sock_send(fd: u32, vectors: u32, count: u32, flags: u32, out: u32);
        sock_shutdown(fd: u32, how: u32);
    }
    if generation == Generation::Preview1 {
        define! { linker, module, generation:
            sock_accept(fd: u32, flags: u32, out: u32);
        }
    }
    Ok(())
}
