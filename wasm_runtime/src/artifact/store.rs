//! The parent's collection of compiled modules. It outlives the passes over the configuration, so that nothing is
//! hashed, read or compiled twice.

use super::cache::{Cache, Entry};
use super::{Artifact, ArtifactKey, digest, helper};
use crate::engine::settings::{Settings, Target};
use crate::error::{Error, Result};
use std::collections::{HashMap, HashSet};
use std::fs::{self, File, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A module to prepare.
#[derive(Debug)]
pub struct Request<'a> {
    pub module: &'a Path,
    /// SHA-256 that the file must have, in hex.
    pub digest: Option<&'a str>,
    /// No cache when absent.
    pub cache_directory: Option<&'a Path>,
    /// The program `wasm-precompile`.
    pub helper: &'a Path,
}

/// Where an artifact came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Already in the store.
    Kept,
    Cache,
    Compiled,
    /// As `Compiled`, because a process could not load what was there before.
    CompiledAgain,
}

/// The answer to a [`Request`].
#[derive(Debug)]
pub struct Prepared {
    pub artifact: Arc<Artifact>,
    pub origin: Origin,
    /// One line for the log, or nothing.
    pub warning: String,
    cache_directory: Option<PathBuf>,
}

impl Prepared {
    /// Code that a process could not load leaves the cache, so that the next start compiles it again.
    pub fn remove_refused(&self) {
        let Some(directory) = self.cache_directory.as_deref() else {
            return;
        };
        if self.artifact.is_refused()
            && let Ok(cache) = Cache::open(directory)
        {
            cache.remove(&self.artifact.metadata.key);
        }
    }
}

/// A version of a file, as far as its directory entry tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct FileVersion {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl FileVersion {
    fn of(metadata: &Metadata) -> Self {
        FileVersion {
            device: metadata.dev(),
            inode: metadata.ino(),
            size: metadata.size(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }
}

#[derive(Debug, Default)]
struct Contents {
    digests: HashMap<FileVersion, String>,
    artifacts: HashMap<String, Arc<Artifact>>,
    /// Caches that were written to since the last [`ArtifactStore::trim`].
    grown: HashSet<PathBuf>,
}

/// See the module's description.
#[derive(Debug, Default)]
pub struct ArtifactStore {
    contents: Mutex<Contents>,
}

impl ArtifactStore {
    /// Finds or makes the compiled code of a module.
    ///
    /// # Errors
    /// One line that names the cause: the file, its digest, the module itself, the helper, or a cache directory that
    /// cannot be trusted. A cache that cannot be written is only a warning.
    pub fn prepare(&self, request: &Request<'_>) -> Result<Prepared> {
        let sha256 = self.digest(request.module)?;
        if let Some(expected) = request.digest
            && !expected.eq_ignore_ascii_case(&sha256)
        {
            return Err(Error::Digest {
                path: request.module.to_owned(),
                expected: expected.to_ascii_lowercase(),
                actual: sha256,
            });
        }
        let kept = self.lock().artifacts.get(&sha256).cloned();
        let prepared = match kept {
            Some(kept) if !kept.is_refused() => {
                return Ok(request.prepared(kept, Origin::Kept, &[]));
            }
            refused => obtain(request, &sha256, refused.is_some())?,
        };
        let mut contents = self.lock();
        if let (Origin::Compiled | Origin::CompiledAgain, Some(directory)) =
            (prepared.origin, request.cache_directory)
        {
            contents.grown.insert(directory.to_owned());
        }
        contents
            .artifacts
            .insert(sha256, Arc::clone(&prepared.artifact));
        drop(contents);
        Ok(prepared)
    }

    /// Forgets the artifacts that nobody else holds. A cache that has grown loses the entries that no start has used for
    /// a long time.
    pub fn trim(&self) {
        let mut contents = self.lock();
        contents
            .artifacts
            .retain(|_, artifact| Arc::strong_count(artifact) > 1);
        for directory in std::mem::take(&mut contents.grown) {
            let Ok(cache) = Cache::open(&directory) else {
                continue;
            };
            for Artifact { metadata, .. } in contents.artifacts.values().map(Arc::as_ref) {
                cache.touch(&metadata.key);
            }
            cache.sweep();
        }
    }

    fn digest(&self, path: &Path) -> Result<String> {
        let failed = |error| Error::io(path, error);
        // Looked at before it is opened: opening a FIFO would wait for a writer.
        let metadata = fs::metadata(path).map_err(failed)?;
        if !metadata.is_file() {
            return Err(failed(io::Error::other("not a regular file")));
        }
        let version = FileVersion::of(&metadata);
        if let Some(known) = self.lock().digests.get(&version) {
            return Ok(known.clone());
        }
        let mut file = File::open(path).map_err(failed)?;
        let sha256 = digest::copy_hashed(&mut file, &mut io::sink()).map_err(failed)?;
        self.lock().digests.insert(version, sha256.clone());
        Ok(sha256)
    }

    fn lock(&self) -> MutexGuard<'_, Contents> {
        // Both maps stay whole if something panicked between two of their operations.
        self.contents.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Request<'_> {
    fn prepared(&self, artifact: Arc<Artifact>, origin: Origin, warnings: &[String]) -> Prepared {
        Prepared {
            artifact,
            origin,
            warning: warnings.join("; "),
            cache_directory: self.cache_directory.map(Path::to_owned),
        }
    }
}

/// From the cache, or compiled. Code that was refused is compiled again, whatever the cache holds.
fn obtain(request: &Request<'_>, sha256: &str, refused: bool) -> Result<Prepared> {
    let mut warnings = Vec::new();
    let cache = open_cache(request.cache_directory, &mut warnings)?;
    if !refused
        && let Some(cache) = &cache
        && let Some(artifact) = look_up(cache, sha256, &mut warnings)
    {
        return Ok(request.prepared(Arc::new(artifact), Origin::Cache, &warnings));
    }
    let artifact = compile(request, sha256, cache.as_ref(), &mut warnings)?;
    let origin = if refused {
        Origin::CompiledAgain
    } else {
        Origin::Compiled
    };
    Ok(request.prepared(Arc::new(artifact), origin, &warnings))
}

fn look_up(cache: &Cache, sha256: &str, warnings: &mut Vec<String>) -> Option<Artifact> {
    let settings = Settings::of_this_process();
    for target in Target::PREFERENCE {
        match cache.load(&ArtifactKey::new(sha256, &settings, target)) {
            Entry::Found(artifact) => return Some(artifact),
            Entry::Missing => {}
            Entry::Unusable(reason) => warnings.push(format!("{reason}; compiling again")),
        }
    }
    None
}

fn open_cache(directory: Option<&Path>, warnings: &mut Vec<String>) -> Result<Option<Cache>> {
    let Some(directory) = directory else {
        return Ok(None);
    };
    match Cache::open(directory) {
        Ok(cache) => Ok(Some(cache)),
        // Nobody else's code can come from there, so this costs only time.
        Err(error @ Error::Io { .. }) => {
            warnings.push(format!("no cache of compiled code: {error}"));
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

fn compile(
    request: &Request<'_>,
    sha256: &str,
    cache: Option<&Cache>,
    warnings: &mut Vec<String>,
) -> Result<Artifact> {
    let (mut file, metadata, code_length) = helper::compile(request.helper, request.module)?;
    if metadata.key.module != sha256 {
        return Err(Error::Compile(format!(
            "{} was changed while it was compiled",
            request.module.display()
        )));
    }
    // After an upgrade under a running server the helper is newer than this library, which cannot map what it makes.
    let expected = ArtifactKey::new(sha256, &Settings::of_this_process(), Target::Native);
    if metadata.key != expected {
        return Err(Error::Compile(format!(
            "{} and this library are of different builds: stop and start the server",
            request.helper.display()
        )));
    }
    if let Some(cache) = cache
        && let Err(error) = cache.save(&metadata, &mut file)
    {
        warnings.push(format!("compiled code is not cached: {error}"));
    }
    file.set_len(code_length)
        .and_then(|()| Artifact::seal(metadata, file))
        .map_err(|error| Error::Compile(error.to_string()))
}
