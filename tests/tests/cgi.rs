//! CGI mode where there is nothing to compare with: bindings, mounts, and what is refused.

use mod_wasm_tests::{Server, Site, cgi_endpoint, guest};

/// The variables that the program got.
fn variable(text: &str, name: &str) -> Option<String> {
    text.lines()
        .find_map(|line| Some(line.strip_prefix(name)?.strip_prefix('=')?.to_owned()))
}

#[track_caller]
fn variables(server: &Server, target: &str, expected: &[(&str, Option<&str>)]) {
    let text = server.get(target).expect(200).text();
    for (name, value) in expected {
        let value = value.map(|value| value.replace("DIR", server.path("").trim_end_matches('/')));
        assert_eq!(
            variable(&text, name),
            value,
            "{name} for {target} in\n{text}"
        );
    }
}

#[test]
fn a_location_is_the_scripts_name_and_the_rest_is_path_info() {
    let server = Site::new().start(cgi_endpoint("/app/x", &guest("cgi_probe"), ""));
    variables(
        &server,
        "/app/x",
        &[
            ("SCRIPT_NAME", Some("/app/x")),
            ("PATH_INFO", None),
            ("QUERY_STRING", Some("")),
        ],
    );
    let deep = [
        ("SCRIPT_NAME", Some("/app/x")),
        ("PATH_INFO", Some("/a/b")),
        ("QUERY_STRING", Some("q=1")),
    ];
    variables(&server, "/app/x/a/b?q=1", &deep);
}

#[test]
fn a_configured_variable_wins_over_one_of_the_request() {
    let lines = "WasmEnv REQUEST_METHOD FAKE\nWasmEnv HTTP_X_A configured\nWasmEnv EXTRA 1\nSetEnv BY_SETENV yes";
    let server = Site::new()
        .httpd(cgi_endpoint("/x", &guest("cgi_probe"), lines))
        .modules(&["env"])
        .start();
    let text = server
        .request("GET", "/x")
        .header("X-A", "sent")
        .send()
        .expect(200)
        .text();
    for (name, value) in [
        ("REQUEST_METHOD", "FAKE"),
        ("HTTP_X_A", "configured"),
        ("EXTRA", "1"),
        ("BY_SETENV", "yes"),
    ] {
        assert_eq!(variable(&text, name).as_deref(), Some(value), "{text}");
        let prefix = format!("{name}=");
        let times = text
            .lines()
            .filter(|line| line.starts_with(&prefix))
            .count();
        assert_eq!(times, 1, "{name} in {text}");
    }
}

/// A folder whose `.probe` files are run by the probe.
fn by_extension(site: &Site, lines: &str) -> String {
    format!(
        "<Directory {}>\nAddHandler wasm-handler .probe\nWasmModule {}\nWasmEnableCGI On\nWasmScriptArg Off\n{lines}\n</Directory>",
        site.path("htdocs"),
        guest("cgi_probe")
    )
}

fn serve(lines: impl Fn(&Site) -> String) -> Server {
    let site = Site::new();
    site.file("htdocs/app/page.probe", "");
    site.file("htdocs/app/nph-page.probe", "");
    site.file("htdocs/app/folder.probe/index", "");
    let conf = by_extension(&site, &lines(&site));
    site.httpd(conf).modules(&["mime"]).start()
}

#[test]
fn paths_are_those_of_the_host_unless_they_are_mapped() {
    let server = serve(|site| format!("WasmMapDir /guest {}", site.path("htdocs")));
    variables(
        &server,
        "/app/page.probe/more",
        &[
            ("SCRIPT_FILENAME", Some("DIR/htdocs/app/page.probe")),
            ("DOCUMENT_ROOT", Some("DIR/htdocs")),
            ("PATH_TRANSLATED", Some("DIR/htdocs/more")),
        ],
    );
}

#[test]
fn paths_are_mapped_through_the_longest_mount() {
    let server = serve(|site| {
        format!(
            "WasmMapCGIFileNames On\nWasmMapDir /outer {}\nWasmMapDir /inner {}",
            site.path("htdocs"),
            site.path("htdocs/app")
        )
    });
    variables(
        &server,
        "/app/page.probe/more",
        &[
            ("SCRIPT_FILENAME", Some("/inner/page.probe")),
            ("DOCUMENT_ROOT", Some("/outer")),
            ("CONTEXT_DOCUMENT_ROOT", Some("/outer")),
            ("PATH_TRANSLATED", Some("/outer/more")),
            ("SCRIPT_NAME", Some("/app/page.probe")),
            ("PATH_INFO", Some("/more")),
        ],
    );
}

#[test]
fn a_mount_maps_whole_names_only() {
    let server = serve(|site| {
        site.file("htdocs/ap/x", "");
        format!(
            "WasmMapCGIFileNames On\nWasmMapDir /near {}",
            site.path("htdocs/ap")
        )
    });
    variables(
        &server,
        "/app/page.probe",
        &[("SCRIPT_FILENAME", Some("DIR/htdocs/app/page.probe"))],
    );
    server.expect_log("WASM0067");
}

#[test]
fn a_mount_at_the_guests_root_maps_too() {
    let server = serve(|site| {
        format!(
            "WasmMapCGIFileNames On\nWasmMapDir / {}",
            site.path("htdocs")
        )
    });
    variables(
        &server,
        "/app/page.probe",
        &[
            ("SCRIPT_FILENAME", Some("/app/page.probe")),
            ("DOCUMENT_ROOT", Some("/")),
        ],
    );
}

#[test]
fn what_is_no_script_is_not_run() {
    let server = serve(|_| "AcceptPathInfo Off".to_owned());
    for (target, status, code) in [
        ("/app/missing.probe", 404, "WASM0042"),
        ("/app/page.probe/more", 404, "WASM0044"),
        ("/app/nph-page.probe", 500, "WASM0045"),
    ] {
        assert_eq!(server.get(target).status, status, "{target}");
        server.expect_logs(code, 1);
    }
    server.get("/app/page.probe").expect(200);
}

#[test]
fn a_folder_is_no_script() {
    let server = serve(|_| "SetHandler wasm-handler".to_owned());
    server.get("/app/folder.probe/").expect(403);
    server.expect_log("WASM0043");
}

#[test]
fn the_header_block_is_bounded_by_line_and_as_a_whole() {
    let server = Site::new().start(cgi_endpoint("/x", &guest("cgi_probe"), ""));
    server.get("/x?do=long-header&size=8100").expect(200);
    server.get("/x?do=many-headers&count=2000").expect(200);
    for refused in [
        "long-header&size=8200",
        "long-header&size=10000000",
        "many-headers&count=10000",
    ] {
        server.get(&format!("/x?do={refused}")).expect(500);
    }
    server.expect_logs("WASM0056", 3);
}

#[test]
fn a_program_without_a_response_is_500_and_its_exit_code_is_told() {
    let server = Site::new().start(cgi_endpoint("/x", &guest("cgi_probe"), ""));
    server.get("/x?do=exit-silent&code=3").expect(500);
    let lines = server.expect_log("WASM0057");
    assert!(lines[0].message.contains("exit code 3"), "{lines:?}");
}

#[test]
fn a_program_answers_for_what_is_missing() {
    let conf = cgi_endpoint("/x", &guest("cgi_probe"), "") + "ErrorDocument 404 /x/lost";
    let server = Site::new().start(conf);
    let text = server.get("/nowhere?q=1").expect(404).text();
    for (name, value) in [
        ("REDIRECT_STATUS", "404"),
        ("REDIRECT_URL", "/nowhere"),
        ("REDIRECT_QUERY_STRING", "q=1"),
        ("PATH_INFO", "/lost"),
    ] {
        assert_eq!(variable(&text, name).as_deref(), Some(value), "{text}");
    }
}
