//! The directory of compiled code. Its files become machine code of the server, so it has to belong to root or to the
//! user who starts the server, and nobody else may write to it.

use super::footer::{Metadata, read_footer};
use super::{Artifact, digest, memory_file};
use crate::error::{Error, Result};
use rustix::fs::{Mode, OFlags};
use std::fs::{self, DirBuilder, File};
use std::io::{self, Read, Seek};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

const OTHERS_WRITE: u32 = 0o022;

/// A cache directory that was found trustworthy.
#[derive(Debug)]
pub struct Cache {
    directory: PathBuf,
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
    /// [`Error::Cache`] when somebody else could put code into it, [`Error::Io`] when it cannot be made or looked at.
    pub fn open(directory: &Path) -> Result<Self> {
        let made = DirBuilder::new()
            .recursive(true)
            .mode(0o755)
            .create(directory);
        made.map_err(|error| Error::io(directory, error))?;
        let metadata = fs::metadata(directory).map_err(|error| Error::io(directory, error))?;
        match distrust(&metadata) {
            Some(reason) => Err(Error::Cache {
                path: directory.to_owned(),
                reason,
            }),
            None => Ok(Cache {
                directory: directory.to_owned(),
            }),
        }
    }

    /// The artifact of a module under these settings, copied into a sealed memory file and verified on the way.
    pub(super) fn load(&self, module_sha256: &str, settings_key: &str) -> Entry {
        let path = self.path(module_sha256, settings_key);
        let file = match open_entry(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Entry::Missing,
            Err(error) => return unusable(&path, &error.to_string()),
        };
        match read_entry(file, module_sha256, settings_key) {
            Ok(artifact) => Entry::Found(artifact),
            Err(reason) => unusable(&path, &reason),
        }
    }

    /// Puts the content of an artifact file into place, all at once.
    pub fn save(&self, metadata: &Metadata, content: &mut (impl Read + Seek)) -> Result<()> {
        let path = self.path(&metadata.module_sha256, &metadata.settings_key);
        let partial = path.with_extension(format!("{}.partial", std::process::id()));
        let saved = write_new(&partial, content).and_then(|()| fs::rename(&partial, &path));
        saved.map_err(|error| {
            let _ = fs::remove_file(&partial);
            Error::io(&path, error)
        })
    }

    fn path(&self, module_sha256: &str, settings_key: &str) -> PathBuf {
        let name = format!("{module_sha256}-{settings_key}.cwasm");
        self.directory.join(name)
    }
}

fn unusable(path: &Path, reason: &str) -> Entry {
    Entry::Unusable(format!("{}: {reason}", path.display()))
}

/// Why a file or directory could hold code of somebody else.
fn distrust(metadata: &fs::Metadata) -> Option<String> {
    let user = rustix::process::geteuid().as_raw();
    let owner = metadata.uid();
    if owner != 0 && owner != user {
        return Some(format!(
            "belongs to user {owner}; compiled code is trusted, so it has to belong to root or to user {user}, who \
             starts the server"
        ));
    }
    if metadata.mode() & OTHERS_WRITE != 0 {
        return Some(format!(
            "can be written by others (mode {:o}); compiled code is trusted, so take that right away: chmod go-w",
            metadata.mode() & 0o7777
        ));
    }
    None
}

fn open_entry(path: &Path) -> io::Result<File> {
    // Neither a link that leads elsewhere nor a FIFO that blocks.
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let file = File::from(rustix::fs::open(path, flags, Mode::empty())?);
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(io::Error::other("not a regular file"));
    }
    match distrust(&metadata) {
        Some(reason) => Err(io::Error::other(reason)),
        None => Ok(file),
    }
}

fn read_entry(
    file: File,
    module_sha256: &str,
    settings_key: &str,
) -> std::result::Result<Artifact, String> {
    let text = |error: io::Error| error.to_string();
    let (metadata, code_length) = read_footer(&file)
        .map_err(text)?
        .ok_or("not compiled code, or cut short")?;
    if metadata.module_sha256 != module_sha256 || metadata.settings_key != settings_key {
        return Err("compiled code of something else".to_owned());
    }
    let mut code = memory_file::create().map_err(text)?;
    let actual = digest::copy_hashed(&mut file.take(code_length), &mut code).map_err(text)?;
    if actual != metadata.code_sha256 {
        return Err("damaged: its checksum is wrong".to_owned());
    }
    memory_file::seal(&code).map_err(text)?;
    Ok(Artifact { metadata, code })
}

fn write_new(path: &Path, content: &mut (impl Read + Seek)) -> io::Result<()> {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    let mode = Mode::RUSR | Mode::WUSR | Mode::RGRP | Mode::ROTH;
    let mut file = File::from(rustix::fs::open(path, flags, mode)?);
    content.rewind()?;
    io::copy(content, &mut file)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::super::{Needs, append_footer};
    use super::*;
    use std::io::Cursor;
    use std::os::unix::fs::PermissionsExt;

    fn metadata() -> Metadata {
        Metadata {
            module_sha256: "sha".into(),
            settings_key: "key".into(),
            code_sha256: String::new(),
            needs: Needs::default(),
            minimum_memory: 0,
            entry_points: Vec::new(),
        }
    }

    fn filled() -> (tempfile::TempDir, Cache) {
        let directory = tempfile::tempdir().unwrap();
        let cache = Cache::open(directory.path()).unwrap();
        let content = append_footer(b"code".to_vec(), metadata());
        cache.save(&metadata(), &mut Cursor::new(content)).unwrap();
        (directory, cache)
    }

    fn unusable_because(cache: &Cache) -> String {
        match cache.load("sha", "key") {
            Entry::Unusable(reason) => reason,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_was_saved_is_found_and_nothing_else() {
        let (_directory, cache) = filled();
        assert!(matches!(cache.load("sha", "key"), Entry::Found(_)));
        assert!(matches!(cache.load("sha", "other"), Entry::Missing));
    }

    #[test]
    fn damaged_entries_are_told_apart_from_missing_ones() {
        let (_directory, cache) = filled();
        let path = cache.path("sha", "key");
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
        fs::rename(cache.path("sha", "key"), cache.path("sha2", "key")).unwrap();
        assert!(matches!(cache.load("sha2", "key"), Entry::Unusable(_)));
    }

    #[test]
    fn what_others_can_write_is_not_trusted() {
        let (directory, cache) = filled();
        let everyone = fs::Permissions::from_mode(0o666);
        fs::set_permissions(cache.path("sha", "key"), everyone).unwrap();
        assert!(unusable_because(&cache).contains("written by others"));
        fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o777)).unwrap();
        let refused = Cache::open(directory.path()).unwrap_err();
        assert!(matches!(refused, Error::Cache { .. }), "{refused}");
    }
}
