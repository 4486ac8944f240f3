//! Programs that cannot be started once: refused where that is asked for, otherwise run without.

use std::fs;

use mod_wasm_tests::{Refusal, Server, Site, endpoint, guest};

/// What an initialiser does, and what is said of it.
const FAILURES: &[(&str, &[&str])] = &[
    ("trap", &["wizer-initialize failed", "unreachable"]),
    ("say:last-words,trap", &["it said: last-words and more"]),
    ("exit:3", &["it ended the program, with exit status 3"]),
    ("exit:0", &["it ended the program, with exit status 0"]),
    ("loop", &["it took longer than 1 s"]),
    (
        "grow:100",
        &["it was refused more memory than 33554432 bytes"],
    ),
    ("leave:/data/file", &["leaves /data/file open"]),
];

const LIMITS: &str = "WasmPreinitTimeout 1\nWasmMemoryLimit 32M";

fn section(site: &Site, init: &str, lines: &str) -> String {
    site.file("data/file", "content");
    let folder = site.path("data");
    let lines = format!("WasmMapDir /data {folder}\nWasmPreinitEnv INIT {init}\n{LIMITS}\n{lines}");
    endpoint("/x", &guest("preinit_probe"), &lines)
}

fn refused(conf: impl FnOnce(&Site) -> String) -> Refusal {
    let site = Site::new();
    let conf = conf(&site);
    site.refused(conf)
}

#[test]
fn on_refuses_a_program_without_an_initialiser() {
    let wasm = guest("plain_probe");
    refused(|_| endpoint("/x", &wasm, "WasmPreinit On")).names(
        "WasmPreinit",
        &[
            "WASM0013",
            "plain_probe.wasm",
            "no function wizer-initialize or wizer.initialize",
        ],
    );
    // The line that says so may be that of the server, or of the host.
    refused(|_| format!("WasmPreinit On\n{}", endpoint("/x", &wasm, "")))
        .names("WasmPreinit On", &["WASM0013"]);
    let host = format!(
        "<VirtualHost *:*>\nWasmPreinit On\n{}</VirtualHost>",
        endpoint("/x", &wasm, "")
    );
    refused(|_| host).names("WasmPreinit On", &["WASM0013"]);
}

#[test]
fn on_refuses_a_program_whose_initialiser_fails_with_its_own_words() {
    for (init, causes) in FAILURES {
        let refusal = refused(|site| section(site, init, "WasmPreinit On"));
        refusal
            .names("WasmPreinit On", &["WASM0013", "preinit_probe.wasm"])
            .names("WasmPreinit On", causes);
    }
}

#[test]
fn on_refuses_what_cannot_be_snapshotted() {
    let conf = endpoint("/x", &guest("preinit_table_set"), "WasmPreinit On");
    refused(|_| conf).names(
        "WasmPreinit",
        &["WASM0013", "no snapshot can be taken", "table.set"],
    );
}

fn runs_without(server: &Server) {
    let text = server.get("/x").expect(200).text();
    assert!(text.contains("constructors 1 initialised 0"), "{text}");
}

#[test]
fn auto_warns_and_runs_it_without() {
    for (init, causes) in FAILURES {
        let site = Site::new();
        let conf = section(&site, init, "");
        let server = site.start(conf);
        runs_without(&server);
        let lines = server.expect_log("WASM0026");
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert_eq!(lines[0].level, "warn", "{lines:?}");
        for part in
            causes
                .iter()
                .chain(&["WasmModule", "httpd.conf:", "it runs without a snapshot"])
        {
            assert!(lines[0].message.contains(part), "{part}: {lines:?}");
        }
    }
}

#[test]
fn auto_runs_what_cannot_be_snapshotted() {
    let server = Site::new().start(endpoint("/x", &guest("preinit_table_set"), ""));
    server.get("/x").expect(200);
    assert!(
        server.expect_log("WASM0026")[0]
            .message
            .contains("table.set")
    );
}

#[test]
fn one_start_tries_once_and_the_next_one_again() {
    let site = Site::new();
    let conf = section(&site, "trap", "") + &section(&site, "trap", "").replace("/x", "/again");
    let server = site.start(conf);
    let taking = "WASM0025: taking a snapshot of ";
    let said = fs::read_to_string(server.path("start.out")).expect("the start was recorded");
    assert_eq!(said.matches(taking).count(), 1, "{said}");
    assert_eq!(
        server.expect_log("WASM0026").len(),
        2,
        "each section is told"
    );
    server.graceful_by_signal();
    assert_eq!(server.log_with(taking).len(), 1);
    assert_eq!(server.log_with("WASM0026").len(), 4);
    runs_without(&server);
}

#[test]
fn a_test_of_the_configuration_shows_the_warning() {
    let site = Site::new();
    let conf = section(&site, "exit:3", "");
    let server = site.start(conf);
    server.expect_log("WASM0026");
    let (accepted, said) = server.httpd(&["-t"]);
    assert!(
        accepted && said.contains("WASM0026") && said.contains("exit status 3"),
        "{said}"
    );
}

#[test]
fn wrong_values_are_refused() {
    for (line, cause) in [
        ("WasmPreinit Maybe", "must be On, Off or Auto"),
        ("WasmPreinit On Off", "one argument"),
        ("WasmPreinitTimeout soon", "WasmPreinitTimeout"),
        ("WasmPreinitTimeout 0", "WasmPreinitTimeout"),
        ("WasmPreinitEnv NAME", "two arguments"),
        ("WasmPreinitEnv NAME value more", "two arguments"),
        (
            "WasmPreinitEnv A=B value",
            "cannot be the name of a variable",
        ),
    ] {
        refused(|_| endpoint("/x", &guest("preinit_probe"), line)).names(line, &[cause]);
    }
}
