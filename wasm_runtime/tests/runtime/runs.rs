//! How runs end: every outcome, with real guests on a real engine.

use crate::support::{guest, limits, load, options, run, run_with, stop_of};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};
use wasm_runtime::engine::open_written_pages;
use wasm_runtime::engine::settings::{Interruption, Settings};
use wasm_runtime::host::Stop;
use wasm_runtime::host::StringList;
use wasm_runtime::run::Mount;
use wasm_runtime::run::{Ending, Limit, Limits, Options};

const SOON: Duration = Duration::from_millis(200);

const ENDLESS: &str = r#"(func (export "_start") (loop $again (br $again)))"#;

/// Sleeps an hour.
const SLEEPER: &str = r#"
    (func (export "_start")
      (i32.store (i32.const 64) (i32.const 1))
      (i32.store (i32.const 80) (i32.const 1))
      (i64.store (i32.const 88) (i64.const 3600000000000))
      (drop (call $poll_oneoff (i32.const 64) (i32.const 128) (i32.const 1) (i32.const 192))))"#;

fn trap(body: &str) -> (String, String) {
    let outcome = run(&guest(&format!(
        r#"(func $culprit (export "_start") {body})"#
    )));
    match outcome.ending {
        Ending::Trapped { message, backtrace } => (message, backtrace),
        other => panic!("{other:?}"),
    }
}

#[test]
fn output_that_fits_the_buffer_is_the_tail() {
    let outcome = run(&guest(
        r#"(data (i32.const 100) "hello")
           (func (export "_start") (call $put (i32.const 1) (i32.const 100) (i32.const 5)))"#,
    ));
    assert_eq!(outcome.ending, Ending::Exited(0));
    assert_eq!(outcome.tail, b"hello");
}

#[test]
fn every_exit_status_is_an_exit() {
    for status in [0, 1, 125, 126, 255, -1] {
        let body = format!(r#"(func (export "_start") (call $proc_exit (i32.const {status})))"#);
        assert_eq!(run(&guest(&body)).ending, Ending::Exited(status));
    }
}

#[test]
fn traps_say_what_and_where() {
    for (body, expected) in [
        ("unreachable", "unreachable"),
        ("(drop (i32.load (i32.const -1)))", "out of bounds"),
        (
            "(drop (i32.div_u (i32.const 1) (i32.const 0)))",
            "divide by zero",
        ),
        ("(call $culprit)", "call stack exhausted"),
    ] {
        let (message, backtrace) = trap(body);
        assert!(message.contains(expected), "{message}");
        assert_eq!(message.lines().count(), 1);
        assert!(backtrace.contains("culprit"), "{backtrace}");
    }
}

/// A mangled C++ name of some hundred bytes that stands for 60^8 characters.
fn name_bomb() -> String {
    let digits = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    let level = |level: usize| {
        let reference = format!("S{}_", digits[level] as char);
        format!("S_I{}E", reference.repeat(60))
    };
    format!("_Z1f1AIiE{}", (0..8).map(level).collect::<String>())
}

#[test]
fn names_in_a_backtrace_are_cut_and_never_demangled() {
    let bomb = name_bomb();
    let outcome = run(&format!(
        r#"(module (func (@name "{bomb}") (export "_start") unreachable))"#
    ));
    let Ending::Trapped { backtrace, .. } = outcome.ending else {
        panic!("{outcome:?}");
    };
    assert!(backtrace.contains(&bomb[..256]), "{backtrace}");
    assert!(!backtrace.contains(&bomb[..257]), "{backtrace}");
}

#[test]
fn a_stripped_module_says_so() {
    let outcome = run(r#"(module (func (export "_start") unreachable))"#);
    let Ending::Trapped { backtrace, .. } = outcome.ending else {
        panic!("{outcome:?}");
    };
    assert!(backtrace.contains("function 0\n"), "{backtrace}");
    assert!(backtrace.contains("stripped"), "{backtrace}");
    assert!(!trap("unreachable").1.contains("stripped"));
}

#[test]
fn a_guest_may_have_the_last_word_on_the_end_of_its_stack() {
    for (answer, expected) in [
        ("(call $proc_exit (i32.const 7))", Some(7)),
        ("nop", None),
        ("unreachable", None),
        ("(call $culprit)", None),
    ] {
        let ending = run(&guest(&format!(
            r#"(func $culprit (export "_start") (call $culprit))
               (func (export "mod_wasm_stack_exhausted") {answer})"#
        )))
        .ending;
        match (ending, expected) {
            (Ending::Exited(status), Some(expected)) => assert_eq!(status, expected),
            (Ending::Trapped { message, .. }, None) => {
                assert!(message.contains("call stack exhausted"), "{message}");
            }
            (ending, _) => panic!("{answer}: {ending:?}"),
        }
    }
}

#[test]
fn other_traps_have_no_last_word() {
    let ending = run(&guest(
        r#"(func (export "_start") unreachable)
           (func (export "mod_wasm_stack_exhausted") (call $proc_exit (i32.const 7)))"#,
    ))
    .ending;
    assert!(matches!(ending, Ending::Trapped { .. }), "{ending:?}");
}

#[test]
fn a_deep_stack_is_cut() {
    let (_, backtrace) = trap("(call $culprit)");
    assert_eq!(backtrace.matches("culprit").count(), 32, "{backtrace}");
    assert!(backtrace.ends_with("deeper frames are left out\n"));
}

#[test]
fn nobody_describes_a_backtrace_that_is_not_wanted() {
    let module = load(r#"(module (func (export "_start") unreachable))"#, 1);
    let silent = Options {
        backtrace: false,
        ..options()
    };
    match run_with(&module, silent, false).0.ending {
        Ending::Trapped { backtrace, .. } => assert_eq!(backtrace, ""),
        other => panic!("{other:?}"),
    }
}

/// Counts how often it is initialised, and exits with that number.
const REACTOR: &str = r#"
    (global $count (mut i32) (i32.const 0))
    (func (export "_initialize") (global.set $count (i32.add (global.get $count) (i32.const 1))))
    (func (export "count") (call $proc_exit (global.get $count)))
    (func (export "_start") (call $proc_exit (i32.add (global.get $count) (i32.const 10))))"#;

#[test]
fn a_reactor_is_initialised_before_whatever_is_called() {
    let module = load(&guest(REACTOR), 1);
    for (entry_point, status) in [("count", 1), ("_start", 11), ("_initialize", 0)] {
        let options = Options {
            entry_point: entry_point.into(),
            ..options()
        };
        let (outcome, _) = run_with(&module, options, false);
        assert_eq!(outcome.ending, Ending::Exited(status), "{entry_point}");
    }
}

#[test]
fn what_happens_in_an_initialiser_ends_the_run() {
    let initialiser = |body: &str| {
        let rest = r#"(func (export "_start") (call $proc_exit (i32.const 7)))"#;
        run(&guest(&format!(
            r#"(func (export "_initialize") {body}) {rest}"#
        )))
        .ending
    };
    assert_eq!(
        initialiser("(call $proc_exit (i32.const 3))"),
        Ending::Exited(3)
    );
    assert!(matches!(initialiser("unreachable"), Ending::Trapped { .. }));
    let outcome =
        run(r#"(module (func (export "_start")) (func (export "_initialize") (param i32)))"#);
    let Ending::StartFailed(message) = outcome.ending else {
        panic!("{outcome:?}");
    };
    assert!(message.contains("_initialize"), "{message}");
}

#[test]
fn the_thread_survives_a_trap_and_runs_the_next_guest() {
    let module = load(&guest(r#"(func (export "_start") unreachable)"#), 1);
    for _ in 0..3 {
        let (outcome, _) = run_with(&module, options(), false);
        assert!(matches!(outcome.ending, Ending::Trapped { .. }));
    }
}

#[test]
fn the_deadline_ends_loops_and_sleeps() {
    for body in [ENDLESS, SLEEPER] {
        let started = Instant::now();
        let options = Options {
            limits: Limits {
                time: SOON,
                ..limits()
            },
            ..options()
        };
        let (outcome, _) = run_with(&load(&guest(body), 1), options, false);
        assert_eq!(stop_of(&outcome), Some(Stop::Limit(Limit::Time)));
        assert!(started.elapsed() < Duration::from_secs(30));
    }
}

#[test]
fn a_client_that_left_ends_loops_and_sleeps() {
    for body in [ENDLESS, SLEEPER] {
        let (outcome, _) = run_with(&load(&guest(body), 1), options(), true);
        assert_eq!(stop_of(&outcome), Some(Stop::ClientGone));
    }
}

#[test]
fn stopping_the_engine_ends_runs_and_refuses_new_ones() {
    let module = load(&guest(ENDLESS), 1);
    let runner = thread::spawn({
        let module = Arc::clone(&module);
        move || run_with(&module, options(), false).0
    });
    thread::sleep(SOON);
    // A place is taken: the other run really is running.
    assert_eq!(
        run_with(&module, options(), false).0.ending,
        Ending::QueueTimeout
    );
    module.engine().stop();
    let stopped = Some(Stop::ServerStopping);
    assert_eq!(stop_of(&runner.join().unwrap()), stopped);
    assert_eq!(stop_of(&run_with(&module, options(), false).0), stopped);
}

#[test]
fn memory_stops_at_its_limit() {
    let grow = r#"
        (func (export "_start")
          (if (i32.ne (memory.grow (i32.const 2000)) (i32.const -1)) (then unreachable)))"#;
    let outcome = run(&guest(grow));
    assert_eq!(
        outcome.ending,
        Ending::Exited(0),
        "the guest saw the refusal"
    );
    assert_eq!(outcome.exceeded[0].limit, Limit::Memory);

    let options = Options {
        limits: Limits {
            memory: 1 << 16,
            ..limits()
        },
        ..options()
    };
    let (outcome, _) = run_with(&load(&guest(ENDLESS), 1), options, false);
    assert!(
        matches!(outcome.ending, Ending::MemoryLimit(_)),
        "{outcome:?}"
    );
}

#[test]
fn each_run_starts_afresh() {
    let counter = r#"
        (global $count (mut i32) (i32.const 48))
        (func (export "_start")
          (global.set $count (i32.add (global.get $count) (i32.const 1)))
          (i32.store8 (i32.const 1000) (i32.add (i32.load8_u (i32.const 1000)) (i32.const 65)))
          (i32.store8 (i32.const 1001) (global.get $count))
          (call $put (i32.const 1) (i32.const 1000) (i32.const 2)))"#;
    let module = load(&guest(counter), 1);
    for _ in 0..5 {
        assert_eq!(run_with(&module, options(), false).0.tail, b"A1");
    }
}

#[test]
fn nothing_that_a_run_wrote_is_found_by_the_next() {
    // Traps when any word of its 16 MiB is not 0, then writes to all of them: more than a slot of the pool keeps.
    let filler = r#"(module (memory 256)
        (func (export "_start") (local $at i32)
          (loop $again
            (if (i64.ne (i64.load (local.get $at)) (i64.const 0)) (then unreachable))
            (i64.store (local.get $at) (i64.const -1))
            (local.set $at (i32.add (local.get $at) (i32.const 8)))
            (br_if $again (i32.lt_u (local.get $at) (i32.const 16777216))))))"#;
    let module = load(filler, 1);
    for _ in 0..20 {
        let (outcome, _) = run_with(&module, options(), false);
        assert_eq!(outcome.ending, Ending::Exited(0));
    }
}

#[test]
fn nothing_that_a_run_scattered_is_found_by_the_next() {
    // Traps when any word of its 32 MiB is not 0 but for one of its image, then writes to one page in sixteen and to 9 MiB.
    let scatterer = r#"(module
        (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
        (memory (export "memory") 512)
        (data (i32.const 1048576) "********")
        (func $write (param $at i32) (param $end i32) (param $step i32)
          (loop $again
            (i64.store (local.get $at) (i64.const -1))
            (local.set $at (i32.add (local.get $at) (local.get $step)))
            (br_if $again (i32.lt_u (local.get $at) (local.get $end)))))
        (func (export "_start") (local $at i32) (local $word i64)
          (loop $again
            (local.set $word (i64.load (local.get $at)))
            (if (i32.eq (local.get $at) (i32.const 1048576))
              (then (local.set $word (i64.sub (local.get $word) (i64.const 0x2a2a2a2a2a2a2a2a)))))
            (if (i64.ne (local.get $word) (i64.const 0)) (then unreachable))
            (local.set $at (i32.add (local.get $at) (i32.const 8)))
            (br_if $again (i32.lt_u (local.get $at) (i32.const 33554432))))
          (drop (call $random (i32.const 4096) (i32.const 8)))
          (call $write (i32.const 0) (i32.const 33554432) (i32.const 65536))
          (call $write (i32.const 16777216) (i32.const 26214400) (i32.const 8))))"#;
    open_written_pages();
    let module = load(scatterer, 1);
    for run in 0..40 {
        let (outcome, _) = run_with(&module, options(), false);
        assert_eq!(outcome.ending, Ending::Exited(0), "run {run}");
    }
}

#[test]
fn large_tables_count_as_memory() {
    let wide = r#"(module (table 1000000 funcref) (func (export "_start")))"#;
    let options = Options {
        limits: Limits {
            memory: 1 << 20,
            ..limits()
        },
        ..options()
    };
    let (outcome, _) = run_with(&load(wide, 1), options, false);
    assert!(
        matches!(outcome.ending, Ending::MemoryLimit(_)),
        "{outcome:?}"
    );
    assert_eq!(run(wide).ending, Ending::Exited(0));
}

#[test]
fn references_to_the_host_and_to_exceptions_need_no_tag() {
    for reference in ["externref", "exnref"] {
        let module = format!(
            r#"(module (global (mut {reference}) (ref.null {})) (func (export "_start")))"#,
            reference.trim_end_matches("ref")
        );
        assert_eq!(run(&module).ending, Ending::Exited(0));
    }
}

#[test]
fn exceptions_of_webassembly_work_with_the_pool() {
    let thrower = r#"(module (tag $t (param i32))
        (func (export "_start") (local $n i32)
          (loop $again
            (drop (block $caught (result i32)
              (try_table (catch $t $caught) (throw $t (i32.const 7)))
              (i32.const 0)))
            (local.set $n (i32.add (local.get $n) (i32.const 1)))
            (br_if $again (i32.lt_u (local.get $n) (i32.const 10000))))))"#;
    let module = load(thrower, 2);
    for _ in 0..3 {
        let (outcome, _) = run_with(&module, options(), false);
        assert_eq!(outcome.ending, Ending::Exited(0));
    }
}

#[test]
fn entry_points_and_mounts_that_do_not_exist_are_named() {
    let module = load(&guest(r#"(func (export "other"))"#), 1);
    let (outcome, _) = run_with(&module, options(), false);
    assert!(matches!(outcome.ending, Ending::NoEntryPoint(_)));
    let with_mount = Options {
        entry_point: "other".into(),
        mounts: vec![Mount {
            guest: "/data".into(),
            host: b"/nowhere".into(),
            read_only: true,
        }],
        ..options()
    };
    match run_with(&module, with_mount, false).0.ending {
        Ending::MountFailed(message) => assert!(message.contains("/nowhere"), "{message}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn arguments_and_environment_are_bytes() {
    let teller = r#"
        (func (export "_start")
          (drop (call $environ_sizes_get (i32.const 16) (i32.const 20)))
          (drop (call $environ_get (i32.const 1000) (i32.const 2000)))
          (call $put (i32.const 1) (i32.const 2000) (i32.load (i32.const 20)))
          (drop (call $args_sizes_get (i32.const 16) (i32.const 20)))
          (drop (call $args_get (i32.const 1000) (i32.const 2000)))
          (call $put (i32.const 2) (i32.const 2000) (i32.load (i32.const 20))))"#;
    let (mut args, mut env) = (StringList::default(), StringList::default());
    args.push(&[b"program"]);
    args.push(&[b""]);
    env.push(&[b"NAME", b"=", b"\xe9t\xe9"]);
    let options = Options {
        args,
        env,
        ..options()
    };
    let (outcome, seen) = run_with(&load(&guest(teller), 1), options, false);
    assert_eq!(outcome.tail, b"NAME=\xe9t\xe9\0");
    assert_eq!(*seen.errors.lock().unwrap(), b"program\0\0");
}

#[test]
fn output_of_a_guest_that_computes_arrives_meanwhile() {
    let busy = r#"
        (data (i32.const 100) "early")
        (func (export "_start")
          (call $put (i32.const 1) (i32.const 100) (i32.const 5))
          (loop $again (br $again)))"#;
    let options = Options {
        limits: Limits {
            time: Duration::from_secs(1),
            ..limits()
        },
        ..options()
    };
    let (outcome, seen) = run_with(&load(&guest(busy), 1), options, false);
    assert_eq!(stop_of(&outcome), Some(Stop::Limit(Limit::Time)));
    let sent: &[u8] = match Settings::of_this_process().interruption() {
        Interruption::Epochs => b"early",
        // Nobody can send it but the guest's thread, which computes.
        Interruption::Page => b"",
    };
    assert_eq!(*seen.output.lock().unwrap(), sent);
    assert_eq!([sent, &outcome.tail].concat(), b"early");
}

#[test]
fn output_of_a_guest_that_computes_arrives_when_it_writes_more() {
    let busy = r#"
        (data (i32.const 100) "more ")
        (func (export "_start") (local $left i32)
          (loop $again
            (local.set $left (i32.const 1000000))
            (loop $compute
              (br_if $compute (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
            (call $put (i32.const 1) (i32.const 100) (i32.const 5))
            (br $again)))"#;
    let options = Options {
        limits: Limits {
            time: Duration::from_secs(1),
            ..limits()
        },
        ..options()
    };
    let (outcome, seen) = run_with(&load(&guest(busy), 1), options, false);
    assert_eq!(stop_of(&outcome), Some(Stop::Limit(Limit::Time)));
    assert!(seen.output.lock().unwrap().starts_with(b"more "));
}

#[test]
fn the_older_generation_of_wasi_sleeps_and_exits_too() {
    let old = r#"(module
        (import "wasi_unstable" "poll_oneoff"
          (func $poll_oneoff (param i32 i32 i32 i32) (result i32)))
        (import "wasi_unstable" "proc_exit" (func $proc_exit (param i32)))
        (memory (export "memory") 1)
        (func (export "_start")
          (i64.store (i32.const 96) (i64.const 1000000))
          (if (call $poll_oneoff (i32.const 64) (i32.const 128) (i32.const 1) (i32.const 192))
            (then unreachable))
          (call $proc_exit (i32.const 200))))"#;
    assert_eq!(run(old).ending, Ending::Exited(200));
}

#[test]
fn many_runs_at_a_time_share_the_pool() {
    let module = load(&guest(r#"(func (export "_start"))"#), 4);
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..200 {
                    let patient = Options {
                        queue_timeout: Duration::from_secs(60),
                        ..options()
                    };
                    let (outcome, _) = run_with(&module, patient, false);
                    assert_eq!(outcome.ending, Ending::Exited(0));
                }
            });
        }
    });
}
