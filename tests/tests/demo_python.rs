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
