//! Sources with digests of their own, for one kind of machine, and groups of artifacts.

use std::fs;

use crate::sandbox::{Sandbox, artifact, file_artifact, sha256};
use crate::server::{Reply, Server};

const ONE: &[u8] = b"as published";
const TWO: &[u8] = b"as repacked";

fn server() -> Server {
    Server::start(|request| match request.target.as_str() {
        "/thing-1" => Reply::Ok(ONE.into()),
        "/repacked-1" => Reply::Ok(TWO.into()),
        _ => Reply::Status(404),
    })
}

/// The first source at this path, the second one repacked.
fn sandbox(server: &Server, first: &str) -> Sandbox {
    let more = format!(
        "unpack = 'none'\nfile = 'thing-{{version}}'\nsources = [{{ type = 'https', url = '{}' }},\n\
         {{ type = 'https', url = '{}', sha256 = '{}', size = {} }}]",
        server.url(first),
        server.url("/repacked-{version}"),
        sha256(TWO),
        TWO.len()
    );
    Sandbox::with_manifest(&artifact("a-{version}", ONE, &more))
}

#[test]
fn what_is_checked_is_the_digest_of_the_source_in_use() {
    let server = server();
    let first = sandbox(&server, "/thing-{version}");
    first.run(&[]).succeeded();
    assert_eq!(first.read("a-1/thing-1").as_bytes(), ONE);
    let second = sandbox(&server, "/gone");
    second.run(&["a-1"]).succeeded();
    assert_eq!(second.read("a-1/thing-1").as_bytes(), TWO);
    assert_eq!(second.run(&[]).succeeded().stdout, "up to date: a-1\n");
    second.run(&["--verify"]).succeeded();
    // The first source's bytes are not what the second one promises.
    let swapped = sandbox(&server, "/repacked-{version}");
    let outcome = swapped.run(&[]).succeeded();
    assert!(
        outcome.stderr.contains("/repacked-1: wrong content: "),
        "{}",
        outcome.stderr
    );
}

#[test]
fn a_mirror_and_the_cache_have_it_by_any_of_its_digests() {
    let server = server();
    let sandbox = sandbox(&server, "/thing-{version}");
    fs::create_dir(sandbox.path("mirror")).unwrap();
    fs::write(sandbox.path("mirror").join(sha256(TWO)), TWO).unwrap();
    let outcome = sandbox
        .run(&["--offline", "--mirror", "mirror"])
        .succeeded();
    assert_eq!(outcome.stdout, "a-1: fetched from the mirror mirror\n");
    assert_eq!(sandbox.read("a-1/thing-1").as_bytes(), TWO);
    fs::remove_dir_all(sandbox.fetched("a-1")).unwrap();
    let outcome = sandbox.run(&["--offline"]).succeeded();
    assert_eq!(outcome.stdout, "a-1: fetched from the download cache\n");
    assert_eq!(server.targets(), Vec::<String>::new());
}

#[test]
fn the_mirror_may_be_named_by_the_environment() {
    let server = server();
    let sandbox = sandbox(&server, "/thing-{version}").set("FETCH_APPS_MIRROR", "mirror");
    sandbox
        .run(&[])
        .failed_with(2, "FETCH_APPS_MIRROR is 'mirror': there is no such folder");
    fs::create_dir(sandbox.path("mirror")).unwrap();
    fs::write(sandbox.path("mirror").join(sha256(ONE)), ONE).unwrap();
    sandbox.run(&["--offline"]).succeeded();
    fs::create_dir(sandbox.path("empty")).unwrap();
    // The option wins.
    sandbox.run(&["--force", "--offline"]).succeeded();
    fs::remove_dir_all(sandbox.fetched(".cache")).unwrap();
    sandbox
        .run(&["--force", "--offline", "--mirror", "empty"])
        .failed_with(1, "neither fetched/.cache nor empty holds its file");
}

#[test]
fn an_offline_run_names_every_digest_that_would_do() {
    let server = server();
    let message = format!(
        "its file (sha256 {}) or its file (sha256 {})",
        sha256(ONE),
        sha256(TWO)
    );
    sandbox(&server, "/thing-{version}")
        .run(&["--offline"])
        .failed_with(1, &message);
}

#[test]
fn a_source_may_be_for_one_kind_of_machine() {
    let server = server();
    let source = |machine: &str, path: &str, content| {
        format!(
            "{{ type = 'https', url = '{}', machine = '{machine}', sha256 = '{}' }}",
            server.url(path),
            sha256(content)
        )
    };
    let strange = source("pdp11", "/thing-1", ONE);
    let here = source(std::env::consts::ARCH, "/repacked-1", TWO);
    let manifest = |sources: &str| {
        artifact(
            "a",
            b"",
            &format!("unpack = 'none'\nfile = 'file'\nsources = [{sources}]"),
        )
    };
    let sandbox = Sandbox::with_manifest(&manifest(&format!("{strange}, {here}")));
    sandbox.run(&[]).succeeded();
    assert_eq!(sandbox.read("a/file").as_bytes(), TWO);
    assert_eq!(server.targets(), ["/repacked-1"]);
    let listed = sandbox.run(&["--list"]).succeeded().stdout;
    assert!(listed.contains("/thing-1 (for pdp11)\n"), "{listed}");

    sandbox.write_manifest(&manifest(&strange));
    let arch = std::env::consts::ARCH;
    sandbox.run(&["--force"]).failed_with(
        1,
        &format!("a: there is none for this kind of machine ({arch}), only for pdp11"),
    );
}

#[test]
fn a_group_is_fetched_by_its_name_only() {
    let server = Server::start(|request| Reply::Ok(request.target[1..].into()));
    let grouped = |name: &str| {
        let text = file_artifact(name, name.as_bytes(), &[&server.url(&format!("/{name}"))]);
        text.replace("default = true", "group = 'parts'")
    };
    let default = file_artifact("whole", b"whole", &[&server.url("/whole")]);
    let sandbox = Sandbox::with_manifest(&(default + &grouped("one") + &grouped("two")));
    sandbox.run(&[]).succeeded();
    assert_eq!(server.targets(), ["/whole"]);
    let outcome = sandbox.run(&["parts", "one", "--jobs", "1"]).succeeded();
    assert_eq!(server.targets(), ["/whole", "/one", "/two"]);
    assert_eq!(outcome.stdout.lines().count(), 2, "{}", outcome.stdout);
    let listed = sandbox.run(&["--list", "parts"]).succeeded().stdout;
    assert!(
        listed.starts_with("one: here, in parts\n") && listed.contains("\ntwo: here"),
        "{listed}"
    );
}
