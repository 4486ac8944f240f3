//! What the error log tells of a request's way, level by level.

use mod_wasm_tests::{LogLine, Server, Site, cgi_endpoint, guest};

/// Text that stands for a secret in everything that may hold one.
const SECRET: &str = "hunter2";

/// A server that was asked for a script, a plain location, a redirect and a failure.
fn asked(level: &str) -> Server {
    let site = Site::new();
    site.file("htdocs/page.probe", "");
    site.file("htdocs/next.txt", "next");
    let conf = format!(
        "<Directory {docs}>\nAddHandler wasm-handler .probe\nWasmModule {probe}\nWasmEnableCGI On\n\
         WasmMapCGIFileNames On\nWasmScriptArg On\nWasmMapDir /inside {docs} ro\n\
         WasmArg {SECRET}\nWasmEnv PASSWORD {SECRET}\nWasmTimeout 7\n</Directory>\n{location}LogLevel {level}\n",
        docs = site.path("htdocs"),
        probe = guest("cgi_probe"),
        location = cgi_endpoint("/x", &guest("cgi_probe"), "WasmScriptArg Off")
    );
    let server = site.httpd(conf).modules(&["mime"]).start();
    let target = format!("/page.probe/more?do=echo&token={SECRET}");
    let body = format!("body {SECRET}");
    let answer = server
        .request("POST", &target)
        .body(body)
        .send()
        .expect(200);
    assert!(answer.text().contains(SECRET), "{answer:?}");
    let target = format!("/x/behind?do=location&to=/next.txt?{SECRET}");
    server.get(&target).expect(200);
    server.get("/x?do=exit-silent&code=3").expect(500);
    server.expect_log("WASM0057");
    server
}

/// What the module wrote about requests.
fn told(server: &Server) -> Vec<LogLine> {
    let lines = server.log();
    let lines = lines
        .into_iter()
        .filter(|line| line.module == "wasm" && line.id != "-");
    lines.collect()
}

fn of_level(lines: &[LogLine], level: &str) -> Vec<String> {
    let lines = lines.iter().filter(|line| line.level == level);
    lines.map(|line| line.message.clone()).collect()
}

#[track_caller]
fn contains(lines: &[String], parts: &[&str]) {
    let found = lines
        .iter()
        .any(|line| parts.iter().all(|part| line.contains(part)));
    assert!(found, "no line has all of {parts:?}:\n{}", lines.join("\n"));
}

#[track_caller]
fn no_secrets(lines: &[LogLine]) {
    let telltale = lines.iter().find(|line| line.raw.contains(SECRET));
    assert!(telltale.is_none(), "{telltale:?}");
}

#[test]
fn info_tells_nothing_of_requests_that_go_well() {
    let lines = told(&asked("wasm:info"));
    assert_eq!(lines.len(), 1, "only the failure is told: {lines:?}");
}

#[test]
fn debug_tells_what_ran_and_how_it_ended() {
    let server = asked("wasm:debug");
    let lines = told(&server);
    no_secrets(&lines);
    assert!(
        lines.iter().all(|line| line.message.starts_with("WASM00")),
        "a line without a code: {lines:?}"
    );
    let debug = of_level(&lines, "debug");
    let folder = server.path("htdocs");
    let mount = format!("/inside is {folder} (ro)");
    let file = format!("file {folder}/page.probe (there)");
    let nowhere = format!("file {folder}/x (not there)");
    contains(
        &debug,
        &[
            "WASM0080",
            "cgi_probe.wasm",
            "POST /page.probe/more",
            "_start",
            "CGI",
            &file,
            &mount,
            "3 arguments",
            "7000 ms",
        ],
    );
    contains(
        &debug,
        &["WASM0081", "status 200", "application/octet-stream"],
    );
    contains(
        &debug,
        &[
            "WASM0082",
            "ended well",
            "12 bytes of the body",
            "12 bytes of a response",
        ],
    );
    contains(&debug, &["WASM0080", "GET /x/behind", &nowhere]);
    contains(&debug, &["WASM0081", "an internal redirect"]);
    contains(&debug, &["WASM0082", "ended with WASM0057"]);
    assert_eq!(debug.len(), 3 + 2 + 3, "{debug:?}");
}

#[test]
fn traces_tell_single_steps() {
    let lines = told(&asked("wasm:trace2"));
    no_secrets(&lines);
    let steps = of_level(&lines, "trace1");
    contains(
        &steps,
        &[
            "SCRIPT_FILENAME: ",
            "/htdocs/page.probe is /inside/page.probe inside",
        ],
    );
    contains(&steps, &["last argument", "/inside/page.probe"]);
    contains(&steps, &["the location /x", "\"/behind\""]);
    contains(&steps, &["the response begins"]);
    contains(&of_level(&lines, "trace2"), &["12 bytes of the body"]);
}

#[test]
fn traces_tell_of_bodies_that_are_asked_for_and_of_output() {
    let conf = cgi_endpoint("/s", &guest("stream_probe"), "") + "LogLevel wasm:trace2\n";
    let server = Site::new().start(conf);
    let mut exchange = server
        .request("POST", "/s?talk=1")
        .header("Expect", "100-continue")
        .header("Content-Length", "5")
        .open();
    assert_eq!(exchange.next_status(), 100);
    exchange.send(b"hello");
    exchange.finish().expect(200);
    let lines = told(&server);
    contains(&of_level(&lines, "debug"), &["WASM0080", "mounts: none"]);
    contains(
        &of_level(&lines, "trace1"),
        &["asks the client for the body"],
    );
    contains(&of_level(&lines, "trace2"), &["6 bytes of output, flushed"]);
}
