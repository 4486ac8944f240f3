//! The program `wasm-precompile`, as administrators use it.

use std::fs;
use std::process::{Command, Output};

use mod_wasm_tests::{guest, module};
use serde_json::Value;

fn precompile(arguments: &[&str]) -> Output {
    Command::new(module("wasm-precompile"))
        .args(arguments)
        .output()
        .expect("wasm-precompile runs")
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Asserts this exit code and one line that has all of this in it.
#[track_caller]
fn fails(code: i32, arguments: &[&str], causes: &[&str]) {
    let output = precompile(arguments);
    let said = said(&output);
    assert_eq!(output.status.code(), Some(code), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(causes.iter().all(|cause| said.contains(cause)), "{said}");
}

#[test]
fn a_module_is_written_to_a_file_or_to_standard_output() {
    let dir = tempfile::tempdir().expect("a folder can be made");
    let file = dir.path().join("out");
    let path = file.to_str().expect("the path is text");
    assert!(
        precompile(&["--output", path, &guest("hello_wasm")])
            .status
            .success()
    );
    let written = fs::read(&file).expect("the file was written");
    let printed = precompile(&["--output", "-", &guest("hello_wasm")]).stdout;
    assert!(written.len() > 10_000 && written == printed);
    assert!(
        precompile(&["--output", "/dev/null", &guest("hello_wasm")])
            .status
            .success()
    );
}

#[test]
fn a_module_that_the_server_would_refuse_is_refused_in_one_line() {
    let cache = tempfile::tempdir().expect("a folder can be made");
    let into_cache = [
        "--cache-dir",
        cache.path().to_str().expect("the path is text"),
    ];
    for (code, module, causes) in [
        (
            1,
            "/no/such.wasm".to_owned(),
            ["/no/such.wasm", "No such file"],
        ),
        (
            3,
            guest("unknown_import"),
            ["unknown_import.wasm", "no_such_function"],
        ),
        (
            3,
            "/etc/passwd".to_owned(),
            ["/etc/passwd", "not a WebAssembly module"],
        ),
    ] {
        fails(code, &[into_cache[0], into_cache[1], &module], &causes);
    }
    assert_eq!(
        fs::read_dir(cache.path())
            .expect("the cache is there")
            .count(),
        0
    );
}

#[test]
fn modules_can_be_checked_without_being_compiled() {
    let output = precompile(&["--check", &guest("hello_wasm"), &guest("no_start")]);
    assert!(output.status.success(), "{}", said(&output));
    let told = String::from_utf8_lossy(&output.stdout);
    let lines: Vec<Value> = told
        .lines()
        .map(|line| serde_json::from_str(line).expect("each line is JSON"))
        .collect();
    let starts = |line: &Value| {
        let entries = line["facts"]["entry_points"].as_array().cloned();
        entries.is_some_and(|entries| entries.contains(&"_start".into()))
    };
    assert_eq!(lines.iter().map(starts).collect::<Vec<_>>(), [true, false]);
    fails(
        3,
        &["--check", &guest("hello_wasm"), &guest("unknown_import")],
        &["unknown_import.wasm", "no_such_function"],
    );
    fails(1, &["--check", "/no/such.wasm"], &["/no/such.wasm"]);
}

#[test]
fn nothing_is_compiled_when_a_later_module_is_wrong() {
    let cache = tempfile::tempdir().expect("a folder can be made");
    let path = cache.path().to_str().expect("the path is text");
    let modules = [guest("hello_wasm"), guest("unknown_import")];
    fails(
        3,
        &["--cache-dir", path, &modules[0], &modules[1]],
        &["unknown_import.wasm"],
    );
    let entries = fs::read_dir(cache.path()).expect("the cache is there");
    assert_eq!(entries.count(), 0);
}

#[test]
fn several_modules_do_not_fit_into_one_file() {
    fails(
        2,
        &[
            "--output",
            "/dev/null",
            &guest("hello_wasm"),
            &guest("plain_probe"),
        ],
        &["single module"],
    );
}

#[test]
fn wrong_usage_is_told_apart_from_failure() {
    for arguments in [
        &[][..],
        &["--no-such-option"],
        &["--target", "toaster", "x.wasm"],
        &["x.wasm"],
        &["--check", "--output", "x", "x.wasm"],
    ] {
        assert_eq!(
            precompile(arguments).status.code(),
            Some(2),
            "{arguments:?}"
        );
    }
    let help = precompile(&["--help"]);
    assert!(help.status.success() && String::from_utf8_lossy(&help.stdout).contains("--cache-dir"));
}
