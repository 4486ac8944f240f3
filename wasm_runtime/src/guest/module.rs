//! A module that is ready to run in this process.

use super::command::INITIALIZE;
use crate::artifact::Artifact;
use crate::engine::ServingEngine;
use crate::error::{Error, Result, one_line};
use crate::run::Sandbox;
use std::sync::Arc;
use wasmtime::{InstancePre, Module};

/// An artifact, mapped and linked. Instances of it start in microseconds.
pub struct LoadedModule {
    pub(crate) engine: Arc<ServingEngine>,
    pub(crate) instance_pre: InstancePre<Sandbox>,
    /// Whether something is to be called before the entry point.
    pub(super) is_reactor: bool,
}

impl LoadedModule {
    /// Maps the artifact's code into this process and resolves the module's imports. When that fails, the artifact is refused: no
    /// other process of this build could load it either.
    pub fn new(engine: &Arc<ServingEngine>, artifact: &Artifact) -> Result<Self> {
        let checked = engine.check(&artifact.metadata);
        let loaded = checked.and_then(|()| Self::load(engine, artifact));
        if loaded.is_err() {
            artifact.refuse();
        }
        loaded
    }

    fn load(engine: &Arc<ServingEngine>, artifact: &Artifact) -> Result<Self> {
        let module = map(engine, artifact)?;
        let instance_pre = engine
            .linker
            .instantiate_pre(&module)
            .map_err(|error| Error::Engine(one_line(&error)))?;
        Ok(LoadedModule {
            engine: Arc::clone(engine),
            instance_pre,
            is_reactor: module.get_export_index(INITIALIZE).is_some(),
        })
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
