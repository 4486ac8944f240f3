//! What others put into an artifact's folder survives a refresh.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

use crate::archives::zip;
use crate::sandbox::{Sandbox, artifact, https_sources};
use crate::server::{Reply, Server};

fn old() -> Vec<u8> {
    zip(&[("index.php", b"<?php // old"), ("gone/old.css", b"")])
}

fn new() -> Vec<u8> {
    zip(&[("index.php", b"<?php // new"), ("added", b"new")])
}

fn server() -> Server {
    Server::start(|request| match request.target.as_str() {
        "/old" => Reply::Ok(old()),
        _ => Reply::Ok(new()),
    })
}

fn manifest(server: &Server, archive: &[u8], path: &str) -> String {
    let sources = https_sources(&[&server.url(path)]);
    artifact("thing", archive, &format!("unpack = 'zip'\n{sources}"))
}

/// A sandbox with the old version fetched, and a manifest that wants the new one.
fn outdated(server: &Server) -> Sandbox {
    let sandbox = Sandbox::with_manifest(&manifest(server, &old(), "/old"));
    sandbox.run(&[]).succeeded();
    sandbox.write_manifest(&manifest(server, &new(), "/new"));
    sandbox
}

#[test]
fn a_refresh_keeps_the_data_of_a_site() {
    let server = server();
    let sandbox = outdated(&server);
    fs::create_dir_all(sandbox.fetched("thing/content/database")).unwrap();
    fs::create_dir(sandbox.fetched("thing/content/uploads")).unwrap();
    let private = fs::Permissions::from_mode(0o750);
    fs::set_permissions(sandbox.fetched("thing/content"), private).unwrap();
    fs::write(sandbox.fetched("thing/content/database/db"), "precious").unwrap();
    fs::write(sandbox.fetched("thing/gone/mine"), "mine").unwrap();
    symlink("content/database/db", sandbox.fetched("thing/link")).unwrap();
    let mut open = File::options()
        .append(true)
        .open(sandbox.fetched("thing/content/database/db"))
        .unwrap();

    sandbox.run(&[]).succeeded();
    assert_eq!(sandbox.read("thing/index.php"), "<?php // new");
    assert!(!sandbox.fetched("thing/gone/old.css").exists());
    assert_eq!(sandbox.read("thing/gone/mine"), "mine");
    assert!(sandbox.fetched("thing/content/uploads").is_dir());
    assert!(sandbox.fetched("thing/link").is_symlink());
    let mode = fs::metadata(sandbox.fetched("thing/content"))
        .unwrap()
        .mode();
    assert_eq!(mode & 0o777, 0o750);
    // A program that has it open writes into the file that is there now.
    open.write_all(b" still").unwrap();
    assert_eq!(sandbox.read("thing/link"), "precious still");
    let database = fs::metadata(sandbox.fetched("thing/content/database/db")).unwrap();
    assert_eq!(database.nlink(), 1);

    let outcome = sandbox.run(&[]).succeeded();
    assert_eq!(outcome.stdout, "up to date: thing\n");
    assert!(!sandbox.remains().contains(&".thing.old".to_string()));
}

#[test]
fn a_lost_file_comes_back_beside_the_data() {
    let server = server();
    let sandbox = Sandbox::with_manifest(&manifest(&server, &old(), "/old"));
    sandbox.run(&[]).succeeded();
    fs::write(sandbox.fetched("thing/database"), "precious").unwrap();
    fs::remove_file(sandbox.fetched("thing/index.php")).unwrap();
    sandbox.run(&[]).succeeded();
    assert_eq!(sandbox.read("thing/index.php"), "<?php // old");
    assert_eq!(sandbox.read("thing/database"), "precious");
}

#[test]
fn what_the_new_version_would_cover_stops_the_refresh() {
    let server = server();
    for (path, content) in [("added", "mine"), ("added/below", "mine")] {
        let sandbox = outdated(&server);
        let file = sandbox.fetched("thing").join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, content).unwrap();
        let message = format!("holds files that this tool did not put there ({path})");
        sandbox.run(&[]).failed_with(1, &message);
        assert_eq!(fs::read_to_string(&file).unwrap(), content);
        assert_eq!(sandbox.read("thing/index.php"), "<?php // old");
        assert!(!sandbox.remains().contains(&".thing.new".to_string()));

        sandbox.run(&["--force"]).succeeded();
        assert_eq!(sandbox.read("thing/added"), "new");
    }
}

#[test]
fn empty_folders_are_in_nobodys_way() {
    let server = server();
    let sandbox = outdated(&server);
    fs::create_dir(sandbox.fetched("thing/added")).unwrap();
    fs::create_dir(sandbox.fetched("thing/empty")).unwrap();
    let outcome = sandbox.run(&[]).succeeded();
    assert!(outcome.stdout.starts_with("thing: fetched"));
    assert_eq!(sandbox.read("thing/added"), "new");
    assert!(sandbox.fetched("thing/empty").is_dir());
    // Made anew once more, the folder is there already.
    fs::remove_file(sandbox.fetched("thing/index.php")).unwrap();
    sandbox.run(&[]).succeeded();
    assert!(sandbox.fetched("thing/empty").is_dir());
    let outcome = sandbox.run(&["--verify"]).succeeded();
    assert!(!outcome.stdout.contains("added by others"), "{outcome:?}");
}

#[test]
fn force_replaces_the_whole_folder() {
    let server = server();
    let sandbox = outdated(&server);
    fs::write(sandbox.fetched("thing/database"), "mine").unwrap();
    sandbox.run(&["--force"]).succeeded();
    assert!(!sandbox.fetched("thing/database").exists());
}

#[test]
fn a_folder_of_somebody_else_is_left_alone() {
    let server = server();
    let sandbox = Sandbox::with_manifest(&manifest(&server, &old(), "/old"));
    fs::create_dir_all(sandbox.fetched("thing")).unwrap();
    fs::write(sandbox.fetched("thing/mine"), "mine").unwrap();
    sandbox
        .run(&[])
        .failed_with(1, "holds files that this tool did not put there (mine)");
    assert_eq!(sandbox.read("thing/mine"), "mine");
    assert!(!sandbox.fetched("thing/index.php").exists());
    assert_eq!(server.targets(), Vec::<String>::new());
}
