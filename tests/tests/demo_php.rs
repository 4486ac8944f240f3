//! The two small PHP demos, through the snippets that the demo server uses.

use std::fs;

use mod_wasm_tests::{demos, root};

/// Names that have `php` in them, and are no programs for that.
const LOOKALIKES: &[&str] = &["photo.php.jpg", "page.php.txt", "old.php~", "php", "x.phps"];

const CODE: &str = "<?php echo 6 * 7;";

#[test]
fn only_files_whose_names_end_in_php_are_programs() {
    for demo in ["php-hello", "php-info"] {
        // Each file of the demo's folder gets an address: the demo itself has one for its page alone.
        let alias = format!("Alias /files/ \"${{MOD_WASM_APPS}}/{demo}/public/\"");
        let server = demos(&[demo], &alias).start();
        let page = format!("apps/{demo}/public/index.php");
        let source = fs::read_to_string(root().join(page)).expect("the demo has its page");
        let answer = server.get("/files/index.php").expect(200).text();
        assert_ne!(answer, source, "{demo}: its page was not run");
        for name in LOOKALIKES {
            let file = format!("apps/{demo}/public/{name}");
            server.site().file(&file, CODE);
            let answer = server.get(&format!("/files/{name}")).expect(200).text();
            assert_eq!(answer, CODE, "{demo}: {name} was run");
        }
    }
}
