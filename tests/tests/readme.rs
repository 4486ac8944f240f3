//! The README's example of a PHP application, followed as it is written.

use std::process::Command;

use mod_wasm_tests::{Browser, Document, Server, Site, Upload, own_php, printed, root};

const CHAPTER: &str = "### An application in PHP";

/// Places that the README names, and where they are here.
const PLACES: &[(&str, &str)] = &[
    ("/opt/runtimes", "opt"),
    ("/var/lib/gallery", "lib"),
    ("/var/www/gallery", "www"),
];

/// What Debian has enabled besides what the README enables.
const MODULES: &[&str] = &["alias", "dir", "mime"];

/// Follows the example.
fn follow() -> Server {
    own_php();
    let readme = Document::read("README.md");
    let site = Site::new();
    let here = |text: &str| {
        let places = PLACES.iter();
        places.fold(text.to_owned(), |text, (there, here)| {
            text.replace(there, &site.path(here))
        })
    };
    let commands = here(readme.code_after(CHAPTER, "sh")).replace("sudo ", "");
    let (enable, commands): (Vec<&str>, Vec<&str>) = commands
        .lines()
        .partition(|line| line.starts_with("a2enmod "));
    run(&commands.join("\n"));
    site.file("www/index.php", readme.code_after(CHAPTER, "php"));
    let conf = here(readme.code_after(CHAPTER, "apache"));
    let enabled: Vec<&str> = enable
        .iter()
        .flat_map(|line| line.split(' ').skip(1))
        .collect();
    assert!(!enabled.is_empty(), "the README enables no module");
    site.httpd(conf).modules(MODULES).modules(&enabled).start()
}

/// Without root, httpd's children are whoever runs this, and cannot be given anything.
fn run(commands: &str) {
    let owner = " -o www-data -g www-data";
    assert!(commands.contains(owner), "{commands}");
    let commands = match rustix::process::geteuid().is_root() {
        true => commands.to_owned(),
        false => commands.replace(owner, ""),
    };
    printed(
        Command::new("/bin/sh")
            .args(["-euc", &commands])
            .current_dir(root()),
    );
}

fn show(visitor: &mut Browser, name: &str, bytes: &[u8]) -> String {
    let file = Upload {
        field: "picture",
        name,
        content_type: "image/png",
        bytes,
    };
    visitor.upload("/gallery/", &[], &file).expect(200).text()
}

#[test]
fn the_gallery_keeps_pictures_and_shows_them() {
    let server = follow();
    let mut visitor = Browser::new(&server);
    let page = visitor.get("/gallery/").expect(200).text();
    assert!(page.starts_with("<form "), "{page}");

    let picture = std::fs::read(root().join("docs/images/landing.png")).expect("it is there");
    let page = show(&mut visitor, "a.png", &picture);
    let (_, address) = page
        .split_once("<img src='")
        .unwrap_or_else(|| panic!("no picture in {page}"));
    let address = address.split('\'').next().unwrap_or_default();
    let answer = server.get(address).expect(200);
    assert!(answer.body() == picture, "another picture");
    assert_eq!(answer.header("Content-Type"), Some("image/png"));
    assert_eq!(answer.header("X-Content-Type-Options"), Some("nosniff"));

    let refused = show(&mut visitor, "b.png", b"<script>alert(1)</script>");
    assert_eq!(refused, page);
    let later = Browser::new(&server).get("/gallery/").expect(200).text();
    assert_eq!(later, page, "the database forgot");
    let slots = std::fs::read_dir(server.path("scratch")).expect("it was made");
    let kept = slots.flat_map(|slot| std::fs::read_dir(slot.expect("it is readable").path()));
    assert_eq!(
        kept.flatten().count(),
        0,
        "uploads stay in the temporary folder"
    );
}

#[test]
fn only_names_that_end_in_php_are_programs() {
    const CODE: &str = "<?php echo 6 * 7;";
    let server = follow();
    for (name, expected) in [("x.php", "42"), ("x.php.jpg", CODE)] {
        server.site().file(&format!("www/{name}"), CODE);
        let answer = server.get(&format!("/gallery/{name}")).expect(200);
        assert_eq!(answer.text(), expected, "{name}");
    }
    // The folder that visitors fill has no programs at all.
    server.site().file("lib/uploads/x.php", CODE);
    let answer = server.get("/gallery/uploads/x.php").expect(200);
    assert_eq!(answer.text(), CODE);
}
