//! Files of Python projects, and the ways to the index.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::archives::zip;
use crate::sandbox::{Sandbox, artifact, sha256};
use crate::server::{Reply, Server};

const FILE: &str = "py_thing-1.0-py3-none-any.whl";
const JSON: &str = "application/vnd.pypi.simple.v1+json";

fn wheel() -> Vec<u8> {
    zip(&[
        ("thing/__init__.py", b"pass"),
        ("py_thing-1.0.dist-info/METADATA", b"Name: Py_Thing"),
    ])
}

fn manifest() -> String {
    let source = format!("{{ type = 'pypi', project = 'Py_Thing', file = '{FILE}' }}");
    artifact(
        "thing",
        &wheel(),
        &format!("unpack = 'zip'\nsources = [{source}]"),
    )
}

/// A project's page that lists another file and then ours.
fn page(url: &str, digest: &str) -> String {
    format!(
        r#"{{"meta": {{"api-version": "1.1"}}, "name": "py-thing", "files": [
            {{"filename": "py_thing-0.9.zip", "url": "old", "hashes": {{}}}},
            {{"filename": "{FILE}", "url": "{url}", "hashes": {{"sha256": "{digest}"}}}}]}}"#
    )
}

fn index() -> Server {
    index_with(|| Reply::Typed(JSON, page("../../files/thing.whl", &sha256(&wheel()))))
}

fn index_with(page: impl Fn() -> Reply + Send + Sync + 'static) -> Server {
    Server::start(move |request| match request.target.as_str() {
        target if target.ends_with("/py-thing/") => page(),
        "/files/thing.whl" => Reply::Ok(wheel()),
        _ => Reply::Status(404),
    })
}

fn sandbox(server: &Server) -> Sandbox {
    Sandbox::with_manifest(&manifest()).set("PIP_INDEX_URL", &server.url("/simple/"))
}

/// Puts a program of this name on the tool's path.
fn install(sandbox: &Sandbox, name: &str, script: &str) {
    let path = sandbox.path(&format!("bin/{name}"));
    fs::create_dir_all(sandbox.path("bin")).unwrap();
    fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn a_wheel_is_found_in_the_index_and_unpacked() {
    let server = index();
    let sandbox = sandbox(&server);
    let outcome = sandbox.run(&[]).succeeded();
    assert_eq!(
        outcome.stdout,
        format!("thing: fetched from pypi Py_Thing, file {FILE}\n")
    );
    assert_eq!(server.targets(), ["/simple/py-thing/", "/files/thing.whl"]);
    assert_eq!(sandbox.read("thing/thing/__init__.py"), "pass");
    let head = server.requests()[0].head.to_lowercase();
    assert!(head.contains(&format!("accept: {JSON}\r\n")), "{head}");
}

#[test]
fn an_installed_pip_is_asked_for_its_setting() {
    let server = index();
    let sandbox = Sandbox::with_manifest(&manifest());
    let script = format!(
        "[ \"$*\" = 'config get global.index-url' ] && echo '{}'",
        server.url("/asked")
    );
    install(&sandbox, "pip", &script);
    sandbox.run(&[]).succeeded();
    assert_eq!(server.targets()[0], "/asked/py-thing/");
}

#[test]
fn a_pip_without_a_setting_is_asked_for_its_default() {
    let server = index();
    let sandbox = Sandbox::with_manifest(&manifest());
    // As pip does it: an unknown key is an error, and the help is broken into lines that fit the terminal.
    let script = format!(
        "[ \"$*\" = '-m pip download --help' ] && [ \"$COLUMNS\" -gt 1000 ] || exit 1\n\
         echo '  -i, --index-url <url>  Base URL (default {}). This should point to it.'",
        server.url("/built-in")
    );
    install(&sandbox, "python3", &script);
    sandbox.run(&[]).succeeded();
    assert_eq!(server.targets()[0], "/built-in/py-thing/");
}

#[test]
fn without_an_index_the_message_says_what_to_set() {
    let sandbox = Sandbox::with_manifest(&manifest());
    sandbox.run(&[]).failed_with(
        1,
        "no Python package index is known: PIP_INDEX_URL is not set, and there is no pip that can be asked; set \
         PIP_INDEX_URL to the address of an index or mirror",
    );
    install(&sandbox, "pip", "[ \"$1\" = download ]");
    sandbox
        .run(&[])
        .failed_with(1, "'pip download --help' names no default");
    sandbox
        .set("PIP_INDEX_URL", "/srv/packages")
        .run(&[])
        .failed_with(
            1,
            "PIP_INDEX_URL: '/srv/packages' is not an http or https address",
        );
}

#[test]
fn an_index_without_json_is_named() {
    let server = index_with(|| Reply::Typed("text/html", "<html>".into()));
    sandbox(&server)
        .run(&[])
        .failed_with(1, "/simple/py-thing/: the index answers in 'text/html'");
    let server = index_with(|| Reply::Typed(JSON, "{".into()));
    sandbox(&server)
        .run(&[])
        .failed_with(1, "/simple/py-thing/: it cannot be read: ");
}

#[test]
fn a_missing_project_and_a_missing_file_are_named() {
    let server = index_with(|| Reply::Status(404));
    sandbox(&server)
        .run(&[])
        .failed_with(1, "/simple/py-thing/: the server answered 404");
    let server = index_with(|| Reply::Typed(JSON, r#"{"files": []}"#.into()));
    sandbox(&server)
        .run(&[])
        .failed_with(1, &format!("/simple/py-thing/: it lists no file '{FILE}'"));
}

#[test]
fn another_digest_in_the_index_ends_it_early() {
    let other = sha256(b"other");
    let listed = other.clone();
    let server = index_with(move || Reply::Typed(JSON, page("/files/thing.whl", &listed)));
    let message = format!(
        "lists it with sha256 {other}, expected {}",
        sha256(&wheel())
    );
    sandbox(&server).run(&[]).failed_with(1, &message);
    assert_eq!(server.targets(), ["/simple/py-thing/"]);
}

#[test]
fn the_index_is_not_trusted() {
    let server = Server::start(|request| match request.target.as_str() {
        "/simple/py-thing/" => Reply::Typed(JSON, page("/files/thing.whl", &sha256(&wheel()))),
        _ => Reply::Ok(b"other".into()),
    });
    let sandbox = sandbox(&server);
    sandbox.run(&[]).failed_with(1, "wrong content");
    assert_eq!(sandbox.remains(), Vec::<String>::new());
}

#[test]
fn a_busy_index_is_asked_again() {
    let server = Server::start(|request| match request.number {
        0 => Reply::Status(503),
        1 => Reply::Typed(JSON, page("/files/thing.whl", &sha256(&wheel()))),
        _ => Reply::Ok(wheel()),
    });
    sandbox(&server).run(&[]).succeeded();
    assert_eq!(server.targets().len(), 3);
}

#[test]
fn a_password_for_the_index_opens_its_files_too_and_is_never_shown() {
    let server = index();
    let address = format!("http://me:secret@127.0.0.1:{}/simple", server.port());
    let outcome = Sandbox::with_manifest(&manifest())
        .set("PIP_INDEX_URL", &address)
        .run(&["--json"])
        .succeeded();
    for request in server.requests() {
        let head = request.head.to_lowercase();
        assert!(head.contains("authorization: basic "), "{head}");
    }
    assert!(
        !outcome.stdout.contains("secret") && !outcome.stderr.contains("secret"),
        "{outcome:?}"
    );
}

#[test]
fn offline_asks_no_index() {
    let server = index();
    sandbox(&server)
        .run(&["--offline"])
        .failed_with(1, "not available offline");
    assert_eq!(server.targets(), Vec::<String>::new());
}
