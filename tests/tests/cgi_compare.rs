//! CGI mode against the distribution's mod_cgid: one C source, built natively for mod_cgid and as Wasm for us, one
//! table of requests, equal answers. The exceptions stand in `cgi_exceptions.rs`, each with its reason.

use mod_wasm_tests::{CgiPair, Exchange, Request, Response, Server, raw_output};

/// What a request is called, and how it is sent.
type Case<'a> = (&'a str, &'a dyn Fn(&Server) -> Response);

#[track_caller]
fn equal(table: &[Case]) {
    let pair = CgiPair::start();
    let differences: Vec<String> = table
        .iter()
        .filter_map(|(name, ask)| pair.difference(name, ask))
        .collect();
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

/// The same, for plain GET requests.
#[track_caller]
fn equal_gets(targets: &[&str]) {
    let pair = CgiPair::start();
    let differences: Vec<String> = targets
        .iter()
        .filter_map(|target| pair.difference(target, &|server| server.get(target)))
        .collect();
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

fn get(server: &Server, target: &str) -> Request {
    server.request("GET", target)
}

fn post(server: &Server, target: &str) -> Request {
    server.request("POST", target)
}

#[test]
fn the_program_gets_the_same_environment() {
    equal(&[
        ("plain", &|s| s.get("/cgi/probe")),
        ("query", &|s| s.get("/cgi/probe?a=b&c=d%20e")),
        ("empty query", &|s| s.get("/cgi/probe?")),
        ("query with plus", &|s| s.get("/cgi/probe?a=b+c")),
        ("path info", &|s| s.get("/cgi/probe/extra/path?x=1")),
        ("encoded path info", &|s| {
            s.get("/cgi/probe/a%20b/%C3%A4?x=1")
        }),
        ("path info with dots", &|s| s.get("/cgi/probe/a/../b//c")),
        ("HTTP/1.0", &|s| get(s, "/cgi/probe").http10().send()),
        ("another host", &|s| {
            get(s, "/cgi/probe").host("other.test:8080").send()
        }),
        ("absolute target", &|s| {
            s.get("http://absolute.test/cgi/probe?a=1")
        }),
        ("HEAD", &|s| s.request("HEAD", "/cgi/probe").send()),
        ("POST", &|s| {
            post(s, "/cgi/probe")
                .header("Content-Type", "text/x")
                .body("12345")
                .send()
        }),
        ("POST of nothing", &|s| {
            post(s, "/cgi/probe").body("").send()
        }),
        ("PUT", &|s| s.request("PUT", "/cgi/probe").body("1").send()),
        ("DELETE", &|s| s.request("DELETE", "/cgi/probe").send()),
        ("OPTIONS", &|s| s.request("OPTIONS", "/cgi/probe").send()),
        ("unknown method", &|s| {
            s.request("BREW", "/cgi/probe").send()
        }),
        ("chunked", &|s| chunked(s, "/cgi/probe", &["abc", "de"])),
        ("missing script", &|s| s.get("/cgi/no-such-script")),
        ("folder instead of a script", &|s| s.get("/cgi/")),
        ("error document", &|s| s.get("/missing?q=1")),
        ("error document after POST", &|s| {
            post(s, "/missing").body("body").send()
        }),
    ]);
}

#[test]
fn request_headers_become_the_same_variables() {
    let with = |s: &Server, headers: &[(&str, &str)]| {
        headers
            .iter()
            .fold(get(s, "/cgi/probe"), |request, (name, value)| {
                request.header(name, value)
            })
            .send()
    };
    equal(&[
        ("cookies", &|s| with(s, &[("Cookie", "a=1; b=2")])),
        ("repeated", &|s| {
            with(
                s,
                &[
                    ("X-Many", "1"),
                    ("X-Many", "2"),
                    ("Accept", "a"),
                    ("Accept", "b"),
                ],
            )
        }),
        ("httpoxy", &|s| with(s, &[("Proxy", "http://evil.test/")])),
        ("credentials", &|s| {
            with(
                s,
                &[
                    ("Authorization", "Basic YTpi"),
                    ("Proxy-Authorization", "Basic YTpi"),
                ],
            )
        }),
        ("odd names", &|s| {
            with(
                s,
                &[
                    ("X_Under", "1"),
                    ("X.Dot", "2"),
                    ("1Digit", "3"),
                    ("X-Lower-case", "4"),
                ],
            )
        }),
        ("empty value", &|s| with(s, &[("X-Empty", "")])),
        ("conditions", &|s| {
            with(s, &[("If-None-Match", "\"x\""), ("Range", "bytes=0-3")])
        }),
        ("bytes", &|s| with(s, &[("X-Bytes", "\u{e4}\u{20ac}")])),
        ("type without body", &|s| {
            with(s, &[("Content-Type", "text/html; charset=utf-8")])
        }),
        ("credentials by CGIPassAuth", &|s| {
            get(s, "/cgi/auth")
                .header("Authorization", "Basic YTpi")
                .send()
        }),
    ]);
}

fn chunked(server: &Server, target: &str, chunks: &[&str]) -> Response {
    let mut exchange: Exchange = post(server, target).chunked().open();
    for chunk in chunks {
        exchange.send_chunk(chunk.as_bytes());
    }
    exchange.end_chunks();
    exchange.finish()
}

#[test]
fn bodies_arrive_the_same() {
    let large: Vec<u8> = (0..100_000_u32).map(|n| (n % 251) as u8).collect();
    equal(&[
        ("small", &|s| {
            post(s, "/cgi/probe?do=echo").body("hello").send()
        }),
        ("none", &|s| s.get("/cgi/probe?do=echo")),
        ("empty", &|s| post(s, "/cgi/probe?do=echo").body("").send()),
        ("large", &|s| {
            post(s, "/cgi/probe?do=echo").body(large.clone()).send()
        }),
        ("zeros", &|s| {
            post(s, "/cgi/probe?do=echo").body(vec![0; 1000]).send()
        }),
        ("chunked", &|s| {
            chunked(s, "/cgi/probe?do=echo", &["one ", "two ", "three"])
        }),
        ("chunked, empty", &|s| chunked(s, "/cgi/probe?do=echo", &[])),
        ("of a PUT", &|s| {
            s.request("PUT", "/cgi/probe?do=echo").body("put").send()
        }),
        ("of a GET", &|s| {
            get(s, "/cgi/probe?do=echo").body("get").send()
        }),
        ("expected", &|s| {
            post(s, "/cgi/probe?do=echo")
                .header("Expect", "100-continue")
                .body("go")
                .send()
        }),
    ]);
}

#[test]
fn status_lines_mean_the_same() {
    equal_gets(
        &[
            "200",
            "200 Fine",
            "201 Created",
            "204 Empty",
            "301 Gone there",
            "304 Same",
            "400",
            "401 Who",
            "403 No",
            "404 Nope",
            "418 Teapot",
            "500 Oops",
            "503",
            "599 Odd",
        ]
        .map(|line| format!("/cgi/probe?do=status&line={}", line.replace(' ', "+")))
        .iter()
        .map(String::as_str)
        .collect::<Vec<_>>(),
    );
}

#[test]
fn locations_lead_to_the_same_place() {
    equal_gets(&[
        "/cgi/probe?do=location&to=/static.txt",
        "/cgi/probe?do=location&to=/missing.txt",
        "/cgi/probe?do=location&to=/cgi/probe/after",
        "/cgi/probe?do=location&to=http://elsewhere.test/x",
        "/cgi/probe?do=location&to=//elsewhere.test/x",
        "/cgi/probe?do=location&to=relative.txt",
        "/cgi/probe?do=location&to=http://elsewhere.test/x&body=1",
        "/cgi/probe?do=location&to=/static.txt&body=1",
        "/cgi/probe?do=location&to=http://elsewhere.test/x&status=301",
        "/cgi/probe?do=location&to=http://elsewhere.test/x&status=307&body=1",
        "/cgi/probe?do=location&to=http://elsewhere.test/x&status=201&body=1",
        "/cgi/probe?do=location&to=/static.txt&status=302",
        "/cgi/probe?do=location&to=",
    ]);
}

#[test]
fn a_local_location_turns_a_post_into_a_get() {
    equal(&[
        ("static", &|s| {
            post(s, "/cgi/probe?do=location&to=/static.txt")
                .body("body")
                .send()
        }),
        ("program", &|s| {
            post(s, "/cgi/probe?do=location&to=/cgi/probe/after")
                .body("body")
                .send()
        }),
        ("HEAD", &|s| {
            s.request("HEAD", "/cgi/probe?do=location&to=/static.txt")
                .send()
        }),
    ]);
}

#[test]
fn headers_of_the_program_come_out_the_same() {
    equal_gets(&[
        "/cgi/probe?do=cookies",
        "/cgi/probe?do=crlf",
        "/cgi/probe?do=no-type",
        "/cgi/probe?do=server",
        "/cgi/probe?do=bytewise",
        "/cgi/probe?do=length&say=10",
        "/cgi/probe?do=length&say=5",
        "/cgi/probe?do=length&say=50",
        "/cgi/probe?do=length&say=abc",
        "/cgi/probe?do=coding",
        "/cgi/probe?do=long-header&size=1000",
        "/cgi/probe?do=long-header&size=8000",
        "/cgi/probe?do=many-headers&count=100",
        "/cgi/probe?do=many-headers&count=1000",
    ]);
}

#[test]
fn conditional_and_range_requests_are_answered_the_same() {
    let with = |s: &Server, name: &str, value: &str| {
        get(s, "/cgi/probe?do=validators")
            .header(name, value)
            .send()
    };
    equal(&[
        ("none", &|s| s.get("/cgi/probe?do=validators")),
        ("HEAD", &|s| {
            s.request("HEAD", "/cgi/probe?do=validators").send()
        }),
        ("same etag", &|s| with(s, "If-None-Match", "\"probe\"")),
        ("other etag", &|s| with(s, "If-None-Match", "\"other\"")),
        ("any etag", &|s| with(s, "If-None-Match", "*")),
        ("not modified", &|s| {
            with(s, "If-Modified-Since", "Sun, 06 Nov 1994 08:49:37 GMT")
        }),
        ("modified", &|s| {
            with(s, "If-Modified-Since", "Sun, 06 Nov 1994 08:49:36 GMT")
        }),
        ("match", &|s| with(s, "If-Match", "\"probe\"")),
        ("no match", &|s| with(s, "If-Match", "\"other\"")),
        ("unmodified since", &|s| {
            with(s, "If-Unmodified-Since", "Sun, 06 Nov 1994 08:49:36 GMT")
        }),
        ("first bytes", &|s| with(s, "Range", "bytes=0-4")),
        ("last bytes", &|s| with(s, "Range", "bytes=-3")),
        ("middle to end", &|s| with(s, "Range", "bytes=95-")),
        ("beyond", &|s| with(s, "Range", "bytes=200-")),
        ("nonsense", &|s| with(s, "Range", "bytes=x")),
        ("if-range", &|s| {
            get(s, "/cgi/probe?do=validators")
                .header("Range", "bytes=0-4")
                .header("If-Range", "\"other\"")
                .send()
        }),
    ]);
}

#[test]
fn any_exit_code_is_a_normal_end() {
    let mut targets = Vec::new();
    for code in [0, 1, 2, 125, 126, 127, 128, 134, 255] {
        targets.push(format!("/cgi/probe?do=exit&code={code}"));
        targets.push(format!("/cgi/probe?do=exit-silent&code={code}"));
    }
    equal_gets(&targets.iter().map(String::as_str).collect::<Vec<_>>());
}

#[test]
fn malformed_output_fares_the_same() {
    let targets = [
        "",
        "\n",
        "\n\nbody",
        "\r\n\r\nbody",
        "no header at all",
        "no header at all\n\nbody\n",
        "Content-Type: text/plain",
        "Content-Type: text/plain\n",
        "Content-Type: text/plain\n\n",
        "X-A: 1\n folded\n\nbody",
        "HTTP/1.1 404 Nope\nContent-Type: text/plain\n\nbody",
        "Content-Type: text/plain\nbroken line\n\nbody",
        "Status: 404 Nope\n\nbody",
        "X-Text: \u{e4}\u{20ac}\nContent-Type: text/plain\n\n\u{e4}",
    ]
    .map(raw_output);
    equal_gets(&targets.each_ref().map(String::as_str));
}
