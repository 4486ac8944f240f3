//! Our own PHP: what becomes of its headers, its log and its exit status.

use mod_wasm_tests::php;

#[test]
fn a_status_line_of_any_length_is_sent_as_it_is() {
    let code = "<?php header('HTTP/1.1 404 ' . str_repeat('x', 700)); echo 'text';";
    let server = php::serve(&[("long.php", code)], "");
    assert_eq!(server.get("/long.php").expect(404).text(), "text");
}

#[test]
fn statuses_are_those_that_the_script_says() {
    let scripts = [
        ("name.php", "<?php header('Status: 403'); echo 'x';"),
        (
            "both.php",
            "<?php http_response_code(500); header('Status: 404 Nope'); echo 'x';",
        ),
        (
            "same.php",
            "<?php header('HTTP/1.1 304 Not Modified'); header('ETag: \"a\"');",
        ),
        (
            "login.php",
            "<?php header('WWW-Authenticate: Basic realm=\"x\"'); echo http_response_code();",
        ),
        (
            "moved.php",
            "<?php header('Location: /elsewhere', true, 308);",
        ),
        ("exit.php", "<?php echo 'x'; exit(3);"),
    ];
    let server = php::serve(&scripts, "");
    server.get("/name.php").expect(403);
    server.get("/both.php").expect(404);
    let same = server.get("/same.php").expect(304);
    assert_eq!(
        (same.header("ETag"), same.header("Content-Type")),
        (Some("\"a\""), None)
    );
    assert_eq!(server.get("/login.php").expect(401).text(), "401");
    assert_eq!(
        server.get("/moved.php").expect(308).header("Location"),
        Some("/elsewhere")
    );
    assert_eq!(server.get("/exit.php").expect(200).text(), "x");
}

#[test]
fn no_header_is_two() {
    let code = "<?php ob_start(); header(\"X-A: b\\r\\nX-Evil: 1\"); header(\"X-B: b\\n c\"); header(\"X-C: b\\0c\"); setcookie('a', \"b\\r\\nX-Evil: 2\"); echo error_get_last()['message'] ?? '';";
    let server = php::serve(&[("evil.php", code)], "");
    let answer = server.get("/evil.php").expect(200);
    for name in ["X-Evil", "X-A", "X-B", "X-C"] {
        assert_eq!(answer.header(name), None, "{name}");
    }
}

#[test]
fn head_runs_the_script_and_sends_no_body() {
    let code = "<?php header('X-Method: ' . $_SERVER['REQUEST_METHOD']); echo 'body'; file_put_contents('/data/run', 'x');";
    let server = php::serve(&[("head.php", code)], "");
    let answer = server.request("HEAD", "/head.php").send().expect(200);
    assert_eq!((answer.header("X-Method"), answer.len()), (Some("HEAD"), 0));
    assert!(std::fs::exists(server.path("data/run")).expect("the folder is readable"));
}

#[test]
fn credentials_of_every_kind_arrive() {
    let code = "<?php echo json_encode([$_SERVER['PHP_AUTH_DIGEST'] ?? null, $_SERVER['HTTP_AUTHORIZATION'] ?? null, $_SERVER['PHP_AUTH_USER'] ?? null]);";
    let server = php::serve(&[("who.php", code)], "CGIPassAuth On");
    let ask = |value: &str| {
        let request = server
            .request("GET", "/who.php")
            .header("Authorization", value);
        request.send().expect(200).text()
    };
    assert_eq!(ask("Bearer abc"), r#"[null,"Bearer abc",null]"#);
    assert_eq!(
        ask("Digest username=ann"),
        r#"["username=ann","Digest username=ann",null]"#
    );
}

#[test]
fn a_message_is_one_line_of_the_log() {
    let scripts = [
        (
            "log.php",
            "<?php error_log(\"first\\n[core:emerg] forged\");",
        ),
        (
            "trace.php",
            "<?php ini_set('log_errors', '1'); ini_set('display_errors', '0'); function f() { throw new Exception(\"out\\nof it\"); } f();",
        ),
    ];
    let server = php::serve(&scripts, "");
    server.get("/log.php").expect(200);
    assert!(
        server.expect_logs("forged", 1)[0]
            .message
            .contains("first [core:emerg] forged")
    );
    server.get("/trace.php").expect(500);
    let line = &server.expect_logs("WASM0070", 2)[1];
    assert!(
        line.message
            .contains("out of it in /app/trace.php:1 Stack trace: #0"),
        "{line:?}"
    );
}

#[test]
fn settings_of_php_ini_count_for_a_host() {
    let server = php::serve_with_ini(
        "precision = 5\n[HOST=a.test]\nprecision = 6\n",
        &[("ini.php", "<?php echo ini_get('precision');")],
        "UseCanonicalName Off",
    );
    let ask = |host: &str| {
        let request = server.request("GET", "/ini.php").host(host);
        request.send().expect(200).text()
    };
    assert_eq!(
        (ask("a.test"), ask("b.test")),
        ("6".to_owned(), "5".to_owned())
    );
}

/// As native php-cgi: `display_errors` is on, `log_errors` off, and what error_log() is given always goes to the log.
#[test]
fn without_php_ini_errors_go_to_the_client_and_not_to_the_log() {
    let code = "<?php echo json_encode([ini_get('display_errors'), ini_get('log_errors'), ini_get('error_log')]); echo $missing; error_log('said aside'); throw new Exception('out');";
    let server = php::serve(&[("page.php", code)], "");
    let answer = server.get("/page.php").expect(200).text();
    assert!(answer.starts_with(r#"["1","0",""]"#), "{answer}");
    for message in ["Undefined variable $missing", "Uncaught Exception: out"] {
        assert_eq!(answer.matches(message).count(), 1, "{answer}");
    }
    server.expect_log("said aside");
}

#[test]
fn errors_go_to_the_log_and_not_to_the_client_where_php_ini_says_so() {
    let ini = "display_errors = Off\nlog_errors = On\n";
    let code = "<?php echo 'text', $missing;";
    let server = php::serve_with_ini(ini, &[("page.php", code)], "");
    assert_eq!(server.get("/page.php").expect(200).text(), "text");
    server.expect_log("PHP Warning:  Undefined variable $missing in /app/page.php on line 1");
}
