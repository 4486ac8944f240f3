//! The Python demos, with the snippets that the demo server uses.

use mod_wasm_tests::{Server, demos};

#[test]
fn hello_python_sees_its_mounts_and_nothing_else() {
    let server = demos(&["hello-python"], "").start();
    let answer = server.get("/hello-python").expect(200);
    assert_eq!(
        answer.header("Content-Type"),
        Some("text/plain; charset=utf-8")
    );
    assert_eq!(
        answer.text(),
        "Hello from Python 3.11.3 on wasi!\n\n\
         Arguments: /app/hello.py\n\
         Environment: {'SERVED_BY': 'mod_wasm'}\n\n\
         /app: hello.py\n\
         /usr/local/lib: python3.11, python311.zip\n\
         /etc: cannot be listed (No such file or directory)\n\
         /: cannot be listed (No such file or directory)\n"
    );
}

#[test]
fn hello_python_cgi_greets_whom_the_query_names() {
    let server = demos(&["hello-python-cgi"], "").start();
    let page = server.get("/hello-python-cgi").expect(200).text();
    assert!(
        page.contains("<h1>Hello, world!</h1>") && page.contains("made by Python 3.11.3 on wasi"),
        "{page}"
    );
    let page = server
        .get("/hello-python-cgi?name=%3Cb%3E%C3%85sa%22")
        .expect(200)
        .text();
    assert!(
        page.contains("<h1>Hello, &lt;b&gt;Åsa&quot;!</h1>"),
        "{page}"
    );
}

#[test]
fn the_request_viewer_shows_method_query_headers_and_body() {
    let server = demos(&["http-request-viewer"], "").start();
    let page = server
        .request("POST", "/http-request-viewer?page=2&note=a%26b&empty=")
        .header("X-Colour", "light <blue>")
        .form(&[("name", "Ada & <b>")])
        .send()
        .expect(200)
        .text();
    for part in [
        "<pre>POST /http-request-viewer?page=2&amp;note=a%26b&amp;empty= HTTP/1.1</pre>",
        "<th scope=\"row\">page</th><td>2</td>",
        "<th scope=\"row\">note</th><td>a&amp;b</td>",
        "<th scope=\"row\">empty</th><td></td>",
        "<th scope=\"row\">X-Colour</th><td>light &lt;blue&gt;</td>",
        "<th scope=\"row\">Content-Type</th><td>application/x-www-form-urlencoded</td>",
        "<pre>name=Ada%20%26%20%3Cb%3E</pre>",
    ] {
        assert!(page.contains(part), "no {part} in {page}");
    }
    let page = server.get("/http-request-viewer").expect(200).text();
    assert_eq!(page.matches("<p>None.</p>").count(), 2, "{page}");
}

#[test]
fn the_request_viewer_takes_any_bytes_and_bounds_what_it_shows() {
    let server = demos(&["http-request-viewer"], "").start();
    let mut body = b"</pre><script>\xff\0".to_vec();
    body.resize(200_000, b'x');
    let page = server
        .request("PUT", "/http-request-viewer?%FF=\u{e9}")
        .header("X-Odd", "caf\u{e9}")
        .body(body)
        .send()
        .expect(200)
        .text();
    assert!(
        page.contains("200000 bytes, of which the first 65536 are shown")
            && page.contains("<pre>&lt;/pre&gt;&lt;script&gt;\u{fffd}\u{fffd}xxx")
            && !page.contains("<script>"),
        "{page}"
    );
    assert!(page.len() < 70_000, "{} bytes", page.len());
    server
        .request("POST", "/http-request-viewer")
        .body(vec![b'x'; 1_048_577])
        .send()
        .expect(413);
}

#[test]
fn words_are_counted_as_words() {
    let server = demos(&["search-word-count"], "").start();
    let page = server.get("/search-word-count").expect(200).text();
    assert!(page.contains("<li>and: "), "{page}");
    let page = server
        .get("/search-word-count?word=Summer")
        .expect(200)
        .text();
    assert!(
        page.contains("“summer”: 1 time<")
            && page.contains("But thy eternal <mark>summer</mark> shall not fade"),
        "{page}"
    );
    let page = server
        .get("/search-word-count?word=Love")
        .expect(200)
        .text();
    assert!(
        page.contains("<mark>Love</mark> is not <mark>love</mark>"),
        "{page}"
    );
    let page = server
        .get("/search-word-count?word=%3Ci%3E%22.*")
        .expect(200)
        .text();
    assert!(
        page.contains("“&lt;i&gt;&quot;.*”: 0 times") && !page.contains("<table"),
        "{page}"
    );
}

/// A form with one file, as a browser sends it; returns its type and its body.
fn upload(name: &str, content: &[u8]) -> (String, Vec<u8>) {
    let head = format!(
        "--B0undary\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\
         Content-Type: application/octet-stream\r\n\r\n"
    );
    let body = [head.as_bytes(), content, b"\r\n--B0undary--\r\n"].concat();
    ("multipart/form-data; boundary=B0undary".to_owned(), body)
}

fn prettyfy(server: &Server, name: &str, content: &[u8]) -> String {
    let (kind, body) = upload(name, content);
    let request = server.request("POST", "/prettyfy");
    let answer = request.header("Content-Type", &kind).body(body).send();
    answer.expect(200).text()
}

#[test]
fn prettyfy_highlights_examples_and_uploaded_files() {
    let server = demos(&["prettyfy"], "").start();
    let page = server.get("/prettyfy").expect(200).text();
    for example in ["greeting.rs", "primes.py"] {
        assert!(
            page.contains(&format!("href=\"/prettyfy?example={example}\"")),
            "{page}"
        );
    }
    let page = server.get("/prettyfy?example=primes.py").expect(200).text();
    assert!(
        page.contains("<span class=\"k\">def</span>") && page.contains(".highlight .k {"),
        "{page}"
    );
    let page = prettyfy(
        &server,
        "a&b.c",
        b"/* <b> */\nint main(void) { return 0; }\n",
    );
    for part in [
        "<h2>a&amp;b.c</h2>\n<p>C, 39 bytes.</p>",
        "<span class=\"cm\">/* &lt;b&gt; */</span>",
        "<span class=\"kt\">int</span>",
    ] {
        assert!(page.contains(part), "no {part} in {page}");
    }
}

#[test]
fn prettyfy_takes_files_of_no_language_and_of_no_text() {
    let server = demos(&["prettyfy"], "").start();
    let page = prettyfy(&server, "nothing-known", b"\xff\xfe<script>\x80");
    assert!(
        page.contains("Text only, 11 bytes.")
            && page.contains("&lt;script&gt;")
            && !page.contains("<script>"),
        "{page}"
    );
    let (kind, _) = upload("", b"");
    let request = server.request("POST", "/prettyfy");
    let answer = request.header("Content-Type", &kind).body("no form").send();
    assert!(
        answer
            .expect(200)
            .text()
            .contains("<h2>A file of yours</h2>")
    );
    server
        .request("POST", "/prettyfy")
        .header("Content-Type", &kind)
        .body(vec![b'x'; 262_145])
        .send()
        .expect(413);
}

#[test]
fn a_path_that_leads_out_of_the_mounts_leads_nowhere() {
    let server = demos(&["prettyfy"], "").start();
    for path in [
        "/etc/passwd",
        "../../../../etc/passwd",
        "../etc/passwd",
        "/examples/../../etc/passwd",
        "%2e%2e/%2e%2e/etc/passwd",
        "/proc/self/environ",
        "primes.py%00",
    ] {
        let page = server
            .get(&format!("/prettyfy?example={path}"))
            .expect(200)
            .text();
        assert!(
            page.contains("<h2>Not to be had</h2>") && !page.contains("root:"),
            "{path}: {page}"
        );
    }
}
