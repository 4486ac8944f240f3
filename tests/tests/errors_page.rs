//! What `docs/errors.md` shows of httpd's words is what httpd says.

use mod_wasm_tests::{Document, Site};

/// File, lines and directory that the page speaks of.
const FILE: &str = "/etc/apache2/conf-enabled/app.conf";
const DIRECTORY: &str = "/srv/app";

/// Asserts that httpd, given this wrong line, says what the page shows and nothing about the other kind of mistake.
fn says(line: &str, page_line: u32, code: &str, other: &str) {
    let page = Document::read("docs/errors.md");
    let shown = page
        .code("text")
        .into_iter()
        .find(|text| text.starts_with(code))
        .unwrap_or_else(|| panic!("the page does not show {code}"));
    let site = Site::new();
    let file = site.path("httpd.conf");
    let missing = site.path("missing");
    let refusal = site.refused(line.replace(DIRECTORY, &missing));
    let directive = line.split(' ').next().unwrap_or(line);
    let number = refusal.line_of(directive).to_string();
    let expected = shown
        .replace(&page_line.to_string(), &number)
        .replace(FILE, &file)
        .replace(DIRECTORY, &missing);
    for said in [&refusal.tested, &refusal.started] {
        assert!(said.contains(&expected), "not {expected:?}, but {said:?}");
        assert!(!said.contains(other), "{said}");
    }
}

#[test]
fn a_mistake_in_a_line_is_told_without_a_code() {
    says("WasmTimeout soon", 31, "AH00526", "WASM0");
}

#[test]
fn a_missing_directory_has_a_code() {
    says("WasmMapDir /app /srv/app", 32, "WASM0059", "AH00526");
}
