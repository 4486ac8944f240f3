//! The directory of compiled code. Its files become machine code of the server, so it has to belong to root or to the
//! user who starts the server, and nobody else may write to it.

use super::expiry;
use super::folder::{distrust, find_private, open_private};
use super::footer::{Metadata, read_footer};
use super::key::{ArtifactKey, is_snapshot_of, partial_name, snapshot_name};
use super::snapshot::{Snapshot, SnapshotFacts, read_facts};
use super::{Artifact, digest, memory_file};
use crate::error::{Error, Result};
use rustix::fs::{
    AtFlags, Dir, Mode, OFlags, Timespec, Timestamps, UTIME_NOW, UTIME_OMIT, fstat, openat,
    renameat, unlinkat, utimensat,
};
use std::fs::File;
use std::io::{self, Read, Seek, Write};
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
    pub(super) fn look(&self, key: &ArtifactKey) -> Option<std::result::Result<(), String>> {
        let file = match self.open_entry(&key.entry_name()) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
            Err(error) => return Some(Err(error.to_string())),
        };
        Some(copy_verified(file, key, &mut io::sink()).map(drop))
    }

    /// The artifact of this key, copied into a sealed memory file and verified on the way.
    pub(super) fn load(&self, key: &ArtifactKey) -> Entry {
        let name = key.entry_name();
        let file = match self.open_entry(&name) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Entry::Missing,
            // That of another user of this cache.
            Err(error) if key.snapshot && error.kind() == io::ErrorKind::PermissionDenied => {
                return Entry::Missing;
            }
            Err(error) => return self.unusable(&name, &error.to_string()),
        };
        match read_entry(file, key) {
            Ok(artifact) => {
                self.touch(key);
                Entry::Found(artifact)
            }
            Err(reason) => self.unusable(&name, &reason),
        }
    }

    /// A snapshot of this module that `is_wanted` wants, and that can be used.
    pub(super) fn snapshot(
        &self,
        module_sha256: &str,
        is_wanted: impl Fn(&SnapshotFacts) -> bool,
    ) -> Option<Snapshot> {
        let entries = Dir::read_from(&self.folder).ok()?.flatten();
        entries
            .filter_map(|entry| entry.file_name().to_str().map(str::to_owned).ok())
            .filter(|name| is_snapshot_of(name, module_sha256))
            .find_map(|name| {
                let mut file = self.open_entry(&name).ok()?;
                // Before the whole file is read.
                read_facts(&file).ok()?.filter(&is_wanted)?;
                let snapshot = Snapshot::from_file(&mut file).ok()?;
                self.touch_name(&name);
                Some(snapshot)
            })
    }

    /// Puts a snapshot into place.
    pub(super) fn save_snapshot(&self, snapshot: &Snapshot) -> Result<()> {
        let name = snapshot_name(&snapshot.facts.given.module, &snapshot.facts.identity());
        let content = snapshot
            .content()
            .map_err(|error| self.failed(&name, error))?;
        match content {
            Some(mut content) => self.place(&name, &mut content, FOR_US),
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

    /// Puts the content of an artifact file into place, all at once.
    pub fn save(&self, metadata: &Metadata, content: &mut (impl Read + Seek)) -> Result<()> {
        let name = metadata.key.entry_name();
        let mode = if metadata.key.snapshot {
            FOR_US
        } else {
            FOR_ALL
        };
        content
            .rewind()
            .map_err(|error| self.failed(&name, error))?;
        self.place(&name, content, mode)
    }

    fn place(&self, name: &str, content: &mut impl Read, mode: Mode) -> Result<()> {
        let partial = partial_name(name);
        let saved = self.write_new(&partial, content, mode).and_then(|()| {
            renameat(&self.folder, &partial, &self.folder, name)?;
            Ok(())
        });
        saved.map_err(|error| {
            let _ = unlinkat(&self.folder, &partial, AtFlags::empty());
            self.failed(name, error)
        })
    }

    fn failed(&self, name: &str, error: io::Error) -> Error {
        Error::io(&self.directory.join(name), error)
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

    fn write_new(&self, name: &str, content: &mut impl Read, mode: Mode) -> io::Result<()> {
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        let mut file = File::from(openat(&self.folder, name, flags, mode)?);
        io::copy(content, &mut file)?;
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
    let (metadata, code_length) = read_footer(&file)
        .map_err(text)?
        .ok_or("not compiled code, or cut short")?;
    if metadata.key != *key {
        return Err("compiled code of something else".to_owned());
    }
    let actual = digest::copy_hashed(&mut file.take(code_length), code).map_err(text)?;
    if actual != metadata.code_sha256 {
        return Err("damaged: its checksum is wrong".to_owned());
    }
    Ok(metadata)
}

#[cfg(test)]
mod tests {
    use super::super::snapshot::{append_facts, tests as snapshot};
    use super::super::{Facts, append_footer};
    use super::*;
    use crate::engine::settings::{Settings, Target};
    use std::fs;
    use std::io::Cursor;
    use std::os::unix::fs::PermissionsExt;
    use std::time::Duration;

    fn key(target: Target) -> ArtifactKey {
        ArtifactKey::new(&"5a".repeat(32), &Settings::of_this_process(), target)
    }

    fn metadata() -> Metadata {
        Metadata {
            key: key(Target::Native),
            compatibility: String::new(),
            code_sha256: String::new(),
            facts: Facts::default(),
        }
    }

    fn filled() -> (tempfile::TempDir, Cache) {
        let directory = tempfile::tempdir().unwrap();
        let cache = Cache::open(directory.path()).unwrap();
        let content = append_footer(b"code".to_vec(), metadata());
        cache.save(&metadata(), &mut Cursor::new(content)).unwrap();
        (directory, cache)
    }

    fn path(cache: &Cache) -> PathBuf {
        cache.directory.join(key(Target::Native).entry_name())
    }

    fn unusable_because(cache: &Cache) -> String {
        match cache.load(&key(Target::Native)) {
            Entry::Unusable(reason) => reason,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_was_saved_is_found_and_nothing_else() {
        let (_directory, cache) = filled();
        assert!(matches!(cache.load(&key(Target::Native)), Entry::Found(_)));
        assert!(matches!(cache.load(&key(Target::Baseline)), Entry::Missing));
    }

    #[test]
    fn damaged_entries_are_told_apart_from_missing_ones() {
        let (_directory, cache) = filled();
        let path = path(&cache);
        let mut content = fs::read(&path).unwrap();
        content[0] ^= 1;
        fs::write(&path, &content).unwrap();
        assert!(unusable_because(&cache).contains("checksum"));
        fs::write(&path, &content[..content.len() / 2]).unwrap();
        assert!(unusable_because(&cache).contains("cut short"));
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
        assert!(unusable_because(&cache).contains("regular file"));
    }

    #[test]
    fn an_entry_of_another_module_is_refused() {
        let (_directory, cache) = filled();
        let other = key(Target::Baseline).entry_name();
        fs::rename(path(&cache), cache.directory.join(other)).unwrap();
        let found = cache.load(&key(Target::Baseline));
        assert!(matches!(found, Entry::Unusable(_)));
    }

    #[test]
    fn what_others_can_write_is_not_trusted() {
        let (directory, cache) = filled();
        let everyone = fs::Permissions::from_mode(0o666);
        fs::set_permissions(path(&cache), everyone).unwrap();
        assert!(unusable_because(&cache).contains("written by others"));
        fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o777)).unwrap();
        let refused = Cache::open(directory.path()).unwrap_err();
        assert!(matches!(refused, Error::Cache { .. }), "{refused}");
    }

    /// Makes a file of the cache this old.
    fn age(path: &Path, age: Duration) {
        let file = File::options().write(true).open(path).unwrap();
        file.set_modified(SystemTime::now() - age).unwrap();
    }

    #[test]
    fn what_no_start_used_for_long_goes_and_nothing_else() {
        let (_directory, cache) = filled();
        let long = expiry::UNUSED + Duration::from_secs(60);
        let unused = key(Target::Baseline).entry_name();
        let recent = partial_name(&key(Target::Native).entry_name());
        let partial = partial_name(&key(Target::Baseline).entry_name());
        let foreign = ["note.cwasm", "note.partial", "note"];
        for name in [unused.as_str(), &partial].into_iter().chain(foreign) {
            fs::write(cache.directory.join(name), "").unwrap();
            age(&cache.directory.join(name), long);
        }
        fs::write(cache.directory.join(&recent), "").unwrap();
        age(&path(&cache), long);
        assert!(matches!(cache.load(&key(Target::Native)), Entry::Found(_)));
        cache.sweep();
        assert!(!cache.directory.join(unused).exists());
        assert!(!cache.directory.join(partial).exists());
        assert!(path(&cache).exists(), "it was used just now");
        for name in foreign.into_iter().chain([recent.as_str()]) {
            assert!(cache.directory.join(name).exists(), "{name}");
        }
    }

    #[test]
    fn an_entry_leaves_after_30_days_and_not_before() {
        let (_directory, cache) = filled();
        age(&path(&cache), expiry::UNUSED - Duration::from_secs(60));
        cache.sweep();
        assert!(path(&cache).exists());
        age(&path(&cache), expiry::UNUSED + Duration::from_secs(60));
        cache.sweep();
        assert!(!path(&cache).exists());
    }

    const MODULE: &str = "5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a";

    /// A cache with a snapshot in it, and the path of that.
    fn with_snapshot() -> (tempfile::TempDir, Cache, PathBuf) {
        let directory = tempfile::tempdir().unwrap();
        let cache = Cache::open(directory.path()).unwrap();
        let content = append_facts(b"wasm".to_vec(), snapshot::facts(MODULE));
        let snapshot = Snapshot::from_file(&mut snapshot::file(&content)).unwrap();
        cache.save_snapshot(&snapshot).unwrap();
        let name = snapshot_name(MODULE, &snapshot.facts.identity());
        let path = directory.path().join(name);
        assert_eq!(fs::read(&path).unwrap(), content);
        (directory, cache, path)
    }

    fn finds(cache: &Cache, module: &str) -> bool {
        cache.snapshot(module, |_| true).is_some()
    }

    #[test]
    fn a_snapshot_is_found_by_its_module_and_what_it_was_made_of() {
        let (_directory, cache, path) = with_snapshot();
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "not everybody may read what is in it");
        assert!(finds(&cache, MODULE));
        assert!(!finds(&cache, &"00".repeat(32)));
        let given = snapshot::facts(MODULE).given;
        let found = cache.snapshot(MODULE, |facts| facts.given == given);
        assert!(found.unwrap().open().unwrap().is_some());
        assert!(cache.snapshot(MODULE, |_| false).is_none());
    }

    #[test]
    fn a_snapshot_that_is_not_whole_or_not_ours_is_left_alone() {
        let (_directory, cache, path) = with_snapshot();
        let whole = fs::read(&path).unwrap();
        let mut flipped = whole.clone();
        flipped[0] ^= 1;
        for damaged in [&whole[..whole.len() - 1], b"foreign", b"", &flipped] {
            fs::write(&path, damaged).unwrap();
            assert!(!finds(&cache, MODULE));
        }
        fs::write(&path, &whole).unwrap();
        assert!(finds(&cache, MODULE));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).unwrap();
        assert!(!finds(&cache, MODULE), "others can write it");
        fs::remove_file(&path).unwrap();
        std::os::unix::fs::symlink("/etc/passwd", &path).unwrap();
        assert!(!finds(&cache, MODULE));
    }

    #[test]
    fn a_snapshot_leaves_a_day_after_its_last_use() {
        let (_directory, cache, path) = with_snapshot();
        let key = key(Target::Native).of_snapshot(true);
        let code = cache.directory.join(key.entry_name());
        fs::write(&code, "").unwrap();
        for file in [&path, &code] {
            age(file, expiry::UNUSED_SNAPSHOT - Duration::from_secs(60));
        }
        cache.sweep();
        assert!(path.exists() && code.exists());
        for file in [&path, &code] {
            age(file, expiry::UNUSED_SNAPSHOT + Duration::from_secs(60));
        }
        assert!(finds(&cache, MODULE), "which is a use");
        cache.sweep();
        assert!(path.exists() && !code.exists());
    }

    #[test]
    fn the_code_of_a_snapshot_is_for_its_owner_only() {
        let (_directory, cache) = filled();
        let mut metadata = metadata();
        metadata.key.snapshot = true;
        let content = append_footer(b"code".to_vec(), metadata.clone());
        cache.save(&metadata, &mut Cursor::new(content)).unwrap();
        let mode = |key: &ArtifactKey| {
            let file = cache.directory.join(key.entry_name());
            fs::metadata(file).unwrap().permissions().mode() & 0o777
        };
        assert_eq!(mode(&metadata.key), 0o600);
        assert_eq!(mode(&key(Target::Native)), 0o644);
        assert!(matches!(cache.load(&metadata.key), Entry::Found(_)));
    }
}
