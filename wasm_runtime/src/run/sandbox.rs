//! What a guest finds around itself: standard streams, arguments, environment, mounts, clocks, limits. Nothing else of the
//! host.

use super::Limit;
use super::budget::Budget;
use crate::host::files::{Files, Terms};
use crate::host::scratch::Slots;
use crate::host::sights::Observer;
use crate::host::{Clock, Random, RunIo, StringList, Waiting};
use crate::mounts::MountTable;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;
use wasmtime::Memory;
use wasmtime_wasi::WasiCtx;
use wasmtime_wasi::p1::WasiP1Ctx;

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
    /// The guest path of its scratch directory, and where that comes from; from nowhere while a snapshot is made.
    pub(crate) scratch: Option<(&'a str, Option<&'a Arc<Slots>>)>,
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
    /// The guest's monotonic clock.
    pub(crate) clock: Clock,
    /// While a snapshot is made. In a box: a sandbox is moved several times for each request.
    pub(crate) observer: Option<Box<Observer>>,
    /// The guest's memory, once a host function has looked for it.
    pub(crate) memory: Option<Memory>,
}

impl Sandbox {
    /// A sandbox without arguments and environment.
    ///
    /// # Errors
    /// One line that names the host directory that cannot be opened.
    pub(crate) fn new(
        mut io: RunIo,
        files: Files,
        mounts: &Mounts<'_>,
        clock: Clock,
    ) -> Result<Self, String> {
        Ok(Sandbox {
            wasi: wasi(clock),
            files: mounted(files, &mut io.budget, mounts)?,
            io,
            stopped_in: None,
            random: Random::default(),
            args: StringList::default(),
            env: StringList::default(),
            clock,
            observer: None,
            memory: None,
        })
    }

    /// Takes note, while a snapshot is made, of what a look at a path finds.
    pub(crate) fn observe(&mut self, fd: u32, path: &[u8], follow: bool) {
        if let Some(observer) = &mut self.observer {
            let what = (fd, path, follow);
            observer.look(&mut self.files, &self.io.budget, what);
        }
    }

    /// The same, for what fails to change something: nothing is known of it but whether there is a folder for it.
    pub(crate) fn observe_attempt(&mut self, fd: u32, path: &[u8]) {
        if let Some(observer) = &mut self.observer {
            observer.look_at_parent(&mut self.files, &self.io.budget, fd, path);
        }
    }

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

fn wasi(clock: Clock) -> WasiP1Ctx {
    WasiCtx::builder().monotonic_clock(clock).build_p1()
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
        let mounted = match slots {
            Some(slots) => files.mount_scratch(guest, slots, budget),
            None => files.mount_nothing(guest, budget),
        };
        mounted.map_err(|error| format!("the scratch directory {guest}: {error}"))?;
    }
    Ok(files)
}
