//! What WordPress's programs leave in the folders that they write to, and what httpd and the next start make of it.

use std::fs;
use std::path::Path;

use mod_wasm_tests::WordPress;

const UPLOADS: &str = "/wordpress/wp-content/uploads";

/// Where links among the uploads lead, and what is asked for behind them.
const LINKS: &[(&str, &str)] = &[
    ("../password", ""),
    ("../database/.ht.sqlite", ""),
    ("../keys/keys.php", ""),
    ("../keys", "/keys.php"),
    ("../../../../../../etc/passwd", ""),
];

#[test]
fn a_link_among_the_uploads_leads_nowhere() {
    let demo = WordPress::installed("WasmAllowSymlinks On");
    let made: String = LINKS
        .iter()
        .enumerate()
        .map(|(number, (target, _))| {
            format!("echo (int) symlink('{target}', \"$uploads/link-{number}\");")
        })
        .collect();
    demo.add_page(
        "link.php",
        &format!(
            "<?php $uploads = '/app/wp-content/uploads';
            echo (int) (file_put_contents(\"$uploads/plain.txt\", 'plain') === 5);{made}"
        ),
    );
    let told = demo.get("/wordpress/link.php").expect(200).text();
    assert_eq!(told, "1".repeat(LINKS.len() + 1), "not all could be made");

    for (number, (target, below)) in LINKS.iter().enumerate() {
        let link = format!("link-{number}{below}");
        let file = demo.path(&format!("data/wordpress/uploads/{link}"));
        assert!(Path::new(&file).is_file(), "{target} leads to no file");
        let answer = demo.get(&format!("{UPLOADS}/{link}"));
        assert_eq!(answer.status, 403, "{target}: {}", answer.text());
    }
    demo.expect_logs("AH00037", LINKS.len());
    let plain = demo.get(&format!("{UPLOADS}/plain.txt")).expect(200);
    assert_eq!(plain.text(), "plain");
}

#[test]
fn programs_of_the_demo_cannot_make_links() {
    let demo = WordPress::installed("");
    demo.add_page(
        "link.php",
        "<?php echo (int) @symlink('plain.txt', '/app/wp-content/uploads/link'), (int) touch('/app/wp-content/uploads/plain.txt');",
    );
    assert_eq!(demo.get("/wordpress/link.php").expect(200).text(), "01");
}

#[test]
fn nobody_installs_where_the_database_is_lost() {
    let demo = WordPress::installed("");
    let database = demo.path("data/wordpress/database/.ht.sqlite");
    let aside = demo.path("data/wordpress/aside");
    nobody_installs(&demo);
    fs::rename(&database, &aside).expect("the database is there");
    nobody_installs(&demo);
    assert!(!Path::new(&database).exists(), "there is a new database");
    fs::rename(&aside, &database).expect("the database is there");
    let front = demo.get("/wordpress/").expect(200).text();
    assert!(front.contains("Hello world!"), "{front}");
}

fn nobody_installs(demo: &WordPress) {
    for target in [
        "/wordpress/wp-admin/install.php",
        "/wordpress/wp-admin/install.php?step=2",
        "/wordpress/wp-admin/install.php/more",
        "/wordpress//wp-admin//install.php",
        "/wordpress/wp-admin/setup-config.php",
    ] {
        let answer = demo.get(target);
        assert_eq!(answer.status, 403, "{target}: {}", answer.text());
    }
}
