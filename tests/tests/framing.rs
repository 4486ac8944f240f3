//! Nothing of what a program writes is ever outside of its one response: what follows it on the connection answers the next request.

use mod_wasm_tests::{Response, Server, Site, cgi_endpoint, guest};

/// What a program that somebody has taken over would have other visitors see.
const FORGED: &str = "HTTP/1.1 200 OK\r\nX-Forged: yes\r\nContent-Length: 6\r\n\r\nforged\
                      HTTP/1.1 200 OK\r\nX-Forged: yes\r\nContent-Length: 6\r\n\r\nforged";

fn server(lines: &str) -> Server {
    let site = Site::new();
    site.file("htdocs/next.txt", "the next answer");
    let conf = cgi_endpoint("/x", &guest("cgi_probe"), lines);
    site.httpd(conf).modules(&["env"]).start()
}

/// Has the program print `output`, asks for a static page on the same connection, and returns the program's answer. What is behind it
/// has to be the page, or nothing where httpd closes the connection.
#[track_caller]
fn alone(server: &Server, method: &str, output: &str) -> Response {
    let mut exchange = server
        .request(method, "/x?do=print")
        .header("Connection", "keep-alive")
        .body(output)
        .open();
    let answer = exchange.next_answer();
    assert!(answer.interim.is_empty(), "{output:?}: {answer:?}");
    if answer.header("Connection") != Some("close") {
        let next = exchange.ask("GET", "/next.txt").next_answer().expect(200);
        assert_eq!(next.text(), "the next answer", "behind {output:?}");
    }
    let rest = exchange.rest();
    assert!(
        rest.is_empty(),
        "behind {output:?}: {:?}",
        String::from_utf8_lossy(&rest)
    );
    answer
}

#[test]
fn an_interim_status_is_refused() {
    let server = server("");
    let lines = [
        "100",
        "100 Continue",
        "101 Switching Protocols",
        "102 Processing",
        "103 Early Hints",
        "199 Odd",
        "0103",
        "+103",
        "103x",
        // 103 once it was cut to 32 bits.
        "4294967399",
    ];
    for line in lines {
        for output in [
            format!("Status: {line}\n\n{FORGED}"),
            format!("status:\t{line}\r\nContent-Type: text/plain\r\n\r\n{FORGED}"),
            format!("Status: {line}\nLocation: /next.txt\n\n{FORGED}"),
            format!("Status: {line}\nStatus: 200 OK\n\n{FORGED}"),
            format!("Status: 200 OK\nStatus: {line}\n\n{FORGED}"),
        ] {
            for method in ["POST", "HEAD"] {
                let answer = alone(&server, method, &output).expect(500);
                assert_eq!(answer.header("X-Forged"), None, "{output:?}");
                assert!(!answer.text().contains("forged"), "{output:?}");
            }
        }
    }
    let told = server.expect_logs("WASM0056", lines.len() * 10);
    assert!(told[0].message.contains("Status: 100"), "{told:?}");
}

#[test]
fn what_is_no_status_is_refused() {
    let server = server("");
    let lines = [
        "",
        "99",
        "99 Low",
        "0",
        "-200",
        "600",
        "600 High",
        "999",
        "1000",
        "2000",
        "abc",
        "HTTP/1.1 200",
        "99999999999999999999",
    ];
    for line in lines {
        let output = format!("Status: {line}\n\n{FORGED}");
        alone(&server, "POST", &output).expect(500);
    }
    server.expect_logs("WASM0056", lines.len());
}

#[test]
fn a_final_status_is_taken_as_it_was() {
    let server = server("");
    for (line, status, reason) in [
        ("200", 200, "OK"),
        ("203 Told", 203, "Told"),
        ("299", 299, ""),
        ("404 Nope", 404, "Nope"),
        ("599 Odd", 599, "Odd"),
    ] {
        let output = format!("Status: {line}\nContent-Type: text/plain\n\nbody");
        let answer = alone(&server, "POST", &output).expect(status);
        assert_eq!(answer.text(), "body", "{line}");
        assert!(answer.reason.starts_with(reason), "{answer:?}");
    }
    // The last one counts, as for httpd.
    alone(&server, "POST", "Status: 201\nStatus: 202\n\n").expect(202);
}

#[test]
fn a_body_that_the_status_does_not_allow_is_dropped() {
    let server = server("");
    for status in [204, 304] {
        for method in ["POST", "GET", "HEAD"] {
            let output = format!("Status: {status}\nContent-Type: text/plain\n\n{FORGED}");
            let answer = alone(&server, method, &output);
            assert_eq!(answer.status, status, "{method}");
            assert_eq!(answer.header("Transfer-Encoding"), None);
        }
    }
}

#[test]
fn a_body_that_nobody_asked_for_is_dropped() {
    let server = server("");
    let large = FORGED.repeat(1000);
    for body in [FORGED, &large] {
        let output = format!("Content-Type: text/plain\n\n{body}");
        let answer = alone(&server, "HEAD", &output).expect(200);
        assert_eq!(answer.header("X-Forged"), None);
        let answer = alone(&server, "POST", &output).expect(200);
        assert!(answer.text() == body, "the body came back changed");
    }
    for location in ["http://elsewhere.test/", "/next.txt"] {
        let output = format!("Location: {location}\nContent-Type: text/plain\n\n{FORGED}");
        let answer = alone(&server, "POST", &output);
        assert!(!answer.text().contains("forged"), "{answer:?}");
    }
}

/// Headers of the connection and of the message's framing.
#[test]
fn how_a_response_is_framed_is_for_httpd_to_say() {
    let server = server("");
    for line in [
        "Content-Length: 5",
        "Content-Length: 5000",
        "content-length: 5\nContent-Length: 6",
        "Transfer-Encoding: chunked",
        "Transfer-Encoding: gzip, chunked\nTransfer-Encoding: identity",
        "TRANSFER-ENCODING: chunked\nContent-Length: 3",
        "Connection: close",
        "Connection: Upgrade\nUpgrade: websocket",
        "Connection: Content-Length, X-Kept",
        "Keep-Alive: timeout=99",
        "Proxy-Connection: close",
        "Trailer: X-Later",
    ] {
        let output = format!("{line}\nX-Kept: yes\nContent-Type: text/plain\n\n{FORGED}");
        let answer = alone(&server, "POST", &output).expect(200);
        assert_eq!(answer.text(), FORGED, "{line}");
        assert_eq!(answer.header("X-Kept"), Some("yes"), "{line}");
        for (name, values) in [
            ("Content-Length", 1),
            ("Transfer-Encoding", 0),
            ("Connection", 1),
            ("Keep-Alive", 1),
            ("Upgrade", 0),
            ("Proxy-Connection", 0),
            ("Trailer", 0),
        ] {
            let sent = answer.header_values(name);
            assert_eq!(sent.len(), values, "{line}: {name} is {sent:?}");
        }
        assert_eq!(answer.header("Connection"), Some("Keep-Alive"), "{line}");
        assert_ne!(answer.header("Keep-Alive"), Some("timeout=99"));
    }
}

/// Unless the administrator trusts the program with it, as httpd lets one.
#[test]
fn a_length_counts_where_it_is_trusted() {
    let server = server("SetEnv ap_trust_cgilike_cl 1");
    let output = "Content-Length: 4\nContent-Type: text/plain\n\nbody";
    let answer = alone(&server, "HEAD", output).expect(200);
    assert_eq!(answer.header("Content-Length"), Some("4"));
    assert_eq!(alone(&server, "POST", output).expect(200).text(), "body");
}
