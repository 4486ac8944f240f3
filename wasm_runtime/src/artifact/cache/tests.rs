use super::super::Facts;
use super::super::snapshot::{append_facts, read_snapshot, tests as snapshot};
use super::*;
use crate::engine::settings::{Settings, Target};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

const CODE: &[u8] = b"code";

fn key(target: Target) -> ArtifactKey {
    ArtifactKey::new(&"5a".repeat(32), &Settings::of_this_process(), target)
}

fn metadata() -> Metadata {
    Metadata {
        key: key(Target::Native),
        compatibility: String::new(),
        code_crc32: crc32fast::hash(CODE),
        facts: Facts::default(),
        checks: None,
    }
}

fn filled() -> (tempfile::TempDir, Cache) {
    let directory = tempfile::tempdir().unwrap();
    let cache = Cache::open(directory.path()).unwrap();
    cache.save(&metadata(), &mut &*CODE).unwrap();
    (directory, cache)
}

fn path(cache: &Cache) -> PathBuf {
    cache.directory.join(key(Target::Native).entry_name())
}

fn unusable_because(cache: &Cache) -> String {
    match cache.load(&key(Target::Native)) {
        Entry::Unusable(reason) => reason,
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_was_saved_is_found_and_nothing_else() {
    let (_directory, cache) = filled();
    assert!(matches!(cache.load(&key(Target::Native)), Entry::Found(_)));
    assert!(matches!(cache.load(&key(Target::Baseline)), Entry::Missing));
}

#[test]
fn damaged_entries_are_told_apart_from_missing_ones() {
    let (_directory, cache) = filled();
    let path = path(&cache);
    let mut content = fs::read(&path).unwrap();
    // In the code itself, which is too short to become shorter.
    let code = content
        .windows(CODE.len())
        .position(|it| it == CODE)
        .unwrap();
    content[code] ^= 1;
    fs::write(&path, &content).unwrap();
    assert!(unusable_because(&cache).contains("checksum"));
    content[0] ^= 1;
    fs::write(&path, &content).unwrap();
    assert!(unusable_because(&cache).contains("damaged"));
    fs::write(&path, &content[..content.len() / 2]).unwrap();
    assert!(unusable_because(&cache).contains("cut short"));
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    assert!(unusable_because(&cache).contains("regular file"));
}

#[test]
fn an_entry_of_another_module_is_refused() {
    let (_directory, cache) = filled();
    let other = key(Target::Baseline).entry_name();
    fs::rename(path(&cache), cache.directory.join(other)).unwrap();
    let found = cache.load(&key(Target::Baseline));
    assert!(matches!(found, Entry::Unusable(_)));
}

#[test]
fn what_others_can_write_is_not_trusted() {
    let (directory, cache) = filled();
    let everyone = fs::Permissions::from_mode(0o666);
    fs::set_permissions(path(&cache), everyone).unwrap();
    assert!(unusable_because(&cache).contains("written by others"));
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o777)).unwrap();
    let refused = Cache::open(directory.path()).unwrap_err();
    assert!(matches!(refused, Error::Cache { .. }), "{refused}");
}

/// Makes a file of the cache this old.
fn age(path: &Path, age: Duration) {
    let file = File::options().write(true).open(path).unwrap();
    file.set_modified(SystemTime::now() - age).unwrap();
}

#[test]
fn what_no_start_used_for_long_goes_and_nothing_else() {
    let (_directory, cache) = filled();
    let long = expiry::UNUSED + Duration::from_secs(60);
    let unused = key(Target::Baseline).entry_name();
    let recent = partial_name(&key(Target::Native).entry_name());
    let partial = partial_name(&key(Target::Baseline).entry_name());
    let foreign = ["note.cwasm", "note.partial", "note"];
    for name in [unused.as_str(), &partial].into_iter().chain(foreign) {
        fs::write(cache.directory.join(name), "").unwrap();
        age(&cache.directory.join(name), long);
    }
    fs::write(cache.directory.join(&recent), "").unwrap();
    age(&path(&cache), long);
    assert!(matches!(cache.load(&key(Target::Native)), Entry::Found(_)));
    cache.sweep();
    assert!(!cache.directory.join(unused).exists());
    assert!(!cache.directory.join(partial).exists());
    assert!(path(&cache).exists(), "it was used just now");
    for name in foreign.into_iter().chain([recent.as_str()]) {
        assert!(cache.directory.join(name).exists(), "{name}");
    }
}

#[test]
fn an_entry_leaves_after_30_days_and_not_before() {
    let (_directory, cache) = filled();
    age(&path(&cache), expiry::UNUSED - Duration::from_secs(60));
    cache.sweep();
    assert!(path(&cache).exists());
    age(&path(&cache), expiry::UNUSED + Duration::from_secs(60));
    cache.sweep();
    assert!(!path(&cache).exists());
}

const MODULE: &str = "5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a";

/// A cache with a snapshot in it, and the path of that.
fn with_snapshot() -> (tempfile::TempDir, Cache, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let cache = Cache::open(directory.path()).unwrap();
    let content = append_facts(b"wasm".to_vec(), snapshot::facts(MODULE)).unwrap();
    let snapshot = Snapshot::from_helper(&mut snapshot::file(&content)).unwrap();
    cache.save_snapshot(&snapshot).unwrap();
    let name = snapshot_name(MODULE, &snapshot.facts.identity());
    let path = directory.path().join(name);
    let wasm = read_snapshot(&mut File::open(&path).unwrap()).unwrap();
    assert_eq!(wasm.as_deref(), Some(&b"wasm"[..]));
    (directory, cache, path)
}

fn finds(cache: &Cache, module: &str) -> bool {
    cache.snapshot(module, |_| true).is_some()
}

#[test]
fn a_snapshot_is_found_by_its_module_and_what_it_was_made_of() {
    let (_directory, cache, path) = with_snapshot();
    let mode = fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "not everybody may read what is in it");
    assert!(finds(&cache, MODULE));
    assert!(!finds(&cache, &"00".repeat(32)));
    let given = snapshot::facts(MODULE).given;
    let found = cache.snapshot(MODULE, |facts| facts.given == given);
    assert!(found.unwrap().open().unwrap().is_some());
    assert!(cache.snapshot(MODULE, |_| false).is_none());
}

#[test]
fn a_snapshot_that_is_not_whole_or_not_ours_is_left_alone() {
    let (_directory, cache, path) = with_snapshot();
    let whole = fs::read(&path).unwrap();
    let mut flipped = whole.clone();
    flipped[0] ^= 1;
    for damaged in [&whole[..whole.len() - 1], b"foreign", b"", &flipped] {
        fs::write(&path, damaged).unwrap();
        assert!(!finds(&cache, MODULE));
    }
    fs::write(&path, &whole).unwrap();
    assert!(finds(&cache, MODULE));
    fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).unwrap();
    assert!(!finds(&cache, MODULE), "others can write it");
    fs::remove_file(&path).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", &path).unwrap();
    assert!(!finds(&cache, MODULE));
}

#[test]
fn a_snapshot_leaves_a_day_after_its_last_use() {
    let (_directory, cache, path) = with_snapshot();
    let key = key(Target::Native).of_snapshot(true);
    let code = cache.directory.join(key.entry_name());
    fs::write(&code, "").unwrap();
    for file in [&path, &code] {
        age(file, expiry::UNUSED_SNAPSHOT - Duration::from_secs(60));
    }
    cache.sweep();
    assert!(path.exists() && code.exists());
    for file in [&path, &code] {
        age(file, expiry::UNUSED_SNAPSHOT + Duration::from_secs(60));
    }
    assert!(finds(&cache, MODULE), "which is a use");
    cache.sweep();
    assert!(path.exists() && !code.exists());
}

#[test]
fn the_code_of_a_snapshot_is_for_its_owner_only() {
    let (_directory, cache) = filled();
    let mut metadata = metadata();
    metadata.key.snapshot = true;
    cache.save(&metadata, &mut &*CODE).unwrap();
    let mode = |key: &ArtifactKey| {
        let file = cache.directory.join(key.entry_name());
        fs::metadata(file).unwrap().permissions().mode() & 0o777
    };
    assert_eq!(mode(&metadata.key), 0o600);
    assert_eq!(mode(&key(Target::Native)), 0o644);
    assert!(matches!(cache.load(&metadata.key), Entry::Found(_)));
}
