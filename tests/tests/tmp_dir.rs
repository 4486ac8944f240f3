//! `WasmTmpDir` and `WasmScratchDir`: a directory of each run's own, which nobody else sees and which is gone with the run.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;
use std::time::Duration;

use mod_wasm_tests::{Mpm, Server, Site, cgi_endpoint, endpoint, guest, php_cgi, wait_until};
use rustix::process::{Pid, Signal, kill_process};

/// An endpoint whose program uses its `/tmp` and ends so.
fn probe(location: &str, lines: &str, words: &[&str]) -> String {
    let words: String = words
        .iter()
        .map(|word| format!("WasmArg {word}\n"))
        .collect();
    endpoint(
        location,
        &guest("tmp_dir_probe"),
        &format!("{lines}\nWasmArg /tmp\n{words}"),
    )
}

/// One that may use so much: `words` are what `spender` does.
fn spender(location: &str, lines: &str, words: &str) -> String {
    let words: String = words
        .split(' ')
        .map(|word| format!("WasmArg {word}\n"))
        .collect();
    endpoint(location, &guest("spender"), &format!("{lines}\n{words}"))
}

const EMPTY: &str = "found 0: Success\n";
const LEFT: &str = "found 0: Success\nleft 3\n";

/// Entries of each slot that was ever taken.
fn slots(server: &Server) -> Vec<usize> {
    let entries = |path: &Path| fs::read_dir(path).expect("it is a folder").count();
    let scratch = server.path("scratch");
    let slots = fs::read_dir(scratch).expect("the start made it");
    slots
        .map(|slot| entries(&slot.expect("it is readable").path()))
        .collect()
}

fn wait_until_empty(server: &Server) {
    let limit = Duration::from_secs(20);
    wait_until("scratch directories are empty", limit, || {
        slots(server).iter().all(|entries| *entries == 0)
    });
}

fn private(mpm: Mpm) {
    let conf = probe("/x", "WasmTmpDir /tmp", &["sleep", "2"]);
    let server = Site::new().httpd(conf).mpm(mpm).start();
    let visitors: Vec<_> = (0..3).map(|_| server.request("GET", "/x").open()).collect();
    wait_until("all three have written", Duration::from_secs(20), || {
        slots(&server)
            .iter()
            .filter(|entries| **entries == 3)
            .count()
            == 3
    });
    for visitor in visitors {
        assert_eq!(visitor.finish().expect(200).text(), LEFT);
    }
    assert_eq!(slots(&server), [0, 0, 0]);
    assert_eq!(server.get("/x").expect(200).text(), LEFT);
    assert_eq!(slots(&server), [0, 0, 0]);
}

#[test]
fn nobody_sees_what_another_run_writes() {
    private(Mpm::Event);
}

#[test]
fn nobody_sees_what_another_process_writes() {
    private(Mpm::Prefork);
}

#[test]
fn nothing_is_left_however_the_run_ends() {
    let lines = "WasmTmpDir /tmp\nWasmTimeout 1";
    let conf = probe("/exit", lines, &[])
        + &probe("/trap", lines, &["trap"])
        + &probe("/loop", lines, &["loop"])
        + &probe("/gone", "WasmTmpDir /tmp", &["loop"])
        + &probe("/links", "WasmTmpDir /tmp\nWasmAllowSymlinks On", &[]);
    let server = Site::new().start(conf);
    assert_eq!(server.get("/exit").expect(200).text(), LEFT);
    wait_until_empty(&server);
    server.get("/trap").expect(500);
    server.expect_log("WASM0050");
    wait_until_empty(&server);
    server.get("/loop").expect(504);
    server.expect_log("WASM0051");
    wait_until_empty(&server);
    drop(server.request("GET", "/gone").open());
    server.expect_log("WASM0054");
    wait_until_empty(&server);
    let text = server.get("/links").expect(200).text();
    assert_eq!(text, format!("{EMPTY}left 4\n"));
    wait_until_empty(&server);
}

#[test]
fn what_a_killed_child_left_is_removed_when_the_next_one_starts() {
    let conf = probe("/loop", "WasmTmpDir /tmp", &["loop"]);
    let server = Site::new().start(conf);
    let visitor = server.request("GET", "/loop").open();
    wait_until("the program has written", Duration::from_secs(20), || {
        slots(&server) == [3]
    });
    let child = i32::try_from(server.child()).ok().and_then(Pid::from_raw);
    kill_process(child.expect("a process id"), Signal::KILL).expect("the child is there");
    drop(visitor);
    wait_until_empty(&server);
    server.allow_log("AH00051");
    server.allow_log("AH00052");
}

#[test]
fn deep_trees_and_thousands_of_entries_are_removed() {
    let conf = probe("/deep", "WasmTmpDir /tmp", &["nest", "2000"])
        + &spender("/wide", "WasmTmpDir /tmp", "litter /tmp 10000");
    let server = Site::new().start(conf);
    let text = server.get("/deep").expect(200).text();
    assert_eq!(text, format!("{EMPTY}nested 2000\n"));
    wait_until_empty(&server);
    let text = server.get("/wide").expect(200).text();
    assert_eq!(text, "littered 10000: Success\n");
    wait_until_empty(&server);
}

#[test]
fn the_size_bounds_bytes_and_entries() {
    let lines = "WasmTmpDir /tmp 1M";
    let conf = spender("/fill", lines, "fill /tmp/file 10000000")
        + &spender("/enlarge", lines, "enlarge /tmp/file 10000000")
        + &spender("/allocate", lines, "allocate /tmp/file 10000000")
        + &spender("/litter", lines, "litter /tmp 10000")
        + &spender("/default", "WasmTmpDir /tmp", "enlarge /tmp/file 67104768");
    let server = Site::new().start(conf);
    for (path, told) in [
        ("/fill", "filled 1044480: No space left on device\n"),
        ("/enlarge", "enlarged -1: No space left on device\n"),
        ("/allocate", "allocated -1: No space left on device\n"),
        ("/litter", "littered 256: No space left on device\n"),
        ("/default", "enlarged 0: Success\n"),
    ] {
        assert_eq!(server.get(path).expect(200).text(), told);
    }
    let lines = server.expect_logs("WASM0094", 4);
    let beginning = "more into its scratch directory than WasmTmpDir (1048576 bytes): ";
    assert!(lines[0].message.contains(beginning), "{lines:?}");
}

#[test]
fn what_is_removed_makes_room_again() {
    let server = Site::new().start(probe("/x", "WasmTmpDir /tmp 128K", &["reuse", "100"]));
    let text = server.get("/x").expect(200).text();
    assert_eq!(text, format!("{EMPTY}reused 100\n"));
}

#[test]
fn all_together_are_bounded() {
    let site = Site::new();
    let total = format!("WasmScratchDir {} 300K\n", site.path("scratch"));
    let conf = total
        + &probe("/keep", "WasmTmpDir /tmp 64K", &["sleep", "3"])
        + &probe("/x", "WasmTmpDir /tmp 100K", &[]);
    let server = site.start(conf);
    let keepers: Vec<_> = (0..3)
        .map(|_| server.request("GET", "/keep").open())
        .collect();
    wait_until("three have a directory", Duration::from_secs(20), || {
        slots(&server) == [3, 3, 3]
    });
    let text = server.get("/x").expect(200).text();
    assert_eq!(text, "found -1: No space left on device\nleft -1\n");
    let told = server.expect_logs("WASM0096", 1);
    assert!(
        told[0].message.ends_with("WasmScratchDir (3): 4"),
        "{told:?}"
    );
    for keeper in keepers {
        assert_eq!(keeper.finish().expect(200).text(), LEFT);
    }
    assert_eq!(server.get("/x").expect(200).text(), LEFT);
}

#[test]
fn a_program_that_needs_none_costs_nothing() {
    let conf = endpoint("/hello", &guest("hello_wasm"), "WasmTmpDir /tmp")
        + &probe("/environment", "WasmTmpDir /tmp", &["environment"]);
    let server = Site::new().start(conf);
    server.get("/hello").expect(200);
    server.get("/environment").expect(200);
    assert!(slots(&server).is_empty());
}

/// The user of a process. Its folder in `/proc` belongs to root, because others of the user may not trace it.
fn user_of(pid: u32) -> u32 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("it runs");
    let line = status.lines().find_map(|line| line.strip_prefix("Uid:"));
    let first = line.and_then(|ids| ids.split_whitespace().next());
    first.expect("a user").parse().expect("a number")
}

#[test]
fn the_directory_is_private_and_made_only_where_it_is_wanted() {
    let conf = endpoint("/hello", &guest("hello_wasm"), "") + "WasmTmpDir Off\n";
    let server = Site::new().start(conf);
    let user = user_of(server.child());
    let scratch = server.path("scratch");
    assert!(!Path::new(&scratch).exists());
    server.replace_in_conf("WasmTmpDir Off", "WasmTmpDir /tmp");
    server.graceful();
    let made = fs::metadata(&scratch).expect("the restart made it");
    assert_eq!(made.mode() & 0o7777, 0o700);
    assert_eq!(made.uid(), user);
}

#[test]
fn an_ordinary_users_httpd_has_them_too() {
    let site = Site::new();
    let wasm = site.file(
        "probe.wasm",
        fs::read(guest("tmp_dir_probe")).expect("the guest is readable"),
    );
    let conf = endpoint("/x", &wasm, "WasmTmpDir /tmp\nWasmArg /tmp");
    let server = site.httpd(conf).unprivileged().start();
    assert_eq!(server.get("/x").expect(200).text(), LEFT);
    wait_until_empty(&server);
}

#[test]
fn tmpdir_is_set_unless_the_configuration_does() {
    let cgi = |location: &str, lines: &str| cgi_endpoint(location, &guest("cgi_probe"), lines);
    let environment = ["environment"];
    let conf = probe("/none", "", &environment)
        + &probe("/set", "WasmTmpDir /temporary", &environment)
        + &probe("/off", "WasmTmpDir Off", &environment)
        + &probe(
            "/own",
            "WasmTmpDir /tmp\nWasmEnv TMPDIR /elsewhere",
            &environment,
        )
        + &cgi("/cgi", "WasmTmpDir /tmp")
        + &cgi("/cgi-own", "WasmTmpDir /tmp\nWasmEnv TMPDIR /elsewhere")
        + &cgi("/cgi-set", "WasmTmpDir /tmp\nSetEnv TMPDIR /elsewhere");
    let server = Site::new().httpd(conf).modules(&["env"]).start();
    for (path, value) in [
        ("/none", "none"),
        ("/set", "/temporary"),
        ("/off", "none"),
        ("/own", "/elsewhere"),
    ] {
        assert_eq!(server.get(path).expect(200).text(), format!("{value}\n"));
    }
    for (path, value) in [
        ("/cgi", "/tmp"),
        ("/cgi-own", "/elsewhere"),
        ("/cgi-set", "/elsewhere"),
    ] {
        let text = server.get(path).expect(200).text();
        assert!(
            text.contains(&format!("TMPDIR={value}\n")),
            "{path}: {text}"
        );
    }
}

#[test]
fn sections_merge_and_it_takes_the_place_of_a_mount() {
    let site = Site::new();
    site.file("data/mounted", "content");
    let mount = format!("WasmMapDir /tmp {} ro\n", site.path("data"));
    let inner =
        |location: &str, lines: &str| format!("<Location {location}>\n{lines}\n</Location>\n");
    let conf = mount
        + &probe("/x", "WasmTmpDir /tmp", &["reuse", "3"])
        + &inner("/x/off", "WasmTmpDir Off\nWasmArg /tmp")
        + &inner("/x/small", "WasmTmpDir /tmp 64K");
    let server = site.start(conf);
    let told = |path: &str| server.get(path).expect(200).text();
    assert_eq!(told("/x"), format!("{EMPTY}reused 3\n"));
    assert_eq!(told("/x/off"), "found 1: Success\nleft 1\n");
    assert_eq!(told("/x/small"), format!("{EMPTY}reused 0\n"));
    server.expect_log("WASM0094");
}

#[test]
fn a_script_that_it_covers_is_not_the_one_inside() {
    let site = Site::new();
    site.file("htdocs/tmp/script.txt", "script");
    site.file("htdocs/script.txt", "script");
    let conf = format!(
        "<Directory {0}>\nSetHandler wasm-handler\nWasmModule {1}\nWasmMapDir / {0} ro\nWasmTmpDir /tmp\nWasmScriptArg On\n\
         WasmArg cat\n</Directory>",
        site.path("htdocs"),
        guest("plain_probe")
    );
    let server = site.start(conf);
    assert_eq!(server.get("/script.txt").expect(200).text(), "script");
    server.get("/tmp/script.txt").expect(500);
    server.expect_log("WASM0046");
}

#[test]
fn files_that_two_visitors_send_at_a_time_stay_apart() {
    let site = Site::new();
    let code = "<?php $name = $_FILES['f']['tmp_name'];
        echo $name, ' ', file_get_contents($name), \"\\n\"; flush();
        while (!file_exists('/flags/go')) { usleep(20000); clearstatcache(); }
        echo file_get_contents($name), ' ', (int) move_uploaded_file($name, '/kept/' . $_GET['as']), (int) file_exists($name);";
    site.file("htdocs/up.php", code);
    site.file("flags/other", "");
    let kept = site.writable_dir("kept");
    let conf = format!(
        "<Directory {htdocs}>\nAddHandler wasm-handler .php\nWasmModule {php}\nWasmMapDir /app {htdocs} ro\n\
         WasmMapDir /flags {flags} ro\nWasmMapDir /kept {kept}\nWasmTmpDir /tmp\nWasmEnableCGI On\nWasmMapCGIFileNames On\n\
         WasmScriptArg Off\n</Directory>",
        htdocs = site.path("htdocs"),
        flags = site.path("flags"),
        php = php_cgi()
    );
    let server = site.httpd(conf).modules(&["mime"]).start();
    let send = |name: &str, content: &str| {
        let body = format!(
            "--b\r\nContent-Disposition: form-data; name=\"f\"; filename=\"f\"\r\n\r\n{content}\r\n--b--\r\n"
        );
        server
            .request("POST", &format!("/up.php?as={name}"))
            .header("Content-Type", "multipart/form-data; boundary=b")
            .body(body)
            .open()
    };
    let visitors = [send("one", "first"), send("two", "second")];
    wait_until("both have sent", Duration::from_secs(60), || {
        slots(&server) == [1, 1]
    });
    server.site().file("flags/go", "");
    let texts = visitors.map(|visitor| visitor.finish().expect(200).text());
    assert_eq!(
        texts,
        [
            "/tmp/phpXXXXXX first\nfirst 10",
            "/tmp/phpXXXXXX second\nsecond 10"
        ]
    );
    for (name, content) in [("one", "first"), ("two", "second")] {
        let kept = fs::read_to_string(server.path(&format!("kept/{name}")));
        assert_eq!(kept.expect("it was moved"), content);
    }
    assert_eq!(slots(&server), [0, 0]);
}

#[test]
fn wrong_values_are_refused() {
    for line in [
        "WasmTmpDir tmp",
        "WasmTmpDir /tmp/../etc",
        "WasmTmpDir Off 1M",
        "WasmTmpDir /tmp much",
        "WasmTmpDir /tmp 1K",
        "WasmTmpDir /tmp 0",
        "WasmTmpDir /tmp 1M 1M",
        "WasmScratchDir /var/cache/x much",
        "WasmScratchDir \"\"",
    ] {
        Site::new().refused(line).names(line, &[]);
    }
}

#[test]
fn what_does_not_fit_together_is_refused() {
    let site = Site::new();
    let mount = format!("WasmMapDir /tmp/ {}", site.path("htdocs"));
    let conf = probe("/x", &format!("{mount}\nWasmTmpDir /tmp"), &[]);
    let refusal = site.refused(conf);
    let place = format!("httpd.conf:{}", refusal.line_of("WasmMapDir"));
    refusal.names("WasmTmpDir", &["WASM0012", "WasmMapDir", &place]);

    let site = Site::new();
    let total = format!("WasmScratchDir {} 1M", site.path("scratch"));
    let conf = format!("{total}\n{}", probe("/x", "WasmTmpDir /tmp 2M", &[]));
    let refusal = site.refused(conf);
    let place = format!("httpd.conf:{}", refusal.line_of(&total));
    refusal.names("WasmTmpDir", &["WASM0012", "2097152", "1048576", &place]);
}

/// A server for which something lies where its scratch directories should.
#[track_caller]
fn refused_with(make: impl FnOnce(&Site), causes: &[&str]) {
    let site = Site::new();
    make(&site);
    let refusal = site.refused(probe("/x", "WasmTmpDir /tmp", &[]));
    refusal.names("WasmScratchDir", causes);
    assert!(refusal.started.contains("WASM0012"), "{}", refusal.started);
}

#[test]
fn a_directory_that_is_not_private_is_refused() {
    refused_with(
        |site| {
            site.file("scratch", "");
        },
        &["it is not a directory"],
    );
    refused_with(
        |site| symlink(site.writable_dir("real"), site.path("scratch")).expect("a link"),
        &["it is a symbolic link"],
    );
    refused_with(
        |site| {
            let scratch = site.writable_dir("scratch");
            fs::set_permissions(scratch, fs::Permissions::from_mode(0o770)).expect("it is ours");
        },
        &["others can write to it (mode 770)"],
    );
}

#[test]
fn a_directory_of_somebody_else_is_refused() {
    let conf = probe("/x", "WasmTmpDir /tmp", &[]) + "WasmScratchDir /usr\n";
    let refusal = Site::new().refused(conf);
    refusal.names("WasmScratchDir /usr", &["WASM0012", "it belongs to user 0"]);
}

/// Whoever sees it could read what all others have there, and by `rw` exchange it.
#[test]
fn a_directory_that_a_mount_shows_to_programs_is_refused() {
    for (mode, inside) in [("rw", "data/scratch"), ("ro", "data/new/scratch")] {
        let site = Site::new();
        let mount = format!("WasmMapDir /data {} {mode}", site.writable_dir("data"));
        let scratch = format!("WasmScratchDir {}", site.path(inside));
        let other = endpoint("/other", &guest("tmp_dir_probe"), &mount);
        let conf = format!("{scratch}\n{other}{}", probe("/x", "WasmTmpDir /tmp", &[]));
        let refusal = site.refused(conf);
        let place = format!("httpd.conf:{}", refusal.line_of(&mount));
        refusal.names(&scratch, &["WASM0012", "WasmMapDir", &place]);
    }
}
