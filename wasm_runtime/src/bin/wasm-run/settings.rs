//! What is to be run, and how.

use crate::failure::{Failure, NOT_FOUND};
use crate::values::{self, TmpDir};
use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use wasm_runtime::artifact::Preinit;
use wasm_runtime::error::Error;
use wasm_runtime::host::StringList;
use wasm_runtime::mounts::{MountTable, Place};
use wasm_runtime::run::{DEFAULT_ENTRY_POINT, Limits, Mount, Options};

/// The defaults of the directives that say the same for the web server.
pub(crate) const DEFAULT_CACHE_DIR: &str = "/var/cache/apache2/mod_wasm";
pub(crate) const DEFAULT_MEMORY: &str = "256M";
pub(crate) const DEFAULT_DESCRIPTORS: u64 = 256;
pub(crate) const DEFAULT_TMP_SIZE: &str = "64M";
pub(crate) const DEFAULT_PREINIT_TIMEOUT: &str = "60";

/// Whether the program begins from a snapshot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Snapshot {
    #[default]
    Never,
    /// From one that is in the cache.
    Cached,
    /// One is taken where none is there.
    Required,
}

type Variables = Vec<(Vec<u8>, Vec<u8>)>;

/// Everything about a run. `None`: nobody said anything.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Settings {
    /// Absolute.
    pub(crate) module: PathBuf,
    /// SHA-256 that it must have, in hex.
    pub(crate) digest: Option<String>,
    pub(crate) entry_point: Option<String>,
    /// Without the program's name.
    pub(crate) args: Vec<Vec<u8>>,
    env: Variables,
    pub(crate) snapshot: Snapshot,
    /// The variables of the initialiser.
    preinit_env: Variables,
    pub(crate) preinit_timeout: Option<Duration>,
    mounts: Vec<Mount>,
    pub(crate) tmp_dir: Option<TmpDir>,
    /// Writable mounts of others, who may have exchanged links in there.
    pub(crate) others: Vec<Place>,
    pub(crate) timeout: Option<Duration>,
    pub(crate) cpu_limit: Option<Duration>,
    pub(crate) memory: Option<u64>,
    pub(crate) write_limit: Option<u64>,
    pub(crate) file_limit: Option<u64>,
    pub(crate) allow_symlinks: bool,
    pub(crate) cache_dir: Option<PathBuf>,
}

impl Settings {
    pub(crate) fn of_module(module: OsString) -> Result<Self, Failure> {
        let path = PathBuf::from(module);
        let failed = |error| Failure::new(NOT_FOUND, format!("{}: {error}", path.display()));
        Ok(Settings {
            module: std::path::absolute(&path).map_err(failed)?,
            ..Settings::default()
        })
    }

    /// Those of a section in which nothing is said: nobody waits for a snapshot that the web server can do without.
    pub(crate) fn of_section() -> Self {
        Settings {
            snapshot: Snapshot::Cached,
            ..Settings::default()
        }
    }

    /// Adds a mount, or replaces the one with this guest path.
    pub(crate) fn set_mount(&mut self, mount: Mount) {
        match self
            .mounts
            .iter_mut()
            .find(|known| known.guest == mount.guest)
        {
            Some(known) => *known = mount,
            None => self.mounts.push(mount),
        }
    }

    /// The directory for temporary files takes the place of a mount.
    pub(crate) fn hide_mount(&mut self) {
        if let Some(tmp_dir) = &self.tmp_dir {
            self.mounts.retain(|mount| mount.guest != tmp_dir.guest);
        }
    }

    /// Adds a variable, or replaces the one with this name.
    pub(crate) fn set_variable(&mut self, name: Vec<u8>, value: Vec<u8>) {
        set_in(&mut self.env, name, value);
    }

    /// The same for the initialiser.
    pub(crate) fn set_preinit_variable(&mut self, name: Vec<u8>, value: Vec<u8>) {
        set_in(&mut self.preinit_env, name, value);
    }

    pub(crate) fn entry_point(&self) -> &str {
        self.entry_point.as_deref().unwrap_or(DEFAULT_ENTRY_POINT)
    }

    pub(crate) fn descriptors(&self) -> u64 {
        self.file_limit.unwrap_or(DEFAULT_DESCRIPTORS)
    }

    fn places(&self) -> impl Iterator<Item = Place> {
        self.mounts.iter().map(|mount| Place {
            host: mount.host.clone(),
            read_only: mount.read_only,
        })
    }

    /// The mounts of this run, and of others.
    pub(crate) fn all_places(&self) -> Vec<Place> {
        self.places().chain(self.others.iter().cloned()).collect()
    }

    /// Whether they can be opened, and none of them can be changed through another one.
    pub(crate) fn check_mounts(&self, table: &MountTable) -> Result<(), Failure> {
        let conflict = match table.check(self.places().collect()) {
            Err(Error::OneOfMany { index, error }) => {
                let guest = &self.mounts[index].guest;
                let text = format!("a directory cannot be mounted at {guest}: {error}");
                return Err(Failure::own(text));
            }
            checked => checked?,
        };
        let Some(conflict) = conflict else {
            return Ok(());
        };
        let [read_only, writable] = [conflict.read_only, conflict.writable].map(|index| {
            let mount = &self.mounts[index];
            (&mount.guest, String::from_utf8_lossy(&mount.host))
        });
        Err(Failure::own(format!(
            "directory {} cannot be mounted ro at {}: the program could change it through {}, which is mounted rw at {}",
            read_only.1, read_only.0, writable.1, writable.0
        )))
    }

    /// How the program is initialised for a snapshot, where one is wanted.
    pub(crate) fn preinit(&self, table: &Arc<MountTable>) -> Option<Preinit> {
        let default = values::duration(DEFAULT_PREINIT_TIMEOUT);
        let mut env: Vec<_> = self.preinit_env.iter().map(joined).collect();
        env.sort();
        (self.snapshot != Snapshot::Never).then(|| Preinit {
            required: self.snapshot == Snapshot::Required,
            mounts: self.mounts.clone(),
            scratch: self.tmp_dir.as_ref().map(|tmp_dir| tmp_dir.guest.clone()),
            table: Arc::clone(table),
            env,
            time: self
                .preinit_timeout
                .or(default.ok())
                .unwrap_or(Duration::MAX),
            memory: self.memory(),
            descriptors: self.descriptors(),
            user: None,
        })
    }

    fn memory(&self) -> u64 {
        let default = values::memory(DEFAULT_MEMORY);
        self.memory.or(default.ok()).unwrap_or(u64::MAX)
    }

    fn limits(&self, descriptors: u64) -> Limits {
        Limits {
            time: self.timeout.unwrap_or(Duration::MAX),
            cpu: self.cpu_limit.unwrap_or(Duration::MAX),
            memory: self.memory(),
            output: u64::MAX,
            error_output: u64::MAX,
            written: self.write_limit.unwrap_or(u64::MAX),
            scratch: self.tmp_dir.as_ref().map_or(0, |tmp_dir| tmp_dir.size),
            descriptors,
        }
    }

    /// The run, with at most so many descriptors.
    pub(crate) fn run_options(&self, descriptors: u64) -> Options {
        let (mut args, mut env) = (StringList::default(), StringList::default());
        args.push(&[name_of(&self.module)]);
        for arg in &self.args {
            args.push(&[arg]);
        }
        for variable in &self.env {
            env.push(&[&joined(variable)]);
        }
        let scratch = self.tmp_dir.as_ref().map(|tmp_dir| tmp_dir.guest.clone());
        // Programs look here for the place for temporary files.
        if let Some(guest) = &scratch
            && !self.env.iter().any(|(name, _)| name == b"TMPDIR")
        {
            env.push(&[b"TMPDIR=", guest.as_bytes()]);
        }
        Options {
            args,
            env,
            mounts: self.mounts.clone(),
            scratch,
            // Nothing where nothing was said: that of a snapshot is another one.
            entry_point: self.entry_point.clone().unwrap_or_default(),
            // It is the only one.
            queue_timeout: Duration::ZERO,
            limits: self.limits(descriptors),
            allow_symlinks: self.allow_symlinks,
            backtrace: true,
        }
    }
}

fn set_in(variables: &mut Variables, name: Vec<u8>, value: Vec<u8>) {
    match variables.iter_mut().find(|known| known.0 == name) {
        Some(known) => known.1 = value,
        None => variables.push((name, value)),
    }
}

/// `NAME=value`.
fn joined((name, value): &(Vec<u8>, Vec<u8>)) -> Vec<u8> {
    [name, &b"="[..], value].concat()
}

/// The last part of a path: `argv[0]` of the program.
fn name_of(module: &Path) -> &[u8] {
    module.file_name().map_or(b"", OsStrExt::as_bytes)
}
