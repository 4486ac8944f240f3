//! A module that is ready to run in this process.

use super::command::INITIALIZE;
use crate::artifact::{Artifact, Checks, Places, Prepared, SnapshotFacts};
use crate::engine::ServingEngine;
use crate::engine::scattered_pages::ScatteredPages;
use crate::error::{Error, Result, one_line};
use crate::host::{Clock, Frozen};
use crate::run::{DEFAULT_ENTRY_POINT, Sandbox};
use std::sync::Arc;
use wasmtime::{InstancePre, Module};

/// What a run from a snapshot calls, where the module exports it: `_start` would run constructors again.
const RESUME: [&str; 2] = ["wizer-resume", "wizer.resume"];

/// An artifact, mapped and linked. Instances of it start in microseconds.
pub struct LoadedModule {
    pub(crate) engine: Arc<ServingEngine>,
    pub(crate) instance_pre: InstancePre<Sandbox>,
    /// Whether something is to be called before the entry point.
    pub(super) is_reactor: bool,
    /// What is called where nothing else is asked for.
    pub(crate) entry_point: &'static str,
    /// By which its runs are ended; `None`: by epochs.
    pub(super) checks: Option<Checks>,
    /// Where the clock of the snapshot stood, if it is one.
    frozen: Option<Frozen>,
    pub(super) scattered_pages: ScatteredPages,
}

impl LoadedModule {
    /// Maps the artifact's code into this process and resolves the module's imports. When that fails, the artifact is refused: no
    /// other process of this build could load it either.
    pub fn new(engine: &Arc<ServingEngine>, prepared: &Prepared) -> Result<Self> {
        let artifact = prepared.artifact()?;
        let checked = engine.check(&artifact.metadata);
        let loaded = checked.and_then(|()| Self::load(engine, artifact, prepared.snapshot()));
        if loaded.is_err() {
            artifact.refuse();
        }
        loaded
    }

    fn load(
        engine: &Arc<ServingEngine>,
        artifact: &Artifact,
        snapshot: Option<&SnapshotFacts>,
    ) -> Result<Self> {
        let module = map(engine, artifact)?;
        let instance_pre = engine
            .linker
            .instantiate_pre(&module)
            .map_err(|error| Error::Engine(one_line(&error)))?;
        Ok(LoadedModule {
            engine: Arc::clone(engine),
            instance_pre,
            // A snapshot was taken after that.
            is_reactor: snapshot.is_none() && module.get_export_index(INITIALIZE).is_some(),
            entry_point: RESUME
                .into_iter()
                .filter(|_| snapshot.is_some())
                .find(|name| module.get_export_index(name).is_some())
                .unwrap_or(DEFAULT_ENTRY_POINT),
            checks: artifact.metadata.checks.clone(),
            frozen: snapshot.map(|facts| facts.clock),
            scattered_pages: ScatteredPages::default(),
        })
    }

    /// The guest's clock, as a run that begins now finds it.
    pub(crate) fn clock(&self) -> Clock {
        self.frozen.map_or_else(Clock::new, Clock::thawed)
    }

    /// Where its code stands in the module's file, unless it has just the addresses of that.
    pub(super) fn places(&self) -> Option<&Places> {
        self.checks.as_ref().map(|checks| &checks.places)
    }

    /// The engine that it was loaded into.
    pub fn engine(&self) -> &ServingEngine {
        &self.engine
    }
}

fn map(engine: &ServingEngine, artifact: &Artifact) -> Result<Module> {
    let code = artifact.code()?;
    // SAFETY: the file is a sealed memory file: nobody can change it any more. Its content was made by
    // `wasm-precompile`, either just now or read from a cache entry whose checksum was right, in a directory that only
    // root or this user can write to (`artifact::cache`).
    let module = unsafe { Module::deserialize_open_file(&engine.engine, code) };
    module.map_err(|error| Error::Engine(one_line(&error)))
}
