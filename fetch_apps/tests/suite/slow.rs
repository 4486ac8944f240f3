//! Servers that stall or drip: none may hold a run for ever.

use std::time::{Duration, Instant};

use crate::sandbox::{Outcome, Sandbox, artifact, file_artifact};
use crate::server::{Reply, Server};

const CONTENT: &[u8] = b"the content that was promised";

fn sandbox(urls: &[&str]) -> Sandbox {
    Sandbox::with_manifest(&file_artifact("thing", CONTENT, urls))
}

/// Runs with a time-out of one second; three tries with their pauses take far less than this allows.
fn run(sandbox: &Sandbox) -> Outcome {
    let started = Instant::now();
    let outcome = sandbox.run(&["--timeout", "1"]);
    assert!(
        started.elapsed() < Duration::from_secs(20),
        "{:?}: {outcome:#?}",
        started.elapsed()
    );
    outcome
}

#[test]
fn a_silent_server_is_given_up() {
    let server = Server::start(|_| Reply::Silence);
    run(&sandbox(&[&server.url("/silent")]))
        .failed_with(1, "/silent: the transfer broke off after 0 bytes");
    assert_eq!(server.targets().len(), 3);
}

#[test]
fn a_stalled_body_is_given_up() {
    let server = Server::start(|_| Reply::Stall(CONTENT.into()));
    let message = format!(
        "/stall: the transfer broke off after {} bytes: operation timed out",
        CONTENT.len() / 2
    );
    run(&sandbox(&[&server.url("/stall")])).failed_with(1, &message);
}

#[test]
fn a_stalled_server_makes_way_for_the_next_source() {
    let server = Server::start(|request| match request.target.as_str() {
        "/stall" => Reply::Stall(CONTENT.into()),
        _ => Reply::Ranged(CONTENT.into()),
    });
    let sandbox = sandbox(&[&server.url("/stall"), &server.url("/good")]);
    run(&sandbox).succeeded();
    assert_eq!(sandbox.read("thing/file").as_bytes(), CONTENT);
}

#[test]
fn a_server_that_stalls_in_the_handshake_is_given_up() {
    // It waits for a request in plain text, which never comes.
    let server = Server::start(|_| Reply::Silence);
    let url = format!("https://127.0.0.1:{}/thing", server.port());
    run(&sandbox(&[&url])).failed_with(
        1,
        "/thing: the transfer broke off after 0 bytes: operation timed out",
    );
    assert_eq!(server.targets(), Vec::<String>::new());
}

#[test]
fn a_dripping_head_is_given_up() {
    let server = Server::start(|_| Reply::DripHead);
    run(&sandbox(&[&server.url("/drip")]))
        .failed_with(1, "/drip: the transfer broke off after 0 bytes");
}

#[test]
fn a_dripping_body_is_given_up() {
    let server = Server::start(|_| Reply::Drip {
        body: vec![b'x'; 100_000],
        piece: 10,
        pause: Duration::from_millis(100),
    });
    let sandbox = Sandbox::with_manifest(&file_artifact(
        "thing",
        &[b'x'; 100_000],
        &[&server.url("/drip")],
    ));
    run(&sandbox).failed_with(1, "bytes: it became too slow");
}

#[test]
fn a_slow_body_that_ends_is_taken() {
    let server = Server::start(|_| Reply::Drip {
        body: CONTENT.into(),
        piece: 10,
        pause: Duration::from_millis(800),
    });
    let sandbox = sandbox(&[&server.url("/slow")]);
    run(&sandbox).succeeded();
    assert_eq!(server.targets().len(), 1);
}

#[test]
fn a_dripping_index_is_given_up() {
    let server = Server::start(|_| Reply::Drip {
        body: vec![b' '; 100_000],
        piece: 10,
        pause: Duration::from_millis(100),
    });
    let source = "sources = [{ type = 'pypi', project = 'p', file = 'f' }]";
    let manifest = artifact("thing", CONTENT, &format!("unpack = 'zip'\n{source}"));
    let sandbox = Sandbox::with_manifest(&manifest).set("PIP_INDEX_URL", &server.url("/simple"));
    run(&sandbox).failed_with(1, "/simple/p/: the transfer broke off after ");
}
