//! Mounts that lie in one another: what is refused, what stays allowed, and that no program exchanges what another one mounts.

use std::fs;
use std::os::unix::fs::symlink;
use std::thread;

use mod_wasm_tests::{Server, Site, endpoint, guest};

/// Why a mount fails on whose way a program may have put a link.
const PLANTED: &str = "a link is on the way to it";

/// A site whose children may write to these folders, outer ones first.
fn site(folders: &[&str]) -> Site {
    let site = Site::new();
    for folder in folders {
        site.writable_dir(folder);
    }
    site
}

/// A location whose program does `what` (words of `plain_probe`) with mounts: `/guest folder mode`.
fn location(site: &Site, name: &str, what: &str, mounts: &[&str]) -> String {
    let words: String = what
        .split(' ')
        .map(|word| format!("WasmArg {word}\n"))
        .collect();
    endpoint(name, &guest("plain_probe"), &(words + &map(site, mounts)))
}

fn map(site: &Site, mounts: &[&str]) -> String {
    let line = |mount: &&str| {
        let (inside, rest) = mount.split_once(' ').expect("a mount has two words");
        format!("WasmMapDir {inside} {}\n", site.path(rest))
    };
    mounts.iter().map(line).collect()
}

/// A program that may write to `data` and puts a link in the place of `data/tmp`, once or until it is stopped.
fn exchanger(site: &Site, once: bool) -> String {
    let lines = format!(
        "WasmAllowSymlinks On\nWasmArg /data/tmp\nWasmArg ../outside\n{}{}",
        if once { "WasmArg once\n" } else { "" },
        map(site, &["/data data"])
    );
    endpoint("/exchange", &guest("exchange_folder"), &lines)
}

fn text(server: &Server, target: &str) -> String {
    server.get(target).expect(200).text()
}

fn entries(server: &Server, folder: &str) -> usize {
    fs::read_dir(server.path(folder))
        .expect("the folder is there")
        .count()
}

/// Asserts that these mounts are refused, and that both places are named: the read-only one's and the writable one's.
fn refused(site: Site, mounts: &[&str], read_only: &str, writable: &str) {
    let conf = location(&site, "/x", "list /", mounts);
    let refusal = site.refused(conf);
    let other = format!(
        "httpd.conf:{}",
        refusal.line_of(&format!("WasmMapDir {writable} "))
    );
    refusal.names(
        &format!("WasmMapDir {read_only} "),
        &["WASM0011", &other, "rw"],
    );
}

#[test]
fn read_only_inside_of_writable_is_refused() {
    let mounts = ["/app app", "/app/code app/code ro"];
    refused(site(&["app", "app/code"]), &mounts, "/app/code", "/app");
}

#[test]
fn the_same_directory_read_only_and_writable_is_refused() {
    let mounts = ["/old app ro", "/new app rw"];
    refused(site(&["app"]), &mounts, "/old", "/new");
}

#[test]
fn names_do_not_matter_for_what_is_refused() {
    let site = site(&["data", "data/app", "data/app/deep"]);
    symlink(site.path("data/app"), site.path("current")).expect("the site is writable");
    let mounts = ["/all data ro", "/w current", "/r data/app/deep ro"];
    refused(site, &mounts, "/r", "/w");
}

#[test]
fn a_directory_that_the_host_mounts_elsewhere_is_the_same() {
    let site = site(&["data", "data/code", "elsewhere"]);
    let mounts = ["/w data", "/r elsewhere/code ro"];
    let conf = location(&site, "/x", "list /", &mounts);
    site.httpd(conf)
        .mounting("mount --bind data elsewhere")
        .refused()
        .names("WasmMapDir /r", &["WASM0011"]);
}

#[test]
fn a_folder_under_its_own_path_counts_as_well() {
    let site = site(&["app", "app/code"]);
    let lines = format!(
        "WasmDir {}\nWasmDir {} ro",
        site.path("app"),
        site.path("app/code")
    );
    let code = format!("WasmDir {}/code", site.path("app"));
    site.refused(endpoint("/x", &guest("plain_probe"), &lines))
        .names(&code, &["WASM0011", "which WasmDir"]);
}

#[test]
fn a_link_on_the_way_to_a_mount_in_a_writable_one_is_refused_at_the_start() {
    let site = site(&["app", "elsewhere"]);
    symlink(site.path("elsewhere"), site.path("app/tmp")).expect("the site is writable");
    let conf = location(&site, "/writer", "list /app", &["/app app"])
        + &location(&site, "/reader", "list /tmp", &["/tmp app/tmp ro"]);
    site.refused(conf)
        .names("WasmMapDir /tmp", &["WASM0059", PLANTED]);
}

#[test]
fn an_application_is_read_only_and_its_uploads_are_not() {
    for uploads in ["app/uploads", "uploads"] {
        let site = site(&["app", "app/uploads", "uploads"]);
        let mounts = ["/app app ro", &format!("/app/uploads {uploads}")];
        let conf = location(&site, "/up", "put /app/uploads/new text", &mounts)
            + &location(&site, "/code", "put /app/new text", &mounts);
        let server = site.start(conf);
        assert_eq!(text(&server, "/up"), "written\n");
        assert_eq!(entries(&server, uploads), 1);
        assert!(text(&server, "/code").starts_with("cannot create"));
    }
}

#[test]
fn a_folder_is_writable_for_some_and_read_only_for_others() {
    let site = site(&["data"]);
    let conf = location(&site, "/x", "put /d/new text", &[])
        + &format!(
            "<Location /x>\n<If \"%{{HTTP:X-Role}} == 'staff'\">\n{}</If>\n<Else>\n{}</Else>\n</Location>",
            map(&site, &["/d data rw"]),
            map(&site, &["/d data ro"])
        );
    let server = site.start(conf);
    assert!(text(&server, "/x").starts_with("cannot create"));
    let staff = server.request("GET", "/x").header("X-Role", "staff");
    assert_eq!(staff.send().expect(200).text(), "written\n");
}

#[test]
fn one_section_writes_a_folder_that_another_one_reads() {
    let site = site(&["data", "data/feed"]);
    let conf = location(&site, "/write", "put /out/file news", &["/out data/feed"])
        + &location(&site, "/read", "cat /in/file", &["/in data/feed ro"])
        + &location(&site, "/above", "cat /in/feed/file", &["/in data ro"]);
    let server = site.start(conf);
    assert_eq!(text(&server, "/write"), "written\n");
    assert_eq!(text(&server, "/read"), "news");
    assert_eq!(text(&server, "/above"), "news");
}

#[test]
fn mounts_that_contradict_each_other_only_when_merged_fail_the_request() {
    let site = site(&["app", "app/code"]);
    let outer = ["/app app"];
    let conf = location(&site, "/x", "list /app", &outer)
        + &format!(
            "<Location /x/in>\n{}</Location>\n<Location /x/in/fine>\n{}</Location>\n",
            map(&site, &["/code app/code ro"]),
            map(&site, &["/code app/code rw"])
        );
    let server = site.start(conf);
    assert_eq!(text(&server, "/x"), "entry code\n");
    assert_eq!(text(&server, "/x/in/fine"), "entry code\n");
    for _ in 0..3 {
        server.get("/x/in").expect(500);
    }
    let conf = fs::read_to_string(server.path("httpd.conf")).expect("httpd.conf is readable");
    let place = |line: &str| {
        let before = conf.lines().take_while(|other| !other.starts_with(line));
        format!("(%:{})", before.count() + 1).replace('%', &server.path("httpd.conf"))
    };
    let expected = format!(
        "WASM0047: WasmMapDir {}: directory {} cannot be mounted ro: the program could change it through {}, which WasmMapDir {} mounts rw",
        place("WasmMapDir /code"),
        server.path("app/code"),
        server.path("app"),
        place("WasmMapDir /app"),
    );
    server.expect_logs(&expected, 3);
}

#[test]
fn a_merged_mount_that_is_gone_is_told_as_ever() {
    let site = site(&["a", "b"]);
    let conf = location(&site, "/x", "list /a", &["/a a"])
        + &format!("<Location /x/in>\n{}</Location>", map(&site, &["/b b ro"]));
    let server = site.start(conf);
    fs::remove_dir(server.path("b")).expect("the folder is ours");
    server.get("/x/in").expect(500);
    server.expect_log("WASM0059");
    server.site().writable_dir("b");
    assert_eq!(text(&server, "/x/in"), "");
}

#[test]
fn a_link_that_a_program_planted_leads_nowhere() {
    let site = site(&["data", "data/tmp", "outside"]);
    site.file("outside/secret", "OUTSIDE");
    let conf = exchanger(&site, true)
        + &location(&site, "/read", "cat /d/secret", &["/d data/tmp ro"])
        + &location(&site, "/write", "put /d/new text", &["/d data/tmp"])
        + &location(
            &site,
            "/both",
            "put /d/new text",
            &["/all data", "/d data/tmp"],
        );
    let server = site.start(conf);
    assert!(text(&server, "/read").starts_with("cannot open"));
    assert_eq!(text(&server, "/exchange"), "exchanged\n");
    for target in ["/read", "/write", "/both"] {
        server.get(target).expect(500);
    }
    let lines = server.expect_logs(PLANTED, 3);
    assert!(lines.iter().all(|line| line.message.contains("WASM0059")));
    assert_eq!(entries(&server, "outside"), 1);
    // A start looks at it too.
    let (accepted, said) = server.httpd(&["-t"]);
    assert!(!accepted && said.contains(PLANTED), "{said}");
}

#[test]
fn a_writable_mount_of_another_host_counts() {
    let site = site(&["data", "data/tmp", "outside"]);
    site.file("outside/secret", "OUTSIDE");
    let host = |name: &str, lines: &str| {
        format!("<VirtualHost *>\nServerName {name}.test\n{lines}</VirtualHost>\n")
    };
    let reader = location(&site, "/exchange", "cat /d/secret", &["/d data/tmp ro"]);
    let conf = host("a", &exchanger(&site, true)) + &host("b", &reader);
    let server = site.start(conf);
    let ask = |name: &str| server.request("GET", "/exchange").host(name).send();
    assert!(ask("b.test").expect(200).text().starts_with("cannot open"));
    assert_eq!(ask("a.test").expect(200).text(), "exchanged\n");
    ask("b.test").expect(500);
    server.expect_log(PLANTED);
}

#[test]
fn a_folder_that_is_exchanged_again_and_again_leads_nowhere() {
    let site = site(&["data", "data/tmp", "outside"]);
    site.file("outside/secret", "OUTSIDE");
    site.file("data/tmp/secret", "inside");
    symlink("data", site.path("alias")).expect("the site is writable");
    let conf = exchanger(&site, false)
        + &location(&site, "/read", "cat /d/secret", &["/d data/tmp ro"])
        + &location(&site, "/alias", "cat /d/secret", &["/d alias/tmp ro"])
        + &location(&site, "/write", "put /d/new text", &["/d data/tmp"]);
    let server = site.start(conf);
    server.allow_log("WASM0059");
    thread::scope(|threads| {
        let exchange = threads.spawn(|| text(&server, "/exchange"));
        let askers = [
            ("/read", "inside"),
            ("/alias", "inside"),
            ("/write", "written\n"),
        ]
        .map(|(target, expected)| {
            let server = &server;
            threads.spawn(move || ask_until_both(server, target, expected))
        });
        let asked = askers.map(|asker| asker.join());
        server.site().file("data/tmp.stop", "");
        let rounds = exchange.join().expect("the exchanges went on");
        assert!(rounds.ends_with(" rounds\n"), "{rounds}");
        for result in asked {
            result.expect("every answer was one of the two");
        }
    });
    assert!(!server.log_with(PLANTED).is_empty());
    assert_eq!(entries(&server, "outside"), 1);
}

/// Asks until the folder was there many times and was not many times.
fn ask_until_both(server: &Server, target: &str, expected: &str) {
    let (mut well, mut failed) = (0, 0);
    for _ in 0..100_000 {
        let response = server.get(target);
        match response.status {
            200 => {
                assert_eq!(response.text(), expected);
                well += 1;
            }
            500 => failed += 1,
            other => panic!("{target} was answered with {other}"),
        }
        if well >= 50 && failed >= 50 {
            return;
        }
    }
    panic!(
        "{target} was answered {well} times well and failed {failed} times: no exchange was met"
    );
}

#[test]
fn a_link_outside_of_writable_mounts_is_followed_at_each_request() {
    let site = site(&["uploads"]);
    for release in ["release-41", "release-42"] {
        site.file(&format!("{release}/code/version"), release);
    }
    let current = site.path("current");
    symlink(site.path("release-41"), &current).expect("the site is writable");
    let conf = location(
        &site,
        "/x",
        "cat /app/version",
        &["/app current/code ro", "/app/uploads uploads"],
    );
    let server = site.start(conf);
    assert_eq!(text(&server, "/x"), "release-41");
    fs::remove_file(&current).expect("the link is ours");
    symlink("release-42", &current).expect("the site is writable");
    assert_eq!(text(&server, "/x"), "release-42");
}
