//! The demo of one application in PHP, classic and as a worker. All tests ask one server, since its snapshots take long.

use std::collections::BTreeSet;

use mod_wasm_tests::{Chromium, Response, Server, demos, root};
use serde_json::Value;

const CLASSIC: &str = "/php-worker/classic";
const WORKER: &str = "/php-worker/worker";
const BOTH: [&str; 2] = [CLASSIC, WORKER];

const CODE: &str = "<?php echo 6 * 7;";

#[test]
fn the_application_answers_in_both_ways() {
    let server = demos(&["php-worker"], "").start();
    both_answer_the_same_pages(&server);
    the_worker_was_booted_before_the_request_and_the_classic_one_in_it(&server);
    what_a_request_leaves_behind_is_gone(&server);
    a_form_is_answered(&server);
    what_is_not_there_is_said(&server);
    neither_sources_nor_lookalikes_are_programs(&server);
    a_browser_shows_both_side_by_side(&server);
}

/// A page from its heading on, with the addresses that differ made equal.
fn content(server: &Server, base: &str, path: &str) -> String {
    let page = server.get(&format!("{base}{path}")).expect(200).text();
    let (_, content) = page.split_once("<h1>").expect("a page has a heading");
    content.replace(base, "BASE")
}

fn both_answer_the_same_pages(server: &Server) {
    let catalogue = content(server, WORKER, "/minerals");
    assert_eq!(catalogue.matches("href=\"BASE/minerals/").count(), 48);
    for (path, shown) in [
        ("/minerals", "Wavellite"),
        ("/minerals/quartz", "rock crystal"),
        (
            "/minerals/talc/scratches/quartz",
            "Talc does not scratch Quartz",
        ),
        ("/classes/Oxides", "Corundum"),
        ("/colours/green", "Malachite"),
        ("/hardness/10", "Diamond"),
        ("/search?q=ORE+lead", "Galena"),
        ("/search?q=%3Czz%3E", "Nothing is found for “&lt;zz&gt;”."),
        ("/identify", "Hardness, 1 to 10"),
    ] {
        let [classic, worker] = BOTH.map(|base| content(server, base, path));
        assert!(worker.contains(shown), "{path}: {worker}");
        assert_eq!(classic, worker, "{path}");
    }
    for base in BOTH {
        assert!(content(server, base, "/").contains("48 minerals"));
        assert!(content(server, base, "/inside").contains("Search::identify"));
    }
}

fn costs(server: &Server, base: &str) -> Value {
    let text = server.get(&format!("{base}/costs")).expect(200).text();
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

fn the_worker_was_booted_before_the_request_and_the_classic_one_in_it(server: &Server) {
    let [classic, worker] = BOTH.map(|base| costs(server, base));
    assert_eq!(classic["booted"], "during");
    assert_eq!(worker["booted"], "before");
    // One boot for all requests, and another one in each.
    assert_eq!(costs(server, WORKER)["boot_ms"], worker["boot_ms"]);
    let boots: BTreeSet<String> = (0..5)
        .map(|_| costs(server, CLASSIC)["boot_ms"].to_string())
        .collect();
    assert!(boots.len() > 1, "{boots:?}");
    assert!(classic["files"].as_u64() > Some(10), "{classic}");
}

fn what_a_request_leaves_behind_is_gone(server: &Server) {
    for base in BOTH.iter().cycle().take(6) {
        let page = content(server, base, "/leak");
        assert_eq!(page.matches("<td>0</td>").count(), 6, "{base}: {page}");
    }
}

fn a_form_is_answered(server: &Server) {
    for base in BOTH {
        let ask = |form: &str| {
            let request = server.request("POST", &format!("{base}/identify"));
            let form = request
                .header("Content-Type", "application/x-www-form-urlencoded")
                .body(form.to_owned());
            form.send().expect(200).text()
        };
        let page = ask("hardness=7&colour=violet");
        assert!(page.contains("/minerals/quartz\">Quartz"), "{page}");
        assert!(!page.contains("Fluorite"), "{page}");
        assert!(ask("hardness=1&colour=violet").contains("No mineral"));
    }
}

fn what_is_not_there_is_said(server: &Server) {
    for base in BOTH {
        for path in ["/nothing", "/minerals/cheese", "/minerals/", "/index.php"] {
            let page = server.get(&format!("{base}{path}")).expect(404).text();
            assert!(page.contains("There is no such"), "{path}: {page}");
        }
        let refused: Response = server
            .request("DELETE", &format!("{base}/identify"))
            .send()
            .expect(405);
        assert_eq!(refused.header("Allow"), Some("GET, POST"));
    }
}

fn neither_sources_nor_lookalikes_are_programs(server: &Server) {
    for hidden in ["src/Application.php", "data/minerals.tsv", "httpd.conf"] {
        let file = root().join("apps/php-worker").join(hidden);
        assert!(file.is_file(), "{hidden}");
        server.get(&format!("/php-worker/{hidden}")).expect(404);
        server.get(&format!("/php-worker/../{hidden}")).expect(404);
    }
    for base in BOTH {
        for name in ["photo.php.jpg", "page.php.txt", "old.php~"] {
            let target = format!("{base}/{name}");
            let file = target.replacen("/php-worker", "apps/php-worker/public", 1);
            server.site().file(&file, CODE);
            let answer = server.get(&target).expect(200).text();
            assert_eq!(answer, CODE, "{target} was run");
        }
    }
}

fn a_browser_shows_both_side_by_side(server: &Server) {
    let browser = Chromium::start(server);
    browser.open("/php-worker");
    let texts = "return [...document.querySelectorAll('iframe')].map(frame => frame.contentDocument.body.innerText)";
    let texts = browser.run(texts, &[]);
    let of = |index: usize| texts[index].as_str().expect("a frame shows a page");
    assert!(of(0).contains("booted during this request"), "{texts}");
    assert!(of(1).contains("booted before the server began"), "{texts}");
}
