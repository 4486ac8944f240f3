//! `--json`: what programs read.

use std::fs;

use serde_json::{Value, json};

use crate::sandbox::{Outcome, Sandbox, file_artifact, sha256};
use crate::server::{Reply, Server};

fn server() -> Server {
    Server::start(|request| match request.target.as_str() {
        "/bad" => Reply::Status(404),
        target => Reply::Ok(target[1..].into()),
    })
}

fn sandbox(server: &Server, names: &[&str]) -> Sandbox {
    let artifacts = names
        .iter()
        .map(|name| file_artifact(name, name.as_bytes(), &[&server.url(&format!("/{name}"))]));
    Sandbox::with_manifest(&artifacts.collect::<String>())
}

/// Every line of stdout has to be an object.
fn events(outcome: &Outcome) -> Vec<Value> {
    outcome
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}")))
        .collect()
}

#[test]
fn a_fetch_is_told_step_by_step() {
    let server = server();
    let sandbox = sandbox(&server, &["good"]);
    let url = server.url("/good");
    let label = format!("good from {url}");
    let outcome = sandbox.run(&["--json"]).succeeded();
    assert_eq!(
        events(&outcome),
        [
            json!({ "event": "download", "label": label, "url": url, "size": 4, "done": 0 }),
            json!({ "event": "fetched", "artifact": "good", "version": "1", "source": url, "folder": "fetched/good" }),
            json!({ "event": "summary", "fetched": ["good"], "up_to_date": [], "failed": [] }),
        ]
    );
    let outcome = sandbox.run(&["--json"]).succeeded();
    assert_eq!(
        events(&outcome),
        [
            json!({ "event": "up-to-date", "artifact": "good", "version": "1", "folder": "fetched/good" }),
            json!({ "event": "summary", "fetched": [], "up_to_date": ["good"], "failed": [] }),
        ]
    );
}

#[test]
fn failures_are_events_and_errors() {
    let server = server();
    let sandbox = sandbox(&server, &["bad", "good"]);
    let outcome = sandbox
        .run(&["--json", "--jobs", "1", "--quiet"])
        .failed_with(1, "fetch-apps: bad: ");
    let events = events(&outcome);
    assert_eq!(
        events[0],
        json!({ "event": "failed", "artifact": "bad", "error": format!("{}: the server answered 404", server.url("/bad")) })
    );
    assert_eq!(
        events.last().unwrap(),
        &json!({ "event": "summary", "fetched": ["good"], "up_to_date": [], "failed": ["bad"] })
    );
    assert_eq!(outcome.stderr.lines().count(), 1, "{}", outcome.stderr);
}

#[test]
fn an_error_before_the_first_artifact_is_an_event_too() {
    let server = server();
    let outcome = sandbox(&server, &["good"])
        .run(&["--json", "other"])
        .failed_with(2, "'other' is not in the manifest");
    let message = "'other' is not in the manifest; it lists: good";
    assert_eq!(
        events(&outcome),
        [json!({ "event": "error", "error": message })]
    );
}

#[test]
fn list_and_verify_speak_json() {
    let server = server();
    let sandbox = sandbox(&server, &["good", "other"]);
    sandbox.run(&["good"]).succeeded();
    let url = server.url("/good");
    let listed = sandbox.run(&["--list", "--json", "good"]).succeeded();
    assert_eq!(
        events(&listed),
        [
            json!({ "event": "listed", "artifact": "good", "about": "a test", "version": "1", "license": "MIT",
                "default": true, "group": null, "state": "here", "reason": null, "sha256": sha256(b"good"), "size": 4,
                "sources": [url] })
        ]
    );
    let listed = events(&sandbox.run(&["--list", "--json"]).succeeded());
    assert_eq!(listed[1]["state"], "not-fetched");

    fs::write(sandbox.fetched("good/mine"), "mine").unwrap();
    let verified = sandbox.run(&["--verify", "--json"]).succeeded();
    assert_eq!(
        events(&verified),
        [
            json!({ "event": "verified", "artifact": "good", "files": 1, "added": 1, "source": url }),
            json!({ "event": "summary", "verified": ["good"], "failed": [] }),
        ]
    );
}
