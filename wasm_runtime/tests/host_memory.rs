//! How much memory of the host one run can take, beside its linear memory. All that this program allocates is counted, so it
//! has one test.

#[path = "runtime/support.rs"]
#[expect(dead_code, reason = "other tests use the rest")]
mod support;

use peak_alloc::PeakAlloc;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::fmt::Write;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use support::{limits, load, options};
use wasm_runtime::engine::settings::{Interruption, Settings};
use wasm_runtime::guest::LoadedModule;
use wasm_runtime::host::{Host, Stop};
use wasm_runtime::run::{Ending, Limits, Mount, Outcome, Run};

#[global_allocator]
static ALLOCATED: PeakAlloc = PeakAlloc;

/// What `docs/security.md` says of a run.
const ALLOWED: usize = 1 << 20;

/// What it says of the moment in which one traps: the engine lists all of its call stack. Where code has no epochs to look at, twice as
/// many of the smallest frames fit into the stack.
fn allowed_with_a_trap() -> usize {
    match Settings::of_this_process().interruption() {
        Interruption::Epochs => 3 << 19,
        Interruption::Page => 5 << 19,
    }
}

/// The most that `WasmFileLimit` allows.
const DESCRIPTORS: u64 = 4096;

/// Links, each to a path as long as a path can be, that lead to each other.
const LINKS: usize = 39;

/// A client that takes everything and keeps nothing.
struct Taker;

impl Host for Taker {
    fn read(&mut self, buffer: &mut [u8], _patience: Duration) -> Result<usize, Stop> {
        Ok(buffer.len())
    }

    fn write(&mut self, _data: &[u8], _flush: bool, _patience: Duration) -> Result<(), Stop> {
        Ok(())
    }

    fn write_error(&mut self, _data: &[u8], _patience: Duration) -> Result<(), Stop> {
        Ok(())
    }

    fn is_connected(&mut self) -> bool {
        true
    }
}

/// Takes what can be taken, bit by bit, and keeps it: descriptors of folders that are read, locks, kept folders, output that is
/// collected. Then it makes each call that needs memory for a moment. Whatever does not succeed ends it.
const GREEDY: &str = r#"(module
    (import "wasi_snapshot_preview1" "path_open"
        (func $path_open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_readdir"
        (func $fd_readdir (param i32 i32 i32 i64 i32) (result i32)))
    (import "wasi_snapshot_preview1" "path_filestat_get"
        (func $path_filestat_get (param i32 i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "path_readlink"
        (func $path_readlink (param i32 i32 i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_read" (func $fd_read (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll_oneoff (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "random_get" (func $random_get (param i32 i32) (result i32)))
    (import "mod_wasm" "fd_lock" (func $fd_lock (param i32 i32 i64 i64 i64) (result i32)))
    (memory (export "memory") 200)
    (data (i32.const 1024) "folder")
    (data (i32.const 1040) "file")
    (data (i32.const 1060) "link1")
    ;; Paths that lead nowhere new end here.
    (data (i32.const 8190) "./file")

    ;; Ends the guest unless that is no error.
    (func $done (param $errno i32)
        (if (local.get $errno) (then (unreachable))))
    (func $open (param $path i32) (param $length i32) (param $flags i32) (result i32)
        (call $done (call $path_open (i32.const 3) (i32.const 0) (local.get $path) (local.get $length)
            (local.get $flags) (i64.const 2) (i64.const 0) (i32.const 0) (i32.const 0)))
        (i32.load (i32.const 0)))
    (func $list (param $fd i32) (param $room i32)
        (call $done (call $fd_readdir (local.get $fd) (i32.const 20000) (local.get $room) (i64.const 0) (i32.const 0))))
    ;; `count` pieces of `length` bytes each.
    (func $pieces (param $count i32) (param $length i32)
        (local $at i32)
        (local.set $at (i32.const 500000))
        (loop $next
            (i32.store (local.get $at) (i32.const 600000))
            (i32.store offset=4 (local.get $at) (local.get $length))
            (local.set $at (i32.add (local.get $at) (i32.const 8)))
            (br_if $next (local.tee $count (i32.sub (local.get $count) (i32.const 1))))))
    (func $write (param $fd i32) (param $count i32) (param $length i32)
        (call $pieces (local.get $count) (local.get $length))
        (call $done (call $fd_write (local.get $fd) (i32.const 500000) (local.get $count) (i32.const 0))))

    (func $open_folders (param $count i32)
        (loop $next
            (call $list (call $open (i32.const 1024) (i32.const 6) (i32.const 2)) (i32.const 200))
            (br_if $next (local.tee $count (i32.sub (local.get $count) (i32.const 1))))))
    (func $lock (param $fd i32) (param $count i32)
        (loop $next
            (call $done (call $fd_lock (local.get $fd) (i32.const 1)
                (i64.extend_i32_u (i32.mul (local.get $count) (i32.const 2))) (i64.const 1) (i64.const 0)))
            (br_if $next (local.tee $count (i32.sub (local.get $count) (i32.const 1))))))
    ;; By `count` paths of different lengths.
    (func $look (param $steps i32) (param $count i32)
        (local $start i32)
        (local.set $start (i32.sub (i32.const 8190) (i32.mul (local.get $steps) (i32.const 2))))
        (loop $next
            (call $done (call $path_filestat_get (i32.const 3) (i32.const 1) (local.get $start)
                (i32.sub (i32.const 8196) (local.get $start)) (i32.const 128)))
            (local.set $start (i32.add (local.get $start) (i32.const 2)))
            (br_if $next (local.tee $count (i32.sub (local.get $count) (i32.const 1))))))
    ;; As little of the stack as can be for each function.
    (func $deeper (call $deeper))
    (func (export "take_and_trap") (call $take) (call $deeper))

    (func $take (export "_start")
        (local $at i32)
        (local.set $at (i32.const 2000))
        (loop $next
            (i32.store16 (local.get $at) (i32.const 0x2f2e))
            (br_if $next (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 2))) (i32.const 8190))))
        ;; Three streams, the mount, a file, and room for kept folders.
        (call $lock (call $open (i32.const 1040) (i32.const 4) (i32.const 0)) (i32.const 1000))
        (call $open_folders (i32.const 4058))
        (call $list (i32.const 4000) (i32.const 30000))
        (call $look (i32.const 250) (i32.const 33))
        (call $write (i32.const 1) (i32.const 1) (i32.const 17000))
        (call $write (i32.const 1) (i32.const 1) (i32.const 15000))
        ;; What is for a moment.
        (call $write (i32.const 2) (i32.const 1024) (i32.const 10))
        (call $pieces (i32.const 1024) (i32.const 2))
        (call $done (call $fd_read (i32.const 0) (i32.const 500000) (i32.const 1024) (i32.const 0)))
        (call $done (call $fd_read (i32.const 4) (i32.const 500000) (i32.const 1024) (i32.const 0)))
        (call $look (i32.const 2040) (i32.const 1))
        (call $done (call $path_filestat_get (i32.const 3) (i32.const 1) (i32.const 1060) (i32.const 5) (i32.const 128)))
        (call $done (call $path_readlink (i32.const 3) (i32.const 1060) (i32.const 5) (i32.const 20000) (i32.const 5000) (i32.const 0)))
        (call $done (call $poll_oneoff (i32.const 700000) (i32.const 300000) (i32.const 4096) (i32.const 0)))
        (call $done (call $random_get (i32.const 1000000) (i32.const 10000000)))))"#;

/// What the guest finds: a folder of many files, a file, and links that are as long as can be.
fn fill(place: &Path) {
    fs::create_dir(place.join("folder")).unwrap();
    for number in 0..1000 {
        fs::write(place.join(format!("folder/{number}")), "").unwrap();
    }
    fs::write(place.join("file"), "content").unwrap();
    for number in 1..=LINKS {
        let mut content = "/mount/".to_owned();
        while content.len() < 4080 {
            content.push_str("./");
        }
        if number < LINKS {
            write!(content, "link{}", number + 1).unwrap();
        } else {
            content.push_str("file");
        }
        symlink(content, place.join(format!("link{number}"))).unwrap();
    }
}

/// So that the run's own limit is the one that counts.
fn allow_descriptors() {
    let limit = getrlimit(Resource::Nofile);
    let wanted = DESCRIPTORS + 100;
    let hard = limit.maximum.unwrap_or(u64::MAX);
    assert!(hard >= wanted, "ulimit -Hn is {hard}: this takes {wanted}");
    let raised = Rlimit {
        current: Some(limit.current.unwrap_or(u64::MAX).max(wanted)),
        maximum: limit.maximum,
    };
    setrlimit(Resource::Nofile, raised).unwrap();
}

/// Runs the guest; the outcome, and the most that was allocated at a time.
fn measured(module: &Arc<LoadedModule>, place: &Path, entry_point: &str) -> (Outcome, usize) {
    let mut options = options();
    options.entry_point = entry_point.to_owned();
    options.limits = Limits {
        descriptors: DESCRIPTORS,
        ..limits()
    };
    options.mounts = vec![Mount {
        guest: "/mount".to_owned(),
        host: place.as_os_str().as_encoded_bytes().to_vec(),
        read_only: false,
    }];
    let run = Run::new(Arc::clone(module), options, Box::new(Taker));
    let before = ALLOCATED.current_usage();
    ALLOCATED.reset_peak_usage();
    let outcome = run.execute();
    (outcome, ALLOCATED.peak_usage() - before)
}

#[test]
fn a_greedy_run_takes_little_memory_of_the_host() {
    allow_descriptors();
    let place = tempfile::tempdir().unwrap();
    fill(place.path());
    let module = load(GREEDY, 1);
    let (outcome, most) = measured(&module, place.path(), "_start");
    assert!(
        matches!(outcome.ending, Ending::Exited(0)),
        "{:?}",
        outcome.ending
    );
    assert!(most < ALLOWED, "{most} bytes");
    let (outcome, most) = measured(&module, place.path(), "take_and_trap");
    assert!(
        matches!(&outcome.ending, Ending::Trapped { message, .. } if message.contains("call stack exhausted")),
        "{:?}",
        outcome.ending
    );
    assert!(most < allowed_with_a_trap(), "{most} bytes");
}
