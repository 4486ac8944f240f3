//! `WasmMemoryLimit`, and what a child keeps of the memory of finished runs.

use std::thread;
use std::time::Duration;

use mod_wasm_tests::{Site, endpoint, guest, resident_memory_kib, wait_until};

#[test]
fn a_guest_is_refused_more_memory_than_its_limit() {
    let wasm = guest("plain_probe");
    let conf = endpoint(
        "/small",
        &wasm,
        "WasmMemoryLimit 16M\nWasmArg grow\nWasmArg 64",
    ) + &endpoint(
        "/large",
        &wasm,
        "WasmMemoryLimit 96M\nWasmArg grow\nWasmArg 64",
    );
    let server = Site::new().start(conf);
    let text = server.get("/small").expect(200).text();
    let grown: u32 = text
        .strip_prefix("no memory after ")
        .and_then(|rest| rest.strip_suffix(" MiB\n")?.parse().ok())
        .unwrap_or_else(|| panic!("the limit was not felt: {text}"));
    assert!(
        (10..16).contains(&grown),
        "{grown} MiB under a limit of 16M"
    );
    assert_eq!(server.get("/large").expect(200).text(), "grew by 64 MiB\n");
    server.allow_log("WASM0066");
}

#[test]
fn the_default_limit_holds() {
    let wasm = guest("plain_probe");
    let conf = endpoint("/fits", &wasm, "WasmArg grow\nWasmArg 240")
        + &endpoint("/too-much", &wasm, "WasmArg grow\nWasmArg 260")
        + &endpoint("/forever", &guest("grow_forever"), "");
    let server = Site::new().start(conf);
    assert_eq!(server.get("/fits").expect(200).text(), "grew by 240 MiB\n");
    assert!(
        server
            .get("/too-much")
            .expect(200)
            .text()
            .starts_with("no memory after 2")
    );
    assert_eq!(server.get("/forever").expect(200).text(), "refused\n");
    server.allow_log("WASM0066");
}

#[test]
fn an_inner_limit_overrides() {
    let wasm = guest("plain_probe");
    let conf = endpoint("/x", &wasm, "WasmMemoryLimit 8M\nWasmArg grow\nWasmArg 32")
        + "<Location /x/more>\nWasmMemoryLimit 64M\n</Location>";
    let server = Site::new().start(conf);
    assert!(
        server
            .get("/x")
            .expect(200)
            .text()
            .starts_with("no memory after ")
    );
    assert_eq!(server.get("/x/more").expect(200).text(), "grew by 32 MiB\n");
    server.allow_log("WASM0066");
}

#[test]
fn a_limit_below_what_the_module_declares_stops_the_start() {
    Site::new()
        .refused(endpoint("/x", &guest("large_memory"), "WasmMemoryLimit 1M"))
        .names("WasmMemoryLimit", &["33554432 bytes", "WASM0058"]);
}

#[test]
fn a_limit_below_what_the_module_declares_fails_the_request_when_it_was_merged() {
    let conf = endpoint("/x", &guest("large_memory"), "")
        + "<Location /x/less>\nWasmMemoryLimit 1M\n</Location>";
    let server = Site::new().start(conf);
    server.get("/x").expect(200);
    server.get("/x/less").expect(500);
    server.expect_log("WASM0058");
}

#[test]
fn a_child_gives_back_what_its_guests_used() {
    let conf = endpoint("/x", &guest("plain_probe"), "WasmArg grow\nWasmArg 128")
        + &endpoint("/hello", &guest("hello_wasm"), "");
    let server = Site::new().start(conf);
    server.get("/hello").expect(200);
    let before = resident_memory_kib(server.child());
    for _ in 0..4 {
        assert_eq!(server.get("/x").expect(200).text(), "grew by 128 MiB\n");
    }
    wait_until(
        "the child has given its memory back",
        Duration::from_secs(10),
        || resident_memory_kib(server.child()) < before + 24 * 1024,
    );
}

#[test]
fn what_an_idle_child_keeps_is_divided_among_its_slots() {
    let conf = endpoint("/x", &guest("write_20m"), "")
        + &endpoint("/hello", &guest("hello_wasm"), "")
        + "WasmMaxInstances 128";
    let server = Site::new().httpd(conf).threads(32).start();
    server.get("/hello").expect(200);
    let before = resident_memory_kib(server.child());
    // Each run writes to 20 MiB, of which its slot may keep 2; a thread takes one slot at a time.
    thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| (0..20).for_each(|_| drop(server.get("/x").expect(200))));
        }
    });
    wait_until(
        "the child keeps no more than its slots may",
        Duration::from_secs(10),
        || resident_memory_kib(server.child()) < before + (32 * 2 + 16) * 1024,
    );
    // So many runs may share fewer open files, and connections that are closing still hold a thread.
    server.allow_log("WASM0033");
    server.allow_log("AH00484");
}

#[test]
fn no_run_sees_the_memory_of_another() {
    let conf = endpoint("/x", &guest("spotless"), "")
        + &endpoint("/small", &guest("hello_wasm"), "")
        + &endpoint("/trap", &guest("trap_unreachable"), "")
        + "WasmMaxInstances 3\nWasmQueueTimeout 60";
    let server = Site::new().start(conf);
    // Few slots and many runs, of other programs too: each slot is used again and again.
    thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| {
                for _ in 0..40 {
                    assert_eq!(server.get("/x").expect(200).text(), "clean\n");
                    server.get("/small").expect(200);
                    server.get("/trap").expect(500);
                }
            });
        }
    });
    server.expect_log("WASM0050");
}

#[test]
fn a_module_that_needs_more_than_the_default_stops_the_start() {
    let wasm = guest("wide_memory");
    Site::new()
        .refused(endpoint("/x", &wasm, ""))
        .names("WasmModule", &["327680000 bytes", "WASM0058"]);
    let raised = Site::new().start(endpoint("/x", &wasm, "WasmMemoryLimit 512M"));
    raised.get("/x").expect(200);
}
