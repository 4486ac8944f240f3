//! Compiled code that looks well from outside, but that no child can load.

use std::fs;
use std::path::{Path, PathBuf};

use mod_wasm_tests::{Server, Site, artifacts, endpoint, guest, new_cache};
use serde_json::Value;

/// An artifact file with other code and a footer that fits.
fn recode(path: &Path, how: impl Fn(&mut [u8])) {
    let file = fs::read(path).expect("the cache is readable");
    let (rest, magic) = file.split_at(file.len() - 8);
    let (rest, length) = rest.split_at(rest.len() - 4);
    let length = u32::from_le_bytes(length.try_into().expect("four bytes")) as usize;
    let (code, footer) = rest.split_at(rest.len() - length);
    let mut code = zstd::decode_all(code).expect("the code is compressed");
    how(&mut code);
    let mut footer: Value = serde_json::from_slice(footer).expect("the footer is JSON");
    footer["code_crc32"] = crc32fast::hash(&code).into();
    let footer = footer.to_string();
    let code = zstd::encode_all(&code[..], 0).expect("memory takes it");
    let length = u32::try_from(footer.len()).expect("it is short");
    let written = [&code[..], footer.as_bytes(), &length.to_le_bytes(), magic].concat();
    fs::write(path, written).expect("the cache is writable");
}

/// Turns compiled code into that of another engine: its first section begins with 0, the length of the engine's version, this
/// version, and a target.
fn of_another_engine(code: &mut [u8]) {
    let target = [std::env::consts::ARCH, "-"].concat();
    let place = code.windows(5 + target.len()).position(|at| {
        at[..2] == [0, 2]
            && at[2..4].iter().all(u8::is_ascii_digit)
            && at[5..] == *target.as_bytes()
    });
    let version = place.expect("the code names its engine") + 2;
    code[version..version + 2].copy_from_slice(b"00");
}

/// A server with code in its cache that no child can load, and the entry.
fn with_code_of_another_engine(cache: &Path) -> (Server, PathBuf) {
    let conf = endpoint("/hello", &guest("hello_wasm"), "");
    drop(Site::new().httpd(&conf).cache(cache).start());
    let [entry] = artifacts(cache).try_into().expect("one module, one entry");
    recode(&entry, of_another_engine);
    let server = Site::new().httpd(&conf).cache(cache).start();
    assert!(
        server.log_with("WASM0020").is_empty(),
        "it looks well from outside"
    );
    server.get("/hello").expect(500);
    server.expect_log("WASM0031");
    server.expect_log("WASM0041");
    (server, entry)
}

#[test]
fn what_a_child_cannot_load_is_compiled_again_at_the_next_restart() {
    for restart in [Server::graceful, Server::graceful_by_signal] {
        let cache = new_cache();
        let (server, entry) = with_code_of_another_engine(cache.path());
        let bad = fs::read(&entry).expect("the cache is readable");
        restart(&server);
        server.expect_log("WASM0023");
        server.get("/hello").expect(200);
        assert_ne!(fs::read(&entry).expect("it is there again"), bad);
        server.graceful();
        assert_eq!(server.log_with("WASM0023").len(), 1, "once is enough");
    }
}

#[test]
fn what_a_child_cannot_load_is_compiled_again_after_a_stop() {
    let cache = new_cache();
    let (server, entry) = with_code_of_another_engine(cache.path());
    drop(server);
    assert!(!entry.exists(), "it left the cache when the server stopped");
    let conf = endpoint("/hello", &guest("hello_wasm"), "");
    let server = Site::new().httpd(conf).cache(cache.path()).start();
    server.get("/hello").expect(200);
}
