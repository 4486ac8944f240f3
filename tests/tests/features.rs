//! Features of WebAssembly, from the module's file to the answer.

use mod_wasm_tests::{Site, endpoint};

fn assembled(text: &str) -> Vec<u8> {
    wat::parse_str(text).expect("the guest's text is right")
}

#[test]
fn atomic_instructions_on_an_unshared_memory_run() {
    let site = Site::new();
    let counter = r#"(module
        (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
        (memory (export "memory") 1)
        (data (i32.const 0) "\10\00\00\00\01\00\00\00")
        (func (export "_start")
          (drop (i32.atomic.rmw.add (i32.const 16) (i32.const 0x37)))
          (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))"#;
    let wasm = site.file("counter.wasm", assembled(counter));
    let server = site.start(endpoint("/count", &wasm, ""));
    assert_eq!(server.get("/count").expect(200).text(), "7");
}

#[test]
fn a_feature_that_is_not_supported_is_named_at_start() {
    for (module, cause) in [
        (
            "(module (memory 1 1 shared))",
            "shared memories are not supported",
        ),
        (
            "(module (memory i64 1))",
            "64-bit memories are not supported",
        ),
        ("(component)", "components are not supported"),
    ] {
        let site = Site::new();
        let wasm = site.file("guest.wasm", assembled(module));
        let refusal = site.refused(endpoint("/x", &wasm, ""));
        refusal.names("WasmModule", &["WASM0003", cause]);
    }
}
