//! Whatever a guest does, the child lives, neighbours are served, and the client is told.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use mod_wasm_tests::{
    Mpm, Server, Site, cgi_endpoint, endpoint, guest, resident_memory_kib, wait_until,
};

/// Guests that come to a bad end, and the status and code that tell of it.
const ENDS: &[(&str, u16, &str)] = &[
    ("trap_unreachable", 500, "WASM0050"),
    ("trap_out_of_bounds", 500, "WASM0050"),
    ("trap_stack_overflow", 500, "WASM0050"),
    ("trap_division", 500, "WASM0050"),
    ("trap_null_call", 500, "WASM0050"),
    ("loop_forever", 504, "WASM0051"),
    ("loop_in_host", 504, "WASM0051"),
];

fn conf() -> String {
    let bad: String = ENDS
        .iter()
        .map(|(name, ..)| endpoint(&format!("/{name}"), &guest(name), "WasmTimeout 1"))
        .collect();
    bad + &endpoint(
        "/sleep",
        &guest("plain_probe"),
        "WasmTimeout 1\nWasmArg sleep\nWasmArg 3600",
    ) + &endpoint("/hello", &guest("hello_wasm"), "")
}

fn every_bad_end(server: &Server) {
    let sleeper = ("sleep", 504, "WASM0051");
    for &(name, status, code) in ENDS.iter().chain([&sleeper]) {
        let before = server.log_with(code).len();
        let answer = server.get(&format!("/{name}"));
        assert_eq!(
            (answer.status, answer.complete),
            (status, true),
            "{name}: {answer:?}"
        );
        server.expect_logs(code, before + 1);
        server.get("/hello").expect(200);
    }
}

fn survives(mpm: Mpm, foreground: bool) {
    let mut httpd = Site::new().httpd(conf()).mpm(mpm);
    if foreground {
        httpd = httpd.foreground();
    }
    let server = httpd.start();
    for round in ["before", "after"] {
        let children = server.children();
        every_bad_end(&server);
        let now = server.children();
        assert!(
            children.iter().all(|pid| now.contains(pid)),
            "a child died {round} the restart: {children:?} {now:?}"
        );
        server.graceful();
        // An old one may take a moment to leave.
        wait_until("other children serve", Duration::from_secs(30), || {
            let now = server.children();
            !now.is_empty() && now.iter().all(|pid| !children.contains(pid))
        });
    }
}

#[test]
fn event_as_daemon() {
    survives(Mpm::Event, false);
}

#[test]
fn event_in_the_foreground() {
    survives(Mpm::Event, true);
}

#[test]
fn prefork_as_daemon() {
    survives(Mpm::Prefork, false);
}

#[test]
fn prefork_in_the_foreground() {
    survives(Mpm::Prefork, true);
}

#[test]
fn the_deadline_is_kept() {
    let server = Site::new().start(conf());
    for name in ["sleep", "loop_forever", "loop_in_host"] {
        let start = Instant::now();
        server.get(&format!("/{name}")).expect(504);
        let took = start.elapsed();
        assert!(
            took > Duration::from_millis(900) && took < Duration::from_secs(5),
            "{name}: 504 after {took:?}"
        );
    }
    server.expect_log("WASM0051");
}

#[test]
fn neighbours_are_served_meanwhile() {
    let site = Site::new();
    site.file("htdocs/page.txt", "static");
    let conf = endpoint("/loop", &guest("loop_forever"), "WasmTimeout 4")
        + &endpoint("/hello", &guest("hello_wasm"), "");
    let server = site.start(conf);
    thread::scope(|scope| {
        let loops: Vec<_> = (0..3)
            .map(|_| scope.spawn(|| server.get("/loop").expect(504)))
            .collect();
        thread::sleep(Duration::from_millis(500));
        let start = Instant::now();
        for _ in 0..5 {
            server.get("/hello").expect(200);
            server.get("/page.txt").expect(200);
        }
        assert!(
            start.elapsed() < Duration::from_secs(3),
            "neighbours waited for {:?}",
            start.elapsed()
        );
        for one in loops {
            one.join().expect("the loop was ended by its deadline");
        }
    });
    server.expect_log("WASM0051");
}

#[test]
fn a_trap_after_the_head_aborts_the_connection() {
    let conf = endpoint("/plain", &guest("trap_after_output"), "");
    let server = Site::new().start(conf);
    let answer = server.get("/plain");
    assert_eq!(answer.status, 200);
    assert!(
        !answer.complete && !answer.is_empty(),
        "a truncated answer looks whole: {} bytes",
        answer.len()
    );
    // The old protocol has no framing to tell by: only a reset can.
    let answer = server.request("GET", "/plain").http10().send();
    assert!(
        !answer.complete,
        "a truncated answer looks whole to HTTP/1.0: {:?}",
        answer.headers
    );
    server.expect_log("WASM0050");
}

#[test]
fn a_deadline_after_the_head_aborts_the_connection() {
    let conf = cgi_endpoint("/s", &guest("stream_probe"), "WasmTimeout 1");
    let server = Site::new().start(conf);
    let answer = server.get("/s?endless=100");
    assert_eq!(answer.status, 200);
    assert!(
        !answer.complete && answer.partial_text().starts_with("0\n1\n"),
        "{answer:?}"
    );
    server.expect_log("WASM0051");
}

#[test]
fn a_deadline_covers_a_body_that_does_not_come() {
    let conf = cgi_endpoint("/echo", &guest("cgi_probe"), "WasmTimeout 1");
    let server = Site::new().start(conf);
    let mut exchange = server
        .request("POST", "/echo?do=status&line=200")
        .header("Content-Length", "100")
        .open();
    exchange.send(b"only a little");
    assert_eq!(exchange.status(), 504);
    assert!(
        exchange.elapsed() < Duration::from_secs(10),
        "504 after {:?}",
        exchange.elapsed()
    );
    server.expect_log("WASM0051");
}

#[test]
fn a_deadline_covers_a_client_that_does_not_read() {
    let conf = cgi_endpoint("/s", &guest("stream_probe"), "WasmTimeout 2")
        + "WasmMaxInstances 1\nWasmQueueTimeout 20\n";
    let server = Site::new().start(conf);
    let exchange = server.request("GET", "/s?flood=100").open();
    thread::sleep(Duration::from_millis(300));
    // The only instance comes free when the deadline ends the run that nobody reads.
    let start = Instant::now();
    server.get("/s?drip=1").expect(200);
    assert!(
        start.elapsed() < Duration::from_secs(15),
        "the instance came free after {:?}",
        start.elapsed()
    );
    server.expect_log("WASM0051");
    drop(exchange);
}

#[test]
fn httpd_stops_at_once_while_guests_run() {
    let conf = endpoint("/loop", &guest("loop_forever"), "WasmTimeout 300")
        + &endpoint(
            "/sleep",
            &guest("plain_probe"),
            "WasmTimeout 300\nWasmArg sleep\nWasmArg 3600",
        );
    let server = Site::new().start(conf);
    let running = [
        server.request("GET", "/loop").open(),
        server.request("GET", "/sleep").open(),
    ];
    thread::sleep(Duration::from_millis(500));
    let start = Instant::now();
    server.terminate();
    assert!(
        server.gone_within(Duration::from_secs(20)),
        "httpd does not stop"
    );
    assert!(
        start.elapsed() < Duration::from_secs(15),
        "httpd took {:?} to stop",
        start.elapsed()
    );
    server.allow_log("WASM0053");
    drop(running);
}

#[test]
fn a_graceful_restart_lets_a_running_guest_finish() {
    let conf = cgi_endpoint("/s", &guest("stream_probe"), "");
    let server = Site::new().start(conf);
    let mut exchange = server.request("GET", "/s?drip=1000").open();
    exchange.read_until("drop 1");
    server.graceful();
    server.get("/s?drip=1").expect(200);
    assert_eq!(
        exchange.finish().expect(200).text(),
        "drop 1\ndrop 2\ndrop 3\n"
    );
}

#[test]
fn hundreds_of_bad_ends_leave_nothing_behind() {
    let conf = endpoint("/trap", &guest("trap_out_of_bounds"), "")
        + &endpoint("/deep", &guest("trap_stack_overflow"), "")
        + &endpoint("/cut", &guest("trap_after_output"), "");
    let server = Site::new().start(conf);
    let round = |count: usize| {
        for _ in 0..count {
            server.get("/trap").expect(500);
            server.get("/deep").expect(500);
            assert!(!server.get("/cut").complete);
        }
    };
    let descriptors = || {
        fs::read_dir(format!("/proc/{}/fd", server.child()))
            .expect("/proc is readable")
            .count()
    };
    // So many that each thread has had a deep run, whose stack stays the thread's.
    round(200);
    let (memory, files) = (resident_memory_kib(server.child()), descriptors());
    round(200);
    let grown = resident_memory_kib(server.child()).saturating_sub(memory);
    assert!(grown < 16 * 1024, "the child grew by {grown} KiB");
    assert!(
        descriptors() < files + 20,
        "{files} descriptors before, {} after",
        descriptors()
    );
    server.expect_log("WASM0050");
}
