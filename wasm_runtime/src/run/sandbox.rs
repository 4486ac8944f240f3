//! What a guest finds around itself: standard streams, arguments, environment, mounts, clocks, limits. Nothing else of the
//! host.

use super::limits::{Limits, MAX_HOST_RESOURCES, MAX_RANDOM_BYTES};
use crate::error::one_line;
use crate::host::{SharedIo, Stderr, Stdin, Stdout, StringList};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::Instant;
use wasmtime_wasi::p1::WasiP1Ctx;
use wasmtime_wasi::{FsPerms, HostMonotonicClock, WasiCtx, WasiView};

/// A host directory as the guest sees it.
#[derive(Debug)]
pub struct Mount {
    pub guest: String,
    /// Bytes of the host path.
    pub host: Vec<u8>,
    pub read_only: bool,
}

/// The state of one run; host functions find it in the store.
pub(crate) struct Sandbox {
    pub(crate) wasi: WasiP1Ctx,
    pub(crate) io: SharedIo,
    /// `argv`, the program's name included.
    pub(crate) args: StringList,
    /// `NAME=value`.
    pub(crate) env: StringList,
    /// The zero of the guest's monotonic clock.
    pub(crate) started: Instant,
    pub(crate) limits: Limits,
}

impl Sandbox {
    /// A sandbox without arguments and environment.
    ///
    /// # Errors
    /// One line that names the host directory that cannot be opened.
    pub(crate) fn new(io: &SharedIo, mounts: &[Mount], limits: Limits) -> Result<Self, String> {
        let started = Instant::now();
        Ok(Sandbox {
            wasi: wasi(io, mounts, started)?,
            io: io.clone(),
            args: StringList::default(),
            env: StringList::default(),
            started,
            limits,
        })
    }
}

/// A clock whose zero `poll_oneoff` knows, for absolute times.
struct Clock(Instant);

impl HostMonotonicClock for Clock {
    fn resolution(&self) -> u64 {
        1
    }

    fn now(&self) -> u64 {
        u64::try_from(self.0.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }
}

fn wasi(io: &SharedIo, mounts: &[Mount], started: Instant) -> Result<WasiP1Ctx, String> {
    let mut builder = WasiCtx::builder();
    builder
        .stdin(Stdin(io.clone()))
        .stdout(Stdout(io.clone()))
        .stderr(Stderr(io.clone()))
        .monotonic_clock(Clock(started))
        .max_random_size(MAX_RANDOM_BYTES)
        .allow_tcp(false)
        .allow_udp(false)
        // File operations run on this thread instead of being handed to a thread pool.
        .allow_blocking_current_thread(true);
    for mount in mounts {
        let host = Path::new(OsStr::from_bytes(&mount.host));
        let permissions = if mount.read_only {
            FsPerms::ReadOnly
        } else {
            FsPerms::ReadWrite
        };
        builder
            .preopened_dir(host, &mount.guest, permissions)
            .map_err(|error| format!("{}: {}", host.display(), one_line(&error)))?;
    }
    let mut wasi = builder.build_p1();
    wasi.ctx().table.set_max_capacity(MAX_HOST_RESOURCES);
    Ok(wasi)
}
