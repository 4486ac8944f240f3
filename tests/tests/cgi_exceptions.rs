//! The listed exceptions from `cgi_compare.rs`: where CGI mode differs from mod_cgid, and why.

use mod_wasm_tests::{CgiPair, Request, Server, raw_output};

fn post(server: &Server, target: &str) -> Request {
    server.request("POST", target)
}

/// A query without `=` would become arguments of the program, and php-cgi reads its options from them.
#[test]
fn a_query_never_becomes_arguments() {
    let pair = CgiPair::start();
    let [native, wasm] = pair
        .both()
        .map(|server| server.get("/cgi/probe?-s+words").expect(200).text());
    assert!(native.contains("argument 1: -s\n"), "{native}");
    assert!(!wasm.contains("argument 1"), "{wasm}");
    assert!(wasm.contains("\nQUERY_STRING=-s+words\n"), "{wasm}");
}

/// mod_cgid drops a lone CR and ends a line at a NUL, so that what was checked is not what was sent. Both
/// are refused here.
#[test]
fn nul_and_lone_cr_in_headers_are_refused() {
    let pair = CgiPair::start();
    for text in [
        "X-A: 1\0Set-Cookie: x\nContent-Type: text/plain\n\nbody",
        "\0X-A: 1\n\nbody",
        "X-A: 1\rX-B: 2\n\nbody",
    ] {
        assert_eq!(pair.wasm.get(&raw_output(text)).status, 500, "{text:?}");
        assert_eq!(
            pair.native.get(&raw_output(text)).status,
            200,
            "{text:?}: no exception is needed any more"
        );
    }
}

/// mod_cgid sends an interim status out as it is: the client takes the body for the next response. A number that is no
/// status becomes a 500 with the body of the program.
#[test]
fn a_status_that_is_not_final_is_refused() {
    let pair = CgiPair::start();
    for (line, native) in [
        ("103", 103),
        ("100 Continue", 100),
        ("99", 500),
        ("600 High", 600),
        ("abc", 500),
        ("", 500),
    ] {
        let output = raw_output(&format!("Status: {line}\n\nthe program's"));
        let answer = pair.wasm.get(&output).expect(500);
        assert!(!answer.text().contains("the program's"), "{line}");
        let mut exchange = pair.native.request("GET", &output).open();
        assert_eq!(
            exchange.next_status(),
            native,
            "{line}: no exception is needed any more"
        );
    }
    pair.native.allow_log("Invalid status line from script");
}

/// What belongs to the connection is not the program's to say, and other requests use it too.
#[test]
fn headers_of_the_connection_are_left_out() {
    let pair = CgiPair::start();
    let [native, wasm] = pair
        .both()
        .map(|server| server.get("/cgi/probe?do=connection").expect(200));
    assert_eq!(wasm.header_values("Connection"), ["close"]);
    assert_eq!(wasm.header("Keep-Alive"), None);
    assert_eq!(
        native.header("Keep-Alive"),
        Some("timeout=99"),
        "no exception is needed any more"
    );
}

/// Both refuse a header block without end, but by limits of their own (64 KiB here, 8 KiB a line there).
#[test]
fn the_header_block_is_bounded() {
    let pair = CgiPair::start();
    for server in pair.both() {
        assert_eq!(
            server.get("/cgi/probe?do=long-header&size=1000000").status,
            500
        );
    }
    assert_eq!(
        pair.wasm
            .get("/cgi/probe?do=many-headers&count=100000")
            .status,
        500
    );
}

/// mod_cgid sends the whole body before it reads the answer, and resets a program that ends without reading
/// all of it; whether the answer survives is a matter of timing. Here it always does.
#[test]
fn a_body_may_stay_unread() {
    let pair = CgiPair::start();
    let large = vec![b'x'; 1_000_000];
    let ask = |what: &str| {
        post(&pair.wasm, what)
            .body(large.clone())
            .send()
            .expect(200)
    };
    assert_eq!(ask("/cgi/probe?do=ignore").text(), "ignored\n");
    assert_eq!(ask("/cgi/probe?do=nibble").text(), "nibbled 4\n");
}

/// For the same reason a program that answers while it reads hangs under mod_cgid as soon as both buffers are
/// full.
#[test]
fn a_program_may_answer_while_it_reads() {
    let pair = CgiPair::start();
    let large: Vec<u8> = (0..3_000_000_u32).map(|n| (n % 251) as u8).collect();
    let mut exchange = post(&pair.wasm, "/cgi/probe?do=echo").chunked().open();
    for piece in large.chunks(50_000) {
        exchange.send_chunk(piece);
    }
    exchange.end_chunks();
    assert!(
        exchange.finish().expect(200).body() == large,
        "the body came back changed"
    );
}

/// mod_cgid gives its program the error log itself for stderr: raw lines, which may say anything. Here each is a log
/// line of its own.
#[test]
fn stderr_is_no_way_into_the_log() {
    let pair = CgiPair::start();
    for server in pair.both() {
        server.get("/cgi/probe?do=stderr").expect(200);
        server.expect_logs("probe says", 2);
    }
    assert!(
        pair.wasm
            .log_with("probe says")
            .iter()
            .all(|line| line.message.starts_with("WASM0070: "))
    );
    let raw = pair
        .native
        .log_with("probe says")
        .iter()
        .all(|line| !line.is_regular());
    assert!(raw, "no exception is needed any more");
}

/// php-cgi refuses to run without this sign that a server called it; elsewhere administrators have to set it by hand.
#[test]
fn redirect_status_is_always_there() {
    let pair = CgiPair::start();
    let [native, wasm] = pair
        .both()
        .map(|server| server.get("/cgi/probe").expect(200).text());
    assert!(wasm.contains("\nREDIRECT_STATUS=200\n"), "{wasm}");
    assert!(
        !native.contains("\nREDIRECT_STATUS="),
        "no exception is needed any more"
    );
}

/// Both refuse a header with an impossible name; mod_cgid's error page is cut off, which helps nobody.
#[test]
fn the_page_that_tells_of_an_impossible_header_is_whole() {
    let pair = CgiPair::start();
    for text in [": no name\n\nbody", "Name : spaced\n\nbody"] {
        let [native, wasm] = pair.both().map(|server| server.get(&raw_output(text)));
        assert_eq!((wasm.status, wasm.complete), (500, true), "{text:?}");
        assert_eq!(native.status, 500, "{text:?}");
    }
}
