//! `WasmScriptArg`: whether the script of a request is an argument of the program.

use mod_wasm_tests::{Mpm, Response, Server, Site, cgi_endpoint, guest, python};

/// A site with a script, `page.probe`, and one more that lies in no mount.
fn site() -> Site {
    let site = Site::new();
    site.file("htdocs/app/page.probe", "");
    site.file("htdocs/other/page.probe", "");
    site
}

/// A section for all files, whose `.probe` files are run by the probe; `htdocs/app` is mounted at `/inside`.
fn section(site: &Site, lines: &str) -> String {
    format!(
        "<Directory {}>\nAddHandler wasm-handler .probe\nWasmModule {}\nWasmEnableCGI On\n\
         WasmMapDir /inside {} ro\n{lines}\n</Directory>\n",
        site.path("htdocs"),
        guest("cgi_probe"),
        site.path("htdocs/app"),
    )
}

fn serve(lines: &str) -> Server {
    let site = site();
    let conf = section(&site, lines);
    site.httpd(conf).modules(&["mime"]).start()
}

/// The arguments that the probe got.
fn arguments(answer: Response) -> Vec<String> {
    let text = answer.expect(200).text();
    text.lines()
        .filter_map(|line| line.strip_prefix("argument "))
        .map(str::to_owned)
        .collect()
}

#[test]
fn on_makes_the_script_the_last_argument() {
    let server = serve("WasmArg first\nWasmScriptArg On");
    let answer = server.get("/app/page.probe/more?a=b").expect(200);
    let host = format!(
        "\nSCRIPT_FILENAME={}\n",
        server.path("htdocs/app/page.probe")
    );
    assert!(
        answer.text().contains(&host),
        "the variables are not mapped here"
    );
    assert_eq!(arguments(answer), ["1: first", "2: /inside/page.probe"]);
}

#[test]
fn on_works_with_mapped_variables_and_odd_names() {
    let site = site();
    for name in ["-c.probe", "a b;c.probe", "\u{e4}.probe"] {
        site.file(&format!("htdocs/app/{name}"), "");
    }
    let lines = "WasmMapCGIFileNames On\nWasmScriptArg On";
    let conf = section(&site, lines);
    let server = site.httpd(conf).modules(&["mime"]).start();
    for (target, argument) in [
        ("/app/-c.probe", "1: /inside/-c.probe"),
        ("/app/a%20b%3bc.probe", "1: /inside/a b;c.probe"),
        ("/app/%C3%A4.probe", "1: /inside/\u{e4}.probe"),
    ] {
        let answer = server.get(target);
        assert!(
            answer.partial_text().contains("\nSCRIPT_FILENAME=/inside/"),
            "{answer:?}"
        );
        assert_eq!(arguments(answer), [argument]);
    }
}

#[test]
fn on_works_without_cgi_mode() {
    let site = site();
    let conf = format!(
        "<Directory {}>\nSetHandler wasm-handler\nWasmModule {}\nWasmScriptArg On\nWasmMapDir / {}\n</Directory>",
        site.path("htdocs"),
        guest("plain_probe"),
        site.path("htdocs")
    );
    let server = site.start(conf);
    assert_eq!(
        server.get("/app/page.probe").expect(200).text(),
        "argv[0]=plain_probe.wasm\nargv[1]=/app/page.probe\nstdin 0\n"
    );
    server.get("/app/missing.probe").expect(404);
    server.expect_log("WASM0042");
}

#[test]
fn off_leaves_the_arguments_alone_and_says_nothing() {
    let server = serve("WasmArg first\nWasmScriptArg Off");
    assert_eq!(arguments(server.get("/app/page.probe")), ["1: first"]);
    // A script in no mount is then for the program to find.
    assert_eq!(arguments(server.get("/other/page.probe")), ["1: first"]);
    assert!(server.log_with("WASM0068").is_empty(), "{:?}", server.log());
}

#[test]
fn an_inner_section_decides_anew() {
    let site = site();
    let conf = "WasmScriptArg On\n".to_owned()
        + &section(&site, "")
        + &format!(
            "<Directory {}>\nWasmScriptArg Off\n</Directory>",
            site.path("htdocs/other")
        );
    let server = site.httpd(conf).modules(&["mime"]).start();
    assert_eq!(
        arguments(server.get("/app/page.probe")),
        ["1: /inside/page.probe"]
    );
    assert_eq!(arguments(server.get("/other/page.probe")).len(), 0);
}

#[test]
fn without_a_choice_it_is_off_and_one_line_says_so() {
    for mpm in [Mpm::Event, Mpm::Prefork] {
        let site = site();
        let conf = section(&site, "");
        let server = site.httpd(conf).modules(&["mime"]).mpm(mpm).start();
        for _ in 0..20 {
            assert_eq!(arguments(server.get("/app/page.probe")).len(), 0);
        }
        let lines = server.expect_logs("WASM0068", 1);
        assert_eq!(lines[0].level, "notice");
        for part in ["cgi_probe.wasm", "htdocs/app/page.probe", "WasmScriptArg"] {
            assert!(lines[0].message.contains(part), "no {part} in {lines:?}");
        }
        server.graceful();
        server.get("/app/page.probe").expect(200);
        assert_eq!(server.log_with("WASM0068").len(), 2, "once for each start");
    }
}

#[test]
fn who_has_no_script_or_no_body_needs_no_choice() {
    let site = site();
    let plain = format!(
        "<Directory {}>\nAddHandler wasm-handler .probe\nWasmModule {}\n</Directory>\n",
        site.path("htdocs"),
        guest("plain_probe")
    );
    let conf = plain + &cgi_endpoint("/x", &guest("cgi_probe"), "");
    let server = site.httpd(conf).modules(&["mime"]).start();
    server.get("/app/page.probe").expect(200);
    server.get("/x/more").expect(200);
    assert!(server.log_with("WASM0068").is_empty(), "{:?}", server.log());
}

#[test]
fn a_script_that_the_program_cannot_find_does_not_start_it() {
    let server = serve("WasmScriptArg On");
    server.get("/other/page.probe").expect(500);
    let lines = server.expect_logs("WASM0046", 1);
    assert!(
        lines[0].message.contains("htdocs/other/page.probe"),
        "{lines:?}"
    );
}

/// The file that would run is the other mount's: perhaps an upload of the same name.
#[test]
fn a_script_that_another_mount_covers_does_not_start_the_program() {
    let site = site();
    site.file("htdocs/app/uploads/page.probe", "");
    site.file("uploads/page.probe", "");
    let lines = format!(
        "WasmScriptArg On\nWasmMapCGIFileNames On\nWasmMapDir /inside/uploads {}",
        site.path("uploads")
    );
    let conf = section(&site, &lines);
    let server = site.httpd(conf).modules(&["mime"]).start();
    server.get("/app/page.probe").expect(200);
    server.get("/app/uploads/page.probe").expect(500);
    server.expect_log("WASM0046");
}

/// A `<Directory>` applies to what lies below a `<Location>` too.
#[test]
fn a_program_without_files_says_off_below_a_section_that_says_on() {
    let site = site();
    let conf = section(&site, "WasmScriptArg On")
        + &cgi_endpoint("/x", &guest("cgi_probe"), "WasmScriptArg Off")
        + &cgi_endpoint("/y", &guest("cgi_probe"), "");
    let server = site.httpd(conf).modules(&["mime"]).start();
    assert_eq!(arguments(server.get("/x")).len(), 0);
    server.get("/y").expect(404);
    let lines = server.expect_log("WASM0042");
    assert!(
        lines[0].message.contains("WasmScriptArg is On"),
        "{lines:?}"
    );
}

/// Interpreters without a script take their program from standard input, where the body is.
#[test]
fn the_body_of_a_request_is_never_the_program() {
    let site = site();
    let script = "print('Content-Type: text/plain\\n\\nthe script')\n";
    for folder in ["app", "other"] {
        site.file(&format!("htdocs/{folder}/x.py"), script);
    }
    let program = format!(
        "WasmModule {}\nWasmEnableCGI On\nWasmScriptArg On\nWasmMapDir /inside {}\n",
        python(),
        site.path("htdocs/app")
    );
    site.file("htdocs/off/x.py", script);
    // By extension; by name; by URL, where no file needs to exist for other programs.
    let conf = format!(
        "<Directory {0}>\nAddHandler wasm-handler .py\n{program}</Directory>\n\
         <Directory {0}/off>\nWasmScriptArg Off\n</Directory>\n\
         <FilesMatch \"\\.pyw$\">\nSetHandler wasm-handler\n{program}</FilesMatch>\n\
         <LocationMatch \"^/match/.*\\.py$\">\nSetHandler wasm-handler\n{program}</LocationMatch>\n\
         <Location /location>\nSetHandler wasm-handler\n{program}</Location>\n",
        site.path("htdocs")
    );
    let server = site.httpd(conf).modules(&["mime"]).start();
    let post = |target: &str| {
        let body = "print('Content-Type: text/plain\\n\\nTHE BODY RAN')\n";
        server.request("POST", target).body(body).send()
    };
    // This is what it is all about.
    assert_eq!(post("/off/x.py").expect(200).text(), "THE BODY RAN\n");
    assert_eq!(post("/app/x.py").expect(200).text(), "the script\n");
    for (target, status) in [
        ("/other/x.py", 500),
        ("/app/missing.py", 404),
        ("/missing.pyw", 404),
        ("/match/missing.py", 404),
        ("/location", 404),
        ("/location/more", 404),
    ] {
        let answer = post(target);
        assert!(
            !answer.partial_text().contains("THE BODY RAN"),
            "the body of a request to {target} ran"
        );
        answer.expect(status);
    }
    server.expect_log("WASM0046");
    server.expect_logs("WASM0042", 5);
}
