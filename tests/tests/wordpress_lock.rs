//! The WordPress demo's database when requests die, and when many come at once.

use std::fs;
use std::path::Path;
use std::thread::scope;

use mod_wasm_tests::WordPress;

const DATABASE: &str = "data/wordpress/database/.ht.sqlite";

/// Dies in the middle of a transaction whose changes are already in the database's file, in the place of what they
/// change (the new title is as long as the old one): the cache is small, so it is written there long before the commit.
const DYING: &str = "<?php
$pdo = new PDO('sqlite:' . __DIR__ . '/wp-content/database/.ht.sqlite');
$pdo->setAttribute(PDO::ATTR_ERRMODE, PDO::ERRMODE_EXCEPTION);
$pdo->exec('PRAGMA cache_size = 1');
$pdo->exec('BEGIN IMMEDIATE');
$pdo->exec(\"UPDATE wp_posts SET post_title = 'Half done !!' WHERE post_title = 'Hello world!'\");
$pdo->exec('CREATE TABLE filler AS WITH RECURSIVE n(i) AS (SELECT 1 UNION SELECT i + 1 FROM n WHERE i < 200)
    SELECT hex(zeroblob(2000)) FROM n');
for (;;) {
}
";

const CHECK: &str = "<?php
$pdo = new PDO('sqlite:' . __DIR__ . '/wp-content/database/.ht.sqlite');
echo implode($pdo->query('PRAGMA integrity_check')->fetchAll(PDO::FETCH_COLUMN));
";

/// Holds the database for a moment, in the middle of a change.
const CHANGING: &str = "<?php
$pdo = new PDO('sqlite:' . __DIR__ . '/wp-content/database/.ht.sqlite');
$pdo->exec('BEGIN IMMEDIATE');
touch('/app/wp-content/database/held');
sleep(2);
$pdo->exec('COMMIT');
unlink('/app/wp-content/database/held');
";

/// Changes an option, by way of WordPress and its plugin, while another one holds the database.
const WAITING: &str = "<?php
require __DIR__ . '/wp-load.php';
$held = '/app/wp-content/database/held';
for ($looks = 0; $looks < 500 && !file_exists($held); $looks++) {
    usleep(10000);
    clearstatcache();
}
update_option('waited', file_exists($held) ? 'while it was held' : 'in vain');
wp_cache_flush();
echo get_option('waited');
";

/// Only the dying page has a short life; all others may take their time on a busy machine.
const SHORT_LIFE: &str = "<Directory \"${MOD_WASM_SITES}/wordpress\">\n<Files dying.php>\nWasmTimeout 2\n</Files>\n</Directory>";

fn database_contains(demo: &WordPress, text: &str) -> bool {
    let bytes = fs::read(demo.path(DATABASE)).expect("the database is there");
    bytes
        .windows(text.len())
        .any(|window| window == text.as_bytes())
}

/// Kills a request inside its transaction.
fn kill_a_request(demo: &WordPress) {
    demo.add_page("dying.php", DYING);
    demo.get("/wordpress/dying.php").expect(504);
    demo.expect_log("WASM0051");
    assert!(
        Path::new(&demo.path(&format!("{DATABASE}-journal"))).is_file()
            && database_contains(demo, "Half done"),
        "the dead request left too little for this test"
    );
}

/// What lies in the database's folder besides the files that are always there.
fn leftovers(demo: &WordPress) -> Vec<String> {
    fs::read_dir(demo.path("data/wordpress/database"))
        .expect("the database's folder is there")
        .map(|entry| entry.expect("the folder is readable").file_name())
        .map(|name| name.to_string_lossy().into_owned())
        .filter(|name| name != ".ht.sqlite")
        .collect()
}

#[test]
fn what_a_killed_request_had_half_done_is_undone_for_the_next_visitor() {
    let demo = WordPress::installed(SHORT_LIFE);
    kill_a_request(&demo);
    // Many at once: one of them undoes it, and the others see nothing of it.
    scope(|scope| {
        let visitors: Vec<_> = (0..8)
            .map(|_| scope.spawn(|| demo.get("/wordpress/")))
            .collect();
        for visitor in visitors {
            let page = visitor.join().expect("a visitor gets an answer");
            let page = page.expect(200).text();
            assert!(
                page.contains("Hello world!") && !page.contains("Half done"),
                "{page}"
            );
        }
    });
    assert_eq!(leftovers(&demo), Vec::<String>::new());
    demo.add_page("check.php", CHECK);
    assert_eq!(demo.get("/wordpress/check.php").expect(200).text(), "ok");
}

#[test]
fn a_change_waits_for_another_one() {
    let demo = WordPress::installed("");
    demo.add_page("changing.php", CHANGING);
    demo.add_page("waiting.php", WAITING);
    scope(|scope| {
        let changing = scope.spawn(|| demo.get("/wordpress/changing.php"));
        let waiting = demo.get("/wordpress/waiting.php").expect(200).text();
        assert_eq!(waiting, "while it was held");
        changing.join().expect("it gets an answer").expect(200);
    });
}

#[test]
fn a_hundred_visitors_and_comments_meanwhile_lose_nothing() {
    const VIEWS: usize = 100;
    const COMMENTS: usize = 10;
    let demo = WordPress::installed("WasmQueueTimeout 300\nWasmTimeout 300");
    // httpd notes that all its threads are in use: so they are meant to be.
    demo.allow_log("AH00484");
    let post = demo.first_post();
    let admin = demo.admin();
    let text = |number: usize| format!("Comment number {number} of a crowd.");
    scope(|scope| {
        let views: Vec<_> = (0..VIEWS)
            .map(|_| scope.spawn(|| demo.get(&post)))
            .collect();
        let comments: Vec<_> = (0..COMMENTS)
            .map(|number| {
                let (mut admin, comment) = (admin.clone(), text(number));
                scope.spawn(move || {
                    let fields = [
                        ("comment", comment.as_str()),
                        ("comment_post_ID", "1"),
                        ("comment_parent", "0"),
                    ];
                    admin.post("/wordpress/wp-comments-post.php", &fields)
                })
            })
            .collect();
        for view in views {
            let page = view.join().expect("a visitor gets an answer").expect(200);
            assert!(page.text().contains("</html>"));
        }
        for comment in comments {
            comment
                .join()
                .expect("an author gets an answer")
                .expect(200);
        }
    });
    let page = demo.get(&post).expect(200).text();
    for number in 0..COMMENTS {
        assert!(
            page.contains(&text(number)),
            "{:?} is lost: {page}",
            text(number)
        );
    }
    assert_eq!(leftovers(&demo), Vec::<String>::new());
}
