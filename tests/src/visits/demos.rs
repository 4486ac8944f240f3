//! Visits to demos in a real browser: forms, uploads and buttons as a visitor uses them, wherever the demos are served.

use std::fs;

use crate::chromium::Chromium;

/// The request viewer shows what the browser sent.
pub fn request_viewer(browser: &Chromium) {
    browser.open("/http-request-viewer?page=2");
    let agent = browser.run("return navigator.userAgent", &[]);
    let shown = browser.find("table[aria-label=Headers]").text();
    assert!(
        shown.contains(agent.as_str().expect("a browser has a name")),
        "{shown}"
    );
    let query = browser.find("table[aria-label=Query]").text();
    assert_eq!(query, "page 2");

    browser.find("input[name=text]").type_text("Ås & <b>");
    browser.find("button[formmethod=get]").follow();
    assert_eq!(
        browser.find("table[aria-label=Query]").text(),
        "text Ås & <b>"
    );

    browser.find("input[name=text]").type_text("in the body");
    browser.find("button[formmethod=post]").follow();
    browser.wait_for("POST /http-request-viewer HTTP/1.1");
    let text = browser.text();
    assert!(
        text.contains("16 bytes:") && text.contains("text=in+the+body"),
        "{text}"
    );
}

/// Prettyfy colours an uploaded file.
pub fn prettyfy_upload(browser: &Chromium) {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let file = folder.path().join("mine & yours.py");
    fs::write(&file, "def answer():\n    return 6 * 7  # <b>\n").expect("the folder is ours");
    browser.open("/prettyfy");
    browser
        .find("input[type=file]")
        .type_text(file.to_str().expect("the path is UTF-8"));
    browser.find("form button").follow();
    browser.wait_for("mine & yours.py");
    let code = browser.find(".highlight").text();
    assert!(code.contains("return 6 * 7  # <b>"), "{code}");
    let colour = "return getComputedStyle(arguments[0]).color";
    assert_ne!(
        browser.find(".highlight .k").ask(colour),
        browser.find(".highlight .p").ask(colour),
        "keywords look like everything else"
    );
}

/// Prettyfy's hole leads nowhere.
pub fn prettyfy_hole(browser: &Chromium) {
    for path in ["../../../../etc/passwd", "/etc/passwd"] {
        browser.open("/prettyfy");
        browser.link(path).follow();
        browser.wait_for("Not to be had");
        let text = browser.text();
        assert!(!text.contains("root:"), "{path}: {text}");
    }
    browser.link("primes.py").follow();
    assert!(browser.find(".highlight").text().contains("def "));
}

/// Every button of the sandbox tour explains what became of it.
pub fn sandbox_tour(browser: &Chromium) {
    browser.open("/sandbox");
    let names = browser.run(
        "return [...document.querySelectorAll('.tour form')].map(form => form.getAttribute('action'))",
        &[],
    );
    let names: Vec<String> = serde_json::from_value(names).expect("a form has an action");
    assert_eq!(names.len(), 7, "{names:?}");
    for action in names {
        let title = browser.find(&format!("form[action='{action}'] button"));
        title.follow();
        browser.wait_for("What the server answered");
        assert_eq!(browser.target(), action);
        let answered = browser.find("main strong").text();
        assert!(
            answered.starts_with("500 ") || answered.starts_with("504 "),
            "{action}: {answered}"
        );
        let status = browser.status();
        assert!(
            answered.starts_with(&status.to_string()),
            "{action}: the page tells {answered}, the server answered {status}"
        );
        let log = browser.find("pre.log").text();
        assert!(log.contains("WASM00"), "{action}: {log}");
        browser.link("Back to the tour").follow();
        browser.wait_for("The sandbox's configuration");
    }
}
