//! Archives that are sound, and archives that are out to harm.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};

use tar::EntryType;

use crate::archives::{MODIFIED, Tar, tar, tar_gz, tar_xz, xz, zip, zip_with_link};
use crate::sandbox::{Sandbox, artifact, https_sources, sha256, tarball};
use crate::server::{Reply, Server};

/// Fetches one archive with these rules.
fn fetch(archive: &[u8], rules: &str) -> (Sandbox, crate::sandbox::Outcome) {
    let body = archive.to_vec();
    let server = Server::start(move |_| Reply::Ok(body.clone()));
    let more = format!("{rules}\n{}", https_sources(&[&server.url("/archive")]));
    let sandbox = Sandbox::with_manifest(&artifact("thing", archive, &more));
    let outcome = sandbox.run(&[]);
    (sandbox, outcome)
}

/// The archive is refused for this reason, and nothing but its cached download stays behind.
#[track_caller]
fn refused(archive: &[u8], rules: &str, reason: &str) {
    let (sandbox, outcome) = fetch(archive, rules);
    outcome.failed_with(1, reason);
    assert_eq!(sandbox.remains(), [format!(".cache/{}", sha256(archive))]);
    // Nothing has been written beside the target folder either.
    let mut beside: Vec<_> = fs::read_dir(sandbox.path(""))
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    beside.sort();
    assert_eq!(beside, ["apps.toml", "fetched"]);
}

const TAR: &str = "unpack = 'tar.gz'";
const XZ: &str = "unpack = 'tar.xz'";
const ZIP: &str = "unpack = 'zip'";

#[test]
fn a_tar_is_unpacked_by_its_rules() {
    let archive = tar_gz(&[
        Tar {
            mode: 0o777,
            ..Tar::special("top/", EntryType::Directory)
        },
        Tar::file("top/index.php", b"<?php"),
        Tar {
            mode: 0o4755,
            ..Tar::file("top/bin/run", b"#!/bin/sh")
        },
        Tar::file("top/tests/long.php", b"left out"),
        Tar::link("top/bin/alias", "../index.php"),
    ]);
    let (sandbox, outcome) = fetch(
        &archive,
        "unpack = 'tar.gz'\nstrip = 1\nexclude = ['tests']",
    );
    outcome.succeeded();
    assert_eq!(sandbox.read("thing/index.php"), "<?php");
    assert_eq!(sandbox.read("thing/bin/alias"), "<?php");
    assert!(!sandbox.fetched("thing/tests").exists());
    let mode = |path: &str| {
        fs::metadata(sandbox.fetched(path))
            .unwrap()
            .permissions()
            .mode()
            & 0o7777
    };
    assert_eq!(
        [
            mode("thing"),
            mode("thing/bin"),
            mode("thing/index.php"),
            mode("thing/bin/run")
        ],
        [0o755, 0o755, 0o644, 0o755]
    );
    sandbox.run(&["--verify"]).succeeded();
}

#[test]
fn a_tar_xz_is_unpacked_by_the_same_rules() {
    let entries = [
        Tar::special("top/", EntryType::Directory),
        Tar::file("top/configure", b"#!/bin/sh"),
        Tar::link("top/alias", "configure"),
        Tar::file("top/tests/long", b"left out"),
    ];
    let rules = "unpack = 'tar.xz'\nstrip = 1\nexclude = ['tests']";
    // As one stream, and as two, which xz takes for one.
    let whole = tar(&entries);
    let (one, two) = whole.split_at(700);
    for archive in [xz(&whole), [xz(one), xz(two)].concat()] {
        let (sandbox, outcome) = fetch(&archive, rules);
        outcome.succeeded();
        assert_eq!(sandbox.read("thing/alias"), "#!/bin/sh");
        assert!(!sandbox.fetched("thing/tests").exists());
        // make goes by the times.
        let found = fs::metadata(sandbox.fetched("thing/configure")).unwrap();
        assert_eq!(found.mtime(), MODIFIED as i64);
    }
    let link = Tar::link("a", "/etc");
    refused(
        &tar_xz(&[Tar::file("../a", b"")]),
        XZ,
        "entry '../a' is refused: the name leads upwards",
    );
    refused(&tar_xz(&[link]), XZ, "the link leads outside, to '/etc'");
    let zeros = vec![0; 1_000_000];
    let rules = format!("{XZ}\nmax_bytes = 999999");
    refused(
        &tar_xz(&[Tar::file("a", &zeros)]),
        &rules,
        "it unpacks to more than 999999 bytes",
    );
}

#[test]
fn a_damaged_tar_xz_is_refused() {
    let archive = tar_xz(&[Tar::file("a", &[b'x'; 10_000])]);
    refused(&archive[..archive.len() / 2], XZ, "thing: ");
    let mut flipped = archive.clone();
    flipped[archive.len() / 2] ^= 0x10;
    refused(&flipped, XZ, "thing: ");
    refused(b"no archive", XZ, "thing: cannot be read: ");
}

#[test]
fn a_zip_is_unpacked_by_its_rules() {
    let archive = zip(&[
        ("top/index.php", b"<?php"),
        ("top/deep/er/file", b"deep"),
        ("top/skip.me", b""),
    ]);
    let (sandbox, outcome) = fetch(&archive, "unpack = 'zip'\nstrip = 1\nexclude = ['skip.me']");
    outcome.succeeded();
    assert_eq!(sandbox.read("thing/index.php"), "<?php");
    assert_eq!(sandbox.read("thing/deep/er/file"), "deep");
    assert!(!sandbox.fetched("thing/skip.me").exists());
}

#[test]
fn paths_that_leave_are_refused() {
    for name in ["../evil", "a/../../evil", "a\\..\\evil", "/evil"] {
        let reason = match name {
            "/evil" => "absolute path",
            "a\\..\\evil" => "backslash",
            _ => "leads upwards",
        };
        refused(
            &tar_gz(&[Tar::file("good", b"x"), Tar::file(name, b"x")]),
            TAR,
            reason,
        );
        refused(&zip(&[("good", b"x"), (name, b"x")]), ZIP, reason);
    }
}

#[test]
fn a_hostile_entry_counts_even_where_it_would_be_left_out() {
    let archive = tar_gz(&[Tar::file("good", b"x"), Tar::file("skip/../../evil", b"x")]);
    refused(
        &archive,
        "unpack = 'tar.gz'\nexclude = ['skip']",
        "leads upwards",
    );
}

#[test]
fn links_that_leave_are_refused() {
    for target in ["/etc/passwd", "..", "../../evil", "good/../../evil"] {
        refused(
            &tar_gz(&[Tar::file("good", b"x"), Tar::link("link", target)]),
            TAR,
            "the link leads outside",
        );
    }
    refused(&zip_with_link("link", "../evil"), ZIP, "symbolic link");
}

#[test]
fn links_that_leave_by_way_of_other_links_are_refused() {
    let archive = tar_gz(&[
        Tar::file("a/b/c", b"x"),
        Tar::link("up", "a"),
        Tar::link("a/two", "../up/b"),
    ]);
    fetch(&archive, TAR).1.succeeded();
    // Counted by name this ends at `a`; followed, it ends above the tree.
    let archive = tar_gz(&[
        Tar::file("a/b/c", b"x"),
        Tar::link("a/b/here", ".."),
        Tar::link("a/x", "b/here/../.."),
    ]);
    refused(&archive, TAR, "the link leads outside");
    let archive = tar_gz(&[Tar::file("a", b"x"), Tar::link("dangling", "nothing")]);
    refused(&archive, TAR, "the link leads nowhere or outside");
}

#[test]
fn nothing_is_written_through_a_link() {
    let archive = tar_gz(&[
        Tar::file("real/x", b"x"),
        Tar::link("link", "real"),
        Tar::file("link/y", b"y"),
    ]);
    refused(&archive, TAR, "cannot create the link");
}

#[test]
fn hard_links_devices_and_pipes_are_refused() {
    let cases = [
        (EntryType::Link, "hard link"),
        (EntryType::Char, "device"),
        (EntryType::Block, "device"),
        (EntryType::Fifo, "named pipe"),
        (EntryType::GNUSparse, "sparse entry"),
        (EntryType::new(b'Z'), "special entry"),
    ];
    for (kind, reason) in cases {
        refused(
            &tar_gz(&[Tar {
                link: "good",
                ..Tar::special("bad", kind)
            }]),
            TAR,
            reason,
        );
    }
}

#[test]
fn too_many_entries_are_refused() {
    let names: Vec<_> = (0..11).map(|number| format!("file{number}")).collect();
    let entries: Vec<_> = names.iter().map(|name| Tar::file(name, b"")).collect();
    refused(
        &tar_gz(&entries),
        "unpack = 'tar.gz'\nmax_entries = 10",
        "more than 10 entries",
    );
    let entries: Vec<_> = names.iter().map(|name| (name.as_str(), &b""[..])).collect();
    refused(
        &zip(&entries),
        "unpack = 'zip'\nmax_entries = 10",
        "more than 10 entries",
    );
    fetch(&zip(&entries), "unpack = 'zip'\nmax_entries = 11")
        .1
        .succeeded();
}

#[test]
fn too_many_bytes_are_refused() {
    let zeros = vec![0; 600_000];
    let bomb = [("one", &zeros[..]), ("two", &zeros[..])];
    let reason = "it unpacks to more than 1000000 bytes";
    refused(&zip(&bomb), "unpack = 'zip'\nmax_bytes = 1000000", reason);
    let entries: Vec<_> = bomb
        .iter()
        .map(|(name, content)| Tar::file(name, content))
        .collect();
    refused(
        &tar_gz(&entries),
        "unpack = 'tar.gz'\nmax_bytes = 1000000",
        reason,
    );
}

#[test]
fn a_zip_that_lies_about_its_sizes_is_refused() {
    let mut bomb = zip(&[("one", &vec![0; 600_000])]);
    // The uncompressed size in the central directory: 22 bytes of end record, then the entry's 46 and its name.
    let field = bomb.len() - 22 - 46 - "one".len() + 24;
    assert_eq!(bomb[field..field + 4], 600_000_u32.to_le_bytes());
    bomb[field..field + 4].copy_from_slice(&10_u32.to_le_bytes());
    refused(
        &bomb,
        "unpack = 'zip'\nmax_bytes = 100000",
        "entry 'one' is refused",
    );
}

#[test]
fn a_damaged_archive_is_refused() {
    let archive = tar_gz(&[Tar::file("one", &[7; 5000])]);
    refused(&archive[..archive.len() - 20], TAR, "thing: ");
    refused(&b"no archive at all"[..], TAR, "thing: cannot be read: ");
    refused(&b"no archive at all"[..], ZIP, "thing: cannot be read: ");
}

#[test]
fn parts_are_merged_when_they_agree() {
    let main = zip(&[("index.php", b"<?php"), ("both.css", b"same")]);
    for (second, agrees) in [(&b"same"[..], true), (b"else", false)] {
        let package = tar_gz(&[
            Tar::file("package/static/app.js", b"js"),
            Tar::file("package/static/both.css", second),
            Tar::file("package/static/skip/x", b"x"),
            Tar::file("package/other", b"other"),
        ]);
        let (body, tarball_text) = (main.clone(), tarball("t", "pkg", &package));
        let server = Server::start(move |request| {
            Reply::Ok(
                if request.target.ends_with(".tgz") {
                    &package
                } else {
                    &body
                }
                .clone(),
            )
        });
        let more = format!(
            "unpack = 'zip'\nexclude = ['skip']\nadd = [{{ tarball = 't', prefix = 'package/static' }}]\n{}",
            https_sources(&[&server.url("/main.zip")])
        );
        let manifest = tarball_text + &artifact("thing", &main, &more);
        let sandbox =
            Sandbox::with_manifest(&manifest).set("NPM_CONFIG_REGISTRY", &server.url("/"));
        let outcome = sandbox.run(&[]);
        if !agrees {
            outcome.failed_with(
                1,
                "entry 'package/static/both.css' is refused: it is there twice",
            );
            assert!(!sandbox.fetched("thing").exists());
            continue;
        }
        outcome.succeeded();
        assert_eq!(sandbox.read("thing/app.js"), "js");
        assert_eq!(sandbox.read("thing/both.css"), "same");
        assert!(
            !sandbox.fetched("thing/skip").exists() && !sandbox.fetched("thing/other").exists()
        );
    }
}
