//! The landing page, and the pages of the demos that share its style, in a real browser: by keyboard, on a small screen,
//! in light and dark.

use std::collections::BTreeSet;
use std::fs;

use mod_wasm_tests::{Chromium, ENTER, TAB, demos, root};

/// The demos: each folder of `apps/` with a snippet, besides the landing page itself.
fn every_demo() -> BTreeSet<String> {
    let apps = fs::read_dir(root().join("apps")).expect("apps/ is readable");
    apps.map(|entry| entry.expect("apps/ is readable").path())
        .filter(|folder| folder.join("httpd.conf").is_file())
        .filter_map(|folder| Some(folder.file_name()?.to_str()?.to_owned()))
        .filter(|name| name != "landing")
        .collect()
}

/// What the keyboard's focus is on: an address, or the name of an element; empty where nothing has it.
fn focus(browser: &Chromium) -> String {
    let focused = browser.focused();
    let name = focused.ask(
        "const element = arguments[0];
         if (element === document.body) return '';
         return element.getAttribute('href') ?? element.localName",
    );
    name.as_str().unwrap_or_default().to_owned()
}

#[test]
fn the_landing_page_needs_only_a_keyboard() {
    let server = demos(&["hello-wasm"], "").start();
    let browser = Chromium::start(&server);
    browser.open("/");
    assert_eq!(browser.run("return document.scripts.length", &[]), 0);

    let mut reached = BTreeSet::new();
    loop {
        browser.press(TAB);
        let demo = focus(&browser);
        if demo.is_empty() || !reached.insert(demo.clone()) {
            break;
        }
        let outline = "return getComputedStyle(arguments[0]).outlineStyle";
        assert_ne!(
            browser.focused().ask(outline),
            "none",
            "nobody sees that {demo} has the focus"
        );
        // The next stop is the demo's configuration, which opens where it stands.
        browser.press(TAB);
        assert_eq!(focus(&browser), "summary", "after {demo}");
        browser.press(ENTER);
        let shown = browser
            .focused()
            .ask("return arguments[0].parentElement.querySelector('pre').innerText");
        let snippet = root().join(format!("apps{demo}/httpd.conf"));
        let snippet = fs::read_to_string(snippet).expect("a demo has a snippet");
        assert_eq!(shown.as_str().map(str::trim), Some(snippet.trim()));
    }
    let names: BTreeSet<String> = reached
        .iter()
        .map(|target| target.trim_start_matches('/').to_owned())
        .collect();
    assert_eq!(names, every_demo());

    browser.open("/");
    browser.press(TAB);
    assert_eq!(focus(&browser), "/hello-wasm");
    browser.press(ENTER);
    browser.wait_for("--greeting=friendly");
    assert_eq!(browser.target(), "/hello-wasm");
}

/// The pages, with what makes them long or wide.
const PAGES: &[&str] = &[
    "/",
    "/sandbox",
    "/sandbox/read-host-file.html",
    "/http-request-viewer?word=a-word-that-is-longer-than-any-small-screen-is-wide-and-has-no-space-to-break-at",
    "/hello-python-cgi?name=somebody",
    "/search-word-count?word=summer",
    "/prettyfy?example=greeting.rs",
    "/php-hello",
];

const DEMOS: &[&str] = &[
    "sandbox",
    "http-request-viewer",
    "hello-python-cgi",
    "search-word-count",
    "prettyfy",
    "php-hello",
];

#[test]
fn no_page_scrolls_sideways_on_a_small_screen() {
    let server = demos(DEMOS, "").start();
    let browser = Chromium::start(&server);
    browser.resize(360, 740);
    for page in PAGES {
        browser.open(page);
        browser.run(
            "document.querySelectorAll('details').forEach(one => one.open = true)",
            &[],
        );
        assert_eq!(browser.run("return innerWidth", &[]), 360, "{page}");
        let wide = browser.run(
            "return [...document.querySelectorAll('body *')]
                .filter(one => one.getBoundingClientRect().right > 360)
                .map(one => one.outerHTML.slice(0, 200))",
            &[],
        );
        assert_eq!(wide, serde_json::json!([]), "{page} is wider than 360 px");
        // Less the scroll bar for going down.
        let sideways = browser.run(
            "const page = document.documentElement; return page.scrollWidth - page.clientWidth",
            &[],
        );
        assert_eq!(sideways, 0, "{page} scrolls sideways");
    }
}

/// Texts whose contrast with what is behind them is less than the 4.5 that WCAG asks for at level AA.
const PALE_TEXTS: &str = "
    const parts = colour => colour.match(/[\\d.]+/g).map(Number);
    const luminance = colour => {
        const [red, green, blue] = parts(colour).map(part => part / 255)
            .map(part => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
    };
    const behind = element => {
        for (; element; element = element.parentElement) {
            const colour = getComputedStyle(element).backgroundColor;
            if ((parts(colour)[3] ?? 1) > 0) return colour;
        }
        return 'rgb(255, 255, 255)';
    };
    return [...document.querySelectorAll('body *')]
        .filter(one => [...one.childNodes].some(node => node.nodeType === Node.TEXT_NODE && node.data.trim()))
        .map(one => {
            const [less, more] = [getComputedStyle(one).color, behind(one)].map(luminance).sort((a, b) => a - b);
            return [(more + 0.05) / (less + 0.05), one.outerHTML.slice(0, 100)];
        })
        .filter(([contrast]) => contrast < 4.5)
        .map(([contrast, html]) => `${contrast.toFixed(2)}: ${html}`)";

#[test]
fn every_text_can_be_read_in_light_and_dark() {
    let server = demos(DEMOS, "").start();
    let browser = Chromium::start(&server);
    let mut colours = BTreeSet::new();
    for scheme in ["light", "dark"] {
        browser.prefer(scheme);
        for page in PAGES.iter().filter(|page| !page.starts_with("/prettyfy")) {
            browser.open(page);
            assert_eq!(
                browser.run(PALE_TEXTS, &[]),
                serde_json::json!([]),
                "{page}, {scheme}"
            );
        }
        let colour = browser.run(
            "return getComputedStyle(document.body).backgroundColor",
            &[],
        );
        colours.insert(colour.to_string());
    }
    assert_eq!(colours.len(), 2, "light and dark look alike: {colours:?}");
}
