//! Bytes move when they are written, both ways, and nothing is buffered whole.

use std::time::Duration;

use mod_wasm_tests::{Mpm, Server, Site, cgi_endpoint, guest, peak_memory_kib};

const MIB: u64 = 1 << 20;

fn server() -> Server {
    Site::new().start(cgi_endpoint(
        "/s",
        &guest("stream_probe"),
        "WasmTimeout 120",
    ))
}

/// The pauses are 400 ms; half of that between two arrivals is proof enough on a busy machine.
const APART: Duration = Duration::from_millis(200);

#[test]
fn what_is_written_before_a_pause_arrives_before_it() {
    for mpm in [Mpm::Event, Mpm::Prefork] {
        let conf = cgi_endpoint("/s", &guest("stream_probe"), "");
        let server = Site::new().httpd(conf).mpm(mpm).start();
        let answer = server.get("/s?drip=400").expect(200);
        let [one, two, three] = ["drop 1", "drop 2", "drop 3"].map(|drop| answer.arrival(drop));
        assert!(
            two - one > APART && three - two > APART,
            "{mpm:?}: {one:?} {two:?} {three:?}"
        );
        assert!(
            answer.took - three > APART,
            "{mpm:?}: the end came with the last line"
        );
    }
}

#[test]
fn the_head_arrives_before_the_body_is_complete() {
    let server = server();
    let mut exchange = server.request("GET", "/s?drip=400").open();
    assert_eq!(exchange.status(), 200);
    exchange.read_until("drop 1");
    let answer = exchange.finish();
    assert!(answer.took - answer.arrival("drop 1") > APART * 2);
}

#[test]
fn program_and_client_can_talk_by_turns() {
    let server = server();
    let mut exchange = server.request("POST", "/s?talk=1").chunked().open();
    // The body has not begun: the program answers first, then each piece gets its answer before the next is sent.
    exchange.read_until("ready\n");
    for word in ["one", "two", "three"] {
        exchange.send_chunk(word.as_bytes());
        exchange.read_until(&format!("got {word}\n"));
    }
    exchange.end_chunks();
    assert_eq!(
        exchange.finish().expect(200).text(),
        "ready\ngot one\ngot two\ngot three\nend\n"
    );
}

/// Runs `transfer` and tells by how many KiB the child's memory peak rose.
fn rise(server: &Server, transfer: impl FnOnce()) -> u64 {
    let before = peak_memory_kib(server.child());
    transfer();
    peak_memory_kib(server.child()) - before
}

const FLAT_KIB: u64 = 16 * 1024;

#[test]
fn a_large_answer_does_not_grow_the_child() {
    let server = server();
    let download = |mib: u64| {
        let mut exchange = server.request("GET", &format!("/s?flood={mib}")).open();
        assert_eq!(exchange.status(), 200);
        assert_eq!(exchange.drain(), (mib * MIB, true));
    };
    download(1);
    let rise = rise(&server, || download(100));
    assert!(
        rise < FLAT_KIB,
        "100 MiB of answer grew the child by {rise} KiB"
    );
}

#[test]
fn a_large_answer_to_a_slow_reader_does_not_grow_the_child() {
    let server = server();
    let mut exchange = server.request("GET", "/s?flood=100").open();
    exchange.status();
    let rise = rise(&server, || {
        // The program is far ahead of the reader by now, were anything to take what it writes.
        std::thread::sleep(Duration::from_secs(2));
        assert_eq!(exchange.drain(), (100 * MIB, true));
    });
    assert!(
        rise < FLAT_KIB,
        "100 MiB to a slow reader grew the child by {rise} KiB"
    );
}

fn upload(server: &Server, mib: u64, chunked: bool) {
    let block = vec![b'u'; 65536];
    let mut exchange = if chunked {
        server.request("POST", "/s?sink=1").chunked().open()
    } else {
        let length = (mib * MIB).to_string();
        server
            .request("POST", "/s?sink=1")
            .header("Content-Length", &length)
            .open()
    };
    for _ in 0..mib * 16 {
        if chunked {
            exchange.send_chunk(&block);
        } else {
            exchange.send(&block);
        }
    }
    if chunked {
        exchange.end_chunks();
    }
    assert_eq!(
        exchange.finish().expect(200).text(),
        format!("sank {}\n", mib * MIB)
    );
}

#[test]
fn a_large_body_does_not_grow_the_child() {
    let server = server();
    for chunked in [false, true] {
        upload(&server, 1, chunked);
        let rise = rise(&server, || upload(&server, 100, chunked));
        assert!(
            rise < FLAT_KIB,
            "100 MiB of body (chunked: {chunked}) grew the child by {rise} KiB"
        );
    }
}
