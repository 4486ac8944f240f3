//! Together with what else httpd does to requests and responses.

use mod_wasm_tests::{Site, cgi_endpoint, endpoint, guest};

#[test]
fn answers_are_compressed() {
    let conf =
        endpoint("/x", &guest("hello_wasm"), "ForceType text/plain") + "SetOutputFilter DEFLATE";
    let server = Site::new()
        .httpd(conf)
        .modules(&["filter", "deflate"])
        .start();
    let answer = server
        .request("GET", "/x")
        .header("Accept-Encoding", "gzip")
        .send()
        .expect(200);
    assert_eq!(answer.header("Content-Encoding"), Some("gzip"));
    assert_eq!(answer.body()[..2], [0x1f, 0x8b]);
    assert!(server.get("/x").expect(200).text().starts_with("Hello"));
}

#[test]
fn a_page_includes_the_answer_of_a_guest() {
    let site = Site::new();
    site.file(
        "htdocs/page.html",
        "before <!--#include virtual=\"/x\" --><!--#include virtual=\"/cgi?do=cookies\" --> after",
    );
    let conf = endpoint(
        "/x",
        &guest("plain_probe"),
        "WasmArg leave\nWasmArg 0\nWasmArg inside\nForceType text/plain",
    ) + &cgi_endpoint("/cgi", &guest("cgi_probe"), "")
        + &format!(
            "<Directory {}>\nOptions +Includes\nSetOutputFilter INCLUDES\n</Directory>",
            site.path("htdocs")
        );
    let server = site.httpd(conf).modules(&["mime", "include"]).start();
    assert_eq!(
        server.get("/page.html").expect(200).text(),
        "before inside after"
    );
}

#[test]
fn the_failure_of_an_included_guest_is_no_crash() {
    let site = Site::new();
    site.file(
        "htdocs/page.html",
        "before <!--#include virtual=\"/trap\" --> after",
    );
    let conf = endpoint("/trap", &guest("trap_unreachable"), "")
        + &format!(
            "<Directory {}>\nOptions +Includes\nSetOutputFilter INCLUDES\n</Directory>",
            site.path("htdocs")
        );
    let server = site.httpd(conf).modules(&["mime", "include"]).start();
    let text = server.get("/page.html").expect(200).text();
    assert!(
        text.starts_with("before ") && text.ends_with(" after"),
        "{text}"
    );
    server.expect_log("WASM0050");
    server.allow_log("unable to include");
}

#[test]
fn addresses_are_rewritten_to_a_guest() {
    let conf = cgi_endpoint("/x", &guest("cgi_probe"), "")
        + "RewriteEngine On\nRewriteRule ^/nice/(.*)$ /x/$1?rewritten=1 [PT,QSA]";
    let server = Site::new().httpd(conf).modules(&["rewrite"]).start();
    let text = server.get("/nice/page?q=2").expect(200).text();
    assert!(
        text.contains("\nPATH_INFO=/page\n") && text.contains("\nQUERY_STRING=rewritten=1&q=2\n"),
        "{text}"
    );
    assert!(text.contains("\nREQUEST_URI=/nice/page?q=2\n"), "{text}");
}

#[test]
fn headers_can_be_added_to_answers_and_failures() {
    let conf = endpoint("/x", &guest("hello_wasm"), "")
        + &endpoint("/trap", &guest("trap_unreachable"), "")
        + "Header always set X-Added yes";
    let server = Site::new().httpd(conf).modules(&["headers"]).start();
    assert_eq!(server.get("/x").expect(200).header("X-Added"), Some("yes"));
    assert_eq!(
        server.get("/trap").expect(500).header("X-Added"),
        Some("yes")
    );
    server.expect_log("WASM0050");
}

#[test]
fn a_failure_shows_the_sites_own_page() {
    let site = Site::new();
    site.file("htdocs/oops.html", "our own page");
    let conf = endpoint("/trap", &guest("trap_unreachable"), "") + "ErrorDocument 500 /oops.html";
    let server = site.start(conf);
    assert_eq!(server.get("/trap").expect(500).text(), "our own page");
    server.expect_log("WASM0050");
}

#[test]
fn a_guest_behind_a_log_in() {
    let site = Site::new();
    // user "u", password "p", as `htpasswd -s` writes it.
    site.file("users", "u:{SHA}UWuXg/ylF+7L0dBk2i0WUxCxl1k=\n");
    let lines = format!(
        "AuthType Basic\nAuthName x\nAuthBasicProvider file\nAuthUserFile {}\nRequire valid-user",
        site.path("users")
    );
    let server = site
        .httpd(cgi_endpoint("/x", &guest("cgi_probe"), &lines))
        .modules(&["auth_basic", "authn_core", "authn_file", "authz_user"])
        .start();
    server.get("/x").expect(401);
    let text = server
        .request("GET", "/x")
        .header("Authorization", "Basic dTpw")
        .send()
        .expect(200)
        .text();
    assert!(
        text.contains("REMOTE_USER=u\n") && text.contains("AUTH_TYPE=Basic\n"),
        "{text}"
    );
    assert!(!text.contains("AUTHORIZATION"), "{text}");
}
