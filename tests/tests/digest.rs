//! `WasmModuleDigest`.

use std::process::Command;

use mod_wasm_tests::{Site, endpoint, guest, program};

fn sha256(path: &str) -> String {
    let output = Command::new(program("sha256sum", "coreutils"))
        .arg(path)
        .output()
        .expect("sha256sum runs");
    let text = String::from_utf8(output.stdout).expect("sha256sum prints text");
    text.split(' ')
        .next()
        .expect("a sum comes first")
        .to_owned()
}

const WRONG: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

#[test]
fn the_right_digest_is_accepted() {
    let wasm = guest("hello_wasm");
    let digest = sha256(&wasm);
    let server = Site::new().start(endpoint(
        "/x",
        &wasm,
        &format!("WasmModuleDigest sha256:{digest}"),
    ));
    server.get("/x").expect(200);
}

#[test]
fn a_file_that_differs_is_refused_and_both_digests_are_told() {
    let wasm = guest("hello_wasm");
    let digest = sha256(&wasm);
    let line = format!("WasmModuleDigest sha256:{WRONG}");
    Site::new()
        .refused(endpoint("/x", &wasm, &line))
        .names(&line, &[WRONG, &digest]);
}

#[test]
fn a_malformed_digest_is_refused() {
    for digest in [
        "sha256:",
        "sha256:abc",
        "md5:0123456789abcdef0123456789abcdef",
        WRONG,
        &format!("sha256:{}g", &WRONG[1..]),
    ] {
        let line = format!("WasmModuleDigest {digest}");
        Site::new()
            .refused(endpoint("/x", &guest("hello_wasm"), &line))
            .names(&line, &[]);
    }
}

#[test]
fn a_digest_that_guards_nothing_is_refused() {
    let line = format!("WasmModuleDigest sha256:{WRONG}");
    Site::new()
        .refused(format!("<Location /x>\n{line}\n</Location>"))
        .names(&line, &["WasmModule"]);
}

#[test]
fn a_module_is_guarded_wherever_it_is_named() {
    let wasm = guest("hello_wasm");
    let right = format!("WasmModuleDigest sha256:{}", sha256(&wasm));
    let wrong = format!("WasmModuleDigest sha256:{WRONG}");
    Site::new()
        .refused(endpoint("/a", &wasm, &right) + &endpoint("/b", &wasm, &wrong))
        .names(&wrong, &[]);
    Site::new()
        .refused(endpoint("/a", &wasm, "") + &endpoint("/b", &wasm, &wrong))
        .names(&wrong, &[]);
}

#[test]
fn a_file_exchanged_later_is_refused_at_the_next_reading() {
    let site = Site::new();
    let hello = std::fs::read(guest("hello_wasm")).expect("the guest is readable");
    let other = std::fs::read(guest("plain_probe")).expect("the guest is readable");
    let wasm = site.file("guarded.wasm", &hello);
    let server = site.start(endpoint(
        "/x",
        &wasm,
        &format!("WasmModuleDigest sha256:{}", sha256(&wasm)),
    ));
    server.site().file("guarded.wasm", &other);
    let (accepted, said) = server.httpd(&["-t"]);
    assert!(!accepted && said.contains("WasmModuleDigest"), "{said}");
    assert!(
        server.get("/x").expect(200).text().starts_with("Hello"),
        "the running server keeps what it verified"
    );
}
