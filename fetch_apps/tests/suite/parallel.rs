//! Several artifacts at a time.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::Duration;

use crate::archives::{Tar, tar_gz};
use crate::sandbox::{Sandbox, artifact, file_artifact, tarball};
use crate::server::{Reply, Server};

fn manifest(server: &Server, names: &[&str]) -> String {
    names
        .iter()
        .map(|name| file_artifact(name, name.as_bytes(), &[&server.url(&format!("/{name}"))]))
        .collect()
}

fn named(target: &str) -> Reply {
    Reply::Ok(target[1..].into())
}

#[test]
fn downloads_run_side_by_side() {
    let all_here = Arc::new(Barrier::new(4));
    let server = Server::start(move |request| {
        // Nobody is answered before all four have asked; one after the other they would run into the time-out.
        all_here.wait();
        named(&request.target)
    });
    let sandbox = Sandbox::with_manifest(&manifest(&server, &["a", "b", "c", "d"]));
    sandbox.run(&[]).succeeded();
    for name in ["a", "b", "c", "d"] {
        assert_eq!(sandbox.read(&format!("{name}/file")), name);
    }
}

#[test]
fn no_more_than_asked_for_run_at_once() {
    let (running, most) = (AtomicUsize::new(0), Arc::new(AtomicUsize::new(0)));
    let server = Server::start({
        let most = most.clone();
        move |request| {
            most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            thread::sleep(Duration::from_millis(100));
            running.fetch_sub(1, Ordering::SeqCst);
            named(&request.target)
        }
    });
    let sandbox = Sandbox::with_manifest(&manifest(&server, &["a", "b", "c", "d"]));
    sandbox.run(&["--jobs", "2"]).succeeded();
    assert_eq!(most.load(Ordering::SeqCst), 2);
    for wrong in ["0", "17", "many"] {
        sandbox
            .run(&["--jobs", wrong])
            .failed_with(2, "expected a number from 1 to 16");
    }
}

#[test]
fn what_several_need_is_downloaded_once() {
    let package = tar_gz(&[
        Tar::file("package/a", b"a"),
        Tar::file("package/b", b"b"),
        Tar::file("package/c", b"c"),
    ]);
    let member = |name: &str| {
        let source = format!("{{ type = 'npm', tarball = 't', member = 'package/{name}' }}");
        let more = format!("unpack = 'none'\nfile = 'file'\nsources = [{source}]");
        artifact(name, name.as_bytes(), &more)
    };
    let manifest = tarball("t", "pkg", &package) + &member("a") + &member("b") + &member("c");
    let server = Server::start(move |_| {
        thread::sleep(Duration::from_millis(300));
        Reply::Ok(package.clone())
    });
    let sandbox = Sandbox::with_manifest(&manifest).set("NPM_CONFIG_REGISTRY", &server.url("/"));
    sandbox.run(&[]).succeeded();
    assert_eq!(server.targets().len(), 1);
    assert_eq!(sandbox.read("c/file"), "c");
}

#[test]
fn the_same_bytes_for_two_artifacts_are_downloaded_once() {
    let server = Server::start(|_| {
        thread::sleep(Duration::from_millis(300));
        Reply::Ok(b"same".into())
    });
    let one = file_artifact("one", b"same", &[&server.url("/one")]);
    let two = file_artifact("two", b"same", &[&server.url("/two")]);
    let sandbox = Sandbox::with_manifest(&(one + &two));
    let outcome = sandbox.run(&[]).succeeded();
    assert_eq!(server.targets().len(), 1);
    assert!(
        outcome.stdout.contains("fetched from the download cache"),
        "{}",
        outcome.stdout
    );
}

#[test]
fn a_name_given_twice_is_one_artifact() {
    let server = Server::start(|request| named(&request.target));
    let sandbox = Sandbox::with_manifest(&manifest(&server, &["a"]));
    let outcome = sandbox.run(&["a", "a"]).succeeded();
    assert_eq!(outcome.stdout.lines().count(), 1, "{}", outcome.stdout);
}
