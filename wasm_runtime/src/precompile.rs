//! What `wasm-precompile` does: all checks of a module, then its compilation. Nothing else in the library compiles.

mod checks;
mod compile;
mod limits;
mod snapshot;
mod validate;

pub use compile::{Checked, Compiler};
pub use limits::{
    MAX_CPU_SECONDS, become_user, end_with_parent, limit_size_of_files, limit_this_process,
};

/// Exit status of `wasm-precompile` for a module that is at fault itself.
pub const EXIT_INVALID_MODULE: i32 = 3;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::artifact::{Facts, Needs};
    use crate::engine::settings::Target;
    use crate::error::{Error, Result};
    use wasmtime::{Engine, Module};

    fn check(wasm: &[u8]) -> Result<Facts> {
        let compiler = Compiler::new(Target::Native).unwrap();
        compiler.check(wasm).map(|checked| checked.findings.facts)
    }

    fn checked(wat: &str) -> Result<Facts> {
        check(&wat::parse_str(wat).unwrap())
    }

    #[test]
    fn facts_describe_the_module() {
        let facts = checked(
            r#"(module (memory 1) (memory 2) (table 30000 funcref)
                 (func (export "_start")) (func (export "typed") (param i32))
                 (func (export "result") (result i32) unreachable) (global (export "global") i32 (i32.const 0)))"#,
        )
        .unwrap();
        assert_eq!(facts.entry_points, ["_start"]);
        assert_eq!(facts.minimum_memory, 3 << 16);
        assert_eq!(
            facts.needs,
            Needs {
                memories: 2,
                tables: 1,
                table_elements: 30000
            }
        );
    }

    #[test]
    fn faults_of_the_module_are_named_on_one_line() {
        let unknown = checked(r#"(module (import "env" "f" (func)))"#).unwrap_err();
        assert!(unknown.to_string().contains("env"), "{unknown}");
        for (bytes, expected) in [
            (b"".as_slice(), "empty"),
            (b"(module)", "text format"),
            (b"#!/bin/sh", "begin"),
            (b"\0asm\x01\0\0\0\xff\xff", "not a valid module"),
            (b"\0asm\x0d\0\x01\0", "component"),
        ] {
            let error = check(bytes).unwrap_err();
            assert!(matches!(error, Error::Module(_)), "{error}");
            assert!(error.to_string().contains(expected), "{error}");
            assert_eq!(error.to_string().lines().count(), 1);
        }
    }

    #[test]
    fn a_module_without_code_is_checked_in_place_of_the_whole_one() {
        let wrong = r#"(module (import "wasi_snapshot_preview1" "proc_exit" (func (param i64))))"#;
        let wrong = checked(wrong).unwrap_err().to_string();
        assert!(
            wrong.contains("proc_exit") && wrong.contains("i64"),
            "{wrong}"
        );
        let memory = checked(r#"(module (import "env" "memory" (memory 1)))"#).unwrap_err();
        assert!(memory.to_string().contains("env::memory"), "{memory}");
    }

    #[test]
    fn what_is_beyond_wasi_has_names_and_types() {
        let import = |name: &str, rest: &str| {
            checked(&format!(
                r#"(module (import "mod_wasm" "{name}" (func (param i32 i32 i64 i64 {rest}))))"#
            ))
        };
        import("fd_lock", "i64) (result i32").unwrap();
        let unknown = import("fd_frob", "i64) (result i32").unwrap_err();
        let unknown = unknown.to_string();
        assert!(unknown.contains("mod_wasm::fd_frob"), "{unknown}");
        assert!(unknown.ends_with("; mod_wasm has fd_lock"), "{unknown}");
        for other in ["i32) (result i32", "i64", "i64) (result i64"] {
            let wrong = import("fd_lock", other).unwrap_err().to_string();
            assert!(wrong.contains("mod_wasm::fd_lock"), "{wrong}");
            let found = "(func (param i32 i32 i64 i64 i64) (result i32))";
            assert!(wrong.contains(found), "{wrong}");
        }
    }

    /// The pool of a child is sized from what was found without the engine.
    #[test]
    fn the_engine_counts_as_we_do() {
        let wasm = wat::parse_str(
            r#"(module (import "wasi_snapshot_preview1" "proc_exit" (func (param i32)))
                 (memory 1) (memory 0 2) (table 7 funcref) (table 9 externref) (func (export "_start")))"#,
        )
        .unwrap();
        let needs = check(&wasm).unwrap().needs;
        let required = Module::from_binary(&Engine::default(), &wasm)
            .unwrap()
            .resources_required();
        assert_eq!(needs.memories, required.num_memories);
        assert_eq!(needs.tables, required.num_tables);
        assert_eq!(
            Some(needs.table_elements as u64),
            required.max_initial_table_size
        );
    }

    #[test]
    fn both_generations_of_wasi_are_linked() {
        for generation in ["wasi_unstable", "wasi_snapshot_preview1"] {
            let wat = format!(r#"(module (import "{generation}" "proc_exit" (func (param i32))))"#);
            checked(&wat).unwrap();
        }
    }

    #[test]
    fn the_baseline_runs_here_too() {
        let wasm = wat::parse_str("(module)").unwrap();
        let compiler = Compiler::new(Target::Baseline).unwrap();
        let checked = compiler.check(&wasm).unwrap();
        let (_, metadata) = compiler.compile(&checked).unwrap();
        assert_eq!(metadata.key.target, Target::Baseline);
    }
}
