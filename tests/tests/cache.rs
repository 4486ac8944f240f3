//! The compiled-code cache: what is compiled when, and what becomes of files that are not what they should be.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use mod_wasm_tests::{Server, Site, artifacts, endpoint, guest, module, new_cache, printed};

const COMPILED: &str = "WASM0020: compiled ";

fn conf() -> String {
    endpoint("/hello", &guest("hello_wasm"), "")
        + &endpoint("/again", &guest("hello_wasm"), "WasmArg again")
        + &endpoint("/tell", &guest("plain_probe"), "")
}

fn start(cache: &Path) -> Server {
    Site::new().httpd(conf()).cache(cache).start()
}

/// Module files that the server said it compiled, in order.
fn compiled(server: &Server) -> Vec<String> {
    let lines = server.log_with(COMPILED);
    lines
        .iter()
        .map(|line| {
            Path::new(&line.message)
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned()
        })
        .collect()
}

fn works(server: &Server) {
    assert!(server.get("/hello").expect(200).text().starts_with("Hello"));
    assert!(server.get("/again").expect(200).text().contains("1: again"));
    assert!(
        server
            .get("/tell")
            .expect(200)
            .text()
            .starts_with("argv[0]=plain_probe.wasm")
    );
}

#[test]
fn a_cold_start_compiles_each_module_once_and_a_warm_one_nothing() {
    let cache = new_cache();
    let server = start(cache.path());
    let mut names = compiled(&server);
    names.sort();
    assert_eq!(names, ["hello_wasm.wasm", "plain_probe.wasm"]);
    works(&server);
    drop(server);
    let server = start(cache.path());
    assert_eq!(compiled(&server), [] as [&str; 0]);
    works(&server);
}

#[test]
fn testing_the_configuration_fills_the_cache() {
    let cache = new_cache();
    let elsewhere = new_cache();
    let server = start(elsewhere.path());
    server.replace_in_conf(
        &elsewhere.path().display().to_string(),
        &cache.path().display().to_string(),
    );
    let (accepted, said) = server.httpd(&["-t"]);
    assert!(accepted, "{said}");
    assert_eq!(artifacts(cache.path()).len(), 2, "{said}");
    drop(server);
    assert_eq!(compiled(&start(cache.path())), [] as [&str; 0]);
}

#[test]
fn a_graceful_restart_compiles_nothing_that_is_unchanged() {
    let cache = new_cache();
    let server = start(cache.path());
    let before = compiled(&server).len();
    server.graceful();
    server.graceful_by_signal();
    assert_eq!(compiled(&server).len(), before);
    works(&server);
    // Not even when the cache is gone: the parent keeps what it has verified.
    for file in artifacts(cache.path()) {
        fs::remove_file(file).expect("the cache is ours");
    }
    server.graceful_by_signal();
    assert_eq!(compiled(&server).len(), before);
    works(&server);
}

/// A server with one module, which is then replaced by another program.
fn replaced(cache: &Path) -> Server {
    let site = Site::new();
    let hello = fs::read(guest("hello_wasm")).expect("the guest is readable");
    let wasm = site.file("program.wasm", hello);
    let server = site.httpd(endpoint("/x", &wasm, "")).cache(cache).start();
    assert!(server.get("/x").expect(200).text().starts_with("Hello"));
    let other = fs::read(guest("plain_probe")).expect("the guest is readable");
    server.site().file("program.wasm", other);
    assert!(
        server.get("/x").expect(200).text().starts_with("Hello"),
        "a running child keeps its program"
    );
    server
}

#[test]
fn a_graceful_restart_that_tests_first_compiles_what_changed_before_the_signal() {
    let cache = new_cache();
    let server = replaced(cache.path());
    let before = compiled(&server).len();
    // The test of the configuration is a process of its own, so its compilation is not in this server's log.
    server.graceful();
    assert_eq!(
        compiled(&server).len(),
        before,
        "something was compiled after the signal"
    );
    assert!(
        server
            .get("/x")
            .expect(200)
            .text()
            .starts_with("argv[0]=program.wasm")
    );
}

#[test]
fn a_bare_signal_compiles_what_changed() {
    let cache = new_cache();
    let server = replaced(cache.path());
    let before = compiled(&server).len();
    server.graceful_by_signal();
    assert_eq!(compiled(&server).len(), before + 1);
    assert!(
        server
            .get("/x")
            .expect(200)
            .text()
            .starts_with("argv[0]=program.wasm")
    );
}

#[test]
fn a_module_that_breaks_later_is_refused_and_the_server_goes_on() {
    let cache = new_cache();
    let server = replaced(cache.path());
    server.site().file("program.wasm", "no program any more");
    let (accepted, said) = server.httpd(&["-t"]);
    assert!(!accepted && said.contains("program.wasm"), "{said}");
    assert!(server.get("/x").expect(200).text().starts_with("Hello"));
}

/// Spoils the artifacts of a filled cache; the next start has to compile both modules again and to serve.
fn recompiles_after(spoil: impl Fn(&[PathBuf])) {
    let cache = new_cache();
    drop(start(cache.path()));
    let files = artifacts(cache.path());
    assert_eq!(files.len(), 2, "{files:?}");
    spoil(&files);
    let server = start(cache.path());
    assert_eq!(
        compiled(&server).len(),
        2,
        "spoiled code was taken from the cache: {:?}",
        server.log()
    );
    works(&server);
    server.allow_log("WASM0022");
    drop(server);
    let server = start(cache.path());
    assert_eq!(
        compiled(&server).len(),
        0,
        "the cache was not repaired: {:?}",
        server.log()
    );
}

fn change(path: &Path, how: impl Fn(&mut Vec<u8>)) {
    let mut bytes = fs::read(path).expect("the cache is readable");
    how(&mut bytes);
    fs::write(path, bytes).expect("the cache is writable");
}

#[test]
fn truncated_code_is_compiled_again() {
    recompiles_after(|files| {
        files
            .iter()
            .for_each(|file| change(file, |bytes| bytes.truncate(bytes.len() / 2)))
    });
}

#[test]
fn emptied_code_is_compiled_again() {
    recompiles_after(|files| files.iter().for_each(|file| change(file, Vec::clear)));
}

#[test]
fn foreign_code_is_compiled_again() {
    recompiles_after(|files| {
        files
            .iter()
            .for_each(|file| change(file, |bytes| bytes.fill(b'?')))
    });
}

#[test]
fn a_single_flipped_bit_is_noticed() {
    recompiles_after(|files| {
        for file in files {
            change(file, |bytes| {
                let middle = bytes.len() / 2;
                bytes[middle] ^= 1;
            });
        }
    });
}

#[test]
fn code_of_another_module_is_compiled_again() {
    recompiles_after(|files| {
        let [one, two] = [fs::read(&files[0]), fs::read(&files[1])]
            .map(|read| read.expect("the cache is readable"));
        fs::write(&files[0], two).expect("the cache is writable");
        fs::write(&files[1], one).expect("the cache is writable");
    });
}

#[test]
fn code_tampered_with_after_the_start_never_runs() {
    let cache = new_cache();
    let server = start(cache.path());
    for file in artifacts(cache.path()) {
        change(&file, |bytes| bytes.fill(0xcc));
    }
    works(&server);
    server.graceful_by_signal();
    works(&server);
}

#[test]
fn a_cache_that_others_may_write_is_refused() {
    let cache = new_cache();
    fs::set_permissions(cache.path(), fs::Permissions::from_mode(0o777))
        .expect("the cache is ours");
    let refusal = Site::new().httpd(conf()).cache(cache.path()).refused();
    for said in [&refusal.tested, &refusal.started] {
        assert!(
            said.contains("WASM0006") && said.contains(&cache.path().display().to_string()),
            "{said}"
        );
    }
}

#[test]
fn a_cache_below_a_folder_that_others_may_write_is_refused() {
    let above = new_cache();
    let mine = new_cache();
    let link = above.path().join("link");
    std::os::unix::fs::symlink(mine.path(), &link).expect("the folder is ours");
    fs::set_permissions(above.path(), fs::Permissions::from_mode(0o777))
        .expect("the folder is ours");
    for cache in [above.path().join("cache"), link] {
        let refusal = Site::new().httpd(conf()).cache(&cache).refused();
        for said in [&refusal.tested, &refusal.started] {
            assert!(
                said.contains("WASM0006")
                    && said.contains(&format!("{}: can be written", above.path().display())),
                "{said}"
            );
        }
    }
    assert!(!above.path().join("cache").exists());
    assert_eq!(artifacts(mine.path()), [] as [PathBuf; 0]);
}

#[test]
fn a_start_that_compiles_removes_what_no_start_has_used_for_30_days() {
    let cache = new_cache();
    drop(start(cache.path()));
    let used = artifacts(cache.path());
    let entry = used[0]
        .file_name()
        .expect("it has a name")
        .to_string_lossy();
    let unused = cache
        .path()
        .join(format!("{}{}", "0".repeat(64), &entry[64..]));
    fs::copy(&used[0], &unused).expect("the cache is writable");
    for file in used.iter().chain([&unused]) {
        let long_ago = SystemTime::now() - Duration::from_secs(31 * 24 * 60 * 60);
        let file = fs::File::options().write(true).open(file);
        file.and_then(|file| file.set_modified(long_ago))
            .expect("the cache is ours");
    }
    drop(start(cache.path()));
    assert!(unused.exists(), "nothing was compiled");
    let more = conf() + &endpoint("/more", &guest("spotless"), "");
    drop(Site::new().httpd(more).cache(cache.path()).start());
    assert!(!unused.exists());
    assert!(used.iter().all(|file| file.exists()));
}

#[test]
fn a_cache_that_cannot_be_written_costs_time_only() {
    // Not even root can make a file there.
    let server = start(Path::new("/sys/kernel"));
    assert_eq!(compiled(&server).len(), 2);
    works(&server);
    server.expect_log("WASM0022");
}

#[test]
fn a_cache_that_is_missing_is_made() {
    let parent = new_cache();
    let cache = parent.path().join("made/here");
    let server = start(&cache);
    works(&server);
    let mode = fs::metadata(&cache)
        .expect("the cache was made")
        .permissions()
        .mode();
    assert_eq!(
        mode & 0o022,
        0,
        "others may write into the cache that was made: {mode:o}"
    );
    assert_eq!(artifacts(&cache).len(), 2);
}

/// Fills a cache with the helper program; the server has to find there what it would have compiled itself.
fn starts_warm_after_precompiling(target: &str) {
    let cache = new_cache();
    printed(
        Command::new(module("wasm-precompile"))
            .args(["--target", target, "--cache-dir"])
            .arg(cache.path())
            .args([guest("hello_wasm"), guest("plain_probe")]),
    );
    let server = start(cache.path());
    assert_eq!(compiled(&server), [] as [&str; 0], "for {target}");
    works(&server);
}

#[test]
fn what_was_compiled_beforehand_is_used() {
    starts_warm_after_precompiling("native");
    starts_warm_after_precompiling("baseline");
}
