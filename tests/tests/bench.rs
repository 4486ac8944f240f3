//! The measurements run, and print what `docs/performance.md` shows. Short ones: their figures mean nothing.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

use mod_wasm_tests::{free_port, outside_cargo, root};

fn bench(stage: &Path, arguments: &[&str]) -> Output {
    let port = free_port().to_string();
    outside_cargo(&mut Command::new(root().join("benches/run")))
        .args(arguments)
        .args(["--port", &port])
        .env("MOD_WASM_STAGE", stage)
        .output()
        .expect("benches/run is started")
}

/// A folder that httpd's children can reach.
fn stage() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755))
        .expect("the folder is ours");
    folder
}

/// The cells of the first row of a table that begins so.
fn cells<'a>(output: &'a str, start: &str) -> Vec<&'a str> {
    let row = output
        .lines()
        .find(|line| line.starts_with(start))
        .unwrap_or_else(|| panic!("no row begins with {start:?}:\n{output}"));
    row.trim_matches('|').split('|').map(str::trim).collect()
}

#[test]
fn quick_measures_what_requests_cost() {
    let stage = stage();
    let output = bench(
        stage.path(),
        &[
            "quick",
            "--only",
            "hello in C",
            "--rounds",
            "1",
            "--seconds",
            "0.1",
        ],
    );
    let said = String::from_utf8_lossy(&output.stderr);
    // Control groups are root's, unless they were handed over.
    if !output.status.success() && !rustix::process::geteuid().is_root() {
        assert!(said.contains("systemd-run --user --scope"), "{said}");
        return;
    }
    assert!(output.status.success(), "{said}");
    let tables = String::from_utf8_lossy(&output.stdout);
    let native = cells(&tables, "| hello in C | mod_cgid, native |");
    let wasm = cells(&tables, "| hello in C | mod_wasm |");
    let number =
        |text: &str| -> f64 { text.parse().unwrap_or_else(|_| panic!("{text}: {tables}")) };
    // Processor time and system calls: a process is started for the one, and none for the other.
    for column in [2, 9] {
        assert!(
            number(native[column]) > 2.0 * number(wasm[column]),
            "{tables}"
        );
    }
    assert!(number(wasm[4]) > number(native[4]), "requests/s: {tables}");
    let (_, instructions) = tables
        .split_once("Instructions in user space:")
        .expect("instructions are counted");
    let counted = number(cells(instructions, "| hello in C | mod_wasm |")[2]);
    assert!((10_000.0..1_000_000.0).contains(&counted), "{tables}");
}

#[test]
fn what_cannot_be_measured_is_refused_before_anything_is_built() {
    let stage = stage();
    for (arguments, cause) in [
        (&["quick", "--only", "COBOL"][..], "no row has such a name"),
        (&["quick", "--rounds", "0"], "0 is not in 1.."),
        (
            &["quick", "--compare", "no-such-revision"],
            "there is no revision no-such-revision",
        ),
        (&["slow"], "unrecognized subcommand 'slow'"),
    ] {
        let output = bench(stage.path(), arguments);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(
            !output.status.success() && said.contains(cause),
            "{arguments:?}: {said}"
        );
        assert_eq!(
            fs::read_dir(stage.path()).expect("it is readable").count(),
            0,
            "{arguments:?}"
        );
    }
}
