//! Validation and compilation: what `wasm-precompile` does. Nothing else in the library compiles.

mod limits;

pub use limits::{MAX_CPU_SECONDS, limit_this_process};

use crate::artifact::{ArtifactKey, Metadata, Needs, append_footer, sha256_hex};
use crate::engine::settings::{Settings, Target, compatibility};
use crate::error::{Error, Result, one_line};
use crate::host::linker;
use std::path::Path;
use wasmparser::{MemoryType, Parser, Payload};
use wasmtime::{Engine, ExternType, Module};

/// Exit status of `wasm-precompile` for a module that is at fault itself.
pub const EXIT_INVALID_MODULE: i32 = 3;

/// Compiles the module at `path`: the content of its artifact file, and its metadata.
///
/// # Errors
/// [`Error::Module`] when the module is at fault: not WebAssembly, invalid, or with imports that WASI preview 1 does not
/// offer.
pub fn compile_file(path: &Path, target: Target) -> Result<(Vec<u8>, Metadata)> {
    let wasm = std::fs::read(path).map_err(|error| Error::io(path, error))?;
    compile(&wasm, target)
}

/// As [`compile_file`], from memory.
pub fn compile(wasm: &[u8], target: Target) -> Result<(Vec<u8>, Metadata)> {
    check_magic(wasm)?;
    let engine_error = |error| Error::Compile(one_line(&error));
    let settings = Settings::of_this_process();
    let config = settings.config(target).map_err(engine_error)?;
    let engine = Engine::new(&config).map_err(engine_error)?;
    let module = Module::from_binary(&engine, wasm).map_err(|error| invalid(&error))?;
    linker::new(&engine)
        .map_err(engine_error)?
        .instantiate_pre(&module)
        .map_err(|error| Error::Module(format!("import not available: {}", one_line(&error))))?;
    let metadata = Metadata {
        key: ArtifactKey::new(&sha256_hex(wasm), &settings, target),
        compatibility: compatibility(&engine),
        code_sha256: String::new(),
        needs: needs(&module),
        minimum_memory: minimum_memory(wasm),
        entry_points: entry_points(&module),
    };
    let code = module.serialize().map_err(engine_error)?;
    let content = append_footer(code, metadata.clone());
    Ok((content, metadata))
}

fn check_magic(wasm: &[u8]) -> Result<()> {
    if wasm.starts_with(b"\0asm") {
        return Ok(());
    }
    let what = match wasm {
        [] => "the file is empty",
        [b'(', ..] => "this is the text format; assemble it first (wat2wasm, wasm-tools parse)",
        [0x7f, b'E', b'L', b'F', ..] => "this is an ELF file",
        _ => "it does not begin with \\0asm",
    };
    Err(Error::Module(format!("not a WebAssembly module: {what}")))
}

fn invalid(error: &wasmtime::Error) -> Error {
    Error::Module(format!("not a valid module: {}", one_line(error)))
}

fn needs(module: &Module) -> Needs {
    let required = module.resources_required();
    Needs {
        memories: required.num_memories,
        tables: required.num_tables,
        table_elements: required
            .max_initial_table_size
            .and_then(|elements| usize::try_from(elements).ok())
            .unwrap_or(0),
    }
}

/// Bytes of linear memory that a valid module declares, all memories together; the engine's API tells only the largest.
fn minimum_memory(wasm: &[u8]) -> u64 {
    let mut sum: u64 = 0;
    for payload in Parser::new(0).parse_all(wasm).flatten() {
        if let Payload::MemorySection(memories) = payload {
            for memory in memories.into_iter().flatten() {
                sum = sum.saturating_add(minimum_bytes(&memory));
            }
        }
    }
    sum
}

fn minimum_bytes(memory: &MemoryType) -> u64 {
    let page = 1 << memory.page_size_log2.unwrap_or(16);
    memory.initial.saturating_mul(page)
}

fn entry_points(module: &Module) -> Vec<String> {
    module
        .exports()
        .filter(|export| match export.ty() {
            ExternType::Func(function) => {
                function.params().len() == 0 && function.results().len() == 0
            }
            _ => false,
        })
        .map(|export| export.name().to_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compiled(wat: &str) -> Result<Metadata> {
        let wasm = wat::parse_str(wat).unwrap();
        compile(&wasm, Target::Native).map(|(_, metadata)| metadata)
    }

    #[test]
    fn metadata_describes_the_module() {
        let metadata = compiled(
            r#"(module (memory 1) (memory 2) (table 30000 funcref)
                 (func (export "_start")) (func (export "typed") (param i32)))"#,
        )
        .unwrap();
        assert_eq!(metadata.entry_points, ["_start"]);
        assert_eq!(metadata.minimum_memory, 3 << 16);
        assert_eq!(
            metadata.needs,
            Needs {
                memories: 2,
                tables: 1,
                table_elements: 30000
            }
        );
    }

    #[test]
    fn faults_of_the_module_are_named_on_one_line() {
        let unknown = compiled(r#"(module (import "env" "f" (func)))"#).unwrap_err();
        assert!(unknown.to_string().contains("env"), "{unknown}");
        for (bytes, expected) in [
            (b"".as_slice(), "empty"),
            (b"(module)", "text format"),
            (b"#!/bin/sh", "begin"),
            (b"\0asm\x01\0\0\0\xff\xff", "not a valid module"),
            (b"\0asm\x0d\0\x01\0", "component"),
        ] {
            let error = compile(bytes, Target::Native).unwrap_err();
            assert!(matches!(error, Error::Module(_)), "{error}");
            assert!(error.to_string().contains(expected), "{error}");
            assert_eq!(error.to_string().lines().count(), 1);
        }
    }

    #[test]
    fn what_no_child_could_run_is_refused() {
        for module in ["(module (memory 1 1 shared))", "(module (memory i64 1))"] {
            let error = compiled(module).unwrap_err();
            assert!(matches!(error, Error::Module(_)), "{error}");
        }
    }

    #[test]
    fn both_generations_of_wasi_are_linked() {
        for generation in ["wasi_unstable", "wasi_snapshot_preview1"] {
            let wat = format!(r#"(module (import "{generation}" "proc_exit" (func (param i32))))"#);
            compiled(&wat).unwrap();
        }
    }

    #[test]
    fn the_baseline_runs_here_too() {
        let wasm = wat::parse_str("(module)").unwrap();
        let (_, metadata) = compile(&wasm, Target::Baseline).unwrap();
        assert_eq!(metadata.key.target, Target::Baseline);
    }
}
