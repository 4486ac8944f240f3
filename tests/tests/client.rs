//! Clients with habits of their own.

use std::thread::sleep;
use std::time::{Duration, Instant};

use mod_wasm_tests::{Exchange, Mpm, Server, Site, cgi_endpoint, endpoint, guest};

/// One instance only: it has to come free before the next request is served.
fn single(conf: &str) -> Server {
    Site::new().start(format!(
        "{conf}{}WasmMaxInstances 1\nWasmQueueTimeout 20\n",
        endpoint("/hello", &guest("hello_wasm"), "")
    ))
}

/// The same with the program that shows when bytes move.
fn single_stream(lines: &str) -> Server {
    single(&cgi_endpoint("/s", &guest("stream_probe"), lines))
}

/// Asserts that a run ends soon after its client has gone, long before its deadline.
#[track_caller]
fn ends_with_its_client(server: &Server, exchange: Exchange) {
    exchange.reset();
    ends_soon(server);
}

/// Asserts that the only instance becomes free.
#[track_caller]
fn ends_soon(server: &Server) {
    let start = Instant::now();
    server.get("/hello").expect(200);
    assert!(
        start.elapsed() < Duration::from_secs(10),
        "the run went on for {:?}",
        start.elapsed()
    );
}

#[test]
fn a_client_that_goes_away_ends_a_writing_run() {
    let server = single_stream("WasmTimeout 300");
    let mut exchange = server.request("GET", "/s?endless=50").open();
    exchange.read_until("3\n");
    ends_with_its_client(&server, exchange);
}

#[test]
fn a_client_that_goes_away_ends_a_run_that_floods() {
    let server = single_stream("WasmTimeout 300");
    let mut exchange = server.request("GET", "/s?flood=100000").open();
    exchange.status();
    sleep(Duration::from_millis(300));
    ends_with_its_client(&server, exchange);
}

#[test]
fn a_client_that_goes_away_ends_a_sleeping_run() {
    let server = single(&endpoint(
        "/sleep",
        &guest("plain_probe"),
        "WasmTimeout 300\nWasmArg sleep\nWasmArg 250",
    ));
    let exchange = server.request("GET", "/sleep").open();
    sleep(Duration::from_millis(500));
    ends_with_its_client(&server, exchange);
}

/// What it has sent waits in the socket: only the system knows that nothing follows.
#[test]
fn a_client_that_leaves_unread_requests_behind_ends_the_run() {
    let server = single_stream("WasmTimeout 300");
    let mut exchange = server.request("GET", "/s?slow-header=250000").open();
    let more = "GET /s?slow-header=250000 HTTP/1.1\r\nHost: x\r\n\r\n";
    exchange.send(more.repeat(30_000 / more.len()).as_bytes());
    sleep(Duration::from_millis(300));
    drop(exchange);
    ends_soon(&server);
    server.expect_log("WASM0054");
}

#[test]
fn a_reset_counts_even_when_the_body_was_not_read() {
    let server = single_stream("WasmTimeout 300");
    let request = |length: &str| {
        server
            .request("POST", "/s?slow-header=250000")
            .header("Content-Length", length)
            .open()
    };
    for (length, body) in [("1000000", "some of it"), ("10", "all of it!")] {
        let mut exchange = request(length);
        exchange.send(body.as_bytes());
        sleep(Duration::from_millis(300));
        ends_with_its_client(&server, exchange);
    }
    server.expect_logs("WASM0054", 2);
}

/// A program that knows the length of its body has no reason to ask for what is behind it.
#[test]
fn a_body_has_ended_with_its_last_byte() {
    let server = single_stream("WasmTimeout 300");
    let exchange = server
        .request("POST", "/s?exact=250000")
        .body("0123456789")
        .open();
    sleep(Duration::from_millis(300));
    drop(exchange);
    ends_soon(&server);
    server.expect_log("WASM0054");
}

#[test]
fn a_half_closed_client_that_is_sent_something_gets_all_of_it() {
    for mpm in [Mpm::Event, Mpm::Prefork] {
        let conf = cgi_endpoint("/s", &guest("stream_probe"), "");
        let server = Site::new().httpd(conf).mpm(mpm).start();
        let mut exchange = server.request("POST", "/s?sip=400").body("body").open();
        exchange.close_sending();
        let answer = exchange.finish().expect(200);
        assert_eq!(answer.text(), "ready\ndrop 1\ndrop 2\ndrop 3\n", "{mpm:?}");
        // The pauses were long enough for a look at the client.
        assert!(answer.took > Duration::from_millis(1000), "{answer:?}");
        assert!(server.log_with("WASM0054").is_empty(), "{:?}", server.log());
    }
}

#[test]
fn a_half_closed_client_that_was_sent_nothing_has_gone() {
    let server = single_stream("WasmTimeout 300");
    let mut exchange = server.request("GET", "/s?slow-header=250000").open();
    exchange.close_sending();
    ends_soon(&server);
    server.expect_log("WASM0054");
}

/// The end of a body that nobody has read yet looks like the end of the client.
#[test]
fn a_half_closed_client_is_there_while_its_body_is_unread() {
    let server = single_stream("");
    let mut exchange = server
        .request("POST", "/s?slow-header=1000")
        .body("unread")
        .open();
    exchange.close_sending();
    assert_eq!(exchange.finish().expect(200).text(), "done\n");
    assert!(server.log_with("WASM0054").is_empty(), "{:?}", server.log());
}

/// Where no body is sent, nothing that the program writes shows whether the client still reads.
#[test]
fn a_client_that_asked_for_a_head_and_leaves_ends_the_run() {
    let server = single_stream("WasmTimeout 300");
    let exchange = server.request("HEAD", "/s?endless=2").open();
    sleep(Duration::from_millis(300));
    drop(exchange);
    ends_soon(&server);
    server.expect_log("WASM0054");
}

#[test]
fn a_run_that_ignores_its_client_goes_on_to_its_end() {
    let conf = cgi_endpoint("/s", &guest("stream_probe"), "WasmIgnoreClientAbort On")
        + "<Location /s/not>\nWasmIgnoreClientAbort Off\n</Location>\n";
    let server = single(&conf);
    let mut exchange = server.request("GET", "/s?drip=1000").open();
    exchange.read_until("drop 1");
    exchange.reset();
    let start = Instant::now();
    server.get("/hello").expect(200);
    assert!(
        start.elapsed() > Duration::from_millis(1500),
        "the only instance came free after {:?}, before the guest's last drops",
        start.elapsed()
    );
    // The same before anything was sent, and with more requests left behind.
    let mut exchange = server.request("GET", "/s?slow-header=3000").open();
    exchange.send(&b"GET /s HTTP/1.1\r\nHost: x\r\n\r\n".repeat(1000));
    sleep(Duration::from_millis(300));
    drop(exchange);
    let start = Instant::now();
    server.get("/hello").expect(200);
    assert!(
        start.elapsed() > Duration::from_millis(1500),
        "the only instance came free after {:?}",
        start.elapsed()
    );
    assert!(server.log_with("WASM0054").is_empty(), "{:?}", server.log());
    // Inner sections may take it back.
    let mut exchange = server.request("GET", "/s/not?endless=50").open();
    exchange.read_until("3\n");
    ends_with_its_client(&server, exchange);
}

#[test]
fn a_client_that_goes_away_ends_a_run_that_waits_for_its_body() {
    let server = single_stream("WasmTimeout 300");
    let mut exchange = server.request("POST", "/s?talk=1").chunked().open();
    exchange.read_until("ready");
    exchange.send_chunk(b"some");
    exchange.read_until("got some");
    ends_with_its_client(&server, exchange);
    server.allow_log("WASM0063");
}

#[test]
fn a_body_that_breaks_off_is_no_whole_body() {
    let server = single(&cgi_endpoint("/s", &guest("stream_probe"), ""));
    let mut exchange = server
        .request("POST", "/s?sink=1")
        .header("Content-Length", "1000")
        .open();
    exchange.send(b"short");
    exchange.close_sending();
    let answer = exchange.finish();
    assert!(
        !answer.partial_text().contains("sank"),
        "a broken-off body looked whole to the program: {answer:?}"
    );
    server.allow_log("WASM0063");
    server.allow_log("WASM0054");
    server.get("/hello").expect(200);
}

#[test]
fn head_runs_the_guest_and_drops_the_body() {
    let site = Site::new();
    let data = site.writable_dir("data");
    let conf = endpoint(
        "/put",
        &guest("plain_probe"),
        &format!(
            "WasmMapDir /d {data}\nWasmArg put\nWasmArg /d/ran\nWasmArg yes\nForceType text/plain"
        ),
    ) + &cgi_endpoint("/flood", &guest("stream_probe"), "");
    let server = site.start(conf);
    let answer = server.request("HEAD", "/put").send().expect(200);
    assert!(answer.is_empty());
    assert_eq!(answer.header("Content-Type"), Some("text/plain"));
    assert!(
        std::fs::exists(server.path("data/ran")).expect("the folder is readable"),
        "the guest did not run"
    );
    let answer = server.request("HEAD", "/flood?flood=10").send().expect(200);
    assert_eq!(answer.header("Content-Type"), Some("text/plain"));
}

#[test]
fn an_unread_body_is_no_part_of_the_next_request() {
    let server = Site::new().start(cgi_endpoint("/x", &guest("cgi_probe"), ""));
    let body = "GET /smuggled HTTP/1.1\r\n\r\n".repeat(1000);
    let keep = |target: &str| {
        server
            .request("POST", target)
            .header("Connection", "keep-alive")
            .body(body.clone())
    };
    for target in ["/x?do=ignore", "/x?do=nibble", "/x?do=location&to=/x"] {
        let mut exchange = keep(target).open();
        exchange.next_answer().expect(200);
        exchange.ask("GET", "/x?n=2");
        let second = exchange.next_answer().expect(200);
        assert!(
            second.text().contains("QUERY_STRING=n=2\n"),
            "{}",
            second.text()
        );
    }
    assert!(
        server
            .access_log()
            .iter()
            .all(|line| !line.contains("smuggled")),
        "{:?}",
        server.access_log()
    );
}

#[test]
fn a_body_that_drips_does_not_outlive_the_deadline() {
    let conf = cgi_endpoint("/x", &guest("cgi_probe"), "WasmTimeout 1");
    let server = Site::new().start(conf);
    for head in [
        "Transfer-Encoding: chunked\r\n\r\n4;",
        "Transfer-Encoding: chunked\r\n\r\n40\r\n",
        "Content-Length: 1000\r\n\r\n",
    ] {
        let mut exchange = server.connect();
        let start = format!("POST /x?do=echo HTTP/1.1\r\nHost: {}\r\n", server.address());
        exchange.send((start + head).as_bytes());
        for _ in 0..16 {
            sleep(Duration::from_millis(125));
            exchange.send(b"x");
        }
        // Twice the deadline is over: had each byte begun it anew, there would be no answer yet.
        server.expect_log("WASM0051");
    }
}

#[test]
fn a_body_over_the_limit_is_413() {
    let server = Site::new().start(cgi_endpoint(
        "/echo",
        &guest("cgi_probe"),
        "LimitRequestBody 1000",
    ));
    server
        .request("POST", "/echo?do=echo")
        .body(vec![b'x'; 1000])
        .send()
        .expect(200);
    server
        .request("POST", "/echo?do=status&line=200")
        .body(vec![b'x'; 1001])
        .send()
        .expect(413);
    // Nobody knows the length of a chunked one until the limit is met.
    let mut exchange = server
        .request("POST", "/echo?do=status&line=200")
        .chunked()
        .open();
    for _ in 0..20 {
        exchange.send_chunk(&[b'x'; 100]);
    }
    exchange.end_chunks();
    exchange.finish().expect(413);
    server.allow_log("WASM0055");
    server.allow_log("AH01587");
    server.allow_log("AH01588");
}

#[test]
fn two_requests_on_one_connection_have_two_sandboxes() {
    let server = Site::new().start(cgi_endpoint("/x", &guest("cgi_probe"), ""));
    let mut exchange = server
        .request("GET", "/x?n=1")
        .header("Connection", "keep-alive")
        .open();
    assert!(
        exchange
            .next_answer()
            .expect(200)
            .text()
            .contains("QUERY_STRING=n=1\n")
    );
    exchange.ask("GET", "/x?n=2");
    assert!(
        exchange
            .next_answer()
            .expect(200)
            .text()
            .contains("QUERY_STRING=n=2\n")
    );
}
