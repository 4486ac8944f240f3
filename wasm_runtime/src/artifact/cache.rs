//! The directory of compiled code. Its files become machine code of the server, so it has to belong to root or to the
//! user who starts the server, and nobody else may write to it.

#[cfg(test)]
mod tests;

use super::expiry;
use super::folder::{distrust, find_private, open_private};
use super::footer::{Metadata, append_footer, read_footer};
use super::key::{ArtifactKey, is_snapshot_of, partial_name, snapshot_name};
use super::packed::{pack, unpack};
use super::snapshot::{Snapshot, SnapshotFacts, read_facts};
use super::{Artifact, memory_file};
use crate::digest;
use crate::error::{Error, Result};
use rustix::fs::{
    AtFlags, Dir, Mode, OFlags, Timespec, Timestamps, UTIME_NOW, UTIME_OMIT, fstat, openat,
    renameat, unlinkat, utimensat,
};
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Permissions of an entry: code holds nothing secret, a snapshot whatever its initialiser has read.
const FOR_ALL: Mode = Mode::from_raw_mode(0o644);
const FOR_US: Mode = Mode::from_raw_mode(0o600);

/// A cache directory that was found trustworthy. Everything happens through its descriptor, in what was judged.
#[derive(Debug)]
pub struct Cache {
    directory: PathBuf,
    folder: OwnedFd,
}

/// Result of a look-up.
#[derive(Debug)]
pub(super) enum Entry {
    Found(Artifact),
    Missing,
    /// There is a file, but it cannot be used; says why.
    Unusable(String),
}

impl Cache {
    /// Opens `directory`, making it where it is missing.
    ///
    /// # Errors
    /// [`Error::Cache`] when somebody else could put code into it, [`Error::Io`] when it cannot be made or opened.
    pub fn open(directory: &Path) -> Result<Self> {
        Ok(Cache {
            directory: directory.to_owned(),
            folder: open_private(directory)?,
        })
    }

    /// As [`Self::open`], of a directory that is there.
    pub(super) fn find(directory: &Path) -> Result<Self> {
        Ok(Cache {
            directory: directory.to_owned(),
            folder: find_private(directory)?,
        })
    }

    /// What is in the entry of this key: nothing, or why it cannot be used, or code that was verified. It counts as unused.
    pub(super) fn look(&self, key: &ArtifactKey) -> Option<std::result::Result<Metadata, String>> {
        let opened = self.open_code(key)?;
        Some(opened.and_then(|file| copy_verified(file, key, &mut io::sink())))
    }

    /// The artifact of this key, copied into a sealed memory file and verified on the way.
    pub(super) fn load(&self, key: &ArtifactKey) -> Entry {
        let Some(opened) = self.open_code(key) else {
            return Entry::Missing;
        };
        match opened.and_then(|file| read_entry(file, key)) {
            Ok(artifact) => {
                self.touch(key);
                Entry::Found(artifact)
            }
            Err(reason) => self.unusable(&key.entry_name(), &reason),
        }
    }

    /// The file of this key, if there is one for this user: nothing, or why it cannot be opened.
    fn open_code(&self, key: &ArtifactKey) -> Option<std::result::Result<File, String>> {
        match self.open_entry(&key.entry_name()) {
            Ok(file) => Some(Ok(file)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            // That of another user of this cache.
            Err(error) if key.snapshot && error.kind() == io::ErrorKind::PermissionDenied => None,
            Err(error) => Some(Err(error.to_string())),
        }
    }

    /// A snapshot of this module that `is_wanted` wants, and that can be used.
    pub(super) fn snapshot(
        &self,
        module_sha256: &str,
        is_wanted: impl Fn(&SnapshotFacts) -> bool,
    ) -> Option<Snapshot> {
        self.wanted_snapshots(module_sha256, is_wanted)
            .find_map(|(name, mut file, _)| {
                let snapshot = Snapshot::from_cache(&mut file).ok()?;
                self.touch_name(&name);
                Some(snapshot)
            })
    }

    /// What the same snapshot was made of, without a look at the rest of it. It counts as unused.
    pub(super) fn look_for_snapshot(
        &self,
        module_sha256: &str,
        is_wanted: impl Fn(&SnapshotFacts) -> bool,
    ) -> Option<SnapshotFacts> {
        let mut found = self.wanted_snapshots(module_sha256, is_wanted);
        found.next().map(|(_, _, facts)| facts)
    }

    /// Their names, files and facts; nothing else of the files was read.
    fn wanted_snapshots(
        &self,
        module_sha256: &str,
        is_wanted: impl Fn(&SnapshotFacts) -> bool,
    ) -> impl Iterator<Item = (String, File, SnapshotFacts)> {
        let entries = Dir::read_from(&self.folder).into_iter().flatten().flatten();
        entries
            .filter_map(|entry| entry.file_name().to_str().map(str::to_owned).ok())
            .filter(|name| is_snapshot_of(name, module_sha256))
            .filter_map(move |name| {
                let file = self.open_entry(&name).ok()?;
                let facts = read_facts(&file).ok()?.filter(&is_wanted)?;
                Some((name, file, facts))
            })
    }

    /// Puts a snapshot into place.
    pub(super) fn save_snapshot(&self, snapshot: &Snapshot) -> Result<()> {
        let name = snapshot_name(&snapshot.facts.given.module, &snapshot.facts.identity());
        let opened = snapshot.open();
        match opened.map_err(|error| Error::io(&self.directory.join(&name), error))? {
            Some(mut wasm) => self.place(&name, &mut wasm, &snapshot.footer(), FOR_US),
            None => Ok(()),
        }
    }

    /// Notes that a start uses this entry, where it may: [`Self::sweep`] looks at that.
    pub(super) fn touch(&self, key: &ArtifactKey) {
        self.touch_name(&key.entry_name());
    }

    /// The same of a snapshot.
    pub(super) fn touch_snapshot(&self, facts: &SnapshotFacts) {
        self.touch_name(&snapshot_name(&facts.given.module, &facts.identity()));
    }

    fn touch_name(&self, name: &str) {
        let time = |tv_nsec| Timespec { tv_sec: 0, tv_nsec };
        let times = Timestamps {
            last_access: time(UTIME_OMIT),
            last_modification: time(UTIME_NOW),
        };
        let _ = utimensat(&self.folder, name, &times, AtFlags::SYMLINK_NOFOLLOW);
    }

    /// Puts machine code into place, all at once.
    pub fn save(&self, metadata: &Metadata, code: &mut impl Read) -> Result<()> {
        let name = metadata.key.entry_name();
        let mode = if metadata.key.snapshot {
            FOR_US
        } else {
            FOR_ALL
        };
        let footer = append_footer(Vec::new(), metadata);
        self.place(&name, code, &footer, mode)
    }

    fn place(&self, name: &str, content: &mut impl Read, footer: &[u8], mode: Mode) -> Result<()> {
        let partial = partial_name(name);
        let saved = self
            .write_new(&partial, content, footer, mode)
            .and_then(|()| Ok(renameat(&self.folder, &partial, &self.folder, name)?));
        saved.map_err(|error| {
            let _ = unlinkat(&self.folder, &partial, AtFlags::empty());
            Error::io(&self.directory.join(name), error)
        })
    }

    /// Removes the entry of this key, where there is one.
    pub(super) fn remove(&self, key: &ArtifactKey) {
        // A cache that is read-only keeps it; the next start tries it again.
        let _ = unlinkat(&self.folder, key.entry_name(), AtFlags::empty());
    }

    /// Removes entries that no start has used for a long time.
    pub(super) fn sweep(&self) {
        // What stays costs only space; the next start that writes tries again.
        let _ = expiry::sweep(&self.folder, SystemTime::now());
    }

    fn unusable(&self, name: &str, reason: &str) -> Entry {
        Entry::Unusable(format!("{}: {reason}", self.directory.join(name).display()))
    }

    fn open_entry(&self, name: &str) -> io::Result<File> {
        // Neither a link that leads elsewhere nor a FIFO that blocks.
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
        let file = File::from(openat(&self.folder, name, flags, Mode::empty())?);
        if !file.metadata()?.is_file() {
            return Err(io::Error::other("not a regular file"));
        }
        match distrust(&fstat(&file)?) {
            Some(reason) => Err(io::Error::other(reason)),
            None => Ok(file),
        }
    }

    fn write_new(
        &self,
        name: &str,
        content: &mut impl Read,
        footer: &[u8],
        mode: Mode,
    ) -> io::Result<()> {
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        let mut file = File::from(openat(&self.folder, name, flags, mode)?);
        pack(content, &mut file)?;
        file.write_all(footer)?;
        file.sync_all()
    }
}

fn read_entry(file: File, key: &ArtifactKey) -> std::result::Result<Artifact, String> {
    let text = |error: io::Error| error.to_string();
    let mut code = memory_file::create().map_err(text)?;
    let metadata = copy_verified(file, key, &mut code)?;
    Artifact::seal(metadata, code).map_err(text)
}

/// Copies the code of an entry, which is to be used only when this succeeds.
fn copy_verified(
    file: File,
    key: &ArtifactKey,
    code: &mut impl Write,
) -> std::result::Result<Metadata, String> {
    let text = |error: io::Error| error.to_string();
    let (metadata, length) = read_footer(&file)
        .map_err(text)?
        .ok_or("not compiled code, or cut short")?;
    if metadata.key != *key {
        return Err("compiled code of something else".to_owned());
    }
    let unpacked = unpack(file.take(length)).and_then(|mut it| digest::copy_summed(&mut it, code));
    let sum = unpacked.map_err(|error| match error.raw_os_error() {
        Some(_) => error.to_string(),
        None => format!("damaged: {error}"),
    });
    if sum? != metadata.code_crc32 {
        return Err("damaged: its checksum is wrong".to_owned());
    }
    Ok(metadata)
}
