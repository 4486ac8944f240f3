//! What a guest finds around itself: standard streams, arguments, environment, mounts, clocks, limits. Nothing else of the
//! host.

use super::limits::{Limits, MAX_RANDOM_BYTES};
use crate::host::files::Files;
use crate::host::{SharedIo, StringList};
use crate::mounts::MountTable;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::Instant;
use wasmtime::Memory;
use wasmtime_wasi::p1::WasiP1Ctx;
use wasmtime_wasi::{HostMonotonicClock, WasiCtx};

/// A host directory as the guest sees it.
#[derive(Debug)]
pub struct Mount {
    pub guest: String,
    /// Bytes of the host path.
    pub host: Vec<u8>,
    pub read_only: bool,
}

impl Mount {
    /// Opens the directory and shows it to a guest.
    ///
    /// # Errors
    /// One line that names it.
    pub(super) fn show(&self, table: &MountTable, files: &mut Files) -> Result<(), String> {
        let directory = table.open(&self.host);
        let shown =
            directory.and_then(|directory| files.mount(&self.guest, directory, self.read_only));
        shown.map_err(|error| {
            let host = Path::new(OsStr::from_bytes(&self.host));
            format!("{}: {error}", host.display())
        })
    }
}

/// The state of one run; host functions find it in the store.
pub(crate) struct Sandbox {
    /// Clocks and random numbers.
    pub(crate) wasi: WasiP1Ctx,
    pub(crate) files: Files,
    pub(crate) io: SharedIo,
    /// `argv`, the program's name included.
    pub(crate) args: StringList,
    /// `NAME=value`.
    pub(crate) env: StringList,
    /// The zero of the guest's monotonic clock.
    pub(crate) started: Instant,
    pub(crate) limits: Limits,
    /// The guest's memory, once a host function has looked for it.
    pub(crate) memory: Option<Memory>,
}

impl Sandbox {
    /// A sandbox without arguments and environment.
    pub(crate) fn new(io: &SharedIo, files: Files, limits: Limits) -> Self {
        let started = Instant::now();
        Sandbox {
            wasi: wasi(started),
            files,
            io: io.clone(),
            args: StringList::default(),
            env: StringList::default(),
            started,
            limits,
            memory: None,
        }
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

fn wasi(started: Instant) -> WasiP1Ctx {
    WasiCtx::builder()
        .monotonic_clock(Clock(started))
        .max_random_size(MAX_RANDOM_BYTES)
        .build_p1()
}
