//! The uploads of the WordPress demo: a folder that httpd serves and a program writes to. Each line of its section keeps
//! something away, and each test sees that happen without the line.

use std::fs::{self, File};

use mod_wasm_tests::{Exchange, Server, demos};

const UPLOADS: &str = "/wordpress/wp-content/uploads";
const SECTION: &str = "<Directory \"${MOD_WASM_DATA}/wordpress/uploads\">";

/// More than the sockets on the way hold: httpd is in the middle of it for as long as the client does not read.
const LARGE_MIB: u32 = 16;

/// A server that allows more than the demo's own around the uploads, and compresses them. WordPress counts as installed: the
/// programs here are the test's own.
fn serve() -> Server {
    let around = format!(
        "<Directory \"${{MOD_WASM_DATA}}\">\nAllowOverride All\n</Directory>\n\
         <Location {UPLOADS}>\nSetOutputFilter DEFLATE\n</Location>"
    );
    let httpd = demos(&["wordpress"], &around).modules(&["filter", "deflate"]);
    let server = httpd.start();
    server.site().file("data/wordpress/state/installed", "");
    server
}

/// The same server without a line of the section.
fn serve_without(line: &str) -> Server {
    let server = serve();
    let snippet = "apps/wordpress/httpd.conf";
    let text = fs::read_to_string(server.path(snippet)).expect("the snippet is there");
    let (before, section) = text.split_once(SECTION).expect("the uploads are served");
    assert!(section.contains(line), "no {line:?} in {section}");
    let section = section.replace(line, "");
    server
        .site()
        .file(snippet, format!("{before}{SECTION}{section}"));
    server.graceful();
    server
}

/// Has PHP run this, among the uploads; it prints what it did.
fn run(server: &Server, php: &str) -> String {
    let page = format!("<?php chdir('/app/wp-content/uploads'); {php}");
    server.site().file("sites/wordpress/own.php", page);
    server.get("/wordpress/own.php").expect(200).text()
}

fn write(server: &Server, name: &str, text: &str) {
    let told = run(
        server,
        &format!("echo file_put_contents('{name}', '{text}');"),
    );
    assert_eq!(told, text.len().to_string(), "{name} was not written");
}

#[test]
fn an_htaccess_that_a_program_wrote_has_no_effect() {
    let server = serve();
    write(&server, "notes.txt", "plain");
    for orders in [
        "Require all denied",
        "SetHandler wasm-handler",
        "ForceType text/html",
        "no directive at all",
    ] {
        write(&server, ".htaccess", orders);
        let answer = server.get(&format!("{UPLOADS}/notes.txt")).expect(200);
        assert_eq!(answer.header("Content-Type"), Some("text/plain"));
        assert_eq!(answer.text(), "plain", "{orders}");
    }
}

#[test]
fn without_allow_override_none_an_htaccess_has_effect() {
    let server = serve_without("AllowOverride  None");
    write(&server, "notes.txt", "plain");
    write(&server, ".htaccess", "Require all denied");
    server.get(&format!("{UPLOADS}/notes.txt")).expect(403);
    server.expect_log("AH01630");
}

#[test]
fn browsers_are_told_not_to_guess_the_type_of_a_file() {
    let server = serve();
    write(&server, "notes.txt", "<script>alert(1)</script>");
    for (name, status) in [("notes.txt", 200), ("missing.txt", 404)] {
        let answer = server.get(&format!("{UPLOADS}/{name}")).expect(status);
        let told = answer.header("X-Content-Type-Options");
        assert_eq!(told, Some("nosniff"), "{name}");
    }
}

/// A MiB that cannot be compressed, and does not repeat itself within what compression remembers.
const MIB: &str =
    "for ($mib = '', $n = 0; strlen($mib) < 1 << 20; $n++) $mib .= hash('sha512', $n, true);";

/// A file that a program wrote is truncated while httpd compresses it for a client, which reads on after that.
fn truncate_while_it_is_sent(server: &Server) {
    let told = run(
        server,
        &format!(
            "{MIB} $file = fopen('large.bin', 'w');
             for ($n = 0; $n < {LARGE_MIB}; $n++) fwrite($file, $mib);
             echo ftell($file) >> 20;"
        ),
    );
    assert_eq!(told, LARGE_MIB.to_string());
    let mut slow = begin(server);
    assert_eq!(slow.status(), 200);
    // In place of the program, whose answer would be lost with the child.
    let file = server.path("data/wordpress/uploads/large.bin");
    let file = File::options().write(true).open(file);
    file.and_then(|file| file.set_len(0))
        .expect("the file is there");
    let (length, complete) = slow.drain();
    assert!(!complete, "all of it arrived: {length} bytes");
}

fn begin(server: &Server) -> Exchange {
    let request = server.request("GET", &format!("{UPLOADS}/large.bin"));
    request.header("Accept-Encoding", "gzip").open()
}

#[test]
fn a_file_that_is_truncated_while_it_is_sent_does_not_end_the_child() {
    let server = serve();
    let child = server.child();
    truncate_while_it_is_sent(&server);
    server.expect_log("AH10298: failed reading");
    assert_eq!(server.child(), child, "the child died");
    write(&server, "notes.txt", "plain");
    server.get(&format!("{UPLOADS}/notes.txt")).expect(200);
    assert!(server.log_with("AH00052").is_empty());
}

#[test]
fn without_enable_mmap_off_a_truncated_file_ends_the_child() {
    let server = serve_without("EnableMMAP     Off");
    truncate_while_it_is_sent(&server);
    server.expect_log("exit signal Bus error");
}
