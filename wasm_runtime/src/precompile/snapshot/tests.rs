use super::*;
use crate::artifact::{Facts, Given, User};
use crate::engine::settings::Target;
use crate::host::sights;
use std::fs;
use std::path::Path;

const INITIALIZER: &str = "wizer-initialize";

/// What each guest here can call, and the paths and texts that it uses.
const PRELUDE: &str = r#"
    (import "wasi_snapshot_preview1" "path_open"
      (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_close" (func $close (param i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_renumber" (func $renumber (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_readdir"
      (func $list (param i32 i32 i32 i64 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_write"
      (func $write (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "path_create_directory"
      (func $make (param i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_prestat_dir_name"
      (func $mounted (param i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
    (import "wasi_snapshot_preview1" "environ_get" (func $environ (param i32 i32) (result i32)))
    (memory (export "memory") 1)
    (global $count (mut i32) (i32.const 0))
    (data (i32.const 0) "folder/file")
    (data (i32.const 32) "\40\00\00\00\0a\00\00\00")
    (data (i32.const 64) "last words")
    (func $say (drop (call $write (i32.const 2) (i32.const 32) (i32.const 1) (i32.const 1024))))
    (func $open_file (drop (call $open (i32.const 3) (i32.const 1) (i32.const 0) (i32.const 11)
      (i32.const 0) (i64.const 2) (i64.const 0) (i32.const 0) (i32.const 1024))))
    (func (export "_start"))"#;

fn order(directory: &Path) -> Order {
    Order {
        initializer: INITIALIZER.to_owned(),
        given: Given {
            module: String::new(),
            settings: Given::settings_of_this_build(),
            env: vec![b"NAME=value".to_vec()],
            mounts: vec!["/app".to_owned(), "/other".to_owned()],
            scratch: Some("/tmp".to_owned()),
            user: User::of_this_process(),
        },
        hosts: vec![directory.as_os_str().as_encoded_bytes().to_owned(); 2],
        writable: Vec::new(),
        time: Duration::from_secs(2),
        memory: 64 << 20,
        descriptors: 100,
    }
}

/// The body of a guest whose initialiser does this.
fn initializer(body: &str) -> String {
    format!(r#"(func (export "{INITIALIZER}") {body})"#)
}

fn snapshot_by(order: &Order, body: &str) -> Result<(Facts, SnapshotFacts, Vec<u8>)> {
    let wasm = wat::parse_str(format!("(module {PRELUDE} {body})")).unwrap();
    let compiler = Compiler::new(Target::Native)?;
    let (wasm, facts) = compiler.snapshot(&compiler.check(&wasm)?, order)?;
    // What came of it is a module that can be compiled as any other.
    let checked = compiler.check(&wasm)?;
    compiler.compile(&checked)?;
    Ok((checked.findings.facts, facts, wasm))
}

fn snapshot_in(directory: &Path, body: &str) -> Result<(Facts, SnapshotFacts, Vec<u8>)> {
    snapshot_by(&order(directory), body)
}

fn place() -> tempfile::TempDir {
    let place = tempfile::tempdir().unwrap();
    fs::create_dir(place.path().join("folder")).unwrap();
    fs::write(place.path().join("folder/file"), "content").unwrap();
    place
}

fn has(wasm: &[u8], bytes: &[u8]) -> bool {
    wasm.windows(bytes.len()).any(|found| found == bytes)
}

#[test]
fn memory_and_globals_begin_with_what_the_initializer_left() {
    let place = place();
    let body = "(global.set $count (i32.const 7)) \
                (i32.store (i32.const 200) (i32.const 0x11223344)) \
                (drop (memory.grow (i32.const 3)))";
    let (module, facts, wasm) = snapshot_in(place.path(), &initializer(body)).unwrap();
    assert!(has(&wasm, &[0x44, 0x33, 0x22, 0x11]));
    // (global (mut i32) (i32.const 7))
    assert!(has(&wasm, &[0x7f, 1, 0x41, 7, 0x0b]));
    assert_eq!((facts.memory, module.minimum_memory), (4 << 16, 4 << 16));
    assert!(facts.sights.is_empty());
    assert_eq!(facts.refused_memory, None);
    assert_eq!(facts.given, order(place.path()).given);
    assert_eq!(module.entry_points, ["_start", INITIALIZER]);
}

#[test]
fn what_the_initializer_printed_is_kept() {
    let place = place();
    let (_, facts, _) = snapshot_in(place.path(), &initializer("(call $say)")).unwrap();
    assert_eq!(facts.said, "last words");
    let (_, facts, _) = snapshot_in(place.path(), &initializer("")).unwrap();
    assert_eq!(facts.said, "");
}

#[test]
fn it_is_good_as_long_as_another_look_finds_what_its_initializer_saw() {
    let body = "(call $open_file) (drop (call $close (i32.const 6)))";
    let holds = |facts: &SnapshotFacts, directory: &Path| {
        let order = order(directory);
        let budget = Budget::new(Limits::UNLIMITED);
        let io = RunIo::new(Box::new(Words::default()), Queue::new(1), budget);
        let mounts = Mounts {
            directories: &mounts(&order),
            table: &MountTable::default(),
            scratch: None,
        };
        let sandbox = Sandbox::new(io, Files::new(false), &mounts, Clock::new());
        let mut sandbox = sandbox.unwrap();
        sights::hold(&facts.sights, &mut sandbox.files, &mut sandbox.io.budget)
    };
    let place = place();
    let (_, facts, _) = snapshot_in(place.path(), &initializer(body)).unwrap();
    assert_eq!(facts.sights.len(), 1);
    assert!(holds(&facts, place.path()));
    fs::write(place.path().join("folder/other"), "").unwrap();
    assert!(holds(&facts, place.path()), "nobody looked at that");
    fs::write(place.path().join("folder/file"), "changed").unwrap();
    assert!(!holds(&facts, place.path()));

    fs::remove_file(place.path().join("folder/file")).unwrap();
    let missing = initializer("(call $open_file)");
    let (_, facts, _) = snapshot_in(place.path(), &missing).unwrap();
    assert!(holds(&facts, place.path()));
    fs::write(place.path().join("folder/file"), "new").unwrap();
    assert!(!holds(&facts, place.path()));

    let list = "(drop (call $list (i32.const 3) (i32.const 2048) (i32.const 100) (i64.const 0) (i32.const 1024)))";
    let (_, facts, _) = snapshot_in(place.path(), &initializer(list)).unwrap();
    fs::write(place.path().join("folder/deeper"), "").unwrap();
    assert!(holds(&facts, place.path()), "only the top was listed");
    fs::write(place.path().join("new"), "").unwrap();
    assert!(!holds(&facts, place.path()));
}

#[test]
fn it_is_the_environment_that_was_given_and_there_is_no_input() {
    let place = place();
    let body = "(drop (call $environ (i32.const 300) (i32.const 400))) \
                (i32.store (i32.const 2048) (i32.const 3000)) (i32.store (i32.const 2052) (i32.const 10)) \
                (drop (call $read (i32.const 0) (i32.const 2048) (i32.const 1) (i32.const 2056))) \
                (if (i32.load (i32.const 2056)) (then unreachable))";
    let (_, _, wasm) = snapshot_in(place.path(), &initializer(body)).unwrap();
    assert!(has(&wasm, b"NAME=value\0"));
}

#[test]
fn nothing_can_be_changed() {
    let place = place();
    let body = initializer("(drop (call $make (i32.const 3) (i32.const 0) (i32.const 6)))");
    fs::remove_dir_all(place.path().join("folder")).unwrap();
    let (_, facts, _) = snapshot_in(place.path(), &body).unwrap();
    assert!(!place.path().join("folder").exists());
    assert_eq!(facts.sights.len(), 1, "the folder that it would be in");
}

#[test]
fn a_reactor_is_initialised_before_and_not_again() {
    let place = place();
    let body = r#"
        (func (export "_initialize") (global.set $count (i32.add (global.get $count) (i32.const 41))))
        (func (export "wizer-initialize") (global.set $count (i32.add (global.get $count) (i32.const 1))))"#;
    let (module, _, wasm) = snapshot_in(place.path(), body).unwrap();
    assert!(has(&wasm, &[0x7f, 1, 0x41, 42, 0x0b]));
    assert!(!module.entry_points.contains(&INITIALIZE.to_owned()));
}

#[test]
fn memory_that_was_refused_is_noted() {
    let place = place();
    let mut small = order(place.path());
    small.memory = 2 << 16;
    let body = initializer("(drop (memory.grow (i32.const 2)))");
    let (_, facts, _) = snapshot_by(&small, &body).unwrap();
    assert_eq!(facts.refused_memory, Some(2 << 16));
    let body =
        initializer("(if (i32.eq (memory.grow (i32.const 2)) (i32.const -1)) (then unreachable))");
    let error = snapshot_by(&small, &body).unwrap_err().to_string();
    assert!(
        error.contains("refused more memory than 131072 bytes"),
        "{error}"
    );
    small.memory = 1 << 15;
    let error = snapshot_by(&small, &body).unwrap_err().to_string();
    assert!(
        error.contains("refused more memory than 32768 bytes"),
        "{error}"
    );
}

#[test]
fn the_scratch_directory_of_runs_has_its_number_and_nothing_in_it() {
    let place = place();
    let body = initializer(
        r#"(i32.store (i32.const 200) (call $mounted (i32.const 5) (i32.const 300) (i32.const 4)))
           (i32.store (i32.const 204) (call $make (i32.const 5) (i32.const 0) (i32.const 6)))
           (i32.store (i32.const 208) (call $mounted (i32.const 6) (i32.const 400) (i32.const 4)))"#,
    );
    let (_, facts, wasm) = snapshot_in(place.path(), &body).unwrap();
    assert!(has(&wasm, b"/tmp"));
    // It worked; not supported; no such descriptor.
    assert!(has(&wasm, &[58, 0, 0, 0, 8]));
    assert!(facts.sights.is_empty());
}

#[test]
fn closed_descriptors_do_no_harm() {
    let place = place();
    let body = "(drop (call $close (i32.const 0))) (drop (call $close (i32.const 4)))";
    snapshot_in(place.path(), &initializer(body)).unwrap();
}

#[test]
fn failures_are_told_on_one_line() {
    let place = place();
    for (body, expected) in [
        ("(call $say) unreachable", "unreachable"),
        ("(call $say) unreachable", "it said: last words"),
        (
            "(call $exit (i32.const 0))",
            "it ended the program, with exit status 0",
        ),
        (
            "(call $exit (i32.const 7))",
            "it ended the program, with exit status 7",
        ),
        ("(call $open_file)", "leaves /app/folder/file open"),
        // As descriptor 0.
        (
            "(drop (call $close (i32.const 0))) (call $open_file)",
            "leaves /app/folder/file open",
        ),
        (
            "(drop (call $renumber (i32.const 4) (i32.const 3)))",
            "leaves the directory /other as descriptor 3",
        ),
        (
            "(drop (call $renumber (i32.const 1) (i32.const 2)))",
            "leaves a standard stream as descriptor 2",
        ),
        ("(loop $again (br $again))", "it took longer than 2 s"),
    ] {
        let error = snapshot_in(place.path(), &initializer(body)).unwrap_err();
        assert!(matches!(error, Error::Module(_)), "{error}");
        let error = error.to_string();
        assert!(
            error.starts_with(INITIALIZER) && error.contains(expected),
            "{error}"
        );
        assert_eq!(error.lines().count(), 1);
    }
}

#[test]
fn a_directory_that_cannot_be_mounted_is_named() {
    let place = place();
    let error = snapshot_in(&place.path().join("missing"), &initializer("")).unwrap_err();
    assert!(error.to_string().contains("missing"), "{error}");
}

#[test]
fn what_cannot_be_snapshotted_is_refused_by_name() {
    let place = place();
    for (body, expected) in [
        (
            r#"(table 1 funcref) (func (export "wizer-initialize") (table.set (i32.const 0) (ref.null func)))"#,
            "table.set",
        ),
        (
            r#"(table 1 funcref) (func (export "wizer-initialize")
                 (drop (table.grow (ref.null func) (i32.const 1))))"#,
            "table.grow",
        ),
        (
            r#"(data $dropped "x") (func (export "wizer-initialize") (data.drop $dropped))"#,
            "data.drop",
        ),
        (
            r#"(elem $dropped funcref (ref.null func)) (func (export "wizer-initialize") (elem.drop $dropped))"#,
            "elem.drop",
        ),
        (
            r#"(global (mut funcref) (ref.null func)) (func (export "wizer-initialize"))"#,
            "mutable global containing a reference",
        ),
    ] {
        let error = snapshot_in(place.path(), body).unwrap_err().to_string();
        assert!(error.starts_with("no snapshot can be taken: "), "{error}");
        assert!(error.contains(expected), "{error}");
    }
}
