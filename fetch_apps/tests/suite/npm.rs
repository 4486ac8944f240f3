//! Members of npm tarballs, and the ways to the registry.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::archives::{Tar, tar_gz};
use crate::sandbox::{Sandbox, artifact, sha256, tarball};
use crate::server::{Reply, Server};

const ONE: &[u8] = b"content of one";
const TWO: &[u8] = b"content of two";

fn package() -> Vec<u8> {
    tar_gz(&[
        Tar::file("package/package.json", b"{}"),
        Tar::file("package/one", ONE),
        Tar::file("package/two", TWO),
    ])
}

fn member(name: &str, content: &[u8], member: &str) -> String {
    let sources = format!("sources = [{{ type = 'npm', tarball = 't', member = '{member}' }}]");
    artifact(
        name,
        content,
        &format!("unpack = 'none'\nfile = 'file'\n{sources}"),
    )
}

fn manifest() -> String {
    tarball("t", "@scope/pkg", &package())
        + &member("one", ONE, "package/one")
        + &member("two", TWO, "package/two")
}

fn registry() -> Server {
    Server::start(|_| Reply::Ok(package()))
}

#[test]
fn one_download_serves_all_artifacts_of_a_tarball() {
    let server = registry();
    let sandbox =
        Sandbox::with_manifest(&manifest()).set("NPM_CONFIG_REGISTRY", &server.url("/npm/"));
    let outcome = sandbox.run(&[]).succeeded();
    assert_eq!(server.targets(), ["/npm/@scope/pkg/-/pkg-1.2.3.tgz"]);
    assert_eq!(
        (
            sandbox.read("one/file").as_bytes(),
            sandbox.read("two/file").as_bytes()
        ),
        (ONE, TWO)
    );
    assert!(
        outcome
            .stdout
            .contains("one: fetched from npm @scope/pkg@1.2.3, member package/one\n")
    );
}

#[test]
fn the_lower_case_variable_counts_too() {
    let server = registry();
    Sandbox::with_manifest(&manifest())
        .set("npm_config_registry", &server.url(""))
        .run(&[])
        .succeeded();
    assert_eq!(server.targets().len(), 1);
}

#[test]
fn an_installed_npm_is_asked() {
    let server = registry();
    let sandbox = Sandbox::with_manifest(&manifest());
    fs::create_dir(sandbox.path("bin")).unwrap();
    let script = format!(
        "#!/bin/sh\n[ \"$*\" = 'config get registry' ] && echo '{}'\n",
        server.url("/asked/")
    );
    fs::write(sandbox.path("bin/npm"), script).unwrap();
    fs::set_permissions(sandbox.path("bin/npm"), fs::Permissions::from_mode(0o755)).unwrap();
    sandbox.run(&["one"]).succeeded();
    assert_eq!(server.targets(), ["/asked/@scope/pkg/-/pkg-1.2.3.tgz"]);
}

#[test]
fn without_a_registry_the_message_says_what_to_set() {
    let outcome = Sandbox::with_manifest(&manifest()).run(&["one"]);
    outcome.failed_with(
        1,
        "set NPM_CONFIG_REGISTRY to the address of an npm registry or mirror",
    );
}

#[test]
fn a_registry_that_is_no_address_is_refused() {
    let sandbox = Sandbox::with_manifest(&manifest()).set("NPM_CONFIG_REGISTRY", "undefined");
    sandbox.run(&["one"]).failed_with(
        1,
        "NPM_CONFIG_REGISTRY: 'undefined' is not an http or https address",
    );
}

#[test]
fn a_tarball_with_another_digest_is_not_opened() {
    let other = tar_gz(&[Tar::file("package/one", ONE)]);
    let calculated = sha256(&other);
    let server = Server::start(move |_| Reply::Ok(other.clone()));
    let sandbox = Sandbox::with_manifest(&manifest()).set("NPM_CONFIG_REGISTRY", &server.url("/"));
    sandbox.run(&["one"]).failed_with(
        1,
        &format!(
            "expected sha256 {}, calculated {calculated}",
            sha256(&package())
        ),
    );
    assert_eq!(sandbox.remains(), Vec::<String>::new());
}

#[test]
fn a_member_with_another_digest_is_refused() {
    let server = registry();
    let manifest = tarball("t", "@scope/pkg", &package()) + &member("one", TWO, "package/one");
    let sandbox = Sandbox::with_manifest(&manifest).set("NPM_CONFIG_REGISTRY", &server.url("/"));
    let message = format!(
        "member package/one: wrong content: expected sha256 {}",
        sha256(TWO)
    );
    sandbox.run(&[]).failed_with(1, &message);
    assert_eq!(
        sandbox.remains(),
        [format!(".cache/{}", sha256(&package()))]
    );
}

#[test]
fn a_missing_member_is_named() {
    let server = registry();
    let manifest = tarball("t", "@scope/pkg", &package()) + &member("one", ONE, "package/three");
    let sandbox = Sandbox::with_manifest(&manifest).set("NPM_CONFIG_REGISTRY", &server.url("/"));
    sandbox
        .run(&[])
        .failed_with(1, "@scope/pkg@1.2.3: it has no member 'package/three'");
}

#[test]
fn a_proxy_is_used_and_resolves_the_name_itself() {
    let proxy = registry();
    let sandbox = Sandbox::with_manifest(&manifest())
        .set("NPM_CONFIG_REGISTRY", "http://registry.invalid/")
        .set("http_proxy", &proxy.url(""));
    sandbox.run(&["one"]).succeeded();
    assert_eq!(
        proxy.targets(),
        ["http://registry.invalid/@scope/pkg/-/pkg-1.2.3.tgz"]
    );
}

#[test]
fn a_password_is_sent_and_never_shown() {
    let server = Server::start(|_| Reply::Status(404));
    let address = format!("http://me:secret@127.0.0.1:{}/", server.port());
    let sandbox = Sandbox::with_manifest(&manifest()).set("NPM_CONFIG_REGISTRY", &address);
    let outcome = sandbox
        .run(&["one"])
        .failed_with(1, "the server answered 404");
    assert!(
        !outcome.stderr.contains("secret") && !outcome.stdout.contains("secret"),
        "{outcome:?}"
    );
    let head = server.requests()[0].head.to_lowercase();
    assert!(head.contains("authorization: basic "), "{head}");
}
