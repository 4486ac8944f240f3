//! Programs that do not want to end, and how each of them is ended.

use crate::support::{Workshop, compile, limits, options, run_with, stop_of};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};
use wasm_runtime::artifact::{ArtifactStore, Needs};
use wasm_runtime::engine::ServingEngine;
use wasm_runtime::engine::settings::{Interruption, MIN_WASM_STACK, Settings};
use wasm_runtime::guest::LoadedModule;
use wasm_runtime::host::Stop;
use wasm_runtime::run::{Ending, Limit, Limits, Options};

/// What each program has. `$_start` is what it does.
const FIELDS: &str = r#"
    (import "wasi_snapshot_preview1" "sched_yield" (func $yield (result i32)))
    (memory (export "memory") 16) (table 1 funcref) (elem (i32.const 0) $_start) (tag $e) (type $f (func))
    (export "_start" (func $_start))"#;

const ENDLESS: [(&str, &str); 21] = [
    ("loop", "(func $_start (loop (br 0)))"),
    ("loops in a loop", "(func $_start (loop (loop (br 1))))"),
    (
        "a loop behind a counted one",
        "(func $_start (local i32)
           (loop (br_if 0 (i32.lt_u (local.tee 0 (i32.add (local.get 0) (i32.const 1))) (i32.const 1000))))
           (loop (br 0)))",
    ),
    (
        "a loop with loads of its own",
        "(func $_start (local i32) (drop (i32.load8_u (i32.const 0)))
           (loop (local.set 0 (i32.load (local.get 0))) (br 0)))",
    ),
    (
        "a loop with an atomic load of its own",
        "(func $_start (drop (i32.atomic.load8_u (i32.const 0)))
           (loop (drop (i32.atomic.load8_u (i32.const 0))) (br 0)))",
    ),
    (
        "a loop with stores",
        "(func $_start (loop (i32.store (i32.const 0) (i32.const 1)) (br 0)))",
    ),
    (
        "a table of branches",
        "(func $_start (local i32) (loop (block (block
           (br_table 0 1 2 (i32.and (local.tee 0 (i32.add (local.get 0) (i32.const 1))) (i32.const 3))))
           (br 1)) (br 0)))",
    ),
    (
        "a branch on null",
        "(func $_start (loop $l (br_on_null $l (ref.null func)) (drop)))",
    ),
    (
        "a branch on what is not null",
        "(func $_start (ref.func $_start) (loop $l (param (ref $f)) (br_on_non_null $l)))",
    ),
    (
        "a catch clause",
        "(func $_start (loop $l (try_table (catch_all $l) (throw $e))))",
    ),
    (
        "exceptions of a called function",
        "(func $t (throw $e)) (func $_start (loop (block (try_table (catch_all 0) (call $t))) (br 0)))",
    ),
    (
        "a loop that catches everything",
        "(func $_start (block (try_table (catch_all 0) (loop (br 0)))) (loop (br 0)))",
    ),
    ("a tail call of itself", "(func $_start (return_call $_start))"),
    (
        "tail calls in turn",
        "(func $_start (return_call $g)) (func $g (return_call $_start))",
    ),
    (
        "an indirect tail call",
        "(func $_start (return_call_indirect (type $f) (i32.const 0)))",
    ),
    (
        "a tail call by reference",
        "(func $_start (return_call_ref $f (ref.func $_start)))",
    ),
    (
        "recursion",
        "(func $fib (param i32) (result i32) (if (result i32) (i32.lt_s (local.get 0) (i32.const 2))
             (then (local.get 0))
             (else (i32.add (call $fib (i32.sub (local.get 0) (i32.const 1)))
                            (call $fib (i32.sub (local.get 0) (i32.const 2)))))))
           (func $_start (drop (call $fib (i32.const 90))))",
    ),
    ("calls of the host", "(func $_start (loop (drop (call $yield)) (br 0)))"),
    (
        "filling a memory",
        "(func $_start (loop (memory.fill (i32.const 0) (i32.const 1) (i32.const 1048576)) (br 0)))",
    ),
    ("the start function", "(func $s (loop (br 0))) (start $s) (func $_start)"),
    (
        "what is called first",
        r#"(func (export "_initialize") (loop (br 0))) (func $_start)"#,
    ),
];

/// Ends by itself, and traps where another run wrote.
const INNOCENT: &str = "(func $_start (local i32)
    (if (i32.load (i32.const 70000)) (then unreachable))
    (loop (i32.store (i32.const 70000) (i32.const 7))
      (br_if 0 (i32.lt_u (local.tee 0 (i32.add (local.get 0) (i32.const 1))) (i32.const 1000)))))";

/// Calls without a loop, twelve to the power of twelve of them, of a function with a call in it or without.
fn tree(leaf: &str) -> String {
    let level = |level: usize| {
        let calls = format!("(call $f{})", level - 1).repeat(12);
        format!("(func $f{level} {calls})")
    };
    let levels: String = (1..=12).map(level).collect();
    format!("(func $nop) (func $f0 {leaf}) {levels} (func $_start (call $f12))")
}

/// All of them and the innocent one, which is the last, in one engine.
fn load_all(max_instances: u32) -> Vec<(&'static str, Arc<LoadedModule>)> {
    let others = [
        ("a tree of calls", tree("(call $nop)")),
        ("a tree of calls of leaves", tree("")),
        ("innocence", INNOCENT.to_owned()),
    ];
    let programs = ENDLESS.map(|(name, program)| (name, program.to_owned()));
    let store = ArtifactStore::default();
    let prepared: Vec<_> = programs
        .into_iter()
        .chain(others)
        .map(|(name, program)| {
            let workshop = Workshop::new(&format!("(module {FIELDS} {program})"));
            let prepared = workshop.prepare_with(&store);
            (
                name,
                prepared.unwrap_or_else(|error| panic!("{name}: {error}")),
            )
        })
        .collect();
    compile(
        &store,
        &prepared.iter().map(|(_, it)| it).collect::<Vec<_>>(),
    )
    .unwrap();
    let needs = prepared
        .iter()
        .fold(Needs::default(), |needs, (_, it)| needs.or(&it.facts.needs));
    let mounts = Default::default();
    let engine = ServingEngine::new(&needs, max_instances, MIN_WASM_STACK, mounts, None).unwrap();
    let load = |(name, prepared)| {
        (
            name,
            Arc::new(LoadedModule::new(&engine, &prepared).unwrap()),
        )
    };
    prepared.into_iter().map(load).collect()
}

fn for_so_long(time: Duration) -> Options {
    Options {
        limits: Limits { time, ..limits() },
        queue_timeout: Duration::from_secs(60),
        ..options()
    }
}

#[test]
fn every_endless_program_is_ended_for_every_reason() {
    let mut modules = load_all(1);
    modules.pop();
    for (name, module) in modules {
        let (outcome, _) = run_with(&module, for_so_long(Duration::from_millis(50)), false);
        assert_eq!(stop_of(&outcome), Some(Stop::Limit(Limit::Time)), "{name}");
        assert_eq!(outcome.exceeded.len(), 1, "{name}");

        let mut options = options();
        options.limits.cpu = Duration::from_millis(50);
        let (outcome, _) = run_with(&module, options, false);
        assert_eq!(stop_of(&outcome), Some(Stop::Limit(Limit::Cpu)), "{name}");
        assert!(outcome.exceeded[0].measured >= 50, "{name}");

        let (outcome, _) = run_with(&module, crate::support::options(), true);
        assert_eq!(stop_of(&outcome), Some(Stop::ClientGone), "{name}");
    }
}

/// Runs that are ended and runs that end share few places: none may meet the end of another one.
#[test]
fn thousands_of_ended_runs_leave_no_trace() {
    const THREADS: usize = 4;
    let runs = match Settings::of_this_process().interruption() {
        Interruption::Epochs => 100,
        Interruption::Page => 2500,
    };
    let mut modules = load_all(THREADS as u32);
    let (_, innocent) = modules.pop().unwrap();
    let late = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let (modules, innocent, late) = (&modules, &innocent, &late);
            scope.spawn(move || {
                for run in 0..runs {
                    let (name, module) = &modules[(thread + run) % modules.len()];
                    let time = Duration::from_micros((run * 37 % 2000) as u64);
                    let started = Instant::now();
                    let (outcome, _) = run_with(module, for_so_long(time), false);
                    late.lock()
                        .unwrap()
                        .push(started.elapsed().saturating_sub(time));
                    let stop = Some(Stop::Limit(Limit::Time));
                    assert_eq!(stop_of(&outcome), stop, "{name}: {outcome:?}");
                    let (outcome, _) = run_with(innocent, for_so_long(limits().time), false);
                    assert_eq!(outcome.ending, Ending::Exited(0), "after {name}");
                }
            });
        }
    });
    let mut late = late.into_inner().unwrap();
    late.sort();
    let (count, longest) = (late.len(), late[late.len() - 1]);
    let (half, most) = (late[count / 2], late[count * 99 / 100]);
    println!("{count} runs ended late by: half of them {half:?}, 99 % {most:?}, all {longest:?}");
    assert!(longest < Duration::from_secs(10));
}

#[test]
fn addresses_in_a_backtrace_are_those_of_the_file() {
    let wasm = wat::parse_str(format!(
        "(module {FIELDS} (func $_start (call $culprit)) (func $culprit {} unreachable))",
        "(loop (br_if 0 (i32.eqz (i32.const 1)))) ".repeat(1000)
    ))
    .unwrap();
    // The last instruction but one of the last function; names follow it.
    let offset = wasm.windows(2).rposition(|code| code == [0x00, 0x0b]);
    let prepared = Workshop::of_wasm(&wasm).prepare().unwrap();
    let (outcome, _) = run_with(
        &crate::support::load_prepared(&prepared, 1),
        options(),
        false,
    );
    let Ending::Trapped { backtrace, .. } = outcome.ending else {
        panic!("{outcome:?}");
    };
    let expected = format!("0: {:#x} culprit\n", offset.unwrap());
    assert!(
        backtrace.starts_with(&expected),
        "{backtrace}, not {expected}"
    );
}

#[test]
fn all_of_this_holds_for_the_other_way_of_ending_runs() {
    let other = match Settings::of_this_process().interruption() {
        Interruption::Epochs => Interruption::Page,
        Interruption::Page => Interruption::Epochs,
    };
    let this = std::env::current_exe().unwrap();
    let output = Command::new(this)
        .args(["--skip", "the_other_way", "--skip", "c_api"])
        .env("MOD_WASM_INTERRUPTION", other.name())
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "with {}: {told}", other.name());
}
