//! The parent's side of snapshots: when one is taken, and what becomes of a program that allows none.

use crate::support::{Workshop, helper, load_prepared, options, run_with, write_program};
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use wasm_runtime::artifact::{
    ArtifactStore, Begun, Given, Order, Preinit, Prepared, Request, Stage, User,
};
use wasm_runtime::error::{Error, Result};
use wasm_runtime::mounts::MountTable;
use wasm_runtime::run::Mount;

/// Looks for `file`, and traps where it finds one that is called `trap`. Then says whether it was initialised.
const GUEST: &str = r#"(module
    (import "wasi_snapshot_preview1" "path_filestat_get"
      (func $stat (param i32 i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 1)
    (data (i32.const 0) "filetrap")
    (data (i32.const 16) "\20\00\00\00\01\00\00\00n")
    (data (i32.const 32) "n")
    (func $look (param $name i32) (result i32)
      (call $stat (i32.const 3) (i32.const 0) (local.get $name) (i32.const 4) (i32.const 256)))
    (func (export "wizer-initialize")
      (drop (call $look (i32.const 0)))
      (if (i32.eqz (call $look (i32.const 4))) (then unreachable))
      (memory.fill (i32.const 256) (i32.const 0) (i32.const 64))
      (i32.store8 (i32.const 32) (i32.const 121)))
    (func (export "_start")
      (drop (call $write (i32.const 1) (i32.const 16) (i32.const 1) (i32.const 24)))))"#;

/// A workshop and folders to be mounted.
struct Place {
    workshop: Workshop,
}

impl Place {
    fn new() -> Self {
        let workshop = Workshop::new(GUEST);
        for folder in ["one", "two"] {
            fs::create_dir(workshop.directory.path().join(folder)).unwrap();
        }
        Place { workshop }
    }

    fn path(&self, relative: &str) -> std::path::PathBuf {
        self.workshop.directory.path().join(relative)
    }

    fn preinit(&self, folder: &str) -> Preinit {
        Preinit {
            required: false,
            mounts: vec![Mount {
                guest: "/data".to_owned(),
                host: self.path(folder).into_os_string().into_encoded_bytes(),
                read_only: false,
            }],
            scratch: None,
            table: Arc::new(MountTable::default()),
            env: vec![b"NAME=value".to_vec()],
            time: Duration::from_secs(60),
            memory: 1 << 20,
            descriptors: 100,
            user: None,
        }
    }

    fn examine_by(
        &self,
        store: &ArtifactStore,
        helper: &Path,
        preinit: Preinit,
    ) -> Result<Prepared> {
        store.examine(&Request {
            module: &self.workshop.module,
            digest: None,
            cache_directory: Some(&self.workshop.cache()),
            helper,
            preinit: Some(preinit),
        })
    }

    fn examine(&self, store: &ArtifactStore, folder: &str) -> Prepared {
        self.examine_by(store, helper(), self.preinit(folder))
            .unwrap()
    }
}

/// Compiles; returns how many snapshots were taken.
fn compile(store: &ArtifactStore, modules: &[&Prepared], again: bool) -> Result<usize> {
    let mut taken = 0;
    let mut count = |begun: &Begun<'_>| taken += usize::from(begun.stage == Stage::Snapshot);
    store.compile(modules, again, &mut count)?;
    Ok(taken)
}

/// Whether a run begins with the snapshot.
fn is_initialised(prepared: &Prepared) -> bool {
    let mut options = options();
    options.entry_point = String::new();
    let (outcome, _) = run_with(&load_prepared(prepared, 1), options, false);
    match outcome.tail.as_slice() {
        b"y" => true,
        b"n" => false,
        other => panic!("{other:?}, {:?}", outcome.ending),
    }
}

#[test]
fn requests_that_saw_the_same_share_a_snapshot() {
    let place = Place::new();
    let store = ArtifactStore::default();
    let both = ["one", "two"].map(|folder| place.examine(&store, folder));
    assert_eq!(compile(&store, &[&both[0], &both[1]], false).unwrap(), 1);
    assert!(both[0].shares_code_with(&both[1]));
    assert!(both.iter().all(is_initialised));
    // By another process, from the cache.
    let store = ArtifactStore::default();
    let cached = place.examine(&store, "two");
    assert_eq!(compile(&store, &[&cached], false).unwrap(), 0);
    assert!(is_initialised(&cached));
}

#[test]
fn a_change_of_what_was_seen_makes_a_new_one() {
    let place = Place::new();
    let store = ArtifactStore::default();
    let first = place.examine(&store, "one");
    assert_eq!(compile(&store, &[&first], false).unwrap(), 1);
    fs::write(place.path("two/file"), "").unwrap();
    let both = ["one", "two"].map(|folder| place.examine(&store, folder));
    assert_eq!(compile(&store, &[&both[0], &both[1]], false).unwrap(), 1);
    assert!(both[0].shares_code_with(&first) && !both[0].shares_code_with(&both[1]));
    fs::write(place.path("two/file"), "another size").unwrap();
    let changed = place.examine(&store, "two");
    assert_eq!(compile(&store, &[&changed], false).unwrap(), 1);
    let code = |prepared: &Prepared| prepared.artifact().unwrap().metadata.key.clone();
    assert!(code(&changed).snapshot);
    assert_eq!(
        code(&changed),
        code(&both[1]),
        "it came to the same, and was not compiled again"
    );
}

#[test]
fn what_fails_is_an_error_where_it_is_required() {
    let place = Place::new();
    fs::write(place.path("one/trap"), "").unwrap();
    let store = ArtifactStore::default();
    let plain = place.examine(&store, "two");
    let mut required = place.preinit("one");
    required.required = true;
    let required = place.examine_by(&store, helper(), required).unwrap();
    let error = compile(&store, &[&plain, &required], false).unwrap_err();
    let Error::OneOfMany { index: 1, error } = error else {
        panic!("{error}");
    };
    assert!(
        matches!(&*error, Error::Preinit(reason) if reason.contains("unreachable")),
        "{error}"
    );
}

#[test]
fn what_fails_runs_without_a_snapshot_otherwise_and_is_told_once() {
    let place = Place::new();
    fs::write(place.path("one/trap"), "").unwrap();
    let store = ArtifactStore::default();
    for (again, taken, told) in [(true, 1, true), (false, 0, false), (false, 1, true)] {
        let both = ["one", "one"].map(|folder| place.examine(&store, folder));
        assert_eq!(
            compile(&store, &[&both[0], &both[1]], again).unwrap(),
            taken
        );
        for prepared in &both {
            assert_eq!(prepared.snapshot_problem().contains("unreachable"), told);
            assert!(!prepared.has_snapshot() && !is_initialised(prepared));
        }
    }
    fs::remove_file(place.path("one/trap")).unwrap();
    let prepared = place.examine(&store, "one");
    assert_eq!(compile(&store, &[&prepared], false).unwrap(), 1);
    assert!(is_initialised(&prepared));
}

#[test]
fn what_is_compiled_needs_no_webassembly_until_the_code_is_refused() {
    let place = Place::new();
    let store = ArtifactStore::default();
    let first = place.examine(&store, "one");
    compile(&store, &[&first], false).unwrap();
    fs::remove_dir_all(place.workshop.cache()).unwrap();
    store.trim();
    let kept = place.examine(&store, "one");
    assert_eq!(compile(&store, &[&kept], false).unwrap(), 0);
    assert!(is_initialised(&kept));
    kept.artifact().unwrap().refuse();
    let again = place.examine(&store, "one");
    assert_eq!(compile(&store, &[&again], false).unwrap(), 1);
    assert!(is_initialised(&again));
}

#[test]
fn the_directory_of_runs_is_no_reason_to_share() {
    let place = Place::new();
    let store = ArtifactStore::default();
    let mut with_scratch = place.preinit("one");
    with_scratch.scratch = Some("/tmp".to_owned());
    let with_scratch = place.examine_by(&store, helper(), with_scratch).unwrap();
    let plain = place.examine(&store, "one");
    assert_eq!(compile(&store, &[&plain, &with_scratch], false).unwrap(), 2);
}

#[test]
fn a_process_that_ran_a_guest_is_believed_only_what_was_asked_for() {
    let place = Place::new();
    let store = ArtifactStore::default();
    let examined = place.examine(&store, "one");
    let order = Order {
        initializer: "wizer-initialize".to_owned(),
        given: Given {
            module: "../".repeat(10),
            settings: Given::settings_of_this_build(),
            env: Vec::new(),
            mounts: vec!["/data".to_owned()],
            scratch: None,
            user: User::of_this_process(),
        },
        hosts: vec![place.path("one").into_os_string().into_encoded_bytes()],
        writable: Vec::new(),
        time: Duration::from_secs(60),
        memory: 1 << 20,
        descriptors: 100,
    };
    let mut input = serde_json::to_vec(&order).unwrap();
    input.push(b'\n');
    input.extend(fs::read(&place.workshop.module).unwrap());
    fs::write(place.path("order"), input).unwrap();
    // It does its work, and tells about another module than the one that it was given.
    let lying = place.path("lying");
    let script = format!(
        "#!/bin/sh\ncase \"$*\" in *--initialize*) exec <{};; esac\nexec {} \"$@\"\n",
        place.path("order").display(),
        helper().display()
    );
    write_program(&lying, &script);
    let mut required = place.preinit("one");
    required.required = true;
    let prepared = place.examine_by(&store, &lying, required).unwrap();
    let error = compile(&store, &[&prepared], false).unwrap_err();
    assert!(error.to_string().contains("did not deliver"), "{error}");
    drop(examined);
}
