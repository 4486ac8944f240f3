//! The parent's side: the real helper program, a real cache, real files.

use crate::support::{Workshop, compile, helper, load_prepared, options, run_with, write_program};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::{Duration, SystemTime};
use wasm_runtime::artifact::{ArtifactStore, Origin, Request};
use wasm_runtime::engine::ServingEngine;
use wasm_runtime::engine::settings::MIN_WASM_STACK;
use wasm_runtime::error::Error;
use wasm_runtime::run::Ending;

const GUEST: &str = r#"(module (func (export "_start")) (func (export "typed") (param i32)))"#;

fn entry(workshop: &Workshop) -> std::path::PathBuf {
    let mut entries = fs::read_dir(workshop.cache()).unwrap();
    let path = entries.next().unwrap().unwrap().path();
    assert!(entries.next().is_none(), "one entry, no leftovers");
    path
}

#[test]
fn a_module_is_compiled_once_then_cached_then_kept() {
    let workshop = Workshop::new(GUEST);
    let compiled = workshop.prepare().unwrap();
    assert_eq!(compiled.origin(), Some(Origin::Compiled));
    assert_eq!(compiled.warning(), "");
    assert_eq!(workshop.prepare().unwrap().origin(), Some(Origin::Kept));
    assert_eq!(workshop.origin(), Origin::Cache);
    let (outcome, _) = run_with(&load_prepared(&compiled, 1), options(), false);
    assert_eq!(outcome.ending, Ending::Exited(0));
}

#[test]
fn what_nobody_uses_is_forgotten() {
    let workshop = Workshop::new(GUEST);
    let prepared = workshop.prepare().unwrap();
    workshop.store.trim();
    assert_eq!(workshop.prepare().unwrap().origin(), Some(Origin::Kept));
    drop(prepared);
    workshop.store.trim();
    assert_eq!(workshop.prepare().unwrap().origin(), Some(Origin::Cache));
}

#[test]
fn a_cache_that_grew_loses_what_no_start_used_for_long() {
    let workshop = Workshop::new(GUEST);
    let kept = workshop.prepare().unwrap();
    let used = entry(&workshop);
    let long_ago = SystemTime::now() - Duration::from_secs(31 * 24 * 60 * 60);
    let set_old = |path: &Path| {
        let file = fs::File::options().write(true).open(path).unwrap();
        file.set_modified(long_ago).unwrap();
    };
    // The same name with another module's digest.
    let mut unused = used.clone();
    let name = used.file_name().unwrap().to_str().unwrap();
    unused.set_file_name(format!("{}{}", "0".repeat(64), &name[64..]));
    fs::copy(&used, &unused).unwrap();
    set_old(&unused);
    set_old(&used);
    workshop.store.trim();
    assert!(!unused.exists(), "it was written to by this start");
    assert!(used.exists(), "it is kept in memory, so it is used");

    fs::copy(&used, &unused).unwrap();
    set_old(&unused);
    workshop.store.trim();
    assert!(unused.exists(), "nothing was written since");
    drop(kept);
}

#[test]
fn a_changed_module_is_noticed() {
    let workshop = Workshop::new(GUEST);
    let before = workshop.prepare().unwrap();
    let changed = wat::parse_str(r#"(module (func (export "other")))"#).unwrap();
    fs::write(&workshop.module, changed).unwrap();
    let after = workshop.prepare().unwrap();
    assert_eq!(after.origin(), Some(Origin::Compiled));
    assert!(before.check_entry_point("_start").is_ok());
    let error = after.check_entry_point("_start").unwrap_err();
    assert!(error.to_string().contains("it exports other"), "{error}");
}

#[test]
fn damaged_entries_are_compiled_again_with_a_warning() {
    let workshop = Workshop::new(GUEST);
    workshop.prepare().unwrap();
    let path = entry(&workshop);
    let whole = fs::read(&path).unwrap();
    for damaged in [&whole[..whole.len() / 2], b"foreign", b""] {
        fs::write(&path, damaged).unwrap();
        let again = workshop.prepare_with(&ArtifactStore::default()).unwrap();
        assert_eq!(again.origin(), Some(Origin::Compiled));
        assert!(
            again.warning().contains("compiling again"),
            "{}",
            again.warning()
        );
        assert_eq!(fs::read(entry(&workshop)).unwrap(), whole, "repaired");
    }
}

#[test]
fn code_of_the_baseline_is_taken_when_there_is_none_of_this_machine() {
    let workshop = Workshop::new(GUEST);
    let status = std::process::Command::new(helper())
        .args(["--target", "baseline", "--cache-dir"])
        .arg(workshop.cache())
        .arg(&workshop.module)
        .stdout(std::process::Stdio::null())
        .status()
        .unwrap();
    assert!(status.success());
    let prepared = workshop.prepare().unwrap();
    assert_eq!(prepared.origin(), Some(Origin::Cache));
    let metadata = &prepared.artifact().unwrap().metadata;
    let engine = ServingEngine::new(
        &metadata.facts.needs,
        1,
        MIN_WASM_STACK,
        Default::default(),
        None,
    )
    .unwrap();
    engine.check(metadata).unwrap();
    let (outcome, _) = run_with(&load_prepared(&prepared, 1), options(), false);
    assert_eq!(outcome.ending, Ending::Exited(0));
}

#[test]
fn a_cache_that_cannot_be_made_is_a_warning_and_one_that_others_can_write_an_error() {
    let workshop = Workshop::new(GUEST);
    let under_a_file = workshop.module.join("cache");
    let prepared = workshop
        .store
        .examine(&Request {
            module: &workshop.module,
            digest: None,
            cache_directory: Some(&under_a_file),
            helper: helper(),
            preinit: None,
        })
        .unwrap();
    assert_eq!(prepared.warning(), "", "told when the code is there");
    compile(&workshop.store, &[&prepared]).unwrap();
    assert!(
        prepared.warning().contains("no cache"),
        "{}",
        prepared.warning()
    );

    fs::create_dir(workshop.cache()).unwrap();
    fs::set_permissions(workshop.cache(), fs::Permissions::from_mode(0o777)).unwrap();
    let error = workshop
        .prepare_with(&ArtifactStore::default())
        .unwrap_err();
    assert!(matches!(error, Error::Cache { .. }), "{error}");
}

#[test]
fn digests_are_compared_before_anything_is_compiled() {
    let workshop = Workshop::new(GUEST);
    let sha256 = workshop.prepare().unwrap().sha256;
    let examine = |digest: &str| {
        workshop.store.examine(&Request {
            module: &workshop.module,
            digest: Some(digest),
            cache_directory: None,
            helper: helper(),
            preinit: None,
        })
    };
    assert!(examine(&sha256.to_uppercase()).is_ok());
    let error = examine(&"0".repeat(64)).unwrap_err().to_string();
    assert!(error.contains(&sha256) && error.contains("0000"), "{error}");
}

#[test]
fn faults_of_the_module_come_back_from_the_helper_as_such() {
    let workshop = Workshop::new(r#"(module (import "env" "missing" (func)))"#);
    let error = workshop.prepare().unwrap_err();
    assert!(matches!(error, Error::Module(_)), "{error}");
    assert!(error.to_string().contains("env::missing"), "{error}");
    fs::write(&workshop.module, "text").unwrap();
    let error = workshop.prepare().unwrap_err();
    assert!(
        error.to_string().starts_with("not a WebAssembly module"),
        "{error}"
    );
    fs::remove_file(&workshop.module).unwrap();
    let error = workshop.prepare().unwrap_err();
    assert!(matches!(error, Error::Io { .. }), "{error}");
    std::os::unix::net::UnixListener::bind(&workshop.module).unwrap();
    let error = workshop.prepare().unwrap_err();
    assert!(error.to_string().contains("not a regular file"), "{error}");
}

#[test]
fn code_of_another_engine_is_refused_and_compiled_again() {
    let workshop = Workshop::new(GUEST);
    workshop.prepare().unwrap();
    let path = entry(&workshop);
    let mut content = fs::read(&path).unwrap();
    // The engine's word stands in the footer: another patch version says something else.
    let field = b"\"compatibility\":\"";
    let place = content.windows(field.len()).rposition(|at| at == field);
    content[place.unwrap() + field.len()] ^= 1;
    fs::write(&path, &content).unwrap();

    let store = ArtifactStore::default();
    let found = workshop.prepare_with(&store).unwrap();
    assert_eq!((found.origin(), found.warning()), (Some(Origin::Cache), ""));
    let engine = ServingEngine::new(
        &found.artifact().unwrap().metadata.facts.needs,
        1,
        MIN_WASM_STACK,
        Default::default(),
        None,
    )
    .unwrap();
    let refused = engine
        .check(&found.artifact().unwrap().metadata)
        .unwrap_err();
    assert!(refused.to_string().contains("differs"), "{refused}");
    found.artifact().unwrap().refuse();
    found.remove_refused();
    assert!(!path.exists());

    let again = workshop.prepare_with(&store).unwrap();
    assert_eq!(again.origin(), Some(Origin::CompiledAgain));
    engine.check(&again.artifact().unwrap().metadata).unwrap();
    again.remove_refused();
    assert_eq!(workshop.origin(), Origin::Cache, "good code stays");
    assert_eq!(
        workshop.prepare_with(&store).unwrap().origin(),
        Some(Origin::Kept)
    );
}

#[test]
fn code_from_a_helper_of_another_build_is_refused() {
    let workshop = Workshop::new(GUEST);
    let other_build = workshop.directory.path().join("helper");
    // The same helper, but its settings differ from this process's: it was told to compile for any machine.
    let script = format!(
        "#!/bin/sh\nshift 2\nexec {} --target baseline \"$@\"\n",
        helper().display()
    );
    write_program(&other_build, &script);
    let error = workshop
        .store
        .examine(&Request {
            module: &workshop.module,
            digest: None,
            cache_directory: None,
            helper: &other_build,
            preinit: None,
        })
        .unwrap_err();
    assert!(error.to_string().contains("different builds"), "{error}");
}
