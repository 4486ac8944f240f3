//! Going on where an interrupted download ended.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::sandbox::{Sandbox, artifact, file_artifact, https_sources, sha256};
use crate::server::{Reply, Request, Server};

const CONTENT: &[u8] = b"the content that was promised";
const HALF: usize = CONTENT.len() / 2;

fn partial() -> String {
    format!(".cache/{}.partial", sha256(CONTENT))
}

/// A sandbox with an artifact at `/thing`, and this much of it left by an earlier run.
fn sandbox(server: &Server, left: &[u8]) -> Sandbox {
    plant(
        Sandbox::with_manifest(&file_artifact("thing", CONTENT, &[&server.url("/thing")])),
        left,
    )
}

fn sandbox_without_size(server: &Server, left: &[u8]) -> Sandbox {
    let sources = https_sources(&[&server.url("/thing")]);
    let more = format!("unpack = 'none'\nfile = 'file'\n{sources}");
    plant(
        Sandbox::with_manifest(&artifact("thing", CONTENT, &more)),
        left,
    )
}

fn plant(sandbox: Sandbox, left: &[u8]) -> Sandbox {
    fs::create_dir_all(sandbox.fetched(".cache")).unwrap();
    fs::write(sandbox.fetched(&partial()), left).unwrap();
    sandbox
}

/// The artifact is right, nothing else is left, and these were the ranges of the requests.
#[track_caller]
fn assert_fetched(sandbox: &Sandbox, server: &Server, ranges: &[Option<usize>]) {
    assert_eq!(sandbox.read("thing/file").as_bytes(), CONTENT);
    assert_eq!(
        sandbox.remains(),
        [format!(".cache/{}", sha256(CONTENT)), "thing".into()]
    );
    let asked: Vec<_> = server.requests().iter().map(Request::range).collect();
    assert_eq!(asked, ranges);
}

#[test]
fn a_broken_transfer_goes_on_where_it_broke() {
    let server = Server::start(|request| match request.number {
        0 => Reply::Promise {
            length: CONTENT.len(),
            body: CONTENT[..7].into(),
        },
        _ => Reply::Ranged(CONTENT.into()),
    });
    let sandbox = sandbox(&server, b"");
    let outcome = sandbox.run(&[]).succeeded();
    assert_fetched(&sandbox, &server, &[None, Some(7)]);
    assert!(
        outcome.stderr.contains("(the rest of 29 B: 22 B)"),
        "{}",
        outcome.stderr
    );
}

#[test]
fn a_killed_run_is_continued_by_the_next() {
    let healthy = Arc::new(AtomicBool::new(false));
    let server = Server::start({
        let healthy = healthy.clone();
        move |_| match healthy.load(Ordering::SeqCst) {
            true => Reply::Ranged(CONTENT.into()),
            false => Reply::Stall(CONTENT.into()),
        }
    });
    let sandbox = sandbox(&server, b"");
    let mut child = sandbox.start(&["--timeout", "60"]);
    let deadline = Instant::now() + Duration::from_secs(10);
    while fs::metadata(sandbox.fetched(&partial())).map_or(0, |found| found.len()) == 0 {
        assert!(Instant::now() < deadline, "the download never began");
        thread::sleep(Duration::from_millis(10));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    healthy.store(true, Ordering::SeqCst);
    sandbox.run(&[]).succeeded();
    assert_fetched(&sandbox, &server, &[None, Some(HALF)]);
}

#[test]
fn a_run_that_gave_up_is_continued_by_the_next() {
    let server = Server::start(|request| match request.number {
        0 => Reply::Promise {
            length: CONTENT.len(),
            body: CONTENT[..HALF].into(),
        },
        1..3 => Reply::Status(503),
        _ => Reply::Ranged(CONTENT.into()),
    });
    let sandbox = sandbox(&server, b"");
    sandbox.run(&[]).failed_with(1, "the server answered 503");
    assert_eq!(sandbox.remains(), [partial()]);
    sandbox.run(&[]).succeeded();
    assert_fetched(
        &sandbox,
        &server,
        &[None, Some(HALF), Some(HALF), Some(HALF)],
    );
}

#[test]
fn another_source_goes_on_as_well() {
    let server = Server::start(|request| match request.target.as_str() {
        "/thing" => Reply::Status(404),
        _ => Reply::Ranged(CONTENT.into()),
    });
    let sandbox = sandbox(&server, &CONTENT[..HALF]);
    let urls = [server.url("/thing"), server.url("/other")];
    sandbox.write_manifest(&file_artifact("thing", CONTENT, &[&urls[0], &urls[1]]));
    sandbox.run(&[]).succeeded();
    assert_fetched(&sandbox, &server, &[Some(HALF), Some(HALF)]);
}

#[test]
fn a_server_without_ranges_sends_the_whole() {
    let server = Server::start(|_| Reply::Ok(CONTENT.into()));
    let sandbox = sandbox(&server, &CONTENT[..HALF]);
    sandbox.run(&[]).succeeded();
    assert_fetched(&sandbox, &server, &[Some(HALF)]);
}

#[test]
fn a_wrong_beginning_is_found_out_and_fetched_again() {
    let server = Server::start(|_| Reply::Ranged(CONTENT.into()));
    let sandbox = sandbox(&server, b"wrong");
    let outcome = sandbox.run(&[]).succeeded();
    assert_fetched(&sandbox, &server, &[Some(5), None]);
    assert!(
        outcome.stderr.contains("starting over"),
        "{}",
        outcome.stderr
    );
}

#[test]
fn a_wrong_beginning_cannot_loop() {
    let server = Server::start(|_| Reply::Ranged(b"THE CONTENT THAT WAS PROMISED".into()));
    let sandbox = sandbox(&server, b"wrong");
    sandbox.run(&[]).failed_with(1, "wrong content");
    assert_eq!(server.targets().len(), 2);
    assert_eq!(sandbox.remains(), Vec::<String>::new());
}

#[test]
fn more_than_the_whole_is_fetched_again() {
    let server = Server::start(|_| Reply::Ranged(CONTENT.into()));
    let sandbox = sandbox(&server, &[b'x'; 100]);
    sandbox.run(&[]).succeeded();
    assert_fetched(&sandbox, &server, &[None]);
}

#[test]
fn a_range_that_does_not_exist_is_not_insisted_on() {
    let server = Server::start(|_| Reply::Ranged(CONTENT.into()));
    let sandbox = sandbox_without_size(&server, &[b'x'; 100]);
    sandbox.run(&[]).succeeded();
    assert_fetched(&sandbox, &server, &[Some(100), None]);
}

#[test]
fn a_part_that_was_not_asked_for_is_not_taken() {
    let server = Server::start(|request| match request.range() {
        Some(_) => Reply::Part {
            start: 0,
            body: CONTENT.into(),
        },
        None => Reply::Ok(CONTENT.into()),
    });
    let sandbox = sandbox(&server, &CONTENT[..HALF]);
    sandbox.run(&[]).succeeded();
    assert_fetched(&sandbox, &server, &[Some(HALF), None]);
}

#[test]
fn a_part_that_nobody_asked_for_is_an_error() {
    let server = Server::start(|_| Reply::Part {
        start: 0,
        body: CONTENT.into(),
    });
    sandbox(&server, b"")
        .run(&[])
        .failed_with(1, "the server answered 206");
}

#[test]
fn what_is_complete_is_not_asked_for() {
    let server = Server::start(|_| Reply::Status(500));
    let sandbox = sandbox(&server, CONTENT);
    sandbox.run(&[]).succeeded();
    assert_fetched(&sandbox, &server, &[]);
}
