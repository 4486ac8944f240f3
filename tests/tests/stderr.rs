//! stderr of a guest: line by line in its virtual host's error log, attributed to the request.

use mod_wasm_tests::{LogLine, Server, Site, cgi_endpoint, endpoint, guest};

const CODE: &str = "WASM0070";

fn said_by(site: Site, conf: String) -> (Server, Vec<LogLine>) {
    let server = site.start(conf);
    server.get("/x").expect(200);
    let lines = server.expect_log(CODE);
    (server, lines)
}

#[test]
fn each_line_is_a_log_line_with_the_requests_id() {
    let conf = endpoint("/x", &guest("plain_probe"), "WasmArg complain\nWasmArg 3");
    let server = Site::new().start(conf);
    assert_eq!(server.get("/x").expect(200).text(), "complained\n");
    server.get("/x").expect(200);
    let lines = server.expect_log(CODE);
    let said: Vec<&str> = lines
        .iter()
        .filter_map(|line| line.message.rsplit(": ").next())
        .collect();
    assert_eq!(
        said,
        [
            "complaint 1",
            "complaint 2",
            "complaint 3",
            "complaint 1",
            "complaint 2",
            "complaint 3"
        ]
    );
    assert!(
        lines
            .iter()
            .all(|line| line.client.starts_with("127.0.0.1:") && line.module == "wasm"),
        "{lines:?}"
    );
    let access = server.access_log();
    for (number, request) in access.iter().enumerate() {
        let id = request
            .split(' ')
            .nth(1)
            .expect("the access log has the id second");
        assert!(
            lines[number * 3..number * 3 + 3]
                .iter()
                .all(|line| line.id == id),
            "{access:?}\n{lines:?}"
        );
    }
}

#[test]
fn lines_go_to_the_log_of_the_virtual_host() {
    let site = Site::new();
    let conf = format!(
        "<VirtualHost *>\nServerName a.test\nErrorLog {}\n{}</VirtualHost>",
        site.path("logs/a-error.log"),
        endpoint("/x", &guest("plain_probe"), "WasmArg complain\nWasmArg 1")
    );
    let (_server, lines) = said_by(site, conf);
    assert!(
        lines.len() == 1 && lines[0].file == "a-error.log",
        "{lines:?}"
    );
}

#[test]
fn no_line_can_be_forged() {
    let (server, lines) = said_by(
        Site::new(),
        endpoint("/x", &guest("plain_probe"), "WasmArg forge"),
    );
    assert!(
        server.log().iter().all(LogLine::is_regular),
        "a guest wrote a line of its own: {:?}",
        server.log()
    );
    assert!(
        server.log().iter().all(|line| line.level != "emerg"),
        "{:?}",
        server.log()
    );
    for line in &lines {
        let clean = line.raw.bytes().all(|byte| (0x20..0x7f).contains(&byte));
        assert!(
            clean,
            "control characters or stray bytes in the log: {line:?}"
        );
    }
    for text in ["innocent", "forged", "escape", "bytes", "no end of line"] {
        assert!(
            lines.iter().any(|line| line.message.contains(text)),
            "{text:?} was lost: {lines:?}"
        );
    }
}

#[test]
fn an_endless_line_is_cut_into_pieces() {
    let (server, lines) = said_by(
        Site::new(),
        endpoint("/x", &guest("plain_probe"), "WasmArg drone\nWasmArg 300000"),
    );
    assert!(
        server.log().iter().all(|line| line.raw.len() < 10_000),
        "a line of any length goes into the log"
    );
    let short = server.expect_log("short");
    assert_eq!(
        short.len(),
        1,
        "what follows a long line must stand for itself"
    );
    assert!(lines.len() < 1000, "{} lines for one", lines.len());
}

#[test]
fn lines_of_a_cgi_program_are_kept_too() {
    let conf = cgi_endpoint("/x", &guest("cgi_probe"), "");
    let server = Site::new().start(conf);
    server.get("/x?do=stderr").expect(200);
    server.expect_logs("probe says", 2);
}

#[test]
fn an_unfinished_line_before_a_trap_is_kept() {
    let server = Site::new().start(endpoint("/x", &guest("trap_after_stderr"), ""));
    server.get("/x").expect(500);
    server.expect_logs("last words", 1);
    server.expect_log("WASM0050");
}
