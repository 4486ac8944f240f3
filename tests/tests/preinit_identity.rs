//! When a snapshot is taken: what its initialiser was given and saw tells it from others.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::time::Duration;

use mod_wasm_tests::{Server, Site, endpoint, guest, wait_until};

const TAKING: &str = "WASM0025: taking a snapshot of ";

/// A server with a cache of its own, and a section at `/x` whose initialiser does this. `/data` is its folder `data`.
fn serve(init: &str) -> Server {
    let site = Site::new();
    site.file("data/file", "content");
    site.file("data/folder/one", "");
    start(site, &section("/x", "data", init, ""))
}

fn start(site: Site, conf: &str) -> Server {
    let cache = site.private_cache();
    let conf = conf.replace("SITE", site.path("").trim_end_matches('/'));
    site.httpd(conf).cache(cache).start()
}

fn section(location: &str, folder: &str, init: &str, lines: &str) -> String {
    let lines = format!("WasmMapDir /data SITE/{folder}\nWasmPreinitEnv INIT {init}\n{lines}");
    endpoint(location, &guest("preinit_probe"), &lines)
}

/// How many snapshots a test of the configuration takes, and with it a start.
#[track_caller]
fn taken(server: &Server) -> usize {
    let (accepted, said) = server.httpd(&["-t"]);
    assert!(accepted, "{said}");
    said.matches(TAKING).count()
}

/// How many snapshots the start took.
fn taken_at_start(server: &Server) -> usize {
    let said = fs::read_to_string(server.path("start.out")).expect("the start was recorded");
    said.matches(TAKING).count()
}

fn frozen(server: &Server, target: &str) -> String {
    let text = server.get(target).expect(200).text();
    let line = text.lines().find_map(|line| line.strip_prefix("frozen "));
    line.expect("the probe tells it").to_owned()
}

fn files_of_cache(server: &Server, suffix: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(server.path("cache")).expect("the cache is readable");
    let paths = entries.map(|entry| entry.expect("the cache is readable").path());
    paths
        .filter(|path| path.to_string_lossy().ends_with(suffix))
        .collect()
}

fn snapshots(server: &Server) -> Vec<PathBuf> {
    files_of_cache(server, ".snapshot")
}

/// What an initialiser does, a change, what a run is told before and after it, and whether a new snapshot has to be taken.
#[track_caller]
fn check(init: &str, change: impl Fn(&Server), before: &str, after: &str, is_new: bool) {
    let server = serve(init);
    assert_eq!(taken_at_start(&server), 1);
    assert_eq!(taken(&server), 0, "nothing has changed");
    assert_eq!(frozen(&server, "/x"), before);
    change(&server);
    assert_eq!(taken(&server), usize::from(is_new));
    assert_eq!(taken(&server), 0, "it was taken");
    server.graceful_by_signal();
    assert_eq!(frozen(&server, "/x"), after);
}

#[test]
fn a_file_that_was_read_has_to_be_the_same() {
    let rewrite = |server: &Server| {
        server.site().file("data/file", "another");
    };
    check("read:/data/file", rewrite, "content", "another", true);
    let elsewhere = |server: &Server| {
        server.site().file("data/other", "another");
    };
    check("read:/data/file", elsewhere, "content", "content", false);
}

#[test]
fn a_file_with_another_time_counts_as_another_file() {
    let touch = |server: &Server| {
        let file = fs::File::options()
            .append(true)
            .open(server.path("data/file"));
        let moment = std::time::SystemTime::UNIX_EPOCH;
        file.and_then(|file| file.set_modified(moment))
            .expect("the file is ours");
    };
    check("read:/data/file", touch, "content", "content", true);
}

#[test]
fn a_file_that_was_rewritten_is_another_one_whatever_time_it_claims() {
    let rewrite = |server: &Server| {
        let path = server.path("data/file");
        let modified = fs::metadata(&path).and_then(|found| found.modified());
        fs::write(&path, "another").expect("the folder is ours");
        let file = fs::File::options().append(true).open(&path);
        file.and_then(|file| file.set_modified(modified?))
            .expect("the file is ours");
    };
    check("read:/data/file", rewrite, "content", "another", true);
}

#[test]
fn what_was_looked_for_in_vain_has_to_be_missing() {
    let appear = |server: &Server| {
        server.site().file("data/new/file", "found");
    };
    let missing = "No such file or directory";
    check("read:/data/new/file", appear, missing, "found", true);
    check("look:/data/new", appear, missing, "there", true);
    check("look:/data/old", appear, missing, missing, false);
}

#[test]
fn a_folder_that_was_listed_has_to_have_the_same_entries() {
    let appear = |server: &Server| {
        server.site().file("data/folder/two", "");
    };
    check("list:/data/folder", appear, "1 entries", "2 entries", true);
    check("look:/data/folder", appear, "there", "there", false);
}

#[test]
fn a_variable_of_another_value_makes_another_snapshot() {
    let server = serve("read:/data/file");
    server.replace_in_conf("read:/data/file", "look:/data/file");
    assert_eq!(taken(&server), 1);
    server.replace_in_conf("look:/data/file", "read:/data/file");
    assert_eq!(taken(&server), 0, "the first one is still there");
    assert_eq!(snapshots(&server).len(), 2);
}

#[test]
fn a_bare_signal_takes_what_is_missing() {
    let server = serve("read:/data/file");
    server.graceful_by_signal();
    assert!(server.log_with(TAKING).is_empty());
    server.site().file("data/file", "another");
    server.graceful_by_signal();
    assert_eq!(server.log_with(TAKING).len(), 1);
    assert_eq!(frozen(&server, "/x"), "another");
}

#[test]
fn sections_that_saw_the_same_share_a_snapshot() {
    let site = Site::new();
    for folder in ["one", "two"] {
        site.file(&format!("{folder}/file"), folder);
    }
    let conf = section("/one", "one", "look:/data/missing", "")
        + &section(
            "/also",
            "one",
            "look:/data/missing",
            "WasmArg a\nWasmTimeout 5",
        )
        + &section("/two", "two", "look:/data/missing", "");
    let server = start(site, &conf);
    assert_eq!((taken_at_start(&server), snapshots(&server).len()), (1, 1));
    assert_eq!(files_of_cache(&server, ".snapshot.cwasm").len(), 1);
    for target in ["/one", "/also", "/two"] {
        assert_eq!(frozen(&server, target), "No such file or directory");
    }
    assert_eq!(taken(&server), 0);
    server.site().file("two/missing", "");
    assert_eq!(
        taken(&server),
        1,
        "only that of the section that would see it"
    );
}

#[test]
fn sections_that_saw_something_else_have_snapshots_of_their_own() {
    let site = Site::new();
    for folder in ["one", "two"] {
        site.file(&format!("{folder}/file"), folder);
    }
    let conf = section("/one", "one", "read:/data/file", "")
        + &section("/two", "two", "read:/data/file", "");
    let server = start(site, &conf);
    assert_eq!(snapshots(&server).len(), 2);
    for folder in ["one", "two"] {
        assert_eq!(frozen(&server, &format!("/{folder}")), folder);
    }
    assert_eq!(taken(&server), 0);
}

/// A number that tells a file apart is that of another file in another file system.
#[test]
fn what_was_found_in_another_directory_is_not_taken_for_the_same() {
    let site = Site::new();
    let path = site.file("one/file", "content");
    site.file("two/other", "");
    fs::hard_link(path, site.path("two/file")).expect("the folder is ours");
    let conf = section("/one", "one", "read:/data/file", "")
        + &section("/two", "two", "read:/data/file", "");
    let server = start(site, &conf);
    assert_eq!(snapshots(&server).len(), 2);
    assert_eq!(taken(&server), 0, "both are kept");
}

#[test]
fn sections_with_other_mounts_have_snapshots_of_their_own() {
    let site = Site::new();
    site.file("data/file", "");
    let init = "look:/data/missing";
    let conf = section("/one", "data", init, "WasmMapDir /more SITE/htdocs ro")
        + &section("/two", "data", init, "WasmMapDir /other SITE/htdocs ro")
        + &section("/three", "data", init, "WasmTmpDir /tmp");
    assert_eq!(snapshots(&start(site, &conf)).len(), 3);
}

#[test]
fn a_section_with_too_little_memory_does_not_share() {
    let site = Site::new();
    site.file("data/file", "");
    let conf = section("/large", "data", "grow:20", "")
        + &section("/small", "data", "grow:20", "WasmMemoryLimit 16M");
    let server = start(site, &conf);
    for (target, initialised) in [("/large", "initialised 1"), ("/small", "initialised 0")] {
        let text = server.get(target).expect(200).text();
        assert!(text.contains(initialised), "{target}: {text}");
    }
    let lines = server.expect_log("WASM0026");
    assert!(
        lines[0]
            .message
            .contains("refused more memory than 16777216 bytes"),
        "{lines:?}"
    );
}

#[test]
fn a_limit_of_files_counts_where_the_initialiser_came_up_against_it() {
    for (init, is_new) in [("open-many:/data/file", true), ("read:/data/file", false)] {
        let site = Site::new();
        site.file("data/file", "content");
        let server = start(site, &section("/x", "data", init, "WasmFileLimit 20"));
        server.replace_in_conf("WasmFileLimit 20", "WasmFileLimit 30");
        assert_eq!(taken(&server), usize::from(is_new), "{init}");
        assert_eq!(taken(&server), 0, "{init}");
    }
}

#[test]
fn a_snapshot_that_is_damaged_is_taken_again() {
    for spoil in [
        |bytes: &mut Vec<u8>| bytes.truncate(100),
        |bytes: &mut Vec<u8>| bytes.clear(),
        |bytes: &mut Vec<u8>| bytes[1000] ^= 1,
    ] {
        let server = serve("read:/data/file");
        let path = &snapshots(&server)[0];
        let mut bytes = fs::read(path).expect("the cache is readable");
        spoil(&mut bytes);
        fs::write(path, bytes).expect("the cache is writable");
        assert_eq!(taken(&server), 1);
        assert_eq!(taken(&server), 0, "it was replaced");
    }
}

#[test]
fn what_an_initialiser_read_is_in_files_that_nobody_else_can_read() {
    let server = serve("read:/data/file");
    for suffix in [".snapshot", ".snapshot.cwasm"] {
        let files = files_of_cache(&server, suffix);
        assert_eq!(files.len(), 1);
        let mode = fs::metadata(&files[0])
            .expect("it is there")
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600, "{suffix}");
    }
}

/// Makes a folder `data` in which the server's user may see some files and not others; returns the site.
fn guarded() -> Site {
    assert!(
        rustix::process::geteuid().is_root(),
        "who an initialiser is differs from who starts httpd only for root: run this test as root"
    );
    let site = Site::new();
    for (file, mode) in [("roots", 0o600), ("open", 0o644), ("closed/file", 0o644)] {
        let path = site.file(&format!("data/{file}"), file);
        set_mode(&path, mode);
    }
    set_mode(site.path("data/closed"), 0o700);
    let own = site.writable_file("data/own", "own");
    set_mode(&own, 0o600);
    site
}

fn set_mode(path: impl AsRef<Path>, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("it is ours");
}

#[test]
fn as_root_the_initialiser_is_the_user_of_the_children() {
    let conf: String = ["roots", "open", "own", "closed/file"]
        .map(|file| {
            section(
                &format!("/{file}"),
                "data",
                &format!("read:/data/{file}"),
                "",
            )
        })
        .concat();
    let server = start(guarded(), &conf);
    for (file, seen) in [
        ("roots", "Permission denied"),
        ("open", "open"),
        ("own", "own"),
        ("closed/file", "Permission denied"),
    ] {
        assert_eq!(frozen(&server, &format!("/{file}")), seen, "{file}");
    }
    assert_eq!(
        taken(&server),
        0,
        "root sees more, and has to know that it does not count"
    );
    set_mode(server.path("data/roots"), 0o644);
    set_mode(server.path("data/closed"), 0o755);
    assert_eq!(taken(&server), 2, "both can be read now");
    server.graceful_by_signal();
    assert_eq!(frozen(&server, "/roots"), "roots");
    assert_eq!(frozen(&server, "/closed/file"), "closed/file");
}

/// The process that runs the initialiser which was given this variable, once there is one.
fn initialising(secret: &str) -> PathBuf {
    let mut found = None;
    wait_until("an initialiser runs", Duration::from_secs(60), || {
        let processes = fs::read_dir("/proc").expect("/proc is readable").flatten();
        found = processes.map(|entry| entry.path()).find(|process| {
            let words = fs::read(process.join("cmdline")).unwrap_or_default();
            let words = String::from_utf8_lossy(&words).into_owned();
            assert!(!words.contains(secret), "everybody can read it: {words}");
            words.contains("--initialize") && opens(process, secret)
        });
        found.is_some()
    });
    found.expect("it was just found")
}

/// Whether the order of this process has the secret in it: other tests have initialisers, too.
fn opens(process: &Path, secret: &str) -> bool {
    let numbers: Vec<String> = secret.bytes().map(|byte| byte.to_string()).collect();
    let order = fs::read(process.join("fd/0")).unwrap_or_default();
    String::from_utf8_lossy(&order).contains(&numbers.join(","))
}

#[test]
fn as_root_the_initialiser_cannot_become_root_again_and_its_variables_are_for_nobody_else() {
    let server = start(guarded(), &section("/x", "data", "read:/data/own", ""));
    let secret = "a-word-that-stands-nowhere-else";
    let lines =
        format!("WasmPreinitTimeout 5\nWasmPreinitEnv SECRET {secret}\nWasmPreinitEnv INIT loop");
    server.replace_in_conf("WasmPreinitEnv INIT read:/data/own", &lines);
    std::thread::scope(|scope| {
        let test = scope.spawn(|| server.httpd(&["-t"]));
        let process = initialising(secret);
        let status = fs::read_to_string(process.join("status")).expect("it still runs");
        let environment = fs::read(process.join("environ")).expect("root can read it");
        let (user, group) = fs::metadata(server.path("data/own"))
            .map(|own| (own.uid(), own.gid()))
            .expect("the file is there");
        for line in [
            format!("Uid:\t{user}\t{user}\t{user}\t{user}"),
            format!("Gid:\t{group}\t{group}\t{group}\t{group}"),
            "CapEff:\t0000000000000000".to_owned(),
            "CapPrm:\t0000000000000000".to_owned(),
            "NoNewPrivs:\t1".to_owned(),
        ] {
            assert!(status.contains(&line), "{line:?} in {status}");
        }
        assert!(!String::from_utf8_lossy(&environment).contains(secret));
        let (accepted, said) = test.join().expect("the test of the configuration ends");
        assert!(
            accepted && said.contains("it took longer than 5 s"),
            "{said}"
        );
    });
}

#[test]
fn another_user_does_not_get_what_this_one_could_read() {
    let server = start(guarded(), &section("/x", "data", "read:/data/own", ""));
    assert_eq!(frozen(&server, "/x"), "own");
    server.replace_in_conf("User www-data", "User daemon");
    assert_eq!(taken(&server), 1);
    drop(server);
}

#[test]
fn a_module_that_only_root_can_read_has_snapshots_too() {
    let site = guarded();
    let program = fs::read(guest("preinit_probe")).expect("the guest is readable");
    let wasm = site.file("probe.wasm", program);
    set_mode(&wasm, 0o600);
    chown(&wasm, Some(0), Some(0)).expect("the suite runs as root");
    let server = start(site, &endpoint("/x", &wasm, "WasmPreinit On"));
    let text = server.get("/x").expect(200).text();
    assert!(text.contains("initialised 1"), "{text}");
}
