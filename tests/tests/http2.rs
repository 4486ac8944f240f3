//! HTTP/2, whose requests run on threads of another kind.

use std::process::{Command, Output, Stdio};
use std::thread;

use mod_wasm_tests::{Server, Site, cgi_endpoint, endpoint, guest, program};

fn server() -> Server {
    let conf = "Protocols h2c http/1.1\n".to_owned()
        + &endpoint("/hello", &guest("hello_wasm"), "")
        + &endpoint("/deep", &guest("trap_stack_overflow"), "")
        + &endpoint("/trap", &guest("trap_out_of_bounds"), "")
        + &endpoint("/cut", &guest("trap_after_output"), "")
        + &endpoint("/loop", &guest("loop_forever"), "WasmTimeout 1")
        + &cgi_endpoint("/echo", &guest("cgi_probe"), "")
        + "WasmQueueTimeout 60\n";
    Site::new().httpd(conf).modules(&["http2"]).start()
}

fn curl(server: &Server, arguments: &[&str], target: &str) -> Output {
    Command::new(program("curl", "curl"))
        .args([
            "--silent",
            "--show-error",
            "--noproxy",
            "*",
            "--http2-prior-knowledge",
            "--max-time",
            "60",
        ])
        .args(arguments)
        .arg(format!("http://{}{target}", server.address()))
        .output()
        .expect("curl runs")
}

fn text(output: &Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn status(server: &Server, target: &str) -> String {
    text(&curl(
        server,
        &[
            "--output",
            "/dev/null",
            "--write-out",
            "%{http_version} %{http_code}",
        ],
        target,
    ))
}

#[test]
fn guests_answer() {
    let server = server();
    assert!(text(&curl(&server, &[], "/hello")).starts_with("Hello"));
    assert_eq!(status(&server, "/hello"), "2 200");
    let body = "0123456789".repeat(20_000);
    std::fs::write(server.path("body"), &body).expect("the site is writable");
    let upload = format!("@{}", server.path("body"));
    assert!(
        text(&curl(&server, &["--data-binary", &upload], "/echo?do=echo")) == body,
        "the body came back changed"
    );
}

#[test]
fn bad_ends_are_told_and_survived() {
    let server = server();
    let child = server.child();
    assert_eq!(status(&server, "/trap"), "2 500");
    assert_eq!(status(&server, "/deep"), "2 500");
    assert_eq!(status(&server, "/loop"), "2 504");
    assert_eq!(status(&server, "/hello"), "2 200");
    assert_eq!(server.child(), child);
    server.expect_log("WASM0050");
    server.expect_log("WASM0051");
}

#[test]
fn an_answer_that_is_cut_off_does_not_look_whole() {
    let server = server();
    let output = curl(&server, &[], "/cut");
    assert!(
        !output.status.success(),
        "{} bytes look like a whole answer",
        output.stdout.len()
    );
    assert_eq!(status(&server, "/hello"), "2 200");
    server.expect_log("WASM0050");
}

#[test]
fn many_requests_at_once() {
    let server = server();
    thread::scope(|scope| {
        for n in 0..30 {
            let server = &server;
            scope.spawn(move || {
                let answer = text(&curl(server, &[], &format!("/echo?n={n}")));
                assert!(
                    answer.contains(&format!("QUERY_STRING=n={n}\n")),
                    "{answer}"
                );
            });
        }
    });
}

/// One instance only: it has to come free before the next request is served.
fn single() -> Server {
    let conf = "Protocols h2c http/1.1\nTimeout 60\nWasmMaxInstances 1\nWasmQueueTimeout 30\nLogLevel wasm:debug\n".to_owned()
        + &cgi_endpoint("/s", &guest("stream_probe"), "WasmTimeout 300")
        + &cgi_endpoint("/echo", &guest("cgi_probe"), "WasmTimeout 1")
        + &endpoint("/hello", &guest("hello_wasm"), "");
    Site::new().httpd(conf).modules(&["http2"]).start()
}

#[test]
fn a_client_that_goes_away_ends_a_sleeping_run() {
    let server = single();
    let mut client = Command::new(program("curl", "curl"))
        .args(["--silent", "--noproxy", "*", "--http2-prior-knowledge"])
        .args(["--max-time", "60", "--output", "/dev/null"])
        .arg(format!("http://{}/s?slow-header=250000", server.address()))
        .spawn()
        .expect("curl runs");
    server.expect_log("WASM0080");
    client.kill().expect("curl can be ended");
    client.wait().expect("curl ends");
    server.get("/hello").expect(200);
    server.expect_log("WASM0054");
}

/// A frame as it goes over the wire (RFC 9113, 4.1).
fn frame(kind: u8, flags: u8, stream: u8, payload: &[u8]) -> Vec<u8> {
    let length = u8::try_from(payload.len()).expect("the frames here are short");
    [&[0, 0, length, kind, flags, 0, 0, 0, stream], payload].concat()
}

/// A name and a value of the header table, in plain text and without an entry (RFC 7541, 6.2.2).
fn literal(name: u8, value: &str) -> Vec<u8> {
    let length = u8::try_from(value.len()).expect("the values here are short");
    [&[name, length], value.as_bytes()].concat()
}

/// The connection stays, with other streams perhaps.
#[test]
fn a_stream_that_is_reset_ends_its_run() {
    let server = single();
    let (headers, settings, reset) = (1, 4, 3);
    let (path, authority, method_get, scheme_http) = (4, 1, 0x82, 0x86);
    let request = [
        vec![method_get, scheme_http],
        literal(path, "/s?slow-header=250000"),
        literal(authority, "localhost"),
    ]
    .concat();
    let mut connection = server.connect();
    connection.send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    connection.send(&frame(settings, 0, 0, &[]));
    connection.send(&frame(headers, 5, 1, &request));
    server.expect_log("WASM0080");
    connection.send(&frame(reset, 0, 1, &[0, 0, 0, 8]));
    server.get("/hello").expect(200);
    server.expect_log("WASM0054");
}

#[test]
fn a_body_that_does_not_come_gives_its_place_back_at_the_deadline() {
    let server = single();
    // The upload is a pipe into which nobody writes.
    let mut client = Command::new(program("curl", "curl"))
        .args(["--silent", "--noproxy", "*", "--http2-prior-knowledge"])
        .args(["--max-time", "60", "--output", "/dev/null"])
        .args(["--upload-file", "-"])
        .arg(format!("http://{}/echo?do=echo", server.address()))
        .stdin(Stdio::piped())
        .spawn()
        .expect("curl runs");
    // While the guest waits for the body the only place is taken.
    server.expect_log("WASM0051");
    server.get("/hello").expect(200);
    client.kill().expect("curl can be ended");
    client.wait().expect("curl ends");
}
