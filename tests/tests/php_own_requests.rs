//! Our own PHP: what a request brings, and what an answer is made of.

use std::time::Duration;

use mod_wasm_tests::{Browser, Site, Upload, php, wait_until};

const ECHO: &str = "<?php header('Content-Type: application/json'); echo json_encode([$_SERVER['REQUEST_METHOD'], $_GET, $_POST, file_get_contents('php://input')]);";

#[test]
fn every_kind_of_body_arrives() {
    let server = php::serve(&[("echo.php", ECHO)], "");
    assert_eq!(
        server.get("/echo.php?a=1&b[]=2").expect(200).text(),
        r#"["GET",{"a":"1","b":["2"]},[],""]"#
    );
    let form = server
        .request("POST", "/echo.php?q=r")
        .form(&[("name", "J & \u{fc}"), ("x", "")]);
    assert_eq!(
        form.send().expect(200).text(),
        r#"["POST",{"q":"r"},{"name":"J & \u00fc","x":""},"name=J%20%26%20%C3%BC&x="]"#
    );
    for method in ["POST", "PUT", "PATCH", "DELETE"] {
        let raw = server
            .request(method, "/echo.php")
            .header("Content-Type", "application/json")
            .body("{\"a\":1}");
        assert_eq!(
            raw.send().expect(200).text(),
            format!(r#"["{method}",[],[],"{{\"a\":1}}"]"#)
        );
    }
    let mut chunked = server
        .request("POST", "/echo.php")
        .header("Content-Type", "application/x-www-form-urlencoded")
        .chunked()
        .open();
    chunked.send_chunk(b"a=1&");
    chunked.send_chunk(b"b=2");
    chunked.end_chunks();
    assert_eq!(
        chunked.finish().expect(200).text(),
        r#"["POST",[],{"a":"1","b":"2"},"a=1&b=2"]"#
    );
}

#[test]
fn a_large_body_streams_through_php_input() {
    let code = "<?php ini_set('memory_limit', '16M'); $in = fopen('php://input', 'r'); $hash = hash_init('sha256'); $size = 0;
        while (!feof($in)) { $part = fread($in, 65536); $size += strlen($part); hash_update($hash, $part); } echo $size, ' ', hash_final($hash);";
    let server = php::serve(
        &[
            ("in.php", code),
            (
                "hash.php",
                "<?php echo hash('sha256', str_repeat('0123456789abcdef', 1 << 20));",
            ),
        ],
        "",
    );
    let body: Vec<u8> = b"0123456789abcdef".repeat(1 << 20);
    let told = server
        .request("PUT", "/in.php")
        .body(body)
        .send()
        .expect(200);
    let expected = server.get("/hash.php").expect(200).text();
    assert_eq!(told.text(), format!("{} {expected}", 16 << 20));
}

#[test]
fn uploads_of_one_form_keep_their_own_bytes() {
    let code = "<?php foreach ($_FILES['f']['tmp_name'] as $i => $path) { echo $_FILES['f']['name'][$i], ' ', $_FILES['f']['error'][$i], ' ', file_get_contents($path, length: 12), ' ',
        filesize($path), ' ', (int) is_uploaded_file($path), (int) move_uploaded_file($path, '/data/' . $i), \"\\n\"; }";
    let server = php::serve(&[("up.php", code)], "");
    let mut body = Vec::new();
    for number in 0..5 {
        body.extend(format!("--B\r\nContent-Disposition: form-data; name=\"f[]\"; filename=\"n{number}\"\r\n\r\n").bytes());
        body.extend(
            format!("content of {number}")
                .repeat(1000 * (number + 1))
                .bytes(),
        );
        body.extend(b"\r\n");
    }
    body.extend(b"--B--\r\n");
    let answer = server
        .request("POST", "/up.php")
        .header("Content-Type", "multipart/form-data; boundary=B")
        .body(body)
        .send()
        .expect(200);
    let expected: String = (0..5)
        .map(|number| {
            format!(
                "n{number} 0 content of {number} {} 11\n",
                12_000 * (number + 1)
            )
        })
        .collect();
    assert_eq!(answer.text(), expected);
}

#[test]
fn uploads_of_many_visitors_do_not_mix() {
    let code = "<?php usleep(20000); echo $_POST['who'], ' ', file_get_contents($_FILES['f']['tmp_name']);";
    let server = php::serve(&[("up.php", code)], "");
    std::thread::scope(|scope| {
        for visitor in 0..24 {
            let server = &server;
            scope.spawn(move || {
                let who = format!("visitor {visitor}");
                let content = who.repeat(500);
                let file = Upload {
                    field: "f",
                    name: "same.txt",
                    content_type: "text/plain",
                    bytes: content.as_bytes(),
                };
                let mut browser = Browser::new(server);
                let answer = browser
                    .upload("/up.php", &[("who", &who)], &file)
                    .expect(200);
                assert_eq!(answer.text(), format!("{who} {content}"));
            });
        }
    });
}

#[test]
fn variables_of_a_request_are_those_of_native_php() {
    let code = "<?php echo json_encode([$_SERVER['PHP_SELF'], $_SERVER['PATH_INFO'] ?? null, $_SERVER['SCRIPT_NAME'], $_SERVER['SCRIPT_FILENAME'], $_SERVER['DOCUMENT_ROOT'],
        __FILE__, getcwd(), $_COOKIE, $_SERVER['QUERY_STRING'], count($argv ?? []), abs($_SERVER['REQUEST_TIME_FLOAT'] - microtime(true)) < 5, is_int($_SERVER['REQUEST_TIME'])], JSON_UNESCAPED_SLASHES);";
    let server = php::serve(&[("v.php", code)], "");
    let answer = server
        .request("GET", "/v.php/more/path?-i&x=1")
        .header("Cookie", "a=1; b=%20c")
        .send()
        .expect(200);
    assert_eq!(
        answer.text(),
        r#"["/v.php/more/path","/more/path","/v.php","/app/v.php","/app","/app/v.php","/app",{"a":"1","b":" c"},"-i&x=1",0,true,true]"#
    );
}

#[test]
fn who_logs_in_is_known() {
    let code = "<?php echo json_encode([$_SERVER['PHP_AUTH_USER'] ?? null, $_SERVER['PHP_AUTH_PW'] ?? null]);";
    let server = php::serve(&[("who.php", code)], "CGIPassAuth On");
    let answer = server
        .request("GET", "/who.php")
        .header("Authorization", "Basic YW5uOnM6ZWNyZXQ=")
        .send()
        .expect(200);
    assert_eq!(answer.text(), r#"["ann","s:ecret"]"#);
    assert_eq!(server.get("/who.php").expect(200).text(), "[null,null]");
}

#[test]
fn status_headers_and_cookies_arrive() {
    let scripts = [
        (
            "tea.php",
            "<?php http_response_code(418); setcookie('a', '1'); setcookie('b', '2'); header('X-A: b'); echo 'short';",
        ),
        (
            "line.php",
            "<?php header('HTTP/1.1 404 Nothing here'); echo 'x';",
        ),
        (
            "away.php",
            "<?php header('Location: http://elsewhere.test/');",
        ),
        ("none.php", "<?php http_response_code(204);"),
    ];
    let server = php::serve(&scripts, "");
    let tea = server.get("/tea.php").expect(418);
    assert_eq!(tea.header_values("Set-Cookie").len(), 2);
    assert_eq!(
        (tea.header("X-A"), tea.text().as_str()),
        (Some("b"), "short")
    );
    assert_eq!(tea.header("Content-Type"), Some("text/html; charset=UTF-8"));
    assert!(
        tea.header("X-Powered-By")
            .is_some_and(|value| value.starts_with("PHP/8.4"))
    );
    assert_eq!(server.get("/line.php").expect(404).text(), "x");
    let away = server.get("/away.php").expect(302);
    assert_eq!(away.header("Location"), Some("http://elsewhere.test/"));
    assert!(server.get("/none.php").expect(204).is_empty());
}

#[test]
fn settings_come_from_files_for_the_server_and_for_a_folder() {
    let site = Site::new();
    site.file(
        "php/php.ini",
        "precision = 5\nuser_agent = server\n[PATH=/app/special]\nuser_agent = special\n",
    );
    site.file(
        "php/conf.d/more.ini",
        "auto_detect_line_endings = 0\ndefault_mimetype = text/x-more\n",
    );
    site.file("htdocs/.user.ini", "precision = 6\nmemory_limit = 77M\n");
    site.file("htdocs/below/.user.ini", "precision = 7\n");
    let code = "<?php echo ini_get('precision'), ' ', ini_get('memory_limit'), ' ', ini_get('user_agent'), ' ', php_ini_loaded_file(), ' ', trim(php_ini_scanned_files());";
    let scripts = [
        ("ini.php", code),
        ("below/ini.php", code),
        ("special/ini.php", code),
    ];
    let mount = format!("WasmMapDir /etc/php {} ro", site.path("php"));
    let server = php::serve_site(site, &scripts, &mount);
    let answer = server.get("/ini.php").expect(200);
    assert_eq!(
        answer.text(),
        "6 77M server /etc/php/php.ini /etc/php/conf.d/more.ini"
    );
    assert!(
        answer
            .header("Content-Type")
            .is_some_and(|kind| kind.starts_with("text/x-more"))
    );
    assert!(
        server
            .get("/below/ini.php")
            .text()
            .starts_with("7 77M server")
    );
    assert!(
        server
            .get("/special/ini.php")
            .text()
            .starts_with("6 77M special")
    );
}

#[test]
fn a_folder_of_settings_that_only_requests_know_is_named_in_the_log() {
    let site = Site::new();
    site.file("php/php.ini", "precision = 5\n");
    let mount = format!(
        "WasmMapDir /php {} ro\nWasmEnv PHPRC /php",
        site.path("php")
    );
    let server = php::serve_site(
        site,
        &[("ini.php", "<?php echo ini_get('precision');")],
        &mount,
    );
    assert_eq!(server.get("/ini.php").expect(200).text(), "14");
    server.expect_log("PHPRC");
    let site = Site::new();
    site.file("php/php.ini", "precision = 5\n");
    let mount = format!(
        "WasmMapDir /php {} ro\nWasmEnv PHPRC /php\nWasmPreinitEnv PHPRC /php",
        site.path("php")
    );
    let server = php::serve_site(
        site,
        &[("ini.php", "<?php echo ini_get('precision');")],
        &mount,
    );
    assert_eq!(server.get("/ini.php").expect(200).text(), "5");
}

#[test]
fn what_is_flushed_arrives_before_the_rest() {
    let code = "<?php echo 'first '; flush(); sleep(1); echo 'second';";
    let server = php::serve(&[("nap.php", code)], "");
    let answer = server.get("/nap.php").expect(200);
    assert_eq!(answer.text(), "first second");
    assert!(
        answer.arrival("second") - answer.arrival("first") > Duration::from_millis(600),
        "{answer:?}"
    );
}

#[test]
fn a_script_that_takes_too_long_ends_with_a_page_of_its_own() {
    let code = "<?php set_time_limit(1); register_shutdown_function(function () { echo 'the end'; }); echo 'begun '; while (true) { $x = sqrt(2); }";
    let scripts = [
        ("long.php", code),
        (
            "deep.php",
            "<?php set_time_limit(1); function f($n) { if ($n) { f($n - 1); } } while (true) { f(100); }",
        ),
    ];
    let server = php::serve(&scripts, "WasmTimeout 60");
    let text = server.get("/long.php").expect(200).text();
    assert!(
        text.starts_with("begun ") && text.ends_with("the end"),
        "{text}"
    );
    for page in [text, server.get("/deep.php").expect(200).text()] {
        assert!(
            page.contains("Maximum execution time of 1 second exceeded"),
            "{page}"
        );
    }
}

#[test]
fn an_uncaught_exception_is_500_and_a_line_in_the_log() {
    let code = "<?php ini_set('display_errors', '0'); ini_set('log_errors', '1'); throw new Exception('silent');";
    let server = php::serve(&[("bad.php", code)], "");
    let answer = server.get("/bad.php").expect(500);
    assert!(answer.is_empty() || !answer.text().contains("silent"));
    server.expect_log("silent");
    server.allow_log("WASM0070");
}

#[test]
fn memory_beyond_the_limit_is_an_error_of_php() {
    let scripts = [
        (
            "limit.php",
            "<?php ini_set('memory_limit', '64M'); str_repeat('x', 100 << 20);",
        ),
        (
            "image.php",
            "<?php ini_set('memory_limit', '64M'); imagecreatetruecolor(6000, 6000);",
        ),
        (
            "sandbox.php",
            "<?php ini_set('memory_limit', '-1'); str_repeat('x', 400 << 20);",
        ),
    ];
    let server = php::serve(&scripts, "WasmMemoryLimit 256M");
    for page in ["/limit.php", "/image.php"] {
        let text = server.get(page).text();
        assert!(
            text.contains("Allowed memory size of 67108864 bytes exhausted"),
            "{page}: {text}"
        );
    }
    let text = server.get("/sandbox.php").text();
    assert!(text.contains("Out of memory"), "{text}");
    // PHP's allocator says it a second time, as natively.
    server.expect_log("mmap() failed");
    server.allow_log("WASM0070");
}

#[test]
fn a_script_may_outlive_its_client_where_the_server_says_so() {
    let code = "<?php ignore_user_abort(true); echo 'begun'; flush(); for ($i = 0; $i < 20; $i++) { usleep(50000); echo str_repeat('x', 1000); flush(); }
        file_put_contents('/data/end', connection_status());";
    let server = php::serve(&[("long.php", code)], "WasmIgnoreClientAbort On");
    let mut client = server.request("GET", "/long.php").open();
    client.read_until("begun");
    client.reset();
    let end = server.path("data/end");
    wait_until("the script ends", Duration::from_secs(60), || {
        std::fs::read(&end).is_ok_and(|status| status == b"0")
    });
}

#[test]
fn a_body_larger_than_memory_limit_can_be_read_more_than_once() {
    let code = "<?php $hash = fn () => hash_file('md5', 'php://input'); $in = fopen('php://input', 'r'); fseek($in, 30 << 20); $part = fread($in, 16); rewind($in);
        echo json_encode([ini_get('memory_limit'), $hash() === $hash(), $part, fread($in, 16), memory_get_peak_usage() < 4 << 20, strlen(file_get_contents('php://input', false, null, (40 << 20) - 5))]);";
    let ini = "memory_limit = 8M\npost_max_size = 64M\n";
    let server = php::serve_with_ini(ini, &[("in.php", code)], "");
    let body = "0123456789abcdef".repeat(40 << 16);
    let request = server
        .request("POST", "/in.php")
        .header("Content-Type", "application/octet-stream");
    assert_eq!(
        request.body(body).send().expect(200).text(),
        r#"["8M",true,"0123456789abcdef","0123456789abcdef",true,5]"#
    );
}
