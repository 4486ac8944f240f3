//! The harness itself: a suite that cannot fail would prove nothing.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;
use std::time::Duration;

use mod_wasm_tests::{Mpm, Server, Site};
use rustix::net::sockopt;

fn plain(site: Site, conf: &str) -> Server {
    site.httpd(conf).without_wasm().start()
}

fn message_of(panic: Box<dyn std::any::Any + Send>) -> String {
    match panic.downcast::<String>() {
        Ok(text) => *text,
        Err(other) => other
            .downcast::<&str>()
            .map_or_else(|_| String::new(), |text| (*text).to_owned()),
    }
}

#[test]
fn static_files_are_served_by_each_kind_of_server() {
    for (mpm, foreground) in [
        (Mpm::Event, false),
        (Mpm::Event, true),
        (Mpm::Prefork, false),
        (Mpm::Prefork, true),
    ] {
        let site = Site::new();
        site.file("htdocs/a.txt", "hello\n");
        let mut httpd = site.httpd("").without_wasm().mpm(mpm);
        if foreground {
            httpd = httpd.foreground();
        }
        let server = httpd.start();
        assert_eq!(server.get("/a.txt").expect(200).text(), "hello\n");
        server.graceful();
        assert_eq!(server.get("/a.txt").expect(200).text(), "hello\n");
        server.get("/b.txt").expect(404);
    }
}

#[test]
fn an_unexpected_log_line_fails_the_test() {
    let site = Site::new();
    site.file("htdocs/secret.txt", "");
    let server = plain(
        site,
        "<Location /secret.txt>\nRequire all denied\n</Location>",
    );
    server.get("/secret.txt").expect(403);
    let log = server.log();
    assert!(
        log.iter()
            .any(|line| line.message.contains("AH01630") && line.level == "error"),
        "{log:?}"
    );
    let panic =
        catch_unwind(AssertUnwindSafe(|| drop(server))).expect_err("the line must fail the test");
    let message = message_of(panic);
    assert!(
        message.contains("unexpected error-log lines") && message.contains("AH01630"),
        "{message}"
    );
}

#[test]
fn an_expected_log_line_does_not() {
    let site = Site::new();
    site.file("htdocs/secret.txt", "");
    let server = plain(
        site,
        "<Location /secret.txt>\nRequire all denied\n</Location>",
    );
    server.get("/secret.txt").expect(403);
    server.expect_logs("AH01630", 1);
}

#[test]
fn a_refused_configuration_names_its_line() {
    Site::new()
        .httpd("Require all granted\nNoSuchDirective 1")
        .without_wasm()
        .refused()
        .names("Require", &["not allowed here"]);
}

#[test]
fn an_answer_that_is_cut_off_does_not_look_whole() {
    for sent in [
        "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n8\r\nhello",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n",
    ] {
        assert_eq!(
            answer_of(sent, false),
            ("hello".to_owned(), false),
            "{sent:?}"
        );
    }
    let unframed = "HTTP/1.0 200 OK\r\n\r\nhello";
    assert_eq!(
        answer_of(unframed, true),
        ("hello".to_owned(), false),
        "a reset looks like an end"
    );
    for sent in [
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        "HTTP/1.0 200 OK\r\n\r\nhello",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    ] {
        assert_eq!(
            answer_of(sent, false),
            ("hello".to_owned(), true),
            "{sent:?}"
        );
    }
}

/// What the client makes of a server that sends this and closes, or resets the connection.
fn answer_of(sent: &'static str, reset: bool) -> (String, bool) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = listener.local_addr().expect("a listener has an address");
    let peer = thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("the client connects");
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream
                .read_exact(&mut byte)
                .expect("the client sends a head");
            request.push(byte[0]);
        }
        stream.write_all(sent.as_bytes()).expect("the client reads");
        if reset {
            sockopt::set_socket_linger(&stream, Some(Duration::ZERO))
                .expect("SO_LINGER can be set");
        }
    });
    let response = mod_wasm_tests::Request::new(address, "GET", "/").send();
    peer.join().expect("the peer is well");
    (response.partial_text(), response.complete)
}
