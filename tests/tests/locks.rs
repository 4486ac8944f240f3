//! `fd_lock` of `docs/host-imports.md`: who excludes whom, and when a lock ends.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use mod_wasm_tests::{Exchange, Mpm, Server, Site, cgi_endpoint, guest, program, wait_until};

const GRANTED: &str = "result 0\n";
const REFUSED: &str = "result 6\n";

/// `/lock` has its file in a writable mount, `/read` in a read-only one, `/short` has a second.
fn server(mpm: Mpm) -> Server {
    let site = Site::new();
    let data = site.writable_dir("data");
    site.writable_file("data/file", "content");
    let lock = guest("lock_probe");
    let mount = format!("WasmMapDir /data {data}");
    let conf = cgi_endpoint("/lock", &lock, &mount)
        + &cgi_endpoint("/read", &lock, &format!("{mount} ro"))
        + &cgi_endpoint("/short", &lock, &format!("{mount}\nWasmTimeout 1"));
    site.httpd(conf).mpm(mpm).start()
}

fn ask(server: &Server, target: &str) -> String {
    server.get(target).expect(200).text()
}

/// A run that has a lock, or did with it what `then` says, until its body ends.
fn holder(server: &Server, target: &str) -> Exchange {
    let mut exchange = server.request("POST", target).chunked().open();
    exchange.read_until(GRANTED);
    exchange
}

fn release(mut holder: Exchange) {
    holder.end_chunks();
    holder.finish().expect(200);
}

fn wait_granted(server: &Server, target: &str) {
    wait_until("the lock is free", Duration::from_secs(30), || {
        ask(server, target) == GRANTED
    });
}

/// Under event both runs are in the one child, under prefork each in a child of its own.
fn runs_exclude_each_other(mpm: Mpm) {
    let server = server(mpm);
    for (shared, exclusive) in [(1, 2), (5, 6)] {
        let writer = holder(&server, &format!("/lock?kind={exclusive}&then=hold"));
        for kind in [shared, exclusive] {
            assert_eq!(ask(&server, &format!("/lock?kind={kind}")), REFUSED);
        }
        release(writer);
        let reader = holder(&server, &format!("/lock?kind={shared}&then=hold"));
        assert_eq!(ask(&server, &format!("/lock?kind={shared}")), GRANTED);
        assert_eq!(ask(&server, &format!("/lock?kind={exclusive}")), REFUSED);
        release(reader);
        assert_eq!(ask(&server, &format!("/lock?kind={exclusive}")), GRANTED);
    }
}

#[test]
fn runs_in_one_child_exclude_each_other() {
    runs_exclude_each_other(Mpm::Event);
}

#[test]
fn runs_in_different_children_exclude_each_other() {
    runs_exclude_each_other(Mpm::Prefork);
}

#[test]
fn ranges_that_do_not_touch_are_apart() {
    let server = server(Mpm::Event);
    let first = holder(&server, "/lock?kind=2&start=0&len=10&then=hold");
    assert_eq!(ask(&server, "/lock?kind=2&start=10&len=0"), GRANTED);
    assert_eq!(ask(&server, "/lock?kind=2&start=9&len=1"), REFUSED);
    // The two kinds of locks do not see each other.
    assert_eq!(ask(&server, "/lock?kind=6"), GRANTED);
    release(first);
}

#[test]
fn arguments_that_make_no_sense_are_invalid() {
    let server = server(Mpm::Event);
    for arguments in [
        "kind=3",
        "kind=7",
        "kind=2&start=-1",
        "kind=2&len=-1",
        "kind=2&wait=-2",
    ] {
        assert_eq!(ask(&server, &format!("/lock?{arguments}")), "result 28\n");
    }
}

#[test]
fn a_read_only_mount_has_shared_locks_only() {
    let server = server(Mpm::Event);
    for (shared, exclusive) in [(1, 2), (5, 6)] {
        let refused = format!("/read?open=read&kind={exclusive}");
        assert_eq!(ask(&server, &refused), "result 8\n");
        let reader = holder(&server, &format!("/read?open=read&kind={shared}&then=hold"));
        assert_eq!(ask(&server, &format!("/lock?kind={exclusive}")), REFUSED);
        release(reader);
    }
}

#[test]
fn an_unlock_and_a_close_release() {
    let server = server(Mpm::Event);
    for kind in [2, 6] {
        for (then, done) in [("unlock", "unlocked 0"), ("close", "closed 0")] {
            let mut holder = holder(&server, &format!("/lock?kind={kind}&then={then}"));
            holder.read_until(done);
            assert_eq!(ask(&server, &format!("/lock?kind={kind}")), GRANTED);
            release(holder);
        }
    }
}

#[test]
fn a_lock_ends_with_its_run() {
    let server = server(Mpm::Event);
    for kind in [2, 6] {
        for (place, then, status) in [
            ("/lock", "exit", 200),
            ("/lock", "trap", 500),
            ("/short", "loop", 504),
        ] {
            server
                .get(&format!("{place}?kind={kind}&then={then}"))
                .expect(status);
            assert_eq!(ask(&server, &format!("/lock?kind={kind}")), GRANTED);
        }
        holder(&server, &format!("/lock?kind={kind}&then=hold")).reset();
        wait_granted(&server, &format!("/lock?kind={kind}"));
    }
    server.expect_log("WASM0050");
    server.expect_log("WASM0051");
}

#[test]
fn a_lock_ends_with_its_child() {
    let server = server(Mpm::Event);
    for kind in [2, 6] {
        let holder = holder(&server, &format!("/lock?kind={kind}&then=hold"));
        server.kill_child(server.child());
        assert_eq!(ask(&server, &format!("/lock?kind={kind}")), GRANTED);
        drop(holder);
    }
}

#[test]
fn a_wait_ends_with_the_lock_with_its_time_and_with_the_deadline() {
    let server = server(Mpm::Event);
    for kind in [2, 6] {
        let first = holder(&server, &format!("/lock?kind={kind}&then=hold"));
        let impatient = server.get(&format!("/lock?kind={kind}&wait=300"));
        assert!(impatient.took >= Duration::from_millis(300));
        assert_eq!(impatient.expect(200).text(), REFUSED);
        server
            .get(&format!("/short?kind={kind}&wait=-1"))
            .expect(504);
        let next = server
            .request("GET", &format!("/lock?kind={kind}&wait=-1"))
            .open();
        release(first);
        assert_eq!(next.finish().expect(200).text(), GRANTED);
    }
    server.expect_log("WASM0051");
}

/// The host's `flock(1)`, holding a lock of the file until it is dropped.
struct HostLock(Child);

impl HostLock {
    fn take(server: &Server, how: &str) -> Self {
        let mut flock = Command::new(program("flock", "util-linux"))
            .args([how, "--timeout", "60", &server.path("data/file"), "cat"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("flock can be started");
        // What `cat` says, it says with the lock.
        let mut input = flock.stdin.as_ref().expect("flock has an input");
        input.write_all(b"locked\n").expect("flock reads");
        let output = flock.stdout.take().expect("flock has an output");
        let mut line = String::new();
        BufReader::new(output)
            .read_line(&mut line)
            .expect("flock can be read");
        assert_eq!(line, "locked\n");
        HostLock(flock)
    }
}

impl Drop for HostLock {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

#[test]
fn programs_of_the_host_take_the_same_locks() {
    let server = server(Mpm::Event);
    let exclusive = HostLock::take(&server, "--exclusive");
    assert_eq!(ask(&server, "/lock?kind=5"), REFUSED);
    drop(exclusive);
    let shared = HostLock::take(&server, "--shared");
    assert_eq!(ask(&server, "/lock?kind=5"), GRANTED);
    assert_eq!(ask(&server, "/lock?kind=6"), REFUSED);
    drop(shared);
    let holder = holder(&server, "/lock?kind=6&then=hold");
    let tried = Command::new(program("flock", "util-linux"))
        .args(["--nonblock", &server.path("data/file"), "true"])
        .status();
    assert_eq!(tried.expect("flock runs").code(), Some(1));
    release(holder);
    drop(HostLock::take(&server, "--exclusive"));
}

#[test]
fn an_import_that_mod_wasm_does_not_have_stops_the_start() {
    for (name, last, causes) in [
        (
            "fd_frob",
            "i64",
            ["mod_wasm::fd_frob", "mod_wasm has fd_lock"],
        ),
        (
            "fd_lock",
            "i32",
            [
                "mod_wasm::fd_lock",
                "(func (param i32 i32 i64 i64 i64) (result i32))",
            ],
        ),
    ] {
        let site = Site::new();
        let module = format!(
            r#"(module (import "mod_wasm" "{name}" (func (param i32 i32 i64 i64 {last}) (result i32)))
                (func (export "_start")))"#
        );
        let wasm = site.file(
            "guest.wasm",
            wat::parse_str(module).expect("it is WebAssembly"),
        );
        let refusal = site.refused(cgi_endpoint("/x", &wasm, ""));
        refusal.names("WasmModule", &["WASM0003", causes[0], causes[1]]);
    }
}
