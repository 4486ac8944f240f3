//! The Python demos, with the snippets that the demo server uses.

use mod_wasm_tests::demos;

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
