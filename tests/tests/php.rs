//! PHP, as published by others, compiled to Wasm: what PHP programs expect of a web server.

use std::time::Duration;

use mod_wasm_tests::{Browser, Server, Site, php_cgi};

/// Serves these scripts; PHP may write to `/data`.
fn serve(scripts: &[(&str, &str)], lines: &str) -> Server {
    let site = Site::new();
    for (name, code) in scripts {
        site.file(&format!("htdocs/{name}"), code);
    }
    let conf = format!(
        "DirectoryIndex index.php\n<Directory {docs}>\n<FilesMatch \"\\.php$\">\nSetHandler wasm-handler\n</FilesMatch>\n\
         WasmModule {php}\nWasmMapDir /app {docs} ro\n\
         WasmMapDir /data {data}\nWasmTmpDir /tmp\nWasmEnableCGI On\nWasmMapCGIFileNames On\nWasmScriptArg Off\n{lines}\n</Directory>",
        docs = site.path("htdocs"),
        php = php_cgi(),
        data = site.writable_dir("data"),
    );
    site.httpd(conf).modules(&["dir"]).start()
}

#[test]
fn phpinfo_tells_of_guest_paths_only() {
    let server = serve(&[("info.php", "<?php phpinfo();")], "");
    assert!(
        server.log_with("WASM0020").is_empty(),
        "PHP was compiled in spite of a warm cache"
    );
    let answer = server.get("/info.php/more?x=1").expect(200);
    let text = answer.text();
    assert!(
        text.contains("PHP Version 8.2.0") && text.contains("</html>"),
        "{text}"
    );
    for (variable, value) in [
        ("SCRIPT_FILENAME", "/app/info.php"),
        ("DOCUMENT_ROOT", "/app"),
        ("PATH_TRANSLATED", "/app/more"),
    ] {
        let row = format!("$_SERVER['{variable}']</td><td class=\"v\">{value}</td>");
        assert!(text.contains(&row), "no {row} in {text}");
    }
    assert!(
        !text.contains(&server.path("htdocs")),
        "a path of the host shows in {text}"
    );
    assert_eq!(
        answer.header("Content-Type"),
        Some("text/html; charset=UTF-8")
    );
    assert!(
        answer
            .header("X-Powered-By")
            .is_some_and(|value| value.starts_with("PHP/8.2.0"))
    );
}

#[test]
fn scripts_get_query_form_and_raw_body() {
    let code = "<?php header('Content-Type: application/json');\
        echo json_encode([$_SERVER['REQUEST_METHOD'], $_GET, $_POST, file_get_contents('php://input')]);";
    let server = serve(&[("echo.php", code)], "");
    assert_eq!(
        server.get("/echo.php?a=1&b[]=2").expect(200).text(),
        r#"["GET",{"a":"1","b":["2"]},[],""]"#
    );
    let answer = server
        .request("POST", "/echo.php?q=r")
        .form(&[("name", "J & \u{fc}"), ("x", "")])
        .send()
        .expect(200);
    assert_eq!(
        answer.text(),
        r#"["POST",{"q":"r"},{"name":"J & \u00fc","x":""},"name=J%20%26%20%C3%BC&x="]"#
    );
    let answer = server
        .request("PUT", "/echo.php")
        .header("Content-Type", "text/x")
        .body("raw")
        .send()
        .expect(200);
    assert_eq!(answer.text(), r#"["PUT",[],[],"raw"]"#);
}

#[test]
fn a_file_can_be_uploaded() {
    let code = "<?php $f = $_FILES['f']; echo $f['name'], ' ', $f['error'], ' ', $f['size'], ' ',\
        hash_file('sha256', $f['tmp_name']), ' ', $_POST['note'], ' ', is_uploaded_file($f['tmp_name']) ? 'yes' : 'no';\
        move_uploaded_file($f['tmp_name'], '/data/kept');";
    let server = serve(&[("up.php", code)], "");
    let content: Vec<u8> = (0..300_000_u32).map(|n| (n * 7 % 253) as u8).collect();
    let mut body = b"--B\r\nContent-Disposition: form-data; name=\"note\"\r\n\r\nhello\r\n--B\r\n\
        Content-Disposition: form-data; name=\"f\"; filename=\"a b.bin\"\r\nContent-Type: application/octet-stream\r\n\r\n"
        .to_vec();
    body.extend_from_slice(&content);
    body.extend_from_slice(b"\r\n--B--\r\n");
    let answer = server
        .request("POST", "/up.php")
        .header("Content-Type", "multipart/form-data; boundary=B")
        .body(body)
        .send()
        .expect(200);
    let text = answer.text();
    assert!(
        text.starts_with("a b.bin 0 300000 ") && text.ends_with(" hello yes"),
        "{text}"
    );
    let kept = std::fs::read(server.path("data/kept")).expect("the script kept the file");
    assert!(kept == content, "the file was changed on its way");
}

#[test]
fn the_page_of_an_uncaught_exception_arrives_whole() {
    let code =
        "<html><p>before</p><?php function f() { throw new RuntimeException('went wrong'); } f();";
    let server = serve(&[("bad.php", code)], "");
    let answer = server.get("/bad.php");
    assert!(answer.complete, "the page was cut off: {answer:?}");
    let text = answer.text();
    assert!(
        text.contains("<p>before</p>") && text.contains("Uncaught RuntimeException: went wrong"),
        "{text}"
    );
    assert!(text.contains("bad.php</b> on line"), "{text}");
}

#[test]
fn an_uncaught_exception_before_any_output_is_500() {
    let server = serve(
        &[(
            "bad.php",
            "<?php ini_set('display_errors', '0'); ini_set('log_errors', '1'); throw new Exception('silent');",
        )],
        "",
    );
    let answer = server.get("/bad.php").expect(500);
    assert!(answer.is_empty() || !answer.text().contains("silent"));
    server.expect_log("silent");
    server.allow_log("WASM0070");
}

#[test]
fn sessions_keep_visitors_apart() {
    let code = "<?php session_save_path('/data'); session_start(); $_SESSION['n'] = ($_SESSION['n'] ?? 0) + 1; echo $_SESSION['n'];";
    let server = serve(&[("count.php", code)], "");
    let (mut one, mut two) = (Browser::new(&server), Browser::new(&server));
    let texts = [&mut one, &mut two].map(|visitor| {
        (0..3)
            .map(|_| visitor.get("/count.php").expect(200).text())
            .collect::<String>()
    });
    assert_eq!(texts, ["123", "123"]);
    assert_eq!(one.get("/count.php").text(), "4");
}

#[test]
fn sleep_sleeps_and_lets_pass_what_was_said_before() {
    let code = "<?php while (ob_get_level()) ob_end_flush(); echo 'first '; flush(); sleep(1); echo 'second';";
    let server = serve(&[("nap.php", code)], "");
    let answer = server.get("/nap.php").expect(200);
    assert_eq!(answer.text(), "first second");
    assert!(
        answer.arrival("second") - answer.arrival("first") > Duration::from_millis(600),
        "{answer:?}"
    );
}

#[test]
fn a_sleeping_script_is_ended_by_its_deadline() {
    let server = serve(&[("nap.php", "<?php sleep(3600);")], "WasmTimeout 2");
    let answer = server.get("/nap.php").expect(504);
    assert!(
        answer.took < Duration::from_secs(30),
        "504 after {:?}",
        answer.took
    );
    server.expect_log("WASM0051");
}

#[test]
fn a_query_never_becomes_options_of_php() {
    let server = serve(
        &[(
            "page.php",
            "<?php echo 'ran ', $_SERVER['QUERY_STRING'], ' ', count($_SERVER['argv'] ?? []);",
        )],
        "",
    );
    for query in ["-s", "-i", "-d+allow_url_include%3don", "--version"] {
        let text = server.get(&format!("/page.php?{query}")).expect(200).text();
        assert!(text.starts_with(&format!("ran {query}")), "{text}");
    }
}

#[test]
fn scripts_answer_with_status_headers_and_cookies() {
    let server = serve(
        &[
            (
                "tea.php",
                "<?php http_response_code(418); setcookie('a', '1'); setcookie('b', '2'); header('X-A: b'); echo 'short';",
            ),
            (
                "away.php",
                "<?php header('Location: http://elsewhere.test/');",
            ),
            ("here.php", "<?php header('Location: /tea.php');"),
            ("none.php", "<?php http_response_code(204);"),
        ],
        "",
    );
    let tea = server.get("/tea.php").expect(418);
    assert_eq!(
        (
            tea.header_values("Set-Cookie").len(),
            tea.header("X-A"),
            tea.text().as_str()
        ),
        (2, Some("b"), "short")
    );
    let away = server.get("/away.php").expect(302);
    assert_eq!(away.header("Location"), Some("http://elsewhere.test/"));
    let here = server.get("/here.php");
    assert!([302, 418].contains(&here.status), "{here:?}");
    assert!(server.get("/none.php").expect(204).is_empty());
}

#[test]
fn folders_have_an_index_and_missing_scripts_are_404() {
    let server = serve(
        &[
            (
                "index.php",
                "<?php echo 'index of ', $_SERVER['SCRIPT_NAME'];",
            ),
            ("sub/index.php", "<?php echo __FILE__;"),
        ],
        "",
    );
    assert_eq!(server.get("/").expect(200).text(), "index of /index.php");
    assert_eq!(server.get("/sub/").expect(200).text(), "/app/sub/index.php");
    server.get("/missing.php").expect(404);
    server.expect_log("WASM0042");
}

#[test]
fn a_read_only_mount_keeps_scripts_from_changing_themselves() {
    let code = "<?php echo @file_put_contents(__DIR__ . '/new.php', 'x') === false ? 'refused' : 'written';";
    let server = serve(&[("put.php", code)], "");
    assert_eq!(server.get("/put.php").expect(200).text(), "refused");
}

#[test]
fn php_needs_no_more_memory_than_it_is_given() {
    let code = "<?php ini_set('memory_limit', '-1'); $a = []; while (true) $a[] = str_repeat('x', 1 << 20);";
    let server = serve(
        &[("hog.php", code), ("ok.php", "<?php echo 'fine';")],
        "WasmMemoryLimit 64M",
    );
    let answer = server.get("/hog.php");
    assert!(
        answer.status == 500 || !answer.complete || answer.partial_text().contains("memory"),
        "{answer:?}"
    );
    server.allow_log("WASM00");
    assert_eq!(server.get("/ok.php").expect(200).text(), "fine");
}
