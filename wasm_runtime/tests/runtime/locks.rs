//! Locks on files: they end with their run, and a run that waits for one still ends.

use crate::support::{limits, load, options, run_with, stop_of};
use std::fs::{self, File};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use wasm_runtime::guest::LoadedModule;
use wasm_runtime::host::Stop;
use wasm_runtime::run::{Ending, Limit, Limits, Mount, Options, Outcome};

const SOON: Duration = Duration::from_millis(200);

const DEADLINE: Stop = Stop::Limit(Limit::Time);

/// A number of WASI.
const EAGAIN: i32 = 6;

const RANGE: u32 = 2;
const WHOLE: u32 = 6;

/// A guest that says "early", takes an exclusive lock of the file in its mount, exits with the error number where it is refused,
/// and goes on with `then`.
fn locker(kind: u32, timeout: i64, then: &str) -> Arc<LoadedModule> {
    let wat = format!(
        r#"(module
            (import "mod_wasm" "fd_lock"
              (func $fd_lock (param i32 i32 i64 i64 i64) (result i32)))
            (import "wasi_snapshot_preview1" "path_open"
              (func $path_open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
            (import "wasi_snapshot_preview1" "fd_write"
              (func $fd_write (param i32 i32 i32 i32) (result i32)))
            (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
            (memory (export "memory") 1)
            (data (i32.const 0) "file" "\0c\00\00\00\05\00\00\00" "early")
            (func (export "_start") (local $error i32)
              (drop (call $fd_write (i32.const 1) (i32.const 4) (i32.const 1) (i32.const 64)))
              (if (call $path_open (i32.const 3) (i32.const 0) (i32.const 0) (i32.const 4) (i32.const 0)
                    (i64.const 66) (i64.const 0) (i32.const 0) (i32.const 64)) (then unreachable))
              (local.set $error (call $fd_lock
                (i32.load (i32.const 64)) (i32.const {kind}) (i64.const 0) (i64.const 0) (i64.const {timeout})))
              (if (local.get $error) (then (call $proc_exit (local.get $error))))
              {then}))"#
    );
    load(&wat, 1)
}

/// A folder to mount, with the file in it.
fn place() -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("file"), "").unwrap();
    directory
}

fn with_mount(place: &TempDir) -> Options {
    Options {
        mounts: vec![Mount {
            guest: "/".into(),
            host: place.path().as_os_str().as_encoded_bytes().into(),
            read_only: false,
        }],
        ..options()
    }
}

/// The same, and a deadline.
fn for_so_long(place: &TempDir, time: Duration) -> Options {
    Options {
        limits: Limits { time, ..limits() },
        ..with_mount(place)
    }
}

fn host_file(place: &TempDir) -> File {
    File::open(place.path().join("file")).unwrap()
}

const ENDLESS: &str = "(loop $again (br $again))";

/// How a run ended, without what may differ.
fn end_of(outcome: &Outcome) -> String {
    match &outcome.ending {
        Ending::Trapped { .. } => "Trapped".to_owned(),
        Ending::Stopped { stop, .. } => format!("{stop:?}"),
        ending => format!("{ending:?}"),
    }
}

#[test]
fn a_lock_ends_with_its_run_however_that_ends() {
    let place = place();
    let ends = [
        ("", false, "Exited(0)"),
        ("(call $proc_exit (i32.const 70))", false, "Exited(70)"),
        ("unreachable", false, "Trapped"),
        (ENDLESS, false, "Limit(Time)"),
        (ENDLESS, true, "ClientGone"),
    ];
    for kind in [RANGE, WHOLE] {
        // Another test of this process may be starting a program: what was open when it forked is open there for a moment.
        let probe = locker(kind, 5000, "");
        for (then, gone, end) in ends {
            let options = for_so_long(&place, Duration::from_secs(1));
            let (outcome, _) = run_with(&locker(kind, 0, then), options, gone);
            assert_eq!(end_of(&outcome), end);
            let options = for_so_long(&place, Duration::from_secs(60));
            let (outcome, _) = run_with(&probe, options, false);
            assert_eq!(outcome.ending, Ending::Exited(0), "after {then}");
        }
    }
}

#[test]
fn runs_exclude_each_other() {
    let place = place();
    for kind in [RANGE, WHOLE] {
        thread::scope(|scope| {
            let holder = scope.spawn(|| {
                let options = for_so_long(&place, Duration::from_secs(2));
                run_with(&locker(kind, -1, ENDLESS), options, false)
            });
            let probe = locker(kind, 0, "");
            let refused = || run_with(&probe, with_mount(&place), false).0.ending;
            let start = Instant::now();
            while refused() != Ending::Exited(EAGAIN) {
                assert!(start.elapsed() < Duration::from_secs(60), "nobody locks");
            }
            // Waits for the holder's deadline.
            let patient = locker(kind, 60_000, "");
            let (outcome, _) = run_with(&patient, with_mount(&place), false);
            assert_eq!(outcome.ending, Ending::Exited(0));
            let (outcome, _) = holder.join().unwrap();
            assert_eq!(stop_of(&outcome), Some(DEADLINE));
        });
    }
}

#[test]
fn a_wait_has_an_end() {
    let place = place();
    let host = host_file(&place);
    host.lock().unwrap();
    for (timeout, least) in [(0, Duration::ZERO), (200, SOON)] {
        let start = Instant::now();
        let (outcome, _) = run_with(&locker(WHOLE, timeout, ""), with_mount(&place), false);
        assert_eq!(outcome.ending, Ending::Exited(EAGAIN));
        assert!(start.elapsed() >= least, "{:?}", start.elapsed());
    }
}

#[test]
fn a_run_that_waits_for_a_lock_ends_like_any_other_and_flushes_first() {
    let place = place();
    let host = host_file(&place);
    host.lock().unwrap();
    for timeout in [-1, i64::MAX] {
        let module = locker(WHOLE, timeout, "");
        for (deadline, gone, stop) in [
            (SOON, false, DEADLINE),
            (Duration::from_secs(60), true, Stop::ClientGone),
        ] {
            let options = for_so_long(&place, deadline);
            let (outcome, seen) = run_with(&module, options, gone);
            let doing = "sleeping in fd_lock".to_owned();
            assert_eq!(outcome.ending, Ending::Stopped { stop, doing });
            assert_eq!(*seen.output.lock().unwrap(), b"early");
        }
    }
}

#[test]
fn a_stopping_server_ends_a_wait() {
    let place = place();
    let host = host_file(&place);
    host.lock().unwrap();
    let module = locker(WHOLE, -1, "");
    let waiter = thread::spawn({
        let (module, options) = (Arc::clone(&module), with_mount(&place));
        move || run_with(&module, options, false).0
    });
    thread::sleep(SOON);
    module.engine().stop();
    let outcome = waiter.join().unwrap();
    assert_eq!(stop_of(&outcome), Some(Stop::ServerStopping));
}

#[test]
fn who_waits_gets_the_lock_when_it_is_free() {
    let place = place();
    let host = host_file(&place);
    host.lock().unwrap();
    let waiter = thread::spawn({
        let options = with_mount(&place);
        move || run_with(&locker(WHOLE, -1, ""), options, false).0
    });
    thread::sleep(SOON);
    host.unlock().unwrap();
    assert_eq!(waiter.join().unwrap().ending, Ending::Exited(0));
}

#[test]
fn a_timeout_below_none_is_invalid() {
    let place = place();
    for timeout in [-2, i64::MIN] {
        let (outcome, _) = run_with(&locker(RANGE, timeout, ""), with_mount(&place), false);
        assert_eq!(outcome.ending, Ending::Exited(28));
    }
}
