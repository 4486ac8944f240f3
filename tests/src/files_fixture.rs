//! What the programs `files_table_*.c` find in their working folders: things that WASI has no calls to make.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::Path;

use rustix::fs::{CWD, FileType, Mode};

use crate::site::{Site, give_to_children, set_mode};

/// Makes a working folder in the site's, and a few things beside it.
pub(crate) fn fill(site: &Site, relative: &str) {
    let work = site.writable_dir(relative);
    let work = Path::new(&work);
    let above = work
        .parent()
        .expect("the working folder lies in the site's");
    file(&above.join("sibling"), "beside the working folder");
    file(&above.join("other"), "beside the working folder");
    folder(&above.join("empty"));
    give_to_children(above);
    folder(&work.join("target"));
    file(&work.join("target/file"), "text");
    file(&work.join("target/spare"), "spare");
    folder(&work.join("target/folder"));
    file(&work.join("target/folder/inner"), "inner");
    folder(&work.join("links"));
    links(work);
    chains(work);
    folder(&work.join("denied"));
    denied(&work.join("denied"));
}

fn file(path: &Path, contents: &str) {
    fs::write(path, contents)
        .unwrap_or_else(|error| panic!("cannot write {}: {error}", path.display()));
    give_to_children(path);
}

fn folder(path: &Path) {
    fs::create_dir(path).unwrap_or_else(|error| panic!("cannot make {}: {error}", path.display()));
    give_to_children(path);
}

fn link(target: impl AsRef<Path>, path: &Path) {
    symlink(&target, path)
        .unwrap_or_else(|error| panic!("cannot make {}: {error}", path.display()));
    give_to_children(path);
}

fn links(work: &Path) {
    let links = work.join("links");
    for (name, target) in [
        ("to-file", "../target/file"),
        ("to-folder", "../target/folder"),
        ("chain", "to-file"),
        ("dangling", "../target/nothing"),
        ("loop", "loop"),
        ("dots", "./../links/.././target/folder/../file"),
        ("spare", "../target/spare"),
        ("slash", "../target/folder/"),
        ("file-slash", "../target/file/"),
        ("up", ".."),
        ("here", "."),
        ("etc", "/etc"),
        ("passwd", "/etc/passwd"),
        ("root", "/"),
        ("above", "../.."),
        ("proc-self", "/proc/self"),
        ("device", "/dev/null"),
        ("out-and-back", "../../work/target/file"),
    ] {
        link(target, &links.join(name));
    }
    link(
        Path::new(std::ffi::OsStr::from_bytes(b"\xff/\x01")),
        &links.join("bytes"),
    );
    link(work.join("target/file"), &links.join("absolute-file"));
    link(work.join("target/folder"), &links.join("absolute-folder"));
    link(
        work.join("links/absolute-folder/inner"),
        &links.join("absolute-chain"),
    );
}

fn chains(work: &Path) {
    let chains = work.join("chains");
    folder(&chains);
    // Fewer than 40, which the kernel follows, even where it counts each twice: it does when it has to begin anew.
    for (name, count) in [("short", 15), ("long", 41)] {
        chain(&chains, &format!("{name}-to-file"), "../target/file", count);
        chain(&chains, &format!("{name}-to-folder"), "../target", count);
    }
}

/// `name` leads to `target` by so many links.
fn chain(folder: &Path, name: &str, target: &str, count: usize) {
    let mut next = target.to_owned();
    for step in 1..count {
        let between = format!("{name}.{step}");
        link(&next, &folder.join(&between));
        next = between;
    }
    link(next, &folder.join(name));
}

fn denied(denied: &Path) {
    for (name, mode) in [("none", 0), ("readable", 0o444), ("writable", 0o222)] {
        file(&denied.join(name), "text");
        set_mode(&denied.join(name), mode);
    }
    for (name, mode) in [
        ("closed", 0),
        ("listable", 0o444),
        ("enterable", 0o111),
        ("fixed", 0o555),
    ] {
        let path = denied.join(name);
        folder(&path);
        file(&path.join("file"), "text");
        folder(&path.join("folder"));
        set_mode(&path, mode);
    }
    others(&denied.join("others"));
    let fifo = denied.join("fifo");
    rustix::fs::mknodat(CWD, &fifo, FileType::Fifo, Mode::from_raw_mode(0o666), 0)
        .expect("a FIFO can be made");
    give_to_children(&fifo);
    let socket = denied.join("socket");
    UnixListener::bind(&socket).expect("a socket can be made");
    give_to_children(&socket);
}

/// A folder like `/tmp`. It and what is in it belong to whoever runs the suite.
fn others(others: &Path) {
    fs::create_dir(others).expect("the working folder is writable");
    for (name, mode) in [("public", 0o644), ("private", 0o600)] {
        fs::write(others.join(name), "text").expect("the working folder is writable");
        set_mode(&others.join(name), mode);
    }
    fs::create_dir(others.join("folder")).expect("the working folder is writable");
    set_mode(others, 0o1777);
}
