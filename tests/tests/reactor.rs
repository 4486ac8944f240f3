//! Modules that are no commands: their functions are called once they were initialised.

use mod_wasm_tests::{Site, endpoint, guest};

#[test]
fn constructors_run_and_mounts_are_found_before_a_function_is_called() {
    let site = Site::new();
    site.file("data/note", "x");
    let lines = format!(
        "WasmEntryPoint hello\nWasmMapDir /data {} ro",
        site.path("data")
    );
    let server = site.start(endpoint("/x", &guest("reactor"), &lines));
    // The second request gets a fresh instance, which is initialised like the first.
    for _ in 0..2 {
        assert_eq!(
            server.get("/x").expect(200).text(),
            "constructor: ran, mount: found\n"
        );
    }
}
