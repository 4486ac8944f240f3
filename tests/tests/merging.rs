//! How sections merge, and that virtual hosts keep to themselves.

use mod_wasm_tests::{Server, Site, endpoint, guest};

/// Server with these lines, `/x` and what lies below it told by a guest.
fn teller(lines: &str) -> Server {
    Site::new().start(lines.replace(
        "HANDLED",
        &format!(
            "SetHandler wasm-handler\nWasmModule {}",
            guest("plain_probe")
        ),
    ))
}

#[test]
fn an_inner_argument_list_replaces_the_outer_one() {
    let server = teller(
        "<Location /x>\nHANDLED\nWasmArg outer1\nWasmArg outer2\n</Location>\n\
         <Location /x/in>\nWasmArg inner\n</Location>\n<Location /x/other>\nWasmEnv A 1\n</Location>",
    );
    assert_eq!(
        server.get("/x/in").expect(200).text(),
        "argv[0]=plain_probe.wasm\nargv[1]=inner\nstdin 0\n"
    );
    let text = server.get("/x/other").expect(200).text();
    assert_eq!(
        text,
        "argv[0]=plain_probe.wasm\nargv[1]=outer1\nargv[2]=outer2\nenv A=1\nstdin 0\n"
    );
}

#[test]
fn variables_merge_by_name() {
    let server = teller(
        "WasmEnv SERVER s\nWasmEnv SHARED server\n\
         <Location /x>\nHANDLED\nWasmEnv SHARED outer\nWasmEnv OUTER o\n</Location>\n\
         <Location /x/in>\nWasmEnv SHARED inner\nWasmEnv INNER i\n</Location>",
    );
    let environment = |target: &str| {
        let text = server.get(target).expect(200).text();
        let mut lines: Vec<String> = text
            .lines()
            .filter_map(|line| line.strip_prefix("env "))
            .map(str::to_owned)
            .collect();
        lines.sort();
        lines.join(" ")
    };
    assert_eq!(
        environment("/x/in"),
        "INNER=i OUTER=o SERVER=s SHARED=inner"
    );
    assert_eq!(environment("/x"), "OUTER=o SERVER=s SHARED=outer");
}

#[test]
fn the_last_value_of_a_variable_in_one_section_counts() {
    let server = teller("<Location /x>\nHANDLED\nWasmEnv A 1\nWasmEnv A 2\n</Location>");
    assert_eq!(
        server.get("/x").expect(200).text(),
        "argv[0]=plain_probe.wasm\nenv A=2\nstdin 0\n"
    );
}

#[test]
fn mounts_merge_by_guest_path() {
    let site = Site::new();
    for name in ["a", "b", "c"] {
        site.file(&format!("{name}/{name}.txt"), name);
    }
    let [a, b, c] = ["a", "b", "c"].map(|name| site.path(name));
    let conf = endpoint(
        "/x",
        &guest("list_dir"),
        &format!("WasmArg /one\nWasmMapDir /one {a}\nWasmMapDir /two {b}"),
    ) + &format!(
        "<Location /x/in>\nWasmMapDir /one {c}\n</Location>\n<Location /x/in/two>\nWasmArg /two\n</Location>"
    );
    let server = site.start(conf);
    assert!(server.get("/x").expect(200).text().ends_with("  a.txt\n"));
    assert!(
        server
            .get("/x/in")
            .expect(200)
            .text()
            .ends_with("  c.txt\n"),
        "the inner mount must win"
    );
    assert!(
        server
            .get("/x/in/two")
            .expect(200)
            .text()
            .ends_with("  b.txt\n"),
        "the outer mount must stay"
    );
}

#[test]
fn an_inner_section_may_make_a_mount_read_only() {
    let site = Site::new();
    let data = site.writable_dir("data");
    let conf = endpoint(
        "/x",
        &guest("plain_probe"),
        &format!("WasmMapDir /d {data}\nWasmArg put\nWasmArg /d/new.txt\nWasmArg text"),
    ) + &format!("<Location /x/ro>\nWasmMapDir /d {data} ro\n</Location>");
    let server = site.start(conf);
    assert!(
        server
            .get("/x/ro")
            .expect(200)
            .text()
            .starts_with("cannot create")
    );
    assert_eq!(server.get("/x").expect(200).text(), "written\n");
}

#[test]
fn inner_scalars_override() {
    let wasm = guest("entries");
    let hello = guest("hello_wasm");
    let conf = endpoint("/x", &wasm, "WasmEntryPoint another")
        + "<Location /x/back>\nWasmEntryPoint _start\n</Location>\n"
        + &format!("<Location /x/hello>\nWasmModule {hello}\nWasmEntryPoint _start\n</Location>\n")
        + "<Location /x/static>\nSetHandler none\n</Location>";
    let server = Site::new().start(conf);
    assert_eq!(server.get("/x").expect(200).text(), "another entry\n");
    assert_eq!(server.get("/x/back").expect(200).text(), "default entry\n");
    assert!(
        server
            .get("/x/hello")
            .expect(200)
            .text()
            .starts_with("Hello from WebAssembly")
    );
    server.get("/x/static").expect(404);
}

#[test]
fn an_entry_point_merged_with_a_module_that_lacks_it_is_500() {
    let conf = endpoint("/x", &guest("entries"), "WasmEntryPoint another")
        + &format!(
            "<Location /x/hello>\nWasmModule {}\n</Location>",
            guest("hello_wasm")
        );
    let server = Site::new().start(conf);
    server.get("/x/hello").expect(500);
    let lines = server.expect_log("WASM0060");
    assert!(
        lines[0].message.contains("another") && lines[0].message.contains("hello_wasm"),
        "{lines:?}"
    );
    assert_eq!(server.get("/x").expect(200).text(), "another entry\n");
}

#[test]
fn cgi_mode_can_be_switched_off_inside() {
    let conf = endpoint(
        "/x",
        &guest("plain_probe"),
        "WasmEnableCGI On\nWasmArg leave\nWasmArg 0\nWasmArg \"X-A: b\\n\\nbody\"",
    ) + "<Location /x/plain>\nWasmEnableCGI Off\nWasmArg leave\nWasmArg 0\nWasmArg plain\n</Location>";
    let server = Site::new().start(conf);
    assert_eq!(server.get("/x/plain").expect(200).text(), "plain");
}
