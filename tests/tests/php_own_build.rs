//! The recipe of our own PHP makes the same bytes from the same inputs. `make php-repro` shows it for all of it.

use std::fs;
use std::process::Command;

use mod_wasm_tests::{printed, root};

/// The C library is compiled anew, and linked with the objects of the last build.
#[test]
fn linked_again_elsewhere_it_has_the_same_bytes() {
    let folder = tempfile::Builder::new()
        .prefix("a-folder-whose-name-has-another-length-")
        .tempdir()
        .expect("a folder can be made");
    let again = folder.path().join("again.wasm");
    printed(
        Command::new(root().join("runtimes/php/build"))
            .arg("--link")
            .arg(&again)
            .current_dir(&folder)
            .env("HOME", folder.path())
            .env("TZ", "Pacific/Chatham"),
    );
    let first = fs::read(root().join("build/php/php.wasm")).expect("`make php` made it");
    let again = fs::read(again).expect("it was linked");
    assert!(
        first == again,
        "{} bytes, then {}",
        first.len(),
        again.len()
    );
}
