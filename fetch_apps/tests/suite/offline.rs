//! `--mirror` and `--offline`.

use std::fs;

use crate::archives::{Tar, tar_gz};
use crate::sandbox::{Sandbox, artifact, file_artifact, sha256, tarball};
use crate::server::{Reply, Server};

const CONTENT: &[u8] = b"some content";

fn package() -> Vec<u8> {
    tar_gz(&[Tar::file("package/thing", CONTENT)])
}

/// An artifact with two sources, of which the server has both.
fn sandbox(server: &Server) -> Sandbox {
    let sources = format!(
        "sources = [{{ type = 'https', url = '{}' }}, \
         {{ type = 'npm', tarball = 't', member = 'package/thing' }}]",
        server.url("/thing")
    );
    let more = format!("unpack = 'none'\nfile = 'file'\n{sources}");
    let manifest = tarball("t", "pkg", &package()) + &artifact("thing", CONTENT, &more);
    let sandbox = Sandbox::with_manifest(&manifest);
    fs::create_dir(sandbox.path("mirror")).unwrap();
    sandbox.set("NPM_CONFIG_REGISTRY", &server.url("/npm"))
}

fn server() -> Server {
    Server::start(|request| match request.target.as_str() {
        "/thing" => Reply::Ok(CONTENT.into()),
        _ => Reply::Ok(package()),
    })
}

/// Puts a file with this content into the mirror, under the digest of `promised`.
fn mirrored(sandbox: &Sandbox, promised: &[u8], content: &[u8]) {
    let path = sandbox.path(&format!("mirror/{}", sha256(promised)));
    fs::write(path, content).unwrap();
}

#[test]
fn a_mirror_is_asked_before_any_server() {
    let server = server();
    let sandbox = sandbox(&server);
    mirrored(&sandbox, CONTENT, CONTENT);
    let outcome = sandbox.run(&["--mirror", "mirror"]).succeeded();
    assert_eq!(outcome.stdout, "thing: fetched from the mirror mirror\n");
    assert_eq!(sandbox.read("thing/file").as_bytes(), CONTENT);
    assert_eq!(server.targets(), Vec::<String>::new());
}

#[test]
fn what_a_mirror_lacks_comes_from_a_server() {
    let server = server();
    let sandbox = sandbox(&server);
    sandbox.run(&["--mirror", "mirror"]).succeeded();
    assert_eq!(server.targets(), ["/thing"]);
}

#[test]
fn a_mirror_is_not_trusted() {
    let server = server();
    let sandbox = sandbox(&server);
    mirrored(&sandbox, CONTENT, b"damaged");
    let outcome = sandbox.run(&["--mirror", "mirror"]).succeeded();
    let message = format!(
        "mirror/{}: wrong content: expected sha256 {0}, calculated {}; trying the next source",
        sha256(CONTENT),
        sha256(b"damaged")
    );
    assert!(outcome.stderr.contains(&message), "{}", outcome.stderr);
    assert_eq!(sandbox.read("thing/file").as_bytes(), CONTENT);
    assert_eq!(server.targets(), ["/thing"]);
}

#[test]
fn a_mirror_has_npm_tarballs_too() {
    let server = server();
    let sandbox = sandbox(&server);
    mirrored(&sandbox, &package(), &package());
    let outcome = sandbox
        .run(&["--offline", "--mirror", "mirror"])
        .succeeded();
    assert_eq!(
        outcome.stdout,
        "thing: fetched from npm pkg@1.2.3, member package/thing\n"
    );
    assert_eq!(server.targets(), Vec::<String>::new());
}

#[test]
fn a_wrong_tarball_in_a_mirror_is_replaced_by_the_registrys() {
    let server = Server::start(|request| match request.target.as_str() {
        "/thing" => Reply::Status(404),
        _ => Reply::Ok(package()),
    });
    let sandbox = sandbox(&server);
    mirrored(&sandbox, &package(), b"damaged");
    let outcome = sandbox.run(&["--mirror", "mirror"]).succeeded();
    assert!(
        outcome.stderr.contains("; trying the npm registry"),
        "{}",
        outcome.stderr
    );
    assert_eq!(server.targets(), ["/thing", "/npm/pkg/-/pkg-1.2.3.tgz"]);
}

#[test]
fn another_machines_cache_is_a_mirror() {
    let server = server();
    let there = sandbox(&server);
    there.run(&[]).succeeded();
    let here = sandbox(&server);
    let mirror = there.fetched(".cache").display().to_string();
    here.run(&["--offline", "--mirror", &mirror]).succeeded();
    assert_eq!(here.read("thing/file").as_bytes(), CONTENT);
    assert_eq!(server.targets(), ["/thing"]);
}

#[test]
fn a_mirror_that_does_not_exist_is_a_wrong_command_line() {
    let server = server();
    sandbox(&server)
        .run(&["--mirror", "nowhere"])
        .failed_with(2, "there is no such folder");
}

#[test]
fn offline_takes_what_is_cached() {
    let server = server();
    let sandbox = sandbox(&server);
    sandbox.run(&[]).succeeded();
    fs::remove_dir_all(sandbox.fetched("thing")).unwrap();
    let outcome = sandbox.run(&["--offline"]).succeeded();
    assert_eq!(outcome.stdout, "thing: fetched from the download cache\n");
    let outcome = sandbox.run(&["--offline"]).succeeded();
    assert_eq!(outcome.stdout, "up to date: thing\n");
    assert_eq!(server.targets(), ["/thing"]);
}

#[test]
fn offline_names_what_is_missing() {
    let server = server();
    let sandbox = sandbox(&server);
    let message = format!(
        "fetch-apps: thing: not available offline: neither fetched/.cache nor a folder given with --mirror holds its file (sha256 {}) or npm pkg@1.2.3 (sha256 {})",
        sha256(CONTENT),
        sha256(&package())
    );
    sandbox.run(&["--offline"]).failed_with(1, &message);
    let outcome = sandbox.run(&["--offline", "--mirror", "mirror"]);
    outcome.failed_with(1, "neither fetched/.cache nor mirror holds its file");
    assert_eq!(server.targets(), Vec::<String>::new());
}

#[test]
fn offline_names_a_missing_addition() {
    let server = server();
    let archive = tar_gz(&[Tar::file("index.php", b"<?php")]);
    let more = "unpack = 'tar.gz'\nsources = [{ type = 'https', url = 'https://example.org/' }]\n\
                add = [{ tarball = 't', prefix = 'package' }]";
    let sandbox = sandbox(&server);
    let manifest = tarball("t", "pkg", &package()) + &artifact("thing", &archive, more);
    sandbox.write_manifest(&manifest);
    mirrored(&sandbox, &archive, &archive);
    sandbox
        .run(&["--offline", "--mirror", "mirror"])
        .failed_with(
            1,
            "neither fetched/.cache nor mirror holds npm pkg@1.2.3 (sha256 ",
        );
}

#[test]
fn one_missing_file_does_not_keep_the_others_away() {
    let server = server();
    let manifest = file_artifact("one", b"one", &[&server.url("/one")])
        + &file_artifact("two", b"two", &[&server.url("/two")]);
    let sandbox = sandbox(&server);
    sandbox.write_manifest(&manifest);
    mirrored(&sandbox, b"two", b"two");
    sandbox
        .run(&["--offline", "--mirror", "mirror"])
        .failed_with(1, "fetch-apps: one: not available offline");
    assert_eq!(sandbox.read("two/file"), "two");
}
