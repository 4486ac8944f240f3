//! CGI mode against the distribution's mod_cgid: one C source, built natively for mod_cgid and as Wasm for us, one
//! table of requests, equal answers. Where they may differ the case says why.

use std::fs::File;
use std::time::{Duration, UNIX_EPOCH};

use mod_wasm_tests::{Exchange, Request, Response, Server, Site, guest, native};

/// What a request is called, and how it is sent.
type Case<'a> = (&'a str, &'a dyn Fn(&Server) -> Response);

struct Pair {
    native: Server,
    wasm: Server,
}

impl Pair {
    /// Two servers whose configuration differs in nothing but who runs the program.
    fn start() -> Self {
        let native_lines = "SetHandler cgi-script\nOptions +ExecCGI";
        let wasm_lines = format!(
            "SetHandler wasm-handler\nWasmModule {}\nWasmEnableCGI On",
            guest("cgi_probe")
        );
        let pair = Self {
            native: server(native_lines, "cgid"),
            wasm: server(&wasm_lines, "env"),
        };
        // What each says in its log about a program that misbehaves has tests of its own; a crash never passes.
        pair.native.allow_log("[cgid:error]");
        pair.native.allow_log("AH00574: ap_content_length_filter");
        for server in pair.both() {
            server.allow_log("AH02428: Empty response header name");
            server.allow_log("AH02429: Response header name");
        }
        pair.wasm.allow_log("[wasm:");
        pair
    }

    fn both(&self) -> [&Server; 2] {
        [&self.native, &self.wasm]
    }
}

fn server(lines: &str, module: &str) -> Server {
    let site = Site::new();
    site.executable("cgi/probe", &native("cgi_probe"));
    site.executable("cgi/auth", &native("cgi_probe"));
    let page = site.file("htdocs/static.txt", "static content\n");
    let moment = UNIX_EPOCH + Duration::from_secs(1_000_000_000);
    File::open(page)
        .and_then(|file| file.set_modified(moment))
        .expect("a file can be dated");
    let conf = format!(
        "Alias /cgi {0}\nServerTokens Prod\nFileETag None\nErrorDocument 404 /cgi/probe/for-missing?error=1\n\
         <Directory {0}>\n{lines}\n</Directory>\n<Files auth>\nCGIPassAuth On\n</Files>\nSetEnv FROM_CONFIG yes",
        site.path("cgi")
    );
    let mut modules = vec!["alias", "mime", module];
    if module != "env" {
        modules.push("env");
    }
    site.httpd(conf).modules(&modules).start()
}

/// An answer without what differs between any two servers or moments.
fn normal(server: &Server, answer: &Response) -> String {
    let mut lines = vec![format!(
        "{} {}{}",
        answer.status,
        answer.reason,
        if answer.complete { "" } else { " CUT OFF" }
    )];
    for (name, value) in &answer.headers {
        // Which framing httpd chooses depends on timing: how much has arrived when it writes the head.
        if !["Date", "Content-Length", "Transfer-Encoding"].contains(&name.as_str()) {
            lines.push(format!("{name}: {value}"));
        }
    }
    lines.push(String::new());
    for line in answer.partial_text().lines() {
        if !line.contains("REMOTE_PORT=") {
            lines.push(line.to_owned());
        }
    }
    let folder = server.path("").trim_end_matches('/').to_owned();
    lines
        .join("\n")
        .replace(&folder, "DIR")
        .replace(&server.address().port().to_string(), "PORT")
}

/// Sends each request of the table to both; returns those that were answered differently.
fn differing(pair: &Pair, table: &[Case]) -> Vec<String> {
    let mut differences = Vec::new();
    for (name, ask) in table {
        let [native, wasm] = pair.both().map(|server| normal(server, &ask(server)));
        if native != wasm {
            differences.push(format!(
                "== {name}\n-- mod_cgid:\n{native}\n-- mod_wasm:\n{wasm}\n"
            ));
        }
    }
    differences
}

#[track_caller]
fn equal(table: &[Case]) {
    let pair = Pair::start();
    let differences = differing(&pair, table);
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

/// The same, for plain GET requests.
#[track_caller]
fn equal_gets(targets: &[&str]) {
    let pair = Pair::start();
    let mut differences = Vec::new();
    for target in targets {
        let ask = |server: &Server| server.get(target);
        differences.extend(differing(&pair, &[(target, &ask)]));
    }
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
            "600 High",
            "99 Low",
            "abc",
            "",
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
        "/cgi/probe?do=connection",
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

fn raw(text: &str) -> String {
    let hex: String = text.bytes().map(|byte| format!("{byte:02x}")).collect();
    format!("/cgi/probe?do=raw&hex={hex}")
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
        ": no name\n\nbody",
        "Name : spaced\n\nbody",
        "X-A: 1\n folded\n\nbody",
        "HTTP/1.1 404 Nope\nContent-Type: text/plain\n\nbody",
        "Content-Type: text/plain\nbroken line\n\nbody",
        "Status: 404 Nope\n\nbody",
        "X-Text: \u{e4}\u{20ac}\nContent-Type: text/plain\n\n\u{e4}",
    ]
    .map(raw);
    equal_gets(&targets.each_ref().map(String::as_str));
}

/// Listed: a query without `=` would become arguments of the program, and php-cgi reads its options from them.
#[test]
fn exception_a_query_never_becomes_arguments() {
    let pair = Pair::start();
    let [native, wasm] = pair
        .both()
        .map(|server| server.get("/cgi/probe?-s+words").expect(200).text());
    assert!(native.contains("argument 1: -s\n"), "{native}");
    assert!(!wasm.contains("argument 1"), "{wasm}");
    assert!(wasm.contains("\nQUERY_STRING=-s+words\n"), "{wasm}");
}

/// Listed: mod_cgid drops a lone CR and ends a line at a NUL, so that what was checked is not what was sent. Both
/// are refused here.
#[test]
fn exception_nul_and_lone_cr_in_headers_are_refused() {
    let pair = Pair::start();
    for text in [
        "X-A: 1\0Set-Cookie: x\nContent-Type: text/plain\n\nbody",
        "\0X-A: 1\n\nbody",
        "X-A: 1\rX-B: 2\n\nbody",
    ] {
        assert_eq!(pair.wasm.get(&raw(text)).status, 500, "{text:?}");
        assert_eq!(
            pair.native.get(&raw(text)).status,
            200,
            "{text:?}: no exception is needed any more"
        );
    }
}

/// Listed: both refuse a header block without end, but by limits of their own (64 KiB here, 8 KiB a line there).
#[test]
fn exception_the_header_block_is_bounded() {
    let pair = Pair::start();
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

/// Listed: mod_cgid sends the whole body before it reads the answer, and resets a program that ends without reading
/// all of it; whether the answer survives is a matter of timing. Here it always does.
#[test]
fn exception_a_body_may_stay_unread() {
    let pair = Pair::start();
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

/// Listed: for the same reason a program that answers while it reads hangs under mod_cgid as soon as both buffers are
/// full.
#[test]
fn exception_a_program_may_answer_while_it_reads() {
    let pair = Pair::start();
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

/// Listed: stderr lines carry a code of ours instead of mod_cgid's.
#[test]
fn exception_stderr_has_its_own_code() {
    let pair = Pair::start();
    for (server, code) in [(&pair.native, "AH01215"), (&pair.wasm, "WASM")] {
        server.get("/cgi/probe?do=stderr").expect(200);
        let lines = server.expect_log("probe says");
        assert_eq!(lines.len(), 2, "{lines:?}");
        assert!(
            lines.iter().all(|line| line.message.starts_with(code)),
            "{lines:?}"
        );
    }
}

/// Listed: mod_cgid asks for a file that exists; with us the configured module runs, whatever the path names.
#[test]
fn exception_the_script_need_not_exist() {
    let pair = Pair::start();
    pair.native.allow_log("AH01264");
    assert_eq!(pair.wasm.get("/cgi/no-such-script").status, 200);
    let native = pair.native.get("/cgi/no-such-script");
    assert!(
        native.text().contains("REDIRECT_STATUS=404"),
        "{}",
        native.text()
    );
}
