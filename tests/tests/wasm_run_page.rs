//! The examples of `docs/wasm-run.md`, run as they are written, and its promises about options and the dump.

use std::process::Command;

use mod_wasm_tests::{Document, Server, Site, cache_dir, module, own_php, printed, program};

const PAGE: &str = "docs/wasm-run.md";

/// Places that the page names, and where they are here.
const PLACES: &[(&str, &str)] = &[
    ("/opt/runtimes", "opt"),
    ("/var/lib/notes", "lib"),
    ("/var/www/notes", "www"),
];

fn here(server: &Site, text: &str) -> String {
    let places = PLACES.iter();
    places.fold(text.to_owned(), |text, (there, here)| {
        text.replace(there, &server.path(here))
    })
}

/// Runs a line of shell in the site's folder. `PATH` leads to `wasm-run`, and to an `apache2ctl` that has the site's configuration.
fn shell(server: &Server, line: &str) -> String {
    let script = server.site().file(
        "script",
        format!(
            "#!/bin/sh\nexec {} -f {} \"$@\"\n",
            program("apache2", "apache2").display(),
            server.path("httpd.conf")
        ),
    );
    let folder = server.path("bin");
    server.site().executable("bin/apache2ctl", script.as_ref());
    let built = module("wasm-run");
    let built = built
        .parent()
        .expect("it lies in a folder")
        .display()
        .to_string();
    let mut shell = Command::new(program("bash", "bash"));
    let path = format!("{folder}:{built}:/usr/bin:/bin");
    printed(
        shell
            .args(["-c", line])
            .env("PATH", path)
            .current_dir(server.path("")),
    )
}

#[test]
fn the_examples_work() {
    let page = Document::read(PAGE);
    let site = Site::new();
    site.executable("opt/php.wasm", own_php().as_ref());
    site.writable_dir("lib");
    site.file("www/migrate.php", page.code("php")[0]);
    site.file(
        "hello.php",
        "<?php echo 'hello from ', PHP_OS_FAMILY, \"\\n\";",
    );
    let conf = here(&site, page.code("apache")[0]);
    let server = site.start(conf);
    let [hello, migrate] = page.code("sh")[..] else {
        panic!("the page has two commands");
    };
    let hello = here(server.site(), hello).replace(
        "wasm-run",
        &format!("wasm-run --cache-dir {}", cache_dir().display()),
    );
    assert!(shell(&server, &hello).starts_with("hello from "));
    let migrate = here(server.site(), migrate).replace("sudo -u www-data ", "");
    assert_eq!(shell(&server, &migrate), "version 0 is now version 2\n");
    assert_eq!(shell(&server, &migrate), "version 2 is now version 2\n");
}

#[test]
fn the_options_are_those_that_there_are() {
    let page = Document::read(PAGE);
    let help = printed(Command::new(module("wasm-run")).arg("--help"));
    let options = help
        .split_whitespace()
        .filter(|word| word.starts_with("--"));
    let mut count = 0;
    for option in options.filter(|option| !["--help", "--version", "--"].contains(option)) {
        count += 1;
        assert!(
            page.text().contains(option),
            "the page does not know {option}"
        );
    }
    assert!(count > 10, "{help}");
}

#[test]
fn the_dump_is_as_the_page_shows_it() {
    let page = Document::read(PAGE);
    let blocks = page.blocks();
    let shown = blocks
        .iter()
        .find(|block| block.text.starts_with("mod_wasm "));
    let shown = shown.expect("the page shows a dump").text;
    let site = Site::new();
    site.executable("opt/php.wasm", own_php().as_ref());
    site.file("www/migrate.php", "");
    site.writable_dir("lib");
    let conf = here(&site, page.code("apache")[0]);
    let server = site.start(conf);
    let mut dump = Command::new(program("apache2", "apache2"));
    let dump = printed(dump.args(["-t", "-D", "DUMP_WASM", "-f", &server.path("httpd.conf")]));
    let shown = here(server.site(), shown);
    // What differs from one machine to the next, or with each version of PHP.
    let others = ["WasmCacheDir", "Size", "Digest", "Section", "#WasmTimeout"];
    for line in shown
        .lines()
        .filter(|line| !others.iter().any(|other| line.contains(other)))
    {
        assert!(
            dump.lines().any(|found| found == line),
            "no {line:?} in:\n{dump}"
        );
    }
}
