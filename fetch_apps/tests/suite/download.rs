//! Servers that fail and lie.

use crate::sandbox::{Sandbox, artifact, file_artifact, https_sources, sha256};
use crate::server::{Reply, Server};

const CONTENT: &[u8] = b"the content that was promised";
const WRONG: &[u8] = b"THE CONTENT THAT WAS PROMISED";

fn sandbox(urls: &[&str]) -> Sandbox {
    Sandbox::with_manifest(&file_artifact("thing", CONTENT, urls))
}

#[test]
fn a_name_that_does_not_resolve_moves_on_at_once() {
    let server = Server::start(|_| Reply::Ok(CONTENT.into()));
    // Reserved never to exist. Where no name server answers, the resolver gives up after one second.
    let sandbox = sandbox(&["https://nowhere.invalid/thing", &server.url("/thing")]);
    let sandbox = sandbox.set("RES_OPTIONS", "timeout:1 attempts:1");
    let outcome = sandbox.run(&[]).succeeded();
    assert_eq!(
        outcome.stdout,
        format!("thing: fetched from {}\n", server.url("/thing"))
    );
    let message = "the name nowhere.invalid does not resolve; trying the next source";
    assert!(outcome.stderr.contains(message), "{}", outcome.stderr);
    assert!(
        !outcome.stderr.contains("trying again"),
        "{}",
        outcome.stderr
    );
    assert_eq!(sandbox.read("thing/file").as_bytes(), CONTENT);
}

#[test]
fn the_first_source_that_delivers_is_the_last_that_is_asked() {
    let server = Server::start(|_| Reply::Ok(CONTENT.into()));
    let outcome = sandbox(&[&server.url("/first"), &server.url("/second")])
        .run(&[])
        .succeeded();
    assert_eq!(server.targets(), ["/first"]);
    assert!(outcome.stdout.contains("/first"), "{}", outcome.stdout);
}

#[test]
fn wrong_bytes_are_refused_and_the_next_source_is_asked() {
    let server = Server::start(|request| {
        Reply::Ok(
            if request.target == "/bad" {
                WRONG
            } else {
                CONTENT
            }
            .into(),
        )
    });
    let sandbox = sandbox(&[&server.url("/bad"), &server.url("/good")]);
    sandbox.run(&[]).succeeded();
    assert_eq!(server.targets(), ["/bad", "/good"]);
    assert_eq!(sandbox.read("thing/file").as_bytes(), CONTENT);
}

#[test]
fn an_error_names_address_expected_and_calculated() {
    let server = Server::start(|_| Reply::Ok(WRONG.into()));
    let sandbox = sandbox(&[&server.url("/bad")]);
    let message = format!(
        "fetch-apps: thing: {}: wrong content: expected sha256 {}, calculated {}",
        server.url("/bad"),
        sha256(CONTENT),
        sha256(WRONG)
    );
    sandbox.run(&[]).failed_with(1, &message);
    assert_eq!(sandbox.remains(), Vec::<String>::new());
    assert_eq!(
        server.targets().len(),
        1,
        "the same wrong bytes are not asked for again"
    );
}

#[test]
fn when_all_sources_fail_each_is_named() {
    let server = Server::start(|request| match request.target.as_str() {
        "/gone" => Reply::Status(404),
        _ => Reply::Ok(WRONG.into()),
    });
    let outcome = sandbox(&[&server.url("/gone"), &server.url("/bad")]).run(&["--quiet"]);
    let outcome = outcome.failed_with(1, "none of its sources delivered:");
    assert!(
        outcome.stderr.contains("/gone: the server answered 404"),
        "{}",
        outcome.stderr
    );
    assert!(
        outcome.stderr.contains("/bad: wrong content"),
        "{}",
        outcome.stderr
    );
}

#[test]
fn a_transfer_that_breaks_off_is_tried_again() {
    let server = Server::start(|request| match request.number {
        0 | 1 => Reply::Promise {
            length: CONTENT.len(),
            body: CONTENT[..7].into(),
        },
        _ => Reply::Ok(CONTENT.into()),
    });
    let sandbox = sandbox(&[&server.url("/thing")]);
    sandbox.run(&[]).succeeded();
    assert_eq!(sandbox.read("thing/file").as_bytes(), CONTENT);
    assert_eq!(server.targets().len(), 3);
}

#[test]
fn a_transfer_that_always_breaks_off_fails_in_the_end() {
    let server = Server::start(|_| Reply::Promise {
        length: CONTENT.len(),
        body: CONTENT[..7].into(),
    });
    let sandbox = sandbox(&[&server.url("/thing")]);
    sandbox
        .run(&[])
        .failed_with(1, "/thing: the transfer broke off after 7 bytes");
    assert_eq!(server.targets().len(), 3);
    assert!(!sandbox.fetched("thing").exists());
}

#[test]
fn a_server_error_is_tried_again_and_a_missing_file_is_not() {
    let server = Server::start(|request| match (request.target.as_str(), request.number) {
        ("/gone", _) => Reply::Status(404),
        (_, 1) => Reply::Status(503),
        _ => Reply::Ok(CONTENT.into()),
    });
    sandbox(&[&server.url("/gone"), &server.url("/busy")])
        .run(&[])
        .succeeded();
    assert_eq!(server.targets(), ["/gone", "/busy", "/busy"]);
}

#[test]
fn an_announced_size_that_cannot_be_right_ends_it_early() {
    let server = Server::start(|_| Reply::Promise {
        length: 5_000_000_000,
        body: CONTENT.into(),
    });
    let message = format!(
        "wrong size: expected {} bytes, got 5000000000",
        CONTENT.len()
    );
    sandbox(&[&server.url("/thing")])
        .run(&[])
        .failed_with(1, &message);
    assert_eq!(server.targets().len(), 1);
}

#[test]
fn a_length_that_cuts_the_content_is_noticed() {
    let server = Server::start(|_| Reply::Promise {
        length: 3,
        body: CONTENT.into(),
    });
    let message = format!("wrong size: expected {} bytes, got 3", CONTENT.len());
    sandbox(&[&server.url("/thing")])
        .run(&[])
        .failed_with(1, &message);
}

#[test]
fn without_a_known_size_the_digest_still_decides() {
    let server = Server::start(|_| Reply::Promise {
        length: 3,
        body: CONTENT.into(),
    });
    let more = format!(
        "unpack = 'none'\nfile = 'file'\n{}",
        https_sources(&[&server.url("/thing")])
    );
    let sandbox = Sandbox::with_manifest(&artifact("thing", CONTENT, &more));
    sandbox
        .run(&[])
        .failed_with(1, &format!("calculated {}", sha256(&CONTENT[..3])));
}

#[test]
fn without_a_known_size_there_is_still_a_cap() {
    let server = Server::start(|_| Reply::Promise {
        length: 5_000_000_000,
        body: CONTENT.into(),
    });
    let more = format!(
        "unpack = 'none'\nfile = 'file'\n{}",
        https_sources(&[&server.url("/thing")])
    );
    let sandbox = Sandbox::with_manifest(&artifact("thing", CONTENT, &more));
    sandbox
        .run(&[])
        .failed_with(1, "larger than the 268435456 bytes that are allowed for it");
}

#[test]
fn an_endless_body_is_cut_off() {
    let server = Server::start(|_| Reply::Endless);
    let sandbox = sandbox(&[&server.url("/thing")]);
    sandbox.run(&[]).failed_with(1, "wrong size: expected");
    assert_eq!(sandbox.remains(), Vec::<String>::new());
}

#[test]
fn redirects_are_followed_but_not_for_ever() {
    let server = Server::start(|request| match request.target.as_str() {
        "/start" => Reply::Redirect("/end".into()),
        "/end" => Reply::Ok(CONTENT.into()),
        _ => Reply::Redirect("/loop".into()),
    });
    sandbox(&[&server.url("/start")]).run(&[]).succeeded();
    assert_eq!(server.targets(), ["/start", "/end"]);
    sandbox(&[&server.url("/loop")])
        .run(&[])
        .failed_with(1, "/loop: refused: too many redirects");
    assert!(server.targets().len() < 20);
}

#[test]
fn a_closed_port_is_tried_again_and_reported() {
    // Nothing listens on port 1 of any ordinary machine, and no test can be given it by chance.
    let outcome = sandbox(&["http://127.0.0.1:1/"]).run(&[]);
    let outcome = outcome.failed_with(1, "cannot connect: Connection refused");
    assert_eq!(
        outcome.stderr.matches("trying again").count(),
        2,
        "{}",
        outcome.stderr
    );
}
