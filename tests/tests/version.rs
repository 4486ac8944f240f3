//! Module and library of different versions must not work together.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use mod_wasm_tests::{Site, module, printed, program, root};

/// The module, compiled against a header of another version, beside today's library.
fn build_module_of_another_version(dir: &Path) {
    let header = fs::read_to_string(root().join("wasm_runtime/include/wasm_runtime.h"))
        .expect("the header is readable");
    let (before, rest) = header
        .split_once("#define WRT_VERSION \"")
        .expect("the header tells its version");
    let (_, after) = rest.split_once('"').expect("the version is quoted");
    let changed = format!("{before}#define WRT_VERSION \"0.0.0-other\"{after}");
    fs::write(dir.join("wasm_runtime.h"), changed).expect("the folder is writable");
    let library = "libwasm_runtime.so";
    symlink(module(library), dir.join(library)).expect("the folder is writable");
    printed(
        Command::new(program("make", "make"))
            .arg("--directory")
            .arg(root().join("mod_wasm"))
            .arg(format!("OUT={}", dir.display()))
            .arg(format!("OBJ={}/obj", dir.display()))
            .arg(format!("RUNTIME_INCLUDE={}", dir.display())),
    );
}

#[test]
fn a_library_of_another_version_stops_the_start() {
    let site = Site::new();
    let dir = tempfile::tempdir().expect("a folder can be made");
    build_module_of_another_version(dir.path());
    let conf = format!(
        "ServerName localhost\nPidFile run/pid\nErrorLog logs/error.log\n\
         LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so\n\
         LoadModule wasm_module {}/mod_wasm.so\n",
        dir.path().display()
    );
    let path = site.file("other.conf", conf);
    let output = Command::new(program("apache2", "apache2"))
        .args(["-t", "-d", &site.path(""), "-f", &path])
        .output()
        .expect("httpd runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success(), "{said}");
    assert!(
        said.contains("WASM0009") && said.contains("0.0.0-other"),
        "{said}"
    );
}
