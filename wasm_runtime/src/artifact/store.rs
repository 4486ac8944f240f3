//! The parent's collection of compiled modules. It outlives the passes over the configuration, so that nothing is
//! hashed, read or compiled twice.

use super::cache::{Cache, Entry};
use super::digests::Digests;
use super::helper::{self, Process};
use super::preinit::INITIALIZERS;
use super::side_by_side::{Job, SideBySide};
use super::snapshot::Snapshot;
use super::snapshots::Failure;
use super::{Artifact, ArtifactKey, Facts, Origin, Prepared, Request};
use crate::engine::settings::Target;
use crate::error::{Error, Result};
use std::collections::{HashMap, HashSet};
use std::io::{Read, Seek};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

/// What is made of a module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    Snapshot,
    Code,
}

/// The making of something begins.
#[derive(Debug)]
pub struct Begun<'a> {
    pub module: &'a Prepared,
    pub stage: Stage,
    /// How many are done already, of `total`.
    pub done: usize,
    pub total: usize,
}

#[derive(Debug, Default)]
pub(super) struct Contents {
    digests: Digests,
    artifacts: HashMap<String, Arc<Artifact>>,
    pub(super) snapshots: Vec<Arc<Snapshot>>,
    pub(super) failures: Vec<Failure>,
    /// Caches that were written to since the last [`ArtifactStore::trim`].
    pub(super) grown: HashSet<PathBuf>,
}

impl Contents {
    /// Whether there is code of this WebAssembly that can be used.
    pub(super) fn has_code(&self, sha256: &str) -> bool {
        let artifact = self.artifacts.get(sha256);
        artifact.is_some_and(|artifact| !artifact.is_refused())
    }

    /// Whether a process could not load the code of this WebAssembly.
    fn has_refused(&self, sha256: &str) -> bool {
        let artifact = self.artifacts.get(sha256);
        artifact.is_some_and(|artifact| artifact.is_refused())
    }
}

/// See the module's description.
#[derive(Debug, Default)]
pub struct ArtifactStore {
    contents: Mutex<Contents>,
}

impl ArtifactStore {
    /// Finds the compiled code of a module, or makes sure that it can be compiled.
    ///
    /// # Errors
    /// One line that names the cause: the file, its digest, the module itself, the helper, or a cache directory that
    /// cannot be trusted. A cache that cannot be used is only a warning.
    pub fn examine(&self, request: &Request<'_>) -> Result<Prepared> {
        let (sha256, version) = self.lock().digests.of_file(request.module)?;
        if let Some(expected) = request.digest
            && !expected.eq_ignore_ascii_case(&sha256)
        {
            return Err(Error::Digest {
                path: request.module.to_owned(),
                expected: expected.to_ascii_lowercase(),
                actual: sha256,
            });
        }
        let mut prepared = Prepared {
            module: request.module.to_owned(),
            size: version.size,
            sha256,
            facts: Facts::default(),
            helper: request.helper.to_owned(),
            cache_directory: request.cache_directory.map(Path::to_owned),
            was_refused: false,
            preinit: request.preinit.clone(),
            snapshot: OnceLock::new(),
            without: OnceLock::new(),
            warnings: Vec::new(),
            made: OnceLock::new(),
        };
        self.find_snapshot(&prepared)?;
        let mut warnings = Vec::new();
        let found = self.find_code(&prepared, &mut warnings)?;
        prepared.warnings = warnings;
        prepared.was_refused = self.lock().has_refused(prepared.code_of());
        match found {
            Some((artifact, origin)) => {
                prepared.facts = artifact.metadata.facts.clone();
                if !prepared.lacks_snapshot() {
                    prepared.complete(artifact, origin, &[]);
                }
            }
            None => prepared.facts = check(&prepared)?,
        }
        if prepared.initializer().is_none() && prepared.snapshot.get().is_none() {
            require_initializer(&prepared)?;
            prepared.preinit = None;
        }
        Ok(prepared)
    }

    /// Takes the snapshots that are wanted and makes the code that is missing, side by side. `begun` is told of each.
    /// `another_pass_follows`: the same will be asked for once more, and what failed is not tried again then.
    ///
    /// # Errors
    /// As for [`Self::examine`], as one of `modules`.
    pub fn compile(
        &self,
        modules: &[&Prepared],
        another_pass_follows: bool,
        begun: &mut dyn FnMut(&Begun<'_>),
    ) -> Result<()> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let taken = self.take_snapshots(modules, cores, begun);
        self.forget_failures(another_pass_follows);
        taken?;
        self.compile_all(modules, cores, begun)
    }

    fn compile_all(
        &self,
        modules: &[&Prepared],
        cores: usize,
        begun: &mut dyn FnMut(&Begun<'_>),
    ) -> Result<()> {
        // A snapshot may have come to the same as before, and what has none is the module as it is.
        self.complete_known(modules)?;
        let jobs = jobs(modules);
        let (mut done, total) = (0, jobs.len());
        let mut compiling = SideBySide::new(jobs, cores, helper::compile);
        loop {
            while let Some(Job { module, .. }) = compiling.start_next()? {
                begun(&Begun {
                    module,
                    stage: Stage::Code,
                    done,
                    total,
                });
            }
            let Some((job, process)) = compiling.wait() else {
                // The same content under another name.
                return self.complete_known(modules);
            };
            self.take_over(job.module, process)
                .map_err(|error| error.at(job.index))?;
            done += 1;
        }
    }

    fn complete_known(&self, modules: &[&Prepared]) -> Result<()> {
        for module in modules.iter().filter(|module| module.is_pending()) {
            // What is wrong with its cache was told before.
            if let Some((artifact, origin)) = self.find_code(module, &mut Vec::new())? {
                module.complete(artifact, origin, &[]);
            }
        }
        Ok(())
    }

    /// Forgets the artifacts that nobody else holds, and of snapshots that are compiled all but what they were made of. A cache
    /// that has grown loses the entries that no start has used for a long time.
    pub fn trim(&self) {
        let mut contents = self.lock();
        contents
            .artifacts
            .retain(|_, artifact| Arc::strong_count(artifact) > 1);
        contents
            .snapshots
            .retain(|snapshot| Arc::strong_count(snapshot) > 1);
        for snapshot in &contents.snapshots {
            if contents.has_code(&snapshot.facts.sha256) {
                snapshot.give_up();
            }
        }
        for directory in std::mem::take(&mut contents.grown) {
            let Ok(cache) = Cache::open(&directory) else {
                continue;
            };
            for artifact in contents.artifacts.values() {
                cache.touch(&artifact.metadata.key);
            }
            for snapshot in &contents.snapshots {
                cache.touch_snapshot(&snapshot.facts);
            }
            cache.sweep();
        }
    }

    /// The code where it was before, in the store or in the cache. Code that was refused counts for nothing.
    fn find_code(
        &self,
        prepared: &Prepared,
        warnings: &mut Vec<String>,
    ) -> Result<Option<(Arc<Artifact>, Origin)>> {
        let kept = self.lock().artifacts.get(prepared.code_of()).cloned();
        if let Some(kept) = kept {
            return Ok((!kept.is_refused()).then_some((kept, Origin::Kept)));
        }
        let (cache, warning) = open_cache(prepared)?;
        warnings.extend(warning);
        let Some(cache) = cache else {
            return Ok(None);
        };
        let Some(artifact) = look_up(&cache, prepared, warnings) else {
            return Ok(None);
        };
        let artifact = Arc::new(artifact);
        self.keep(&artifact);
        Ok(Some((artifact, Origin::Cache)))
    }

    fn take_over(&self, module: &Prepared, process: Process) -> Result<()> {
        let (mut file, metadata, code_length) = process.compiled()?;
        check_key(module, &metadata.key)?;
        let mut warnings = Vec::new();
        if let (Some(cache), _) = open_cache(module)? {
            let saved = file
                .rewind()
                .map_err(|error| Error::Compile(error.to_string()))
                .and_then(|()| cache.save(&metadata, &mut (&file).take(code_length)));
            match saved {
                Ok(()) => {
                    let grown = module.cache_directory.clone();
                    self.lock().grown.extend(grown);
                }
                Err(error) => warnings.push(format!("compiled code is not cached: {error}")),
            }
        }
        let artifact = file
            .set_len(code_length)
            .and_then(|()| Artifact::seal(metadata, file));
        let artifact = Arc::new(artifact.map_err(|error| Error::Compile(error.to_string()))?);
        self.keep(&artifact);
        let origin = if module.was_refused {
            Origin::CompiledAgain
        } else {
            Origin::Compiled
        };
        module.complete(artifact, origin, &warnings);
        Ok(())
    }

    fn keep(&self, artifact: &Arc<Artifact>) {
        let module = artifact.metadata.key.module.clone();
        self.lock().artifacts.insert(module, Arc::clone(artifact));
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Contents> {
        // Everything in it stays whole if something panicked between two operations.
        self.contents.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn require_initializer(prepared: &Prepared) -> Result<()> {
    if prepared.requires_snapshot() {
        return Err(Error::Preinit(format!(
            "it exports no function {} without parameters and results",
            INITIALIZERS.join(" or ")
        )));
    }
    Ok(())
}

/// What is to be compiled: each content once.
fn jobs<'a>(modules: &[&'a Prepared]) -> Vec<Job<'a>> {
    let mut jobs: Vec<Job<'_>> = Vec::new();
    for (index, module) in modules.iter().enumerate() {
        let known = jobs
            .iter()
            .any(|job| job.module.code_of() == module.code_of());
        if module.is_pending() && !known {
            jobs.push(Job { index, module });
        }
    }
    jobs
}

/// The cache of a module, and what is to be told when there should be one and is none.
pub(super) fn open_cache(prepared: &Prepared) -> Result<(Option<Cache>, Option<String>)> {
    let Some(directory) = &prepared.cache_directory else {
        return Ok((None, None));
    };
    match Cache::open(directory) {
        Ok(cache) => Ok((Some(cache), None)),
        // Nobody else's code can come from there, so this costs only time.
        Err(error @ Error::Io { .. }) => {
            Ok((None, Some(format!("no cache of compiled code: {error}"))))
        }
        Err(error) => Err(error),
    }
}

fn look_up(cache: &Cache, prepared: &Prepared, warnings: &mut Vec<String>) -> Option<Artifact> {
    for target in Target::PREFERENCE {
        match cache.load(&prepared.key(target)) {
            Entry::Found(artifact) => return Some(artifact),
            Entry::Missing => {}
            Entry::Unusable(reason) => {
                warnings.push(format!("{reason}; compiling again"));
            }
        }
    }
    None
}

/// What a server has to know about a module that it will compile.
fn check(prepared: &Prepared) -> Result<Facts> {
    let findings = helper::check(prepared)?;
    check_key(prepared, &findings.key)?;
    Ok(findings.facts)
}

/// Whether a helper worked on the file that was meant, in the way that was meant.
fn check_key(prepared: &Prepared, made: &ArtifactKey) -> Result<()> {
    if made.module != prepared.code_of() {
        return Err(Error::Compile(format!(
            "{} was changed while it was compiled",
            prepared.module.display()
        )));
    }
    // After an upgrade under a running server the helper is newer than this library, which cannot map what it makes.
    if *made != prepared.key(Target::Native) {
        return Err(Error::Compile(format!(
            "{} and this library are of different builds: stop and start the server",
            prepared.helper.display()
        )));
    }
    Ok(())
}
