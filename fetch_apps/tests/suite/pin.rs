//! `pin`: another version, shown, confirmed, and written only when it could be downloaded.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::process::Stdio;

use serde_json::{Value, json};

use crate::sandbox::{Outcome, Sandbox, sha256};
use crate::server::{Reply, Server};

const NEW: &[u8] = b"the new content";

fn server() -> Server {
    Server::start(|request| match request.target.as_str() {
        "/v2.0/thing-2.0.bin" => Reply::Ok(NEW.into()),
        _ => Reply::Status(404),
    })
}

fn manifest(server: &Server) -> String {
    format!(
        "# A comment.\n[[artifact]]\nname = \"thing-1.0\" # its folder\nabout = \"a test\"\nversion = \"1.0\"\n\
         license = \"MIT\"\nsha256 = \"{}\"\nunpack = \"none\"\nfile = \"thing-1.0.bin\"\nsources = [\n    \
         {{ type = \"https\", url = \"{}\" }}, # upstream\n]\n",
        sha256(b"old"),
        server.url("/v1.0/thing-1.0.bin")
    )
}

fn pinned(server: &Server) -> String {
    let digests = format!("{}\"\nsize = {}", sha256(NEW), NEW.len());
    manifest(server)
        .replace("1.0", "2.0")
        .replace(&format!("{}\"", sha256(b"old")), &digests)
        // The server's address is not part of the version.
        .replace(&server.url("").replace("1.0", "2.0"), &server.url(""))
}

fn sandbox(server: &Server) -> Sandbox {
    Sandbox::with_manifest(&manifest(server))
}

fn text(sandbox: &Sandbox) -> String {
    fs::read_to_string(sandbox.path("apps.toml")).unwrap()
}

fn answer(sandbox: &Sandbox, answer: &str) -> Outcome {
    let mut command = sandbox.command(&["pin", "thing-1.0", "--version", "2.0"]);
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(answer.as_bytes()).unwrap();
    drop(stdin);
    child.into()
}

#[test]
fn a_yes_writes_what_was_shown() {
    let server = server();
    let sandbox = sandbox(&server);
    let path = sandbox.path("apps.toml");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    let outcome = answer(&sandbox, "y\n").succeeded();
    assert_eq!(text(&sandbox), pinned(&server));
    assert_eq!(
        fs::metadata(&path).unwrap().permissions().mode() & 0o777,
        0o640
    );
    let shown = format!(
        "thing-1.0:\n    name\n      - thing-1.0\n      + thing-2.0\n    version\n      - 1.0\n      + 2.0\n    \
         file\n      - thing-1.0.bin\n      + thing-2.0.bin\n    sha256\n      - {}\n      + {}\n    \
         size\n      - (none)\n      + 15\n    source\n      - {}\n      + {}\nthing-2.0: pinned to 2.0\n",
        sha256(b"old"),
        sha256(NEW),
        server.url("/v1.0/thing-1.0.bin"),
        server.url("/v2.0/thing-2.0.bin")
    );
    assert_eq!(outcome.stdout, shown);
    assert!(
        outcome.stderr.ends_with("Write this to apps.toml? [y/N] "),
        "{}",
        outcome.stderr
    );

    // The download is not repeated.
    sandbox.run(&["thing-2.0"]).succeeded();
    assert_eq!(server.targets(), ["/v2.0/thing-2.0.bin"]);
    assert_eq!(
        fs::read(sandbox.fetched("thing-2.0/thing-2.0.bin")).unwrap(),
        NEW
    );
}

#[test]
fn anything_but_yes_writes_nothing() {
    let server = server();
    let sandbox = sandbox(&server);
    answer(&sandbox, "no\n").failed_with(1, "fetch-apps: nothing was changed\n");
    answer(&sandbox, "").failed_with(1, "nobody answered; --yes writes without asking");
    assert_eq!(text(&sandbox), manifest(&server));
}

#[test]
fn yes_can_be_said_before() {
    let server = server();
    let sandbox = sandbox(&server);
    let arguments = ["pin", "thing-1.0", "--version", "2.0"];
    let outcome = sandbox
        .run(&[&arguments[..], &["--yes", "--json"]].concat())
        .succeeded();
    assert_eq!(text(&sandbox), pinned(&server));
    let events: Vec<Value> = outcome
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(events[0]["event"], "download");
    assert_eq!(
        events[1]["changes"][1],
        json!({ "field": "version", "old": "1.0", "new": "2.0" })
    );
    assert_eq!(
        events[2],
        json!({ "event": "pinned", "artifact": "thing-2.0", "version": "2.0", "changed": true })
    );
    assert_eq!(events.len(), 3);
}

#[test]
fn a_failed_download_writes_nothing() {
    let server = server();
    let sandbox = sandbox(&server);
    let arguments = ["pin", "thing-1.0", "--version", "3.0", "--yes"];
    let message = "/v3.0/thing-3.0.bin: the server answered 404";
    sandbox.run(&arguments).failed_with(1, message);
    assert_eq!(text(&sandbox), manifest(&server));
    assert_eq!(sandbox.remains(), Vec::<String>::new());
}

#[test]
fn a_download_that_breaks_off_is_not_pieced_together() {
    // Without a digest nobody could tell whether the pieces belong together.
    let server = Server::start(|request| match request.number {
        0 => Reply::Promise {
            length: NEW.len(),
            body: b"another".into(),
        },
        _ => Reply::Ranged(NEW.into()),
    });
    let sandbox = sandbox(&server);
    sandbox
        .run(&["pin", "thing-1.0", "--version", "2.0", "--yes"])
        .succeeded();
    assert_eq!(text(&sandbox), pinned(&server));
    assert_eq!(server.requests()[1].range(), None);
}

#[test]
fn all_sources_have_to_deliver_the_same() {
    let server = Server::start(|request| {
        Reply::Ok(match request.target.as_str() {
            "/v2.0/thing-2.0.bin" => NEW.into(),
            _ => b"something else".into(),
        })
    });
    let sandbox = sandbox(&server);
    let second = format!(
        "{{ type = \"https\", url = \"{}\" }},\n]",
        server.url("/other/1.0")
    );
    let manifest = manifest(&server).replace("\n]", &format!("\n{second}"));
    sandbox.write_manifest(&manifest);
    let message = format!(
        "/other/2.0: wrong content: expected sha256 {}, calculated {}",
        sha256(NEW),
        sha256(b"something else")
    );
    sandbox
        .run(&["pin", "thing-1.0", "--version", "2.0", "--yes"])
        .failed_with(1, &message);
    assert_eq!(text(&sandbox), manifest);
}

#[test]
fn a_source_that_cannot_follow_is_taken_out_and_shown() {
    let server = server();
    let sandbox = sandbox(&server);
    let tarball = format!(
        "[tarball.t]\npackage = \"p\"\nversion = \"1.0.0\"\nsha256 = \"{}\"\n",
        sha256(b"")
    );
    let npm = "    { type = \"npm\", tarball = \"t\", member = \"m\" },\n]";
    sandbox.write_manifest(
        &(tarball.clone() + &manifest(&server).replace("\n]", &format!("\n{npm}"))),
    );
    let outcome = sandbox
        .run(&["pin", "thing-1.0", "--version", "2.0", "--yes"])
        .succeeded();
    let shown = "    source\n      - npm p@1.0.0, member m\n      + (taken out)\n";
    assert!(outcome.stdout.contains(shown), "{}", outcome.stdout);
    assert_eq!(text(&sandbox), tarball + &pinned(&server));
}

#[test]
fn a_python_project_is_pinned_through_the_index() {
    let index = |file: &str| {
        let hash = sha256(NEW);
        format!(
            r#"{{"files": [{{"filename": "{file}", "url": "/f", "hashes": {{"sha256": "{hash}"}}}}]}}"#
        )
    };
    let server = Server::start(move |request| match request.target.as_str() {
        "/simple/thing/" => Reply::Typed("application/json", index("thing-2.0.whl")),
        "/f" => Reply::Ok(NEW.into()),
        _ => Reply::Status(404),
    });
    let source = "{ type = \"pypi\", project = \"thing\", file = \"thing-1.0.whl\" }";
    let manifest = manifest(&server);
    let (before, after) = (
        manifest.find("{ type").unwrap(),
        manifest.find(", # up").unwrap(),
    );
    let manifest = [&manifest[..before], source, &manifest[after..]].concat();
    let sandbox = Sandbox::with_manifest(&manifest).set("PIP_INDEX_URL", &server.url("/simple"));
    sandbox
        .run(&["pin", "thing-1.0", "--version", "2.0", "-y"])
        .succeeded();
    let text = text(&sandbox);
    assert!(text.contains("file = \"thing-2.0.whl\""), "{text}");
    assert!(text.contains(&sha256(NEW)), "{text}");
    sandbox
        .run(&["pin", "thing-2.0", "--version", "3.0", "-y"])
        .failed_with(1, "it lists no file 'thing-3.0.whl'");
}

#[test]
fn what_cannot_be_pinned_says_why() {
    let server = server();
    let sandbox = sandbox(&server);
    let pin = |name, version| sandbox.run(&["pin", name, "--version", version, "--yes"]);
    pin("other", "2.0").failed_with(2, "'other' is not in the manifest");
    pin("thing-1.0", "../2.0").failed_with(1, "'../2.0' is not a version");
    let outcome = pin("thing-1.0", "1.0").succeeded();
    assert_eq!(outcome.stdout, "thing-1.0 is pinned to 1.0 already\n");

    let taken = manifest(&server).replace("thing-1.0\"", "thing-2.0\"");
    sandbox.write_manifest(&(manifest(&server) + &taken));
    pin("thing-1.0", "2.0").failed_with(1, "there is a 'thing-2.0' already");

    sandbox.write_manifest(&manifest(&server).replace("/v1.0/thing-1.0.bin", "/latest"));
    pin("thing-1.0", "2.0").failed_with(1, "no source has the version 1.0 in its address");
    assert_eq!(server.targets(), Vec::<String>::new());

    let mixed = ["--list", "pin", "thing-1.0", "--version", "2.0"];
    sandbox
        .run(&mixed)
        .failed_with(2, "'pin' takes none of the arguments of a fetch");
}

#[test]
fn a_manifest_behind_a_link_stays_there() {
    let server = server();
    let sandbox = sandbox(&server);
    fs::rename(sandbox.path("apps.toml"), sandbox.path("real.toml")).unwrap();
    symlink("real.toml", sandbox.path("apps.toml")).unwrap();
    sandbox
        .run(&["pin", "thing-1.0", "--version", "2.0", "--yes"])
        .succeeded();
    let real = fs::read_to_string(sandbox.path("real.toml")).unwrap();
    assert_eq!(real, pinned(&server));
    assert!(sandbox.path("apps.toml").is_symlink());
}

#[test]
fn a_manifest_that_changes_meanwhile_is_not_overwritten() {
    let server = server();
    let sandbox = sandbox(&server);
    let mut command = sandbox.command(&["pin", "thing-1.0", "--version", "2.0"]);
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    // The download is the last thing before the question.
    while server.targets().is_empty() {
        std::thread::sleep(std::time::Duration::from_millis(10));
        assert!(child.try_wait().unwrap().is_none(), "it ended early");
    }
    let newer = manifest(&server) + "# newer\n";
    sandbox.write_manifest(&newer);
    child.stdin.take().unwrap().write_all(b"y\n").unwrap();
    Outcome::from(child).failed_with(1, "has been changed meanwhile; nothing was written");
    assert_eq!(text(&sandbox), newer);
}
