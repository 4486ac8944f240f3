//! Every row of the README's table of demos, against the running container.

use std::collections::BTreeSet;

use mod_wasm_tests::{Browser, Chromium, Document, visits};

use crate::docker::{Container, Run};

/// A demo's address, and what its page must show.
const PAGES: &[(&str, &[&str])] = &[
    ("/", &["<h1>mod_wasm</h1>", "href=\"/wordpress\""]),
    (
        "/hello-wasm",
        &[
            "Hello from WebAssembly",
            "--greeting=friendly",
            "SERVED_BY=mod_wasm",
        ],
    ),
    ("/list-dir", &["welcome.txt", "recipes/"]),
    ("/started-once", &["There are 216816 primes below 3000000."]),
    ("/sandbox", &["The sandbox", "Read /etc/passwd"]),
    ("/php-hello", &["made by PHP 8.4"]),
    ("/php-info", &["PHP Version 8.4"]),
    ("/php-worker", &["Classic and worker"]),
    ("/hello-python", &["Hello from Python 3.11.3 on wasi!"]),
    ("/hello-python-cgi", &["made by Python 3.11.3 on wasi"]),
    (
        "/http-request-viewer",
        &["GET /http-request-viewer HTTP/1.1"],
    ),
    (
        "/search-word-count",
        &["In eight sonnets of William Shakespeare"],
    ),
    (
        "/prettyfy",
        &["Pygments 2.", "href=\"/prettyfy?example=greeting.rs\""],
    ),
    ("/wordpress", &["WordPress in WebAssembly", "Hello world!"]),
];

/// The addresses in the first column of the README's table.
fn rows() -> BTreeSet<String> {
    let readme = Document::read("README.md");
    let rows = readme.table("address").expect("the README lists the demos");
    rows.iter()
        .map(|row| row[0].trim_matches('`').to_owned())
        .collect()
}

/// Opens every demo and looks for what it must show.
#[track_caller]
pub(crate) fn every_demo_answers(container: &Container) {
    for (target, texts) in PAGES {
        let page = Browser::at(container.address())
            .get(target)
            .expect(200)
            .text();
        for text in *texts {
            assert!(page.contains(text), "no {text:?} in {target}: {page}");
        }
    }
}

#[test]
fn every_row_of_the_readmes_table_answers() {
    let checked: BTreeSet<String> = PAGES
        .iter()
        .map(|(target, _)| (*target).to_owned())
        .collect();
    assert_eq!(
        rows(),
        checked,
        "the README's rows, and the addresses that this test knows"
    );
    let container = Run::demo().start();
    container.wait_healthy();
    every_demo_answers(&container);
}

#[test]
fn the_demos_work_in_a_browser() {
    let container = Run::demo().start();
    container.wait_healthy();
    let browser = Chromium::at(container.address());
    every_link_of_the_landing_page_leads_to_a_demo(&browser);
    visits::demos::request_viewer(&browser);
    visits::demos::prettyfy_upload(&browser);
    visits::demos::prettyfy_hole(&browser);
    visits::demos::sandbox_tour(&browser);
}

fn every_link_of_the_landing_page_leads_to_a_demo(browser: &Chromium) {
    browser.open("/");
    let links = browser.run(
        "return [...document.querySelectorAll('a[href^=\"/\"]')].map(link => link.getAttribute('href'))",
        &[],
    );
    let links: BTreeSet<String> = serde_json::from_value(links).expect("a link has an address");
    let mut demos = rows();
    demos.remove("/");
    assert_eq!(links, demos);
    for link in links {
        browser.open("/");
        browser.find(&format!("a[href='{link}']")).follow();
        assert_eq!(browser.status(), 200, "{link}");
        assert!(
            browser.target().starts_with(&link),
            "{link} led to {}",
            browser.target()
        );
    }
}

#[test]
fn a_post_is_written_read_and_commented_on_in_a_browser() {
    const PASSWORD: &str = "of this test";
    let container = Run::demo().env("WORDPRESS_PASSWORD", PASSWORD).start();
    container.wait_healthy();
    visits::wordpress::publish_read_and_comment(container.address(), PASSWORD);
    let log = container.logs().stderr;
    assert!(!log.contains(":error]"), "{log}");
}

#[test]
fn a_command_runs_in_the_sandbox_of_a_demo() {
    let container = Run::demo().start();
    container.wait_answers();
    let page = container.exec(&[
        "wasm-run",
        "--httpd",
        "httpd-foreground",
        "--section",
        "/opt/mod_wasm/apps/php-hello/public",
        "--",
        "-q",
        "/app/index.php",
    ]);
    assert!(page.contains("made by PHP 8.4"), "{page}");
}
