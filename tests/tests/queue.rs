//! `WasmMaxInstances` and `WasmQueueTimeout`.

use std::thread;
use std::time::Duration;

use mod_wasm_tests::{Exchange, Server, Site, cgi_endpoint, guest};

fn server(lines: &str) -> Server {
    let site = Site::new();
    site.file("htdocs/page.txt", "static");
    site.start(cgi_endpoint("/s", &guest("stream_probe"), "") + lines)
}

/// Takes one instance until its answer is dropped or its body ended.
fn occupy(server: &Server) -> Exchange {
    let mut exchange = server.request("POST", "/s?talk=1").chunked().open();
    exchange.read_until("ready\n");
    exchange
}

fn release(mut exchange: Exchange) {
    exchange.end_chunks();
    exchange.finish().expect(200);
}

#[test]
fn whoever_waits_too_long_is_told_503() {
    let server = server("WasmMaxInstances 1\nWasmQueueTimeout 1");
    let busy = occupy(&server);
    let answer = server.get("/s?drip=1").expect(503);
    assert!(
        answer.took > Duration::from_millis(800),
        "503 after {:?}",
        answer.took
    );
    assert!(
        answer.took < Duration::from_secs(8),
        "503 after {:?}",
        answer.took
    );
    server.get("/page.txt").expect(200);
    server.expect_log("WASM0052");
    release(busy);
    server.get("/s?drip=1").expect(200);
}

#[test]
fn whoever_waits_is_served_when_an_instance_comes_free() {
    let server = server("WasmMaxInstances 1\nWasmQueueTimeout 60");
    let busy = occupy(&server);
    thread::scope(|scope| {
        let waiting: Vec<_> = (0..4)
            .map(|_| scope.spawn(|| server.get("/s?drip=1").expect(200)))
            .collect();
        thread::sleep(Duration::from_millis(500));
        assert!(
            waiting.iter().all(|thread| !thread.is_finished()),
            "a request overtook the full house"
        );
        release(busy);
        for thread in waiting {
            thread.join().expect("the request was served");
        }
    });
}

#[test]
fn as_many_as_allowed_run_side_by_side() {
    let server = server("WasmMaxInstances 3\nWasmQueueTimeout 1");
    let mut busy: Vec<Exchange> = (0..3).map(|_| occupy(&server)).collect();
    server.get("/s?drip=1").expect(503);
    release(busy.pop().expect("three were made"));
    server.get("/s?drip=1").expect(200);
    busy.into_iter().for_each(release);
    server.expect_log("WASM0052");
}

#[test]
fn by_default_a_quarter_of_the_threads_stays_free() {
    let server = server("WasmQueueTimeout 1");
    let busy: Vec<Exchange> = (0..12).map(|_| occupy(&server)).collect();
    server.get("/s?drip=1").expect(503);
    server.get("/page.txt").expect(200);
    busy.into_iter().for_each(release);
    server.expect_log("WASM0052");
}

#[test]
fn an_instance_comes_free_after_every_kind_of_end() {
    let site = Site::new();
    let conf = cgi_endpoint("/s", &guest("stream_probe"), "")
        + &cgi_endpoint("/trap", &guest("trap_unreachable"), "")
        + &cgi_endpoint("/loop", &guest("loop_forever"), "WasmTimeout 500ms")
        + "WasmMaxInstances 1\nWasmQueueTimeout 10";
    let server = site.start(conf);
    for _ in 0..3 {
        server.get("/trap").expect(500);
        server.get("/loop").expect(504);
        server.get("/s?drip=1").expect(200);
    }
    server.expect_log("WASM0050");
    server.expect_log("WASM0051");
}
