//! What is here already: second runs, refreshes, interruptions, `--list`, `--verify` and `--force`.

use std::fs;
use std::os::unix::fs::symlink;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::archives::zip;
use crate::sandbox::{Outcome, Sandbox, artifact, file_artifact, https_sources, sha256};
use crate::server::{Reply, Server};

const CONTENT: &[u8] = b"some content";

fn archive() -> Vec<u8> {
    zip(&[("index.php", b"<?php"), ("style.css", b"body {}")])
}

fn zip_artifact(name: &str, archive: &[u8], server: &Server) -> String {
    artifact(
        name,
        archive,
        &format!("unpack = 'zip'\n{}", https_sources(&[&server.url("/zip")])),
    )
}

/// A server with one archive, and a sandbox into which it has been fetched.
fn fetched() -> (Server, Sandbox) {
    let server = Server::start(|_| Reply::Ok(archive()));
    let sandbox = Sandbox::with_manifest(&zip_artifact("thing", &archive(), &server));
    sandbox.run(&[]).succeeded();
    (server, sandbox)
}

#[test]
fn a_second_run_does_nothing_and_says_so_in_one_line() {
    let (server, sandbox) = fetched();
    let before = fs::metadata(sandbox.fetched("thing"))
        .unwrap()
        .modified()
        .unwrap();
    let outcome = sandbox.run(&[]).succeeded();
    assert_eq!(
        (outcome.stdout.as_str(), outcome.stderr.as_str()),
        ("up to date: thing\n", "")
    );
    assert_eq!(server.targets().len(), 1);
    assert_eq!(
        fs::metadata(sandbox.fetched("thing"))
            .unwrap()
            .modified()
            .unwrap(),
        before
    );
}

#[test]
fn only_default_artifacts_come_without_a_name() {
    let server = Server::start(|_| Reply::Ok(CONTENT.into()));
    let other =
        file_artifact("other", CONTENT, &[&server.url("/other")]).replace("default = true\n", "");
    let manifest = file_artifact("thing", CONTENT, &[&server.url("/thing")]) + &other;
    let sandbox = Sandbox::with_manifest(&manifest);
    sandbox.run(&[]).succeeded();
    assert!(sandbox.fetched("thing").exists() && !sandbox.fetched("other").exists());
    sandbox.run(&["other"]).succeeded();
    assert!(sandbox.fetched("other").exists());
}

#[test]
fn a_lost_file_comes_back_from_the_cache() {
    let (server, sandbox) = fetched();
    fs::remove_file(sandbox.fetched("thing/style.css")).unwrap();
    let outcome = sandbox.run(&[]).succeeded();
    assert_eq!(outcome.stdout, "thing: fetched from the download cache\n");
    assert_eq!(sandbox.read("thing/style.css"), "body {}");
    assert_eq!(server.targets().len(), 1);
}

#[test]
fn a_damaged_cache_is_not_trusted() {
    let (server, sandbox) = fetched();
    fs::write(
        sandbox.fetched(&format!(".cache/{}", sha256(&archive()))),
        "damaged",
    )
    .unwrap();
    sandbox.run(&["--force"]).succeeded();
    assert_eq!(server.targets().len(), 2);
    assert_eq!(sandbox.read("thing/index.php"), "<?php");
}

#[test]
fn a_changed_manifest_refreshes_only_its_own_folder() {
    let (_server, sandbox) = fetched();
    fs::create_dir(sandbox.fetched("neighbour")).unwrap();
    fs::write(sandbox.fetched("neighbour/file"), "mine").unwrap();
    let newer = zip(&[("index.php", b"<?php // newer")]);
    let body = newer.clone();
    let server = Server::start(move |_| Reply::Ok(body.clone()));
    sandbox.write_manifest(&zip_artifact("thing", &newer, &server));
    sandbox.run(&[]).succeeded();
    assert_eq!(sandbox.read("thing/index.php"), "<?php // newer");
    assert!(!sandbox.fetched("thing/style.css").exists());
    assert_eq!(sandbox.read("neighbour/file"), "mine");
}

#[test]
fn a_changed_rule_refreshes_without_a_download() {
    let (server, sandbox) = fetched();
    let manifest = zip_artifact("thing", &archive(), &server);
    sandbox.write_manifest(
        &manifest.replace("unpack = 'zip'", "unpack = 'zip'\nexclude = ['style.css']"),
    );
    sandbox.run(&[]).succeeded();
    assert!(!sandbox.fetched("thing/style.css").exists());
    assert_eq!(server.targets().len(), 1);
}

#[test]
fn a_folder_that_leads_elsewhere_is_replaced_not_followed() {
    let (_server, sandbox) = fetched();
    fs::rename(sandbox.fetched("thing"), sandbox.path("elsewhere")).unwrap();
    fs::write(sandbox.path("elsewhere/precious"), "mine").unwrap();
    symlink("../elsewhere", sandbox.fetched("thing")).unwrap();
    sandbox.run(&["--force"]).succeeded();
    assert!(
        sandbox
            .fetched("thing")
            .symlink_metadata()
            .unwrap()
            .is_dir()
    );
    assert_eq!(
        fs::read_to_string(sandbox.path("elsewhere/precious")).unwrap(),
        "mine"
    );
    assert!(sandbox.path("elsewhere/index.php").exists());
}

#[test]
fn a_killed_run_leaves_no_half_of_anything() {
    let healthy = Arc::new(AtomicBool::new(false));
    let server = Server::start({
        let healthy = healthy.clone();
        move |_| match healthy.load(Ordering::SeqCst) {
            true => Reply::Ok(archive()),
            false => Reply::Stall(archive()),
        }
    });
    let sandbox = Sandbox::with_manifest(&zip_artifact("thing", &archive(), &server));
    let mut child = sandbox.start(&["--timeout", "60"]);
    let partial = sandbox.fetched(&format!(".cache/{}.partial", sha256(&archive())));
    let deadline = Instant::now() + Duration::from_secs(10);
    while fs::metadata(&partial).map_or(0, |found| found.len()) == 0 {
        assert!(Instant::now() < deadline, "the download never began");
        thread::sleep(Duration::from_millis(10));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(!sandbox.fetched("thing").exists());

    // What a run that was killed while it unpacked would leave as well.
    fs::create_dir(sandbox.fetched(".thing.new")).unwrap();
    fs::write(sandbox.fetched(".thing.new/half"), "half").unwrap();
    healthy.store(true, Ordering::SeqCst);
    sandbox.run(&[]).succeeded();
    assert_eq!(
        sandbox.remains(),
        [format!(".cache/{}", sha256(&archive())), "thing".into()]
    );
    assert!(!sandbox.fetched("thing/half").exists());
}

#[test]
fn two_runs_at_once_share_the_work() {
    let server = Server::start(|_| {
        thread::sleep(Duration::from_millis(500));
        Reply::Ok(archive())
    });
    let sandbox = Sandbox::with_manifest(&zip_artifact("thing", &archive(), &server));
    let runs = [sandbox.start(&[]), sandbox.start(&[])];
    let outcomes = runs.map(|run| Outcome::from(run).succeeded());
    assert_eq!(server.targets().len(), 1);
    assert_eq!(
        outcomes
            .iter()
            .filter(|outcome| outcome.stdout == "up to date: thing\n")
            .count(),
        1
    );
    assert_eq!(
        outcomes
            .iter()
            .filter(|outcome| outcome.stderr.contains("waiting for another run"))
            .count(),
        1
    );
}

#[test]
fn verify_finds_damage() {
    let (_server, sandbox) = fetched();
    let outcome = sandbox.run(&["--verify"]).succeeded();
    assert!(
        outcome
            .stdout
            .starts_with("thing: 2 files are as fetched (from http://127.0.0.1:"),
        "{}",
        outcome.stdout
    );

    fs::write(sandbox.fetched("thing/added"), "").unwrap();
    let outcome = sandbox.run(&["--verify"]).succeeded();
    assert!(
        outcome.stdout.ends_with("; 1 added by others\n"),
        "{}",
        outcome.stdout
    );

    fs::write(sandbox.fetched("thing/style.css"), "changed").unwrap();
    let message = format!(
        "style.css: expected sha256 {}, calculated {}",
        sha256(b"body {}"),
        sha256(b"changed")
    );
    sandbox.run(&["--verify", "thing"]).failed_with(1, &message);
}

#[test]
fn verify_fails_where_there_is_nothing_to_verify() {
    let server = Server::start(|_| Reply::Status(404));
    let sandbox = Sandbox::with_manifest(&zip_artifact("thing", &archive(), &server));
    sandbox
        .run(&["--verify"])
        .failed_with(1, "nothing to verify");
    sandbox
        .run(&["--verify", "thing"])
        .failed_with(1, "has not been fetched by this tool");
}

#[test]
fn the_receipt_is_what_sha256sum_reads() {
    let (_server, sandbox) = fetched();
    let receipt = sandbox.read("thing/.ht-fetched.sha256");
    assert!(
        receipt.contains(&format!("{}  index.php\n", sha256(b"<?php"))),
        "{receipt}"
    );
}

#[test]
fn list_tells_the_state() {
    let (server, sandbox) = fetched();
    let manifest = zip_artifact("thing", &archive(), &server)
        + &file_artifact("other", CONTENT, &[&server.url("/o")]);
    sandbox.write_manifest(&manifest);
    let outcome = sandbox.run(&["--list"]).succeeded();
    assert!(
        outcome
            .stdout
            .starts_with("thing: here, default\n    a test (version 1, MIT)\n"),
        "{}",
        outcome.stdout
    );
    assert!(
        outcome.stdout.contains("other: not fetched, default\n"),
        "{}",
        outcome.stdout
    );
    fs::remove_file(sandbox.fetched("thing/index.php")).unwrap();
    let outcome = sandbox.run(&["--list", "thing"]).succeeded();
    assert!(
        outcome
            .stdout
            .starts_with("thing: out of date (index.php is missing)"),
        "{}",
        outcome.stdout
    );
    assert!(!outcome.stdout.contains("other"), "{}", outcome.stdout);
}

#[test]
fn quiet_means_silent() {
    let server = Server::start(|_| Reply::Ok(archive()));
    let sandbox = Sandbox::with_manifest(&zip_artifact("thing", &archive(), &server));
    let outcome = sandbox.run(&["--quiet"]).succeeded();
    assert_eq!((outcome.stdout.as_str(), outcome.stderr.as_str()), ("", ""));
}

#[test]
fn one_failure_does_not_keep_the_others_away() {
    let server = Server::start(|request| match request.target.as_str() {
        "/bad" => Reply::Status(404),
        _ => Reply::Ok(CONTENT.into()),
    });
    let bad = file_artifact("bad", b"never", &[&server.url("/bad")]);
    let sandbox =
        Sandbox::with_manifest(&(bad + &file_artifact("good", CONTENT, &[&server.url("/good")])));
    sandbox.run(&[]).failed_with(1, "fetch-apps: bad: ");
    assert_eq!(sandbox.read("good/file").as_bytes(), CONTENT);
}

#[test]
fn a_wrong_command_line_has_a_status_of_its_own() {
    let (_server, sandbox) = fetched();
    sandbox
        .run(&["nothing"])
        .failed_with(2, "'nothing' is not in the manifest; it lists: thing");
    sandbox.run(&["--bogus"]).failed_with(2, "--bogus");
    sandbox
        .run(&["--list", "--verify"])
        .failed_with(2, "cannot be used with");
    sandbox
        .run(&["--manifest", "none.toml"])
        .failed_with(1, "cannot read the manifest none.toml");
    let help = sandbox.run(&["--help"]).succeeded().stdout;
    assert!(
        help.contains("NPM_CONFIG_REGISTRY") && help.contains("Exit status:\n  0  All is well."),
        "{help}"
    );
}
