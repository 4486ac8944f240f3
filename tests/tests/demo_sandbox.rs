//! The security tour: each attempt fails as its page says, and the error log gets the lines that its page shows.

use std::fs;

use mod_wasm_tests::{LogLine, Server, demos, root};

/// Each attempt, and the status that it ends with.
const ATTEMPTS: &[(&str, u16)] = &[
    ("read-host-file", 500),
    ("leave-mount", 500),
    ("write-read-only", 500),
    ("loop-forever", 504),
    ("eat-memory", 500),
    ("sleep-an-hour", 504),
    ("forge-log-line", 500),
];

fn source(relative: &str) -> String {
    let path = root().join("apps/sandbox").join(relative);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn unescape(html: &str) -> String {
    html.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&")
}

/// The text of the page's `<pre>` of this class.
fn block(page: &str, class: &str) -> String {
    let (_, rest) = page
        .split_once(&format!("<pre class=\"{class}\">"))
        .unwrap_or_else(|| panic!("no {class} in {page}"));
    let (text, _) = rest.split_once("</pre>").expect("the block ends");
    unescape(text)
}

/// The `<Location>` of this path, as it stands in the snippet.
fn location(conf: &str, path: &str) -> String {
    let start = conf
        .find(&format!("<Location \"{path}\">"))
        .unwrap_or_else(|| panic!("the snippet has no Location {path}"));
    let end = "</Location>";
    let length = conf[start..].find(end).expect("the section ends") + end.len();
    conf[start..start + length].to_owned()
}

/// What the error log got from here on, from `WASM…` on, without the folder of the program.
fn said(lines: &[LogLine]) -> Vec<String> {
    let lines = lines.iter().filter(|line| line.level == "error");
    lines
        .map(|line| {
            assert!(line.module == "wasm" && line.client != "-", "{line:?}");
            line.message
                .split(' ')
                .map(|word| match word.rsplit_once("/sandbox_tour.wasm") {
                    Some((_, rest)) => format!("…/sandbox_tour.wasm{rest}"),
                    None => word.to_owned(),
                })
                .collect::<Vec<_>>()
                .join(" ")
        })
        .map(|line| without_measure(&line))
        .collect()
}

fn attempt(server: &Server, name: &str, status: u16) {
    let before = server.log().len();
    let answer = server
        .request("POST", &format!("/sandbox/try/{name}"))
        .form(&[])
        .send()
        .expect(status)
        .text();
    let page = source(&format!("public/{name}.html"));
    assert_eq!(answer, page, "{name} was answered by something else");
    assert!(
        page.contains(&format!("<strong>{status} ")),
        "{name}: the page tells another status than {status}"
    );
    let log = server.log();
    let shown = block(&page, "log");
    let shown: Vec<_> = shown.lines().map(without_measure).collect();
    assert_eq!(
        said(&log[before..]),
        shown,
        "{name}: the log is not what the page shows"
    );
}

/// What a limit was measured against is another number each time: "(2.000 s): 2.003 s".
fn without_measure(line: &str) -> String {
    match line
        .split_once("): ")
        .map(|(limit, rest)| (limit, rest.split_once("; ")))
    {
        Some((limit, Some((_, doing)))) => format!("{limit}; {doing}"),
        _ => line.to_owned(),
    }
}

#[test]
fn every_attempt_fails_as_its_page_says() {
    let server = demos(&["sandbox"], "").start();
    let child = server.child();
    for (name, status) in ATTEMPTS {
        attempt(&server, name, *status);
    }
    assert_eq!(server.child(), child, "an attempt ended the process");
    assert_eq!(
        fs::read_to_string(server.path("apps/sandbox/files/note.txt"))
            .expect("the note is still there"),
        source("files/note.txt")
    );
    server.allow_log("sandbox_tour.wasm");
}

#[test]
fn the_pages_show_the_configuration_that_is_used() {
    let conf = source("httpd.conf");
    let server = demos(&["sandbox"], "").start();
    let tour = server.get("/sandbox").expect(200).text();
    assert_eq!(block(&tour, "conf"), location(&conf, "/sandbox/try"));
    for (name, _) in ATTEMPTS {
        let target = format!("/sandbox/try/{name}");
        assert!(
            tour.contains(&format!("<form method=\"post\" action=\"{target}\">")),
            "the tour has no button for {name}"
        );
        let page = source(&format!("public/{name}.html"));
        assert_eq!(block(&page, "conf"), location(&conf, &target));
    }
    assert_eq!(tour.matches("<form ").count(), ATTEMPTS.len());
}
