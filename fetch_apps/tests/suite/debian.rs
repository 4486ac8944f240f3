//! Files of the distribution's pool, through an apt that is configured for a server of the test.

use std::fs;
use std::os::unix::fs::symlink;
use std::time::Duration;

use crate::sandbox::{Sandbox, artifact, sha256};
use crate::server::{Reply, Server};

const CONTENT: &[u8] = b"the file in the pool";
const POOL: &str = "pool/main/t/thing/thing_1+dfsg.orig.tar.xz";
/// As apt writes it in a request.
const ENCODED: &str = "pool/main/t/thing/thing_1%2bdfsg.orig.tar.xz";

fn manifest(content: &[u8]) -> String {
    let source = format!("{{ type = 'debian', pool = '{POOL}' }}");
    artifact(
        "thing",
        content,
        &format!("unpack = 'none'\nfile = 'file'\nsources = [{source}]"),
    )
}

/// Only this machine's apt is on the path; what it is configured with is the test's.
fn sandbox(sources: &[(&str, &str)], more: &str) -> Sandbox {
    let sandbox = Sandbox::with_manifest(&manifest(CONTENT));
    fs::create_dir(sandbox.path("bin")).unwrap();
    for program in ["apt-get", "apt-config"] {
        let installed = format!("/usr/bin/{program}");
        assert!(
            fs::metadata(&installed).is_ok(),
            "{installed} is missing: these tests need apt"
        );
        symlink(installed, sandbox.path(&format!("bin/{program}"))).unwrap();
    }
    for folder in [
        "etc/sources.list.d",
        "etc/apt.conf.d",
        "state/lists/partial",
        "cache",
    ] {
        fs::create_dir_all(sandbox.path(&format!("apt/{folder}"))).unwrap();
    }
    for (name, text) in sources {
        fs::write(sandbox.path(&format!("apt/etc/{name}")), text).unwrap();
    }
    let folder = sandbox.path("apt").display().to_string();
    let config = format!(
        "Dir::Etc \"{folder}/etc\";\nDir::State \"{folder}/state\";\nDir::Cache \"{folder}/cache\";\n{more}\n"
    );
    fs::write(sandbox.path("apt/apt.conf"), config).unwrap();
    let path = sandbox.path("apt/apt.conf").display().to_string();
    sandbox.set("APT_CONFIG", &path)
}

/// Has the file below `/debian`, and nothing else.
fn mirror() -> Server {
    Server::start(|request| match request.target.strip_prefix("/debian/") {
        Some(ENCODED) => Reply::Ok(CONTENT.into()),
        _ => Reply::Status(404),
    })
}

fn line(server: &Server, path: &str) -> String {
    format!("deb [trusted=yes] {} stable main\n", server.url(path))
}

#[test]
fn the_file_comes_from_the_mirror_that_apt_knows() {
    let server = mirror();
    let sandbox = sandbox(&[("sources.list", &line(&server, "/debian"))], "");
    let outcome = sandbox.run(&["--json"]).succeeded();
    assert_eq!(sandbox.read("thing/file").as_bytes(), CONTENT);
    assert_eq!(server.targets(), [format!("/debian/{ENCODED}")]);
    let source = format!("\"source\":\"the distribution's {POOL}\"");
    assert!(outcome.stdout.contains(&source), "{}", outcome.stdout);
    assert!(
        outcome.stdout.contains("\"event\":\"download\""),
        "{}",
        outcome.stdout
    );
    let cached = format!(".cache/{}", sha256(CONTENT));
    assert_eq!(sandbox.remains(), [cached.as_str(), "thing"]);
}

#[test]
fn repositories_without_the_file_are_passed_over() {
    let server = mirror();
    let text =
        line(&server, "/other") + &line(&server, "/debian/") + "deb http://127.0.0.1:1/flat ./\n";
    let sandbox = sandbox(&[("sources.list.d/many.list", &text)], "");
    sandbox.run(&[]).succeeded();
    assert_eq!(
        server.targets(),
        [format!("/other/{ENCODED}"), format!("/debian/{ENCODED}")]
    );
}

#[test]
fn sources_may_be_written_in_the_newer_form_with_a_password() {
    let server = mirror();
    let url = format!("http://me:secret@127.0.0.1:{}", server.port());
    let text = format!(
        "Types: deb deb-src\nURIs: {url}/other {url}/debian\nSuites: stable\nComponents: main\nTrusted: yes\n"
    );
    let sandbox = sandbox(&[("sources.list.d/debian.sources", &text)], "");
    let outcome = sandbox.run(&["--json"]).succeeded();
    assert!(!format!("{outcome:?}").contains("secret"), "{outcome:?}");
    let last = server.requests().pop().unwrap();
    assert_eq!(last.target, format!("/debian/{ENCODED}"));
    assert!(
        last.head.to_lowercase().contains("authorization: basic "),
        "{}",
        last.head
    );
}

#[test]
fn apts_proxy_and_lists_of_mirrors_are_used() {
    let proxy = Server::start(|_| Reply::Ok(CONTENT.into()));
    let config = format!("Acquire::http::Proxy \"{}\";", proxy.url("/"));
    let sandbox = sandbox(&[], &config);
    let list = sandbox.path("apt/mirrors.list");
    fs::write(&list, "http://mirror.invalid/debian/\n").unwrap();
    let text = format!("deb mirror+file:{} stable main\n", list.display());
    fs::write(sandbox.path("apt/etc/sources.list"), text).unwrap();
    sandbox.run(&[]).succeeded();
    assert_eq!(
        proxy.targets(),
        [format!("http://mirror.invalid/debian/{ENCODED}")]
    );
}

#[test]
fn a_mirror_is_not_trusted() {
    let server = mirror();
    let sandbox = sandbox(&[("sources.list", &line(&server, "/debian"))], "");
    sandbox.write_manifest(&manifest(b"something else"));
    let message = format!(
        "/debian/{POOL}: wrong content: expected sha256 {}, calculated {}",
        sha256(b"something else"),
        sha256(CONTENT)
    );
    sandbox.run(&[]).failed_with(1, &message);
    assert_eq!(sandbox.remains(), Vec::<String>::new());
}

#[test]
fn what_no_mirror_has_is_told_for_each() {
    let server = mirror();
    let text = line(&server, "/one") + &line(&server, "/two");
    let outcome = sandbox(&[("sources.list", &text)], "").run(&[]);
    let outcome = outcome.failed_with(1, &format!("{}/{POOL}: 404", server.url("/one")));
    outcome.failed_with(1, &format!("; {}/{POOL}: 404", server.url("/two")));
}

#[test]
fn a_file_that_is_too_large_is_not_downloaded_to_its_end() {
    let server = Server::start(|_| Reply::Drip {
        body: vec![b'x'; 1_000_000],
        piece: 1000,
        pause: Duration::from_millis(10),
    });
    let sandbox = sandbox(&[("sources.list", &line(&server, "/debian"))], "");
    sandbox.write_manifest(&manifest(CONTENT).replace("unpack", "size = 20\nunpack"));
    sandbox
        .run(&[])
        .failed_with(1, "larger than the 20 bytes that are allowed for it");
    assert_eq!(sandbox.remains(), Vec::<String>::new());
}

#[test]
fn without_apt_or_a_mirror_the_message_says_so() {
    let unknown = "no mirror of the distribution is known: ";
    let empty = sandbox(&[], "").run(&[]);
    empty.failed_with(
        1,
        &format!("{unknown}apt has no repository in its configuration"),
    );
    let bare = Sandbox::with_manifest(&manifest(CONTENT)).run(&[]);
    bare.failed_with(
        1,
        &format!("{unknown}'apt-get update --print-uris' cannot be run: "),
    );
}

#[test]
fn offline_asks_no_mirror() {
    let server = mirror();
    let sandbox = sandbox(&[("sources.list", &line(&server, "/debian"))], "");
    sandbox
        .run(&["--offline"])
        .failed_with(1, "not available offline");
    assert_eq!(server.targets(), Vec::<String>::new());
}
