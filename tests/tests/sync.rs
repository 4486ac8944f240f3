//! What a program wants on the disk is asked of the host.

use std::fs;

use mod_wasm_tests::{Site, endpoint, guest};

#[test]
fn a_sync_of_a_program_is_one_of_the_host() {
    let site = Site::new();
    let data = site.writable_dir("data");
    let conf = endpoint(
        "/sync",
        &guest("sync_probe"),
        &format!("WasmMapDir /data {data}"),
    );
    let server = site.httpd(conf).traced("fsync,fdatasync").start();
    let answer = server.get("/sync").expect(200).text();
    assert_eq!(answer, "sync 0\ndatasync 0\n");
    let trace = fs::read_to_string(server.path("trace")).expect("strace writes");
    for (call, file) in [("fsync", "sync"), ("fdatasync", "datasync")] {
        let made = trace.lines().any(|line| {
            line.contains(&format!(" {call}("))
                && line.contains(&format!("<{data}/{file}>"))
                && line.ends_with("= 0")
        });
        assert!(made, "no {call} of {file} in:\n{trace}");
    }
}
