//! Each feature of WebAssembly: an accepted one runs, a refused one is named, and the documentation lists both.

use crate::support::run;
use std::collections::BTreeMap;
use wasm_runtime::engine::features::FEATURES;
use wasm_runtime::engine::settings::Target;
use wasm_runtime::precompile::Compiler;
use wasm_runtime::run::Ending;

/// A guest for each accepted feature, which traps unless the feature does what it should.
const ACCEPTED: &[(&str, &str)] = &[
    (
        "mutable globals",
        r#"(module (global $g (export "g") (mut i32) (i32.const 1))
             (func (export "_start")
               (global.set $g (i32.const 7))
               (if (i32.ne (global.get $g) (i32.const 7)) (then unreachable))))"#,
    ),
    (
        "sign extensions",
        r#"(module (func (export "_start")
             (if (i32.ne (i32.extend8_s (i32.const 0xff)) (i32.const -1)) (then unreachable))))"#,
    ),
    (
        "saturating conversions",
        r#"(module (func (export "_start")
             (if (i32.ne (i32.trunc_sat_f64_s (f64.const 1e30)) (i32.const 0x7fffffff)) (then unreachable))))"#,
    ),
    (
        "multiple results",
        r#"(module (func $two (result i32 i32) (i32.const 3) (i32.const 4))
             (func (export "_start")
               (if (i32.ne (i32.add (call $two)) (i32.const 7)) (then unreachable))))"#,
    ),
    (
        "reference types",
        r#"(module (table $t 1 externref)
             (func (export "_start")
               (table.set $t (i32.const 0) (ref.null extern))
               (if (i32.ne (table.grow $t (ref.null extern) (i32.const 2)) (i32.const 1)) (then unreachable))
               (if (i32.eqz (ref.is_null (table.get $t (i32.const 2)))) (then unreachable))))"#,
    ),
    (
        "bulk memory instructions",
        r#"(module (memory 1)
             (func (export "_start")
               (memory.fill (i32.const 0) (i32.const 7) (i32.const 8))
               (memory.copy (i32.const 64) (i32.const 0) (i32.const 8))
               (if (i32.ne (i32.load8_u (i32.const 71)) (i32.const 7)) (then unreachable))))"#,
    ),
    (
        "SIMD instructions",
        r#"(module (func (export "_start")
             (if (i32.ne (i32x4.extract_lane 3 (i32x4.add (v128.const i32x4 1 2 3 4) (v128.const i32x4 1 2 3 3)))
                         (i32.const 7))
               (then unreachable))))"#,
    ),
    (
        "relaxed SIMD instructions",
        r#"(module (func (export "_start")
             (if (f32.ne (f32x4.extract_lane 0 (f32x4.relaxed_madd
                           (v128.const f32x4 2 0 0 0) (v128.const f32x4 3 0 0 0) (v128.const f32x4 1 0 0 0)))
                         (f32.const 7))
               (then unreachable))))"#,
    ),
    (
        "extended constant expressions",
        r#"(module (global $g i32 (i32.add (i32.const 3) (i32.const 4)))
             (func (export "_start")
               (if (i32.ne (global.get $g) (i32.const 7)) (then unreachable))))"#,
    ),
    (
        // Deeper than any stack.
        "tail calls",
        r#"(module
             (func $down (param i32)
               (if (i32.eqz (local.get 0)) (then return))
               (return_call $down (i32.sub (local.get 0) (i32.const 1))))
             (func (export "_start") (call $down (i32.const 10000000))))"#,
    ),
    (
        "multiple memories",
        r#"(module (memory $a 1) (memory $b 1)
             (func (export "_start")
               (i32.store $b (i32.const 0) (i32.const 7))
               (if (i32.load $a (i32.const 0)) (then unreachable))
               (if (i32.ne (i32.load $b (i32.const 0)) (i32.const 7)) (then unreachable))))"#,
    ),
    (
        "exceptions",
        r#"(module (tag $oops (param i32))
             (func (export "_start")
               (block $caught (result i32)
                 (try_table (catch $oops $caught) (throw $oops (i32.const 7)))
                 unreachable)
               (i32.const 7)
               (if (i32.ne) (then unreachable))))"#,
    ),
    (
        "typed function references",
        r#"(module (type $f (func (result i32)))
             (func $seven (type $f) (i32.const 7))
             (elem declare func $seven)
             (func (export "_start")
               (if (i32.ne (call_ref $f (ref.func $seven)) (i32.const 7)) (then unreachable))))"#,
    ),
    (
        "atomic instructions",
        r#"(module (memory 1)
             (func (export "_start")
               (drop (i32.atomic.rmw.add (i32.const 0) (i32.const 7)))
               (atomic.fence)
               (if (i32.ne (i32.atomic.load (i32.const 0)) (i32.const 7)) (then unreachable))
               (if (memory.atomic.notify (i32.const 0) (i32.const 1)) (then unreachable))))"#,
    ),
];

/// A module for each refused feature, but for those that have no text.
const REFUSED: &[(&str, &str)] = &[
    ("shared memories", "(module (memory 1 1 shared))"),
    ("64-bit memories", "(module (memory i64 1))"),
    (
        "garbage-collected types",
        "(module (type (struct (field i32))))",
    ),
    ("components", "(component)"),
    ("legacy exceptions", "(module (func try catch_all end))"),
    ("custom page sizes", "(module (memory 1 (pagesize 1)))"),
    (
        "wide arithmetic instructions",
        "(module (func (param i64 i64) (result i64 i64) (i64.mul_wide_s (local.get 0) (local.get 1))))",
    ),
    (
        "stack switches",
        "(module (type $f (func)) (type (cont $f)))",
    ),
    (
        "shared-everything threads",
        "(module (global (shared mut i32) (i32.const 0)))",
    ),
    (
        "memory control instructions",
        "(module (memory 1) (func (memory.discard (i32.const 0) (i32.const 0))))",
    ),
    (
        "custom descriptors",
        "(module (type $f (func)) (func (param (ref (exact $f)))))",
    ),
    (
        "compact imports",
        r#"(module (import "wasi_snapshot_preview1" (item "sched_yield" (func (result i32)))))"#,
    ),
];

/// The examples by feature; there is one for each row of the table.
fn by_name(
    accepted: bool,
    examples: &[(&'static str, &'static str)],
) -> BTreeMap<&'static str, &'static str> {
    let examples: BTreeMap<_, _> = examples.iter().copied().collect();
    let features = FEATURES.iter().filter(|it| it.accepted == accepted);
    let mut names: Vec<_> = features.map(|feature| feature.name).collect();
    names.sort_unstable();
    assert!(examples.keys().eq(&names), "{names:?}");
    examples
}

#[test]
fn what_is_accepted_runs() {
    for (name, guest) in by_name(true, ACCEPTED) {
        assert_eq!(run(guest).ending, Ending::Exited(0), "{name}");
    }
}

/// A guest that waits for another thread has none: it must not wait for ever.
#[test]
fn waiting_for_another_thread_traps() {
    let guest = r#"(module (memory 1) (func (export "_start")
        (drop (memory.atomic.wait32 (i32.const 0) (i32.const 0) (i64.const -1)))))"#;
    let ending = run(guest).ending;
    assert!(matches!(ending, Ending::Trapped { .. }), "{ending:?}");
}

#[test]
fn what_is_refused_is_named() {
    let compiler = Compiler::new(Target::Native).unwrap();
    for (name, module) in by_name(false, REFUSED) {
        let module = wat::parse_str(module).unwrap_or_else(|error| panic!("{name}: {error}"));
        let said = match compiler.check(&module) {
            Ok(_) => panic!("{name} are accepted"),
            Err(error) => error.to_string(),
        };
        let expected = format!("{name} are not supported (at byte ");
        assert!(said.starts_with(&expected), "{name}: {said}");
    }
}

#[test]
fn an_imported_memory_is_refused_as_shared_too() {
    let module = r#"(module (import "env" "memory" (memory 1 1 shared)))"#;
    let module = wat::parse_str(module).unwrap();
    let compiler = Compiler::new(Target::Native).unwrap();
    let said = compiler.check(&module).err().expect("it is shared");
    assert!(
        said.to_string().starts_with("shared memories are not"),
        "{said}"
    );
}

/// The rows of the table in the documentation: `| name | accepted |`.
#[test]
fn the_documentation_lists_the_same() {
    let page = include_str!("../../../docs/directives.md");
    let rows = page.lines().filter_map(|line| {
        let (name, rest) = line.strip_prefix("| ")?.split_once(" | ")?;
        match rest.split([' ', ':']).next()? {
            "accepted" => Some((name, true)),
            "refused" => Some((name, false)),
            _ => None,
        }
    });
    let listed: Vec<_> = rows.collect();
    let built: Vec<_> = FEATURES.iter().map(|it| (it.name, it.accepted)).collect();
    assert_eq!(listed, built);
}
