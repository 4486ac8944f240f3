//! What a guest finds around itself: standard streams, arguments, environment, mounts, clocks, limits. Nothing else of the
//! host.

use super::Limit;
use super::budget::Budget;
use crate::host::files::{Files, Terms};
use crate::host::scratch::Slots;
use crate::host::{Random, RunIo, StringList, Waiting};
use crate::mounts::MountTable;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;
use wasmtime::Memory;
use wasmtime_wasi::p1::WasiP1Ctx;
use wasmtime_wasi::{HostMonotonicClock, WasiCtx};

/// A host directory as the guest sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mount {
    pub guest: String,
    /// Bytes of the host path.
    pub host: Vec<u8>,
    pub read_only: bool,
}

/// All directories that a guest sees.
pub(crate) struct Mounts<'a> {
    pub(crate) directories: &'a [Mount],
    /// What opens them.
    pub(crate) table: &'a MountTable,
    /// The guest path of its scratch directory, and where that comes from.
    pub(crate) scratch: Option<(&'a str, &'a Arc<Slots>)>,
}

/// The state of one run; host functions find it in the store.
pub(crate) struct Sandbox {
    /// Clocks and scheduling.
    pub(crate) wasi: WasiP1Ctx,
    pub(crate) files: Files,
    pub(crate) io: RunIo,
    /// The call in which the host ended the run.
    pub(crate) stopped_in: Option<&'static str>,
    pub(crate) random: Random,
    /// `argv`, the program's name included.
    pub(crate) args: StringList,
    /// `NAME=value`.
    pub(crate) env: StringList,
    /// The zero of the guest's monotonic clock.
    pub(crate) started: Instant,
    /// The guest's memory, once a host function has looked for it.
    pub(crate) memory: Option<Memory>,
}

impl Sandbox {
    /// A sandbox without arguments and environment.
    ///
    /// # Errors
    /// One line that names the host directory that cannot be opened.
    pub(crate) fn new(mut io: RunIo, files: Files, mounts: &Mounts<'_>) -> Result<Self, String> {
        let started = Instant::now();
        Ok(Sandbox {
            wasi: wasi(started),
            files: mounted(files, &mut io.budget, mounts)?,
            io,
            stopped_in: None,
            random: Random::default(),
            args: StringList::default(),
            env: StringList::default(),
            started,
            memory: None,
        })
    }
}

impl Sandbox {
    /// What the run was doing when the host ended it, for the log.
    pub(crate) fn doing(&self) -> String {
        let waiting = match (self.io.stopped_while(), self.io.is_direct()) {
            (Some(Waiting::Sleeping), _) => "sleeping",
            (Some(Waiting::ForTheBody), true) => "reading its input",
            (Some(Waiting::ForTheBody), false) => "reading the body of the request",
            (Some(Waiting::ForTheClient), true) => "writing its output",
            (Some(Waiting::ForTheClient), false) => "writing to the client",
            (None, _) => "working",
        };
        match self.stopped_in {
            Some(name) => format!("{waiting} in {name}"),
            None => "computing".to_owned(),
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
        .build_p1()
}

fn mounted(mut files: Files, budget: &mut Budget, mounts: &Mounts<'_>) -> Result<Files, String> {
    for mount in mounts.directories {
        let terms = Terms {
            read_only: mount.read_only,
            account: Limit::Written,
        };
        let directory = mounts.table.open(&mount.host);
        let shown =
            directory.and_then(|directory| files.mount(&mount.guest, directory, terms, budget));
        shown.map_err(|error| {
            let host = Path::new(OsStr::from_bytes(&mount.host));
            format!("{}: {error}", host.display())
        })?;
    }
    if let Some((guest, slots)) = mounts.scratch {
        let mounted = files.mount_scratch(guest, slots, budget);
        mounted.map_err(|error| format!("the scratch directory {guest}: {error}"))?;
    }
    Ok(files)
}
