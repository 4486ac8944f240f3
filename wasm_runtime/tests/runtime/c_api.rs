//! C programs against the committed header and the shared library, plain and under AddressSanitizer.

use crate::support::{Workshop, guest, helper};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Copies its input to its output.
const COPY: &str = r#"
    (func (export "_start")
      (loop $again
        (i32.store (i32.const 16) (i32.const 4096))
        (i32.store (i32.const 20) (i32.const 65536))
        (drop (call $fd_read (i32.const 0) (i32.const 16) (i32.const 1) (i32.const 24)))
        (if (i32.load (i32.const 24))
          (then
            (call $put (i32.const 1) (i32.const 4096) (i32.load (i32.const 24)))
            (br $again)))))"#;

fn sources() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/c")
}

fn compile(name: &str, extra: &[&str], program: &Path) {
    // Cargo puts programs and shared libraries into one directory.
    let libraries = helper().parent().unwrap();
    let output = Command::new("gcc")
        .args(["-std=c11", "-g", "-O1", "-Wall", "-Wextra", "-Werror"])
        .args(extra)
        .arg(sources().join(format!("{name}.c")))
        .arg("-I")
        .arg(sources().join("../../include"))
        .arg("-L")
        .arg(libraries)
        .arg(format!("-Wl,-rpath,{}", libraries.display()))
        .args(["-lwasm_runtime", "-o"])
        .arg(program)
        .output()
        .expect("gcc is missing: run `scripts/setup test` or install the package gcc");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// Tells how it was begun.
const PREPARED: &str = r#"
    (global $prepared (mut i32) (i32.const 0))
    (data (i32.const 1024) "startedresumed")
    (func (export "wizer-initialize") (global.set $prepared (i32.const 1)))
    (func (export "wizer-resume")
      (if (i32.eqz (global.get $prepared)) (then unreachable))
      (call $put (i32.const 1) (i32.const 1031) (i32.const 7)))
    (func (export "_start") (call $put (i32.const 1) (i32.const 1024) (i32.const 7)))"#;

fn check(name: &str, extra: &[&str]) {
    check_with(COPY, name, extra);
}

fn check_with(body: &str, name: &str, extra: &[&str]) {
    let workshop = Workshop::new(&guest(body));
    let program = workshop.directory.path().join(name);
    compile(name, extra, &program);
    let output = Command::new(&program)
        .arg(&workshop.module)
        .arg(workshop.cache())
        // The engine handles SIGSEGV itself. The library's caches live as long as the process.
        .env("ASAN_OPTIONS", "handle_segv=0:detect_leaks=0")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && said.contains(&format!("{name}: ok")),
        "{name}: {}\n{said}{}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
}

const SANITIZED: &[&str] = &["-fsanitize=address", "-fno-omit-frame-pointer"];

#[test]
fn smoke() {
    check("smoke", &[]);
}

#[test]
fn smoke_sanitized() {
    check("smoke", SANITIZED);
}

#[test]
fn compiling() {
    check("compile", &[]);
}

#[test]
fn compiling_sanitized() {
    check("compile", SANITIZED);
}

#[test]
fn snapshots() {
    check_with(PREPARED, "preinit", &[]);
}

#[test]
fn snapshots_sanitized() {
    check_with(PREPARED, "preinit", SANITIZED);
}

#[test]
fn stream() {
    check("stream", &[]);
}

#[test]
fn stream_sanitized() {
    check("stream", SANITIZED);
}

#[test]
fn misuse() {
    check("misuse", &[]);
}

#[test]
fn misuse_sanitized() {
    check("misuse", SANITIZED);
}

#[test]
fn the_header_is_one_for_c_plus_plus_too() {
    let source =
        "#include \"wasm_runtime.h\"\nextern \"C\" wrt_str (*version)(void) = wrt_version;\n";
    let directory = tempfile::tempdir().unwrap();
    let program = directory.path().join("header.cpp");
    std::fs::write(&program, source).unwrap();
    let output = Command::new("clang")
        .args([
            "-x",
            "c++",
            "-fsyntax-only",
            "-Wall",
            "-Wextra",
            "-Werror",
            "-I",
        ])
        .arg(sources().join("../../include"))
        .arg(&program)
        .output()
        .expect("clang is missing: run `scripts/setup test` or install the package clang");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// A value that moves when another is added would mean something else to a program that was compiled before.
#[test]
fn each_enumerator_has_its_number() {
    let header = std::fs::read_to_string(sources().join("../../include/wasm_runtime.h")).unwrap();
    let mut enumerators = 0;
    for body in header.split("typedef enum").skip(1) {
        let body = body.split('}').next().unwrap();
        for line in body.lines().map(str::trim) {
            if line.starts_with("WRT_") {
                enumerators += 1;
                assert!(line.contains(" = "), "{line}");
            }
        }
    }
    assert!(enumerators > 20, "{enumerators}");
}
