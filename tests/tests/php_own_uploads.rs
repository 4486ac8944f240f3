//! Our own PHP: files that visitors send. Each keeps its name, its size and its bytes; what is too much is said by PHP.

use mod_wasm_tests::{Request, Response, Server, Site, php};

const VISITORS: usize = 20;
const FILES: usize = 12;

/// The number of files, then name, error, size and digest of each, after a while in which others upload.
const LIST: &str = "<?php usleep(20000); echo count($_FILES['f']['name'] ?? []), ' ', json_encode($_POST), \"\\n\"; foreach ($_FILES['f']['name'] ?? [] as $i => $name) {
    $path = $_FILES['f']['tmp_name'][$i]; echo $name, ' ', $_FILES['f']['error'][$i], ' ', $_FILES['f']['size'][$i], ' ', $path === '' ? '-' : file_get_contents($path), \"\\n\"; }";

fn post(request: Request, files: &[(String, String)]) -> Response {
    let mut body =
        String::from("--B\r\nContent-Disposition: form-data; name=\"who\"\r\n\r\nann\r\n");
    for (name, content) in files {
        body += &format!(
            "--B\r\nContent-Disposition: form-data; name=\"f[]\"; filename=\"{name}\"\r\n\r\n{content}\r\n"
        );
    }
    body += "--B--\r\n";
    request
        .header("Content-Type", "multipart/form-data; boundary=B")
        .body(body)
        .send()
}

fn files_of(visitor: usize) -> Vec<(String, String)> {
    let file = |number| {
        let content = format!("<{visitor}.{number}>").repeat(1 + 50 * number);
        (format!("same{number}.txt"), content)
    };
    (0..FILES).map(file).collect()
}

#[test]
fn files_of_many_visitors_keep_their_own_bytes() {
    let server = php::serve(&[("list.php", LIST)], "");
    std::thread::scope(|scope| {
        for visitor in 0..VISITORS {
            let server = &server;
            scope.spawn(move || {
                let files = files_of(visitor);
                let answer = post(server.request("POST", "/list.php"), &files).expect(200);
                let listed: String = files
                    .iter()
                    .map(|(name, content)| format!("{name} 0 {} {content}\n", content.len()))
                    .collect();
                assert_eq!(
                    answer.text(),
                    format!("{FILES} {{\"who\":\"ann\"}}\n{listed}")
                );
            });
        }
    });
}

fn serve_with_limits(settings: &str) -> Server {
    let site = Site::new();
    site.file("php/php.ini", settings);
    let mount = format!("WasmMapDir /etc/php {} ro", site.path("php"));
    php::serve_site(site, &[("list.php", LIST)], &mount)
}

#[test]
fn a_file_that_is_too_large_has_an_error_of_its_own() {
    let server = serve_with_limits("upload_max_filesize = 1K\n");
    let files = [
        ("small".to_owned(), "x".to_owned()),
        ("large".to_owned(), "y".repeat(5000)),
        ("after".to_owned(), "z".to_owned()),
    ];
    let text = post(server.request("POST", "/list.php"), &files)
        .expect(200)
        .text();
    assert_eq!(
        text,
        "3 {\"who\":\"ann\"}\nsmall 0 1 x\nlarge 1 0 -\nafter 0 1 z\n"
    );
}

#[test]
fn files_beyond_the_number_that_is_allowed_are_left_out() {
    let server = serve_with_limits("max_file_uploads = 2\n");
    let text = post(server.request("POST", "/list.php"), &files_of(1))
        .expect(200)
        .text();
    assert!(
        text.contains("Maximum number of allowable file uploads has been exceeded"),
        "{text}"
    );
    assert!(text.contains("2 {\"who\":\"ann\"}\n"), "{text}");
}

#[test]
fn a_form_that_is_too_large_leaves_nothing() {
    let server = serve_with_limits("post_max_size = 1K\n");
    let text = post(server.request("POST", "/list.php"), &files_of(1))
        .expect(200)
        .text();
    assert!(text.contains("exceeds the limit of 1024 bytes"), "{text}");
    assert!(text.ends_with("0 []\n"), "{text}");
    let form = server
        .request("POST", "/list.php")
        .form(&[("a", &"x".repeat(2000))]);
    let text = form.send().expect(200).text();
    assert!(
        text.contains("exceeds the limit of 1024 bytes") && text.ends_with("0 []\n"),
        "{text}"
    );
}
