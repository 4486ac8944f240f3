//! Runs all of PHP's own tests on the native PHP of `scripts/php-native`, and records those that it does not pass: `tests/phpt/native.txt`.

use std::fs;

use mod_wasm_tests::{phpt, root};

fn main() {
    let tests = phpt::Phpt::native();
    let endings = tests.run(&tests.names());
    let list = phpt::written(&endings);
    let passed = endings.values().filter(|ending| phpt::passed(ending));
    println!("native PHP: {} of {} passed", passed.count(), endings.len());
    fs::write(root().join("tests/phpt/native.txt"), list).expect("native.txt can be written");
}
