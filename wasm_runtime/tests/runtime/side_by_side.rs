//! Several modules at a time: what is checked before anything is compiled, and how many compilers run.

use crate::support::{compile, helper, write_program};
use std::fs;
use std::path::{Path, PathBuf};
use wasm_runtime::artifact::{ArtifactStore, Origin, Prepared, Request};
use wasm_runtime::error::{Error, Result};

/// Modules of different sizes in a folder, and a helper that writes down when it starts and ends.
struct Workbench {
    folder: tempfile::TempDir,
    helper: PathBuf,
    store: ArtifactStore,
}

impl Workbench {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let diary = folder.path().join("helper");
        let log = folder.path().join("log");
        let script = format!(
            r#"#!/bin/sh
for last; do :; done
name=$(basename "$last" .wasm)
case "$*" in *--check*) work=check ;; *) work=compile ;; esac
echo "begin $work $name $RAYON_NUM_THREADS" >>{log}
"{helper}" "$@"
status=$?
echo "end $work $name" >>{log}
exit $status
"#,
            log = log.display(),
            helper = helper().display()
        );
        write_program(&diary, &script);
        Workbench {
            helper: diary,
            folder,
            store: ArtifactStore::default(),
        }
    }

    /// A module with so many functions.
    fn module(&self, name: &str, functions: usize) -> PathBuf {
        let function = "(func (param i64) (result i64) (i64.mul (local.get 0) (local.get 0)))";
        let module = format!(
            "(module (func (export \"_start\")) (func (export \"{name}\")){})",
            function.repeat(functions)
        );
        self.file(name, &wat::parse_str(module).unwrap())
    }

    fn file(&self, name: &str, content: &[u8]) -> PathBuf {
        let path = self.folder.path().join(format!("{name}.wasm"));
        fs::write(&path, content).unwrap();
        path
    }

    fn examine(&self, module: &Path) -> Result<Prepared> {
        self.store.examine(&Request {
            module,
            digest: None,
            cache_directory: Some(&self.folder.path().join("cache")),
            helper: &self.helper,
            preinit: None,
        })
    }

    /// What the helpers did, in order.
    fn log(&self) -> Vec<String> {
        let log = fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
        log.lines().map(str::to_owned).collect()
    }
}

fn cores() -> usize {
    std::thread::available_parallelism().unwrap().get()
}

/// The most compilers that ran at a time, and the most threads that they were allowed together.
fn most_at_a_time(log: &[String]) -> (usize, usize) {
    let mut running: Vec<(&str, usize)> = Vec::new();
    let mut most = (0, 0);
    for line in log {
        match line.split(' ').collect::<Vec<_>>().as_slice() {
            ["begin", "compile", name, threads] => running.push((name, threads.parse().unwrap())),
            ["end", "compile", name] => running.retain(|(running, _)| running != name),
            _ => continue,
        }
        let threads = running.iter().map(|(_, threads)| threads).sum();
        most = (most.0.max(running.len()), most.1.max(threads));
    }
    most
}

#[test]
fn examining_compiles_nothing() {
    let bench = Workbench::new();
    let prepared = bench.examine(&bench.module("one", 10)).unwrap();
    assert_eq!(prepared.origin(), None);
    assert!(prepared.check_entry_point("_start").is_ok());
    assert_eq!(prepared.facts.entry_points, ["_start", "one"]);
    let error = prepared.artifact().unwrap_err();
    assert!(error.to_string().contains("not compiled yet"), "{error}");
    assert_eq!(bench.log(), ["begin check one 1", "end check one"]);
}

#[test]
fn modules_are_compiled_side_by_side_within_the_cores() {
    let bench = Workbench::new();
    let names: Vec<String> = (0..2 * cores() + 1)
        .map(|index| format!("m{index}"))
        .collect();
    let modules: Vec<_> = names
        .iter()
        .enumerate()
        .map(|(index, name)| {
            bench
                .examine(&bench.module(name, 200 * (index + 1)))
                .unwrap()
        })
        .collect();
    let modules: Vec<_> = modules.iter().collect();
    let mut told = Vec::new();
    let compiled = bench.store.compile(&modules, false, &mut |begun| {
        assert_eq!(begun.total, names.len());
        told.push((begun.module.module.clone(), begun.done));
    });
    compiled.unwrap();
    let origins = modules.iter().map(|module| module.origin());
    assert!(origins.eq(names.iter().map(|_| Some(Origin::Compiled))));
    // The largest first, the last one when all but those that still run are done.
    let largest = &modules.last().unwrap().module;
    assert_eq!(told[0], (largest.clone(), 0));
    let (_, done) = told.last().unwrap();
    assert!(*done + cores() >= names.len(), "{told:?}");

    let (compilers, threads) = most_at_a_time(&bench.log());
    assert_eq!(compilers, cores());
    assert!(threads <= cores(), "{threads} threads");
}

#[test]
fn a_module_alone_gets_all_cores() {
    let bench = Workbench::new();
    let prepared = bench.examine(&bench.module("alone", 10)).unwrap();
    compile(&bench.store, &[&prepared]).unwrap();
    let begin = format!("begin compile alone {}", cores());
    assert!(bench.log().contains(&begin), "{:?}", bench.log());
}

#[test]
fn equal_files_are_compiled_once() {
    let bench = Workbench::new();
    let one = bench.module("one", 10);
    let two = bench.file("two", &fs::read(&one).unwrap());
    let [one, two] = [one, two].map(|module| bench.examine(&module).unwrap());
    compile(&bench.store, &[&one, &two]).unwrap();
    assert_eq!(one.origin(), Some(Origin::Compiled));
    assert_eq!(two.origin(), Some(Origin::Kept));
    let begun = bench
        .log()
        .iter()
        .filter(|line| line.starts_with("begin compile"))
        .count();
    assert_eq!(begun, 1);
}

#[test]
fn the_one_at_fault_is_named_and_the_others_are_ended() {
    let bench = Workbench::new();
    let modules: Vec<_> = ["large", "small"]
        .iter()
        .zip([4000, 1])
        .map(|(name, functions)| bench.examine(&bench.module(name, functions)).unwrap())
        .collect();
    // It changes between the check and its compilation.
    bench.module("small", 2);
    let error = compile(&bench.store, &modules.iter().collect::<Vec<_>>()).unwrap_err();
    assert!(
        matches!(error, Error::OneOfMany { index: 1, .. }),
        "{error:?}"
    );
    assert!(
        error.to_string().contains("small.wasm was changed"),
        "{error}"
    );
}
