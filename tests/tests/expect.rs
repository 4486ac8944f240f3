//! `Expect: 100-continue`: the client sends its body when it is asked for it. The clients here never send one before.

use std::process::Command;
use std::time::Duration;

use mod_wasm_tests::{Exchange, Mpm, Server, Site, cgi_endpoint, guest, program};

/// Far longer than anything here takes, and far less than httpd's `Timeout` (60 s), after which a stall would end.
const SOON: Duration = Duration::from_secs(30);

fn server(lines: &str) -> Server {
    let site = Site::new();
    site.file("htdocs/next.txt", "the next answer");
    let conf = cgi_endpoint("/x", &guest("cgi_probe"), lines)
        + "<Location /denied>\nRequire all denied\nErrorDocument 403 /x?do=length&say=0\n</Location>\n";
    site.start(conf)
}

/// A request that announces a body of five bytes, or a chunked one, and waits.
fn announce(server: &Server, target: &str, chunked: bool) -> Exchange {
    let request = server
        .request("POST", target)
        .header("Expect", "100-continue")
        .header("Connection", "keep-alive");
    if chunked {
        request.chunked().open()
    } else {
        request.header("Content-Length", "5").open()
    }
}

fn send_hello(exchange: &mut Exchange, chunked: bool) {
    if chunked {
        exchange.send_chunk(b"hello").end_chunks();
    } else {
        exchange.send(b"hello");
    }
}

#[test]
fn the_body_is_asked_for_once_when_the_program_reads() {
    for mpm in [Mpm::Event, Mpm::Prefork] {
        let conf = cgi_endpoint("/x", &guest("cgi_probe"), "")
            + &cgi_endpoint("/s", &guest("stream_probe"), "");
        let server = Site::new().httpd(conf).mpm(mpm).start();
        for (target, text) in [
            // Reads before it writes.
            ("/x?do=length&say=1", "0123456789"),
            ("/s?sink=1", "sank 5\n"),
            // Reads all, then writes what it read.
            ("/x?do=echo", "hello"),
            // Writes, flushes, then reads.
            ("/s?talk=1", "ready\ngot hello\nend\n"),
            // Reads some of it.
            ("/x?do=nibble", "nibbled 4\n"),
        ] {
            for chunked in [false, true] {
                let mut exchange = announce(&server, target, chunked);
                assert_eq!(exchange.next_status(), 100, "{mpm:?} {target}");
                send_hello(&mut exchange, chunked);
                let answer = exchange.next_answer().expect(200);
                assert_eq!(answer.text(), text, "{mpm:?} {target}");
                assert_eq!(answer.interim, [100], "{mpm:?} {target}");
                // The connection goes on behind it.
                exchange.ask("GET", "/x?n=2").next_answer().expect(200);
            }
        }
    }
}

/// Asserts that the answer comes although nobody asked for the body, which may still come or not: the connection ends.
#[track_caller]
fn nobody_asks(server: &Server, target: &str, status: u16, text: &str) {
    for chunked in [false, true] {
        let mut exchange = announce(server, target, chunked);
        let answer = exchange.next_answer().expect(status);
        assert_eq!(answer.text(), text, "{target}");
        assert!(answer.interim.is_empty(), "{target}: {answer:?}");
        assert_eq!(answer.header("Connection"), Some("close"), "{target}");
        assert!(answer.took < SOON, "{target} took {:?}", answer.took);
    }
}

#[test]
fn nobody_asks_for_a_body_that_the_program_does_not_read() {
    let server = server("");
    nobody_asks(&server, "/x?do=ignore", 200, "ignored\n");
    nobody_asks(
        &server,
        "/x?do=location-at-once&to=/next.txt",
        200,
        "the next answer",
    );
}

#[test]
fn nobody_asks_for_the_body_of_a_refused_request() {
    let server = server("");
    // The error document's program reads, and there is nothing.
    nobody_asks(&server, "/denied", 403, "0123456789");
    server.expect_log("AH01630");
}

#[test]
fn nobody_asks_for_a_body_that_is_too_large() {
    let server = server("LimitRequestBody 4");
    let mut exchange = announce(&server, "/x?do=echo", false);
    let answer = exchange.next_answer().expect(413);
    assert!(answer.interim.is_empty(), "{answer:?}");
    server.expect_log("WASM0055");
}

#[test]
fn a_client_that_does_not_wait_is_not_asked() {
    let server = server("");
    let mut exchange = server.connect();
    let request = format!(
        "POST /x?do=echo HTTP/1.1\r\nHost: {}\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\nhello",
        server.address()
    );
    exchange.send(request.as_bytes());
    let answer = exchange.next_answer().expect(200);
    assert_eq!(answer.text(), "hello");
    assert!(answer.interim.is_empty(), "{answer:?}");
    exchange.ask("GET", "/x?n=2").next_answer().expect(200);
}

#[test]
fn a_response_that_has_begun_is_not_interrupted_by_the_question() {
    let server = server("");
    let mut exchange = announce(&server, "/x?do=answer-first", false);
    assert_eq!(exchange.next_status(), 200);
    // Clients go on after a while without being asked.
    exchange.send(b"hello");
    let answer = exchange.finish().expect(200);
    assert!(answer.text().ends_with("---hello"), "{answer:?}");
    assert!(answer.interim.is_empty());
}

/// Uploads 3 MB with curl, which would wait for 90 seconds, to a program that reads before it writes.
fn curl_uploads(server: &Server, arguments: &[&str]) {
    let body = server.site().file("body", "0123456789".repeat(300_000));
    let mut curl = Command::new(program("curl", "curl"));
    curl.args(["--silent", "--show-error", "--noproxy", "*", "--verbose"])
        .args(["--max-time", "100", "--expect100-timeout", "90"])
        .args(["--header", "Expect: 100-continue"])
        .args(["--data-binary", &format!("@{body}")])
        .args(arguments)
        .arg(format!("http://{}/x?do=length&say=1", server.address()));
    let start = std::time::Instant::now();
    let output = curl.output().expect("curl runs");
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        "0123456789",
        "{told}"
    );
    assert!(start.elapsed() < SOON, "curl was not asked:\n{told}");
    let asked = told
        .lines()
        .any(|line| line.starts_with("< HTTP/") && line.split(' ').nth(2) == Some("100"));
    assert!(asked, "curl was not asked:\n{told}");
}

#[test]
fn curl_does_not_wait_in_vain() {
    let server = server("");
    curl_uploads(&server, &["--http1.1"]);
    curl_uploads(
        &server,
        &["--http1.1", "--header", "Transfer-Encoding: chunked"],
    );
}

#[test]
fn curl_does_not_wait_in_vain_over_http2() {
    let conf = "Protocols h2c http/1.1\n".to_owned() + &cgi_endpoint("/x", &guest("cgi_probe"), "");
    let server = Site::new().httpd(conf).modules(&["http2"]).start();
    curl_uploads(&server, &["--http2-prior-knowledge"]);
}
