//! Compiling: all checks come before it, and it tells how far it is.

use std::fs;

use mod_wasm_tests::{Refusal, Site, endpoint, guest};

const COMPILING: &str = "WASM0024: compiling ";

/// A module that takes a while to compile, with this before its last function.
fn large(before: &str, last: &str) -> Vec<u8> {
    let body = "(local.set 0 (i64.mul (local.get 0) (i64.const 3)))".repeat(100);
    let function = format!("(func (param i64) {body})");
    let functions = function.repeat(2000);
    let text = format!("(module {before} (func (export \"_start\")) {functions} (func {last}))");
    wat::parse_str(text).expect("the guest's text is right")
}

/// Refused, and nothing was compiled before.
fn refused_at_once(site: Site, conf: &str) -> Refusal {
    let cache = site.private_cache();
    let refusal = site.httpd(conf).cache(&cache).refused();
    for said in [&refusal.tested, &refusal.started] {
        assert!(!said.contains(COMPILING), "{said}");
    }
    refusal
}

#[test]
fn a_fault_at_the_end_of_a_large_module_is_found_before_it_is_compiled() {
    for (last, cause) in [
        ("try catch_all end", "legacy exceptions are not supported"),
        ("(drop (memory.size))", "not a valid module"),
    ] {
        let site = Site::new();
        // The text format knows no invalid module: a memory is taken away from a valid one.
        let mut module = large("(memory 1)", last);
        let memory = [5, 3, 1, 0, 1];
        let place = module.windows(5).position(|at| at == memory);
        let place = place.expect("it has a memory");
        module.drain(place..place + memory.len());
        let wasm = site.file("large.wasm", module);
        let refusal = refused_at_once(site, &endpoint("/x", &wasm, ""));
        refusal.names("WasmModule", &["WASM0003", cause]);
    }
}

#[test]
fn all_modules_are_checked_before_the_first_is_compiled() {
    for (module, setting, code, directive) in [
        (guest("unknown_import"), "", "WASM0003", "WasmModule"),
        ("/etc/passwd".to_owned(), "", "WASM0003", "WasmModule"),
        (guest("no_start"), "", "WASM0005", "WasmModule"),
        (
            guest("spotless"),
            "WasmEntryPoint missing",
            "WASM0005",
            "WasmEntryPoint",
        ),
        (
            guest("large_memory"),
            "WasmMemoryLimit 64K",
            "WASM0058",
            "WasmMemoryLimit",
        ),
    ] {
        let site = Site::new();
        let wasm = site.file("large.wasm", large("", ""));
        let conf = endpoint("/large", &wasm, "") + &endpoint("/wrong", &module, setting);
        let refusal = refused_at_once(site, &conf);
        for said in [&refusal.tested, &refusal.started] {
            assert!(said.contains(code) && said.contains(directive), "{said}");
        }
    }
}

#[test]
fn whoever_waits_is_told_how_far_it_is() {
    let site = Site::new();
    let cache = site.private_cache();
    let conf = endpoint("/one", &guest("hello_wasm"), "")
        + &endpoint("/two", &guest("plain_probe"), "")
        + &endpoint("/three", &guest("spotless"), "");
    let server = site.httpd(conf).cache(&cache).start();
    for entry in fs::read_dir(&cache).expect("the cache is readable") {
        fs::remove_file(entry.expect("the cache is readable").path()).expect("the cache is ours");
    }
    let (accepted, said) = server.httpd(&["-t"]);
    assert!(accepted, "{said}");
    let lines: Vec<_> = said
        .lines()
        .filter(|line| line.contains(COMPILING))
        .collect();
    assert_eq!(lines.len(), 3, "{said}");
    assert!(
        lines[0].contains("hello_wasm.wasm (") && lines[0].ends_with("K), 0 of 3 done"),
        "{said}"
    );
    assert!(
        lines.iter().all(|line| line.ends_with(" of 3 done")),
        "{said}"
    );
    let (accepted, said) = server.httpd(&["-t"]);
    assert!(accepted && !said.contains(COMPILING), "{said}");
}

#[test]
fn the_log_of_a_running_server_is_told_once() {
    let site = Site::new();
    let cache = site.private_cache();
    let [one, two] = ["one", "two"].map(|name| {
        let hello = fs::read(guest("hello_wasm")).expect("the guest is readable");
        site.file(&format!("{name}.wasm"), hello)
    });
    let conf = endpoint("/one", &one, "") + &endpoint("/two", &two, "");
    let server = site.httpd(conf).cache(&cache).start();
    assert_eq!(
        server.log_with(COMPILING).len(),
        0,
        "a start tells the terminal"
    );
    for (name, program) in [("one", "plain_probe"), ("two", "cgi_probe")] {
        let program = fs::read(guest(program)).expect("the guest is readable");
        server.site().file(&format!("{name}.wasm"), program);
    }
    server.graceful_by_signal();
    let told = server.log_with(COMPILING);
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(
        (told[0].module.as_str(), told[0].level.as_str()),
        ("wasm", "notice")
    );
    assert!(told[0].message.ends_with("0 of 2 done"), "{told:?}");
    assert_eq!(server.log_with("WASM0020: compiled").len(), 3);
}
