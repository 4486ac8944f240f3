//! The download cache: verified files named by their SHA-256 digest.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use crate::digest::{Hasher, Sha256};
use crate::error::{Error, IoContext, Result};
use crate::report::Report;

pub(crate) struct Cache {
    folder: PathBuf,
    /// One lock for each digest: what several artifacts need at the same time is made once.
    claims: Mutex<HashMap<Sha256, Arc<Mutex<()>>>>,
    /// Held open for its lock: one run at a time changes a target folder.
    lock: File,
}

impl Cache {
    /// Opens the cache of a target folder, and waits for another run that uses it.
    pub(crate) fn open(into: &Path, report: &Report) -> Result<Self> {
        let folder = into.join(".cache");
        fs::create_dir_all(&folder).doing("create", &folder)?;
        let lock = lock(&folder.join(".lock"), report)?;
        Ok(Self {
            folder,
            claims: Mutex::default(),
            lock,
        })
    }

    /// Makes a file by work that may start other runs of this tool, which may use the target folder meanwhile. `finish`
    /// brings the outcome here. Only one run at a time does it for a digest, and none where another one has done it.
    pub(crate) fn unlocked(
        &self,
        sha256: Sha256,
        report: &Report,
        work: impl FnOnce() -> Result<()>,
        finish: impl FnOnce() -> Result<PathBuf>,
    ) -> Result<PathBuf> {
        self.lock.unlock().doing("unlock", &self.folder)?;
        let _own = lock(&self.path(sha256).with_extension("lock"), report)?;
        let found = self.look_up(sha256)?;
        let outcome = if found.is_none() { work() } else { Ok(()) };
        self.lock.lock().doing("lock", &self.folder)?;
        outcome?;
        found.map_or_else(finish, Ok)
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Whether a file of this digest is here; it may turn out to be damaged.
    pub(crate) fn has(&self, sha256: Sha256) -> bool {
        self.path(sha256).exists()
    }

    /// The cached file of this digest, if there is a sound one.
    pub(crate) fn find(&self, sha256: Sha256) -> Result<Option<PathBuf>> {
        self.exclusively(sha256, || self.look_up(sha256))
    }

    /// The cached file of this digest, and whether `make` had to bring it there. `make` must not ask for the same digest.
    pub(crate) fn obtain(
        &self,
        sha256: Sha256,
        make: impl FnOnce() -> Result<PathBuf>,
    ) -> Result<(PathBuf, bool)> {
        self.exclusively(sha256, || match self.look_up(sha256)? {
            Some(path) => Ok((path, false)),
            None => Ok((make()?, true)),
        })
    }

    fn exclusively<T>(&self, sha256: Sha256, work: impl FnOnce() -> T) -> T {
        // The locks guard files, which a panic leaves as a crash would; so poisoning means nothing here.
        let claim = {
            let mut claims = self.claims.lock().unwrap_or_else(PoisonError::into_inner);
            claims.entry(sha256).or_default().clone()
        };
        let _held = claim.lock().unwrap_or_else(PoisonError::into_inner);
        work()
    }

    /// It is read and checked each time, and thrown away when it is damaged.
    fn look_up(&self, sha256: Sha256) -> Result<Option<PathBuf>> {
        let path = self.path(sha256);
        match Sha256::of_file(&path) {
            Ok(found) if found == sha256 => Ok(Some(path)),
            Ok(_) => {
                fs::remove_file(&path).doing("remove the damaged", &path)?;
                Ok(None)
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).doing("read", &path),
        }
    }

    /// Starts a new file that should get this digest.
    pub(crate) fn create(&self, sha256: Sha256) -> Result<Partial> {
        let mut partial = self.open_partial(sha256)?;
        partial.restart()?;
        Ok(partial)
    }

    /// Goes on with what an interrupted run left of this file, or starts a new one.
    pub(crate) fn resume(&self, sha256: Sha256) -> Result<Partial> {
        let mut partial = self.open_partial(sha256)?;
        partial.length =
            io::copy(&mut partial.file, &mut partial.hasher).doing("read", &partial.path)?;
        partial.continued = partial.length > 0;
        Ok(partial)
    }

    fn open_partial(&self, sha256: Sha256) -> Result<Partial> {
        let path = self.path(sha256).with_extension("partial");
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(&path)
            .doing("create", &path)?;
        Ok(Partial {
            file,
            path,
            expected: sha256,
            hasher: Hasher::default(),
            length: 0,
            continued: false,
            keep: false,
        })
    }

    pub(crate) fn path(&self, sha256: Sha256) -> PathBuf {
        self.folder.join(sha256.to_string())
    }
}

fn lock(path: &Path, report: &Report) -> Result<File> {
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(path)
        .doing("open", path)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            report.detail(&format!(
                "waiting for another run, which holds {}",
                path.display()
            ));
            file.lock().doing("lock", path)?;
        }
        Err(TryLockError::Error(error)) => return Err(error).doing("lock", path),
    }
    Ok(file)
}

/// A file on its way into the cache: hashed as it is written, and in its place only when the digest is right.
pub(crate) struct Partial {
    file: File,
    path: PathBuf,
    expected: Sha256,
    hasher: Hasher,
    length: u64,
    continued: bool,
    /// The file stays when this is dropped.
    keep: bool,
}

impl Partial {
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// How many bytes are here.
    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    /// Forgets what has been written.
    pub(crate) fn restart(&mut self) -> Result<()> {
        self.hasher = Hasher::default();
        self.length = 0;
        self.continued = false;
        self.file.set_len(0).doing("truncate", &self.path)?;
        self.file
            .seek(SeekFrom::Start(0))
            .doing("rewind", &self.path)?;
        Ok(())
    }

    /// Notes that what follows comes from another answer than what is here.
    pub(crate) fn continues(&mut self) {
        self.continued = true;
    }

    /// Whether it is put together from several answers, which may not belong together.
    pub(crate) fn is_continued(&self) -> bool {
        self.continued
    }

    pub(crate) fn is_right(&self) -> bool {
        self.hasher.clone().finish() == self.expected
    }

    /// Leaves what is here for a later try to go on with.
    pub(crate) fn leave(mut self) {
        self.keep = self.length > 0;
    }

    /// Checks the digest and moves the file to its place; `origin` names its source in the error.
    pub(crate) fn finish(mut self, origin: &str) -> Result<PathBuf> {
        let (expected, calculated) = (self.expected, std::mem::take(&mut self.hasher).finish());
        if expected != calculated {
            return Err(Error::new(format!(
                "{origin}: wrong content: expected sha256 {expected}, calculated {calculated}"
            )));
        }
        // Otherwise a crash could leave an empty file under a name that promises its content.
        self.file.sync_all().doing("write", &self.path)?;
        let target = self.path.with_file_name(calculated.to_string());
        fs::rename(&self.path, &target).doing("rename", &self.path)?;
        self.keep = true;
        Ok(target)
    }
}

impl Write for Partial {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.file.write(bytes)?;
        self.hasher.write_all(&bytes[..count])?;
        self.length += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        if !self.keep {
            // Best effort: what stays is checked by the next try.
            let _ = fs::remove_file(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cache(folder: &Path) -> Cache {
        Cache::open(folder, &Report::new(true, false)).unwrap()
    }

    #[test]
    fn only_right_content_gets_into_the_cache() {
        let folder = tempfile::tempdir().unwrap();
        let cache = cache(folder.path());
        let wanted = Sha256::of_reader(&b"right"[..]).unwrap();

        let mut partial = cache.create(wanted).unwrap();
        partial.write_all(b"wrong").unwrap();
        let message = partial.finish("here").unwrap_err().to_string();
        assert!(
            message.contains(&wanted.to_string()) && message.starts_with("here: "),
            "{message}"
        );
        assert_eq!(cache.find(wanted).unwrap(), None);

        let mut partial = cache.create(wanted).unwrap();
        partial.write_all(b"wrong and long").unwrap();
        partial.restart().unwrap();
        partial.write_all(b"right").unwrap();
        let path = partial.finish("here").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"right");
        assert_eq!(cache.find(wanted).unwrap(), Some(path));
    }

    #[test]
    fn a_damaged_file_is_not_used() {
        let folder = tempfile::tempdir().unwrap();
        let cache = cache(folder.path());
        let wanted = Sha256::of_reader(&b"right"[..]).unwrap();
        let path = cache.path(wanted);
        fs::write(&path, "damaged").unwrap();
        assert_eq!(cache.find(wanted).unwrap(), None);
        assert!(!path.exists());
    }
}
