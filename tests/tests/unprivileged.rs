//! Without root: a whole httpd as an ordinary user, and that user's test of root's configuration.

use std::fs;

use mod_wasm_tests::{Server, Site, endpoint, guest};

/// A server of an ordinary user, its program where that user can read it.
fn start(site: Site) -> Server {
    let wasm = site.file(
        "hello_wasm.wasm",
        fs::read(guest("hello_wasm")).expect("the guest is readable"),
    );
    site.httpd(endpoint("/x", &wasm, "")).unprivileged().start()
}

#[test]
fn an_ordinary_user_runs_a_whole_server() {
    let server = start(Site::new());
    assert!(server.get("/x").expect(200).text().starts_with("Hello"));
    assert_eq!(server.log_with("WASM0020").len(), 1);
    server.graceful();
    server.get("/x").expect(200);
    assert_eq!(server.log_with("WASM0020").len(), 1);
}

#[test]
fn a_configuration_is_tested_even_where_the_cache_belongs_to_somebody_else() {
    let site = Site::new();
    let cache = site.private_cache();
    let server = start(site);
    server.replace_in_conf(&server.path("cache"), &cache);
    // Owned by whoever runs the suite: for root's suite that is not the user of this server.
    let (accepted, said) = server.httpd(&["-t"]);
    assert!(accepted, "{said}");
    server.replace_in_conf("hello_wasm.wasm", "missing.wasm");
    let (accepted, said) = server.httpd(&["-t"]);
    assert!(!accepted && said.contains("missing.wasm"), "{said}");
}
