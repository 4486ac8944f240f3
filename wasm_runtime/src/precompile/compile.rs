//! Modules to machine code, with exactly the settings of a serving process.

use super::checks::instrument;
use super::validate::{imports_only, validate};
use crate::artifact::{ArtifactKey, Findings, Metadata};
use crate::digest::sha256_hex;
use crate::engine::settings::{Interruption, Settings, Target, compatibility};
use crate::error::{Error, Result, one_line};
use crate::host::linker::{self, BEYOND_WASI, NAMES_BEYOND_WASI};
use crate::run::Sandbox;
use wasmtime::{Engine, Linker, Module, UnknownImportError};

/// The compiler for one target.
pub struct Compiler {
    pub(super) engine: Engine,
    pub(super) linker: Linker<Sandbox>,
    settings: Settings,
    target: Target,
}

/// A module that was found good. It is not compiled yet.
pub struct Checked<'a> {
    pub(super) wasm: &'a [u8],
    pub findings: Findings,
}

impl Compiler {
    pub fn new(target: Target) -> Result<Self> {
        Self::with_settings(Settings::of_this_process(), target)
    }

    /// A compiler of code that is run at once and kept nowhere.
    pub(super) fn for_this_process() -> Result<Self> {
        let settings = Settings::of_this_process().with_epochs();
        Self::with_settings(settings, Target::Native)
    }

    fn with_settings(settings: Settings, target: Target) -> Result<Self> {
        let engine = settings.config(target).and_then(|it| Engine::new(&it));
        let engine = engine.map_err(|error| failed(&error))?;
        Ok(Compiler {
            linker: linker::new(&engine).map_err(|error| failed(&error))?,
            engine,
            settings,
            target,
        })
    }

    /// Everything that a module can be refused for, without the time that compiling takes.
    ///
    /// # Errors
    /// [`Error::Module`], when it is not WebAssembly, invalid, uses features that are not supported, or imports what there is
    /// not.
    pub fn check<'a>(&self, wasm: &'a [u8]) -> Result<Checked<'a>> {
        let facts = validate(wasm, self.settings.features())?;
        self.check_imports(wasm)?;
        Ok(Checked {
            wasm,
            findings: Findings {
                key: ArtifactKey::new(&sha256_hex(wasm), &self.settings, self.target),
                facts,
            },
        })
    }

    /// The machine code, and what is to be known of it.
    pub fn compile(&self, checked: &Checked<'_>) -> Result<(Vec<u8>, Metadata)> {
        let (instrumented, checks) = match self.settings.interruption() {
            Interruption::Epochs => (None, None),
            Interruption::Page => {
                let (wasm, checks) = instrument(checked.wasm)?;
                (Some(wasm), Some(checks))
            }
        };
        let wasm = instrumented.as_deref().unwrap_or(checked.wasm);
        let code = Module::from_binary(&self.engine, wasm)
            .map_err(|error| Error::Module(format!("cannot be compiled: {}", one_line(&error))))?
            .serialize()
            .map_err(|error| failed(&error))?;
        let metadata = Metadata {
            key: checked.findings.key.clone(),
            compatibility: compatibility(&self.engine),
            code_crc32: crc32fast::hash(&code),
            facts: checked.findings.facts.clone(),
            checks,
        };
        Ok((code, metadata))
    }

    fn check_imports(&self, wasm: &[u8]) -> Result<()> {
        let Some(imports) = imports_only(wasm) else {
            return Ok(());
        };
        let module = Module::from_binary(&self.engine, imports).map_err(|error| failed(&error))?;
        let linked = self.linker.instantiate_pre(&module);
        linked.map(drop).map_err(|error| not_available(&error))
    }
}

fn not_available(error: &wasmtime::Error) -> Error {
    let cause = one_line(error);
    let names = match error.downcast_ref::<UnknownImportError>() {
        Some(unknown) if unknown.module() == BEYOND_WASI => {
            format!("; {BEYOND_WASI} has {}", NAMES_BEYOND_WASI.join(", "))
        }
        _ => String::new(),
    };
    Error::Module(format!("import not available: {cause}{names}"))
}

fn failed(error: &wasmtime::Error) -> Error {
    Error::Compile(one_line(error))
}
