//! The kernel's resolution and the walk answer alike, and absolute links lead to mounts.

use super::super::table::Descriptor;
use super::*;
use crate::openat2::MAX_LINKS;
use crate::run::Limit;
use rustix::fs::{CWD, RenameFlags, fstat, open, renameat_with};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

/// Both ways of resolving.
const BOTH: [Resolution; 2] = [in_kernel, walk];

const RW: Terms = Terms {
    read_only: false,
    account: Limit::Written,
};
const RO: Terms = Terms {
    read_only: true,
    ..RW
};

/// Folders of the host that are mounted, and what lies beside them.
struct Place {
    directory: tempfile::TempDir,
    mounts: Table,
}

impl Place {
    fn new() -> Self {
        Place {
            directory: tempfile::tempdir().unwrap(),
            mounts: Table::new(),
        }
    }

    fn path(&self, relative: &str) -> PathBuf {
        self.directory.path().join(relative)
    }

    /// Makes the folder `name` and mounts it; returns its descriptor.
    fn mount(&mut self, guest: &str, name: &str, terms: Terms) -> u32 {
        let path = self.path(name);
        fs::create_dir_all(&path).unwrap();
        let folder = open(&path, OFlags::PATH | OFlags::DIRECTORY, Mode::empty()).unwrap();
        let mount = Descriptor::directory(folder, Some(guest.to_owned()), terms);
        self.mounts.insert(mount)
    }

    fn file(&self, relative: &str) -> u64 {
        use std::os::unix::fs::MetadataExt;
        fs::write(self.path(relative), "x").unwrap();
        fs::metadata(self.path(relative)).unwrap().ino()
    }

    fn link(&self, relative: &str, content: &str) {
        symlink(content, self.path(relative)).unwrap();
    }

    /// What both ways say about a path: the inode and its terms.
    fn both(&self, fd: u32, path: &str, flags: OFlags) -> Result<(u64, Terms), Errno> {
        let [kernel, walked] = BOTH.map(|open| {
            let found = open_by(open, self.mounts.base(fd)?, path.as_bytes(), flags, None)?;
            Ok((fstat(found.host)?.st_ino, found.terms))
        });
        assert_eq!(kernel, walked, "{path} {flags:?}");
        kernel
    }

    fn look(&self, fd: u32, path: &str) -> Result<(u64, Terms), Errno> {
        self.both(fd, path, OFlags::PATH)
    }
}

#[test]
fn the_kernel_and_the_walk_agree() {
    let mut place = Place::new();
    let root = place.mount("/root", "root", RW);
    fs::create_dir_all(place.path("root/a/b")).unwrap();
    place.file("root/a/file");
    place.file("secret");
    for (name, target) in [
        ("to_file", "a/file"),
        ("to_folder", "a/b"),
        ("up_and_down", "a/../a/file"),
        ("out", "../secret"),
        ("absolute", "/etc/passwd"),
        ("dangling", "nowhere"),
        ("loop", "loop"),
        ("chain", "to_folder/../file"),
        ("slash", "a/"),
        ("a/up", "../to_file"),
        ("a/b/far", "../../../secret"),
    ] {
        place.link(&format!("root/{name}"), target);
    }
    let paths = [
        "",
        ".",
        "..",
        "/",
        "/etc",
        "/root",
        "a",
        "a/",
        "a/.",
        "a/..",
        "a/../..",
        "a//b",
        "./a/./b/",
        "a/file",
        "a/file/",
        "a/file/.",
        "a/file/x",
        "nowhere",
        "nowhere/x",
        "nowhere/",
        "to_file",
        "to_file/",
        "to_folder",
        "to_folder/",
        "to_folder/.",
        "to_folder/..",
        "up_and_down",
        "out",
        "out/x",
        "absolute",
        "dangling",
        "dangling/",
        "loop",
        "loop/",
        "loop/x",
        "chain",
        "slash",
        "slash/b",
        "a/up",
        "a/b/far",
        "to_folder/far",
        "a/b/../../../root/a",
    ];
    for path in paths {
        for flags in [
            OFlags::PATH,
            OFlags::PATH | OFlags::NOFOLLOW,
            OFlags::RDONLY,
            OFlags::RDONLY | OFlags::NOFOLLOW,
            OFlags::RDONLY | OFlags::DIRECTORY,
        ] {
            let _ = place.both(root, path, flags);
        }
    }
    assert!(place.look(root, "a/up").is_ok());
    for out in [
        "..", "a/../..", "out", "absolute", "a/b/far", "/etc", "/root",
    ] {
        let answer = place.look(root, out);
        assert_eq!(answer, Err(Errno::NOT_PERMITTED), "{out}");
    }
}

#[test]
fn files_are_created_beneath_or_not_at_all() {
    for open in BOTH {
        let mut place = Place::new();
        let root = place.mount("/root", "root", RW);
        place.link("root/out", "../outside");
        place.link("root/in", "inside");
        place.link("root/absolute", "/root/there");
        place.link("root/outside", "/outside");
        let create = OFlags::CREATE | OFlags::WRONLY;
        let new = |path: &str, flags| {
            open_by(
                open,
                place.mounts.base(root).unwrap(),
                path.as_bytes(),
                flags,
                None,
            )
            .map(drop)
        };
        for out in ["out", "outside"] {
            assert_eq!(new(out, create), Err(Errno::NOT_PERMITTED), "{out}");
        }
        assert!(!place.path("outside").exists());
        for (link, target) in [("in", "root/inside"), ("absolute", "root/there")] {
            assert_eq!(new(link, create | OFlags::EXCL), Err(Errno::EXISTS));
            assert_eq!(new(link, create | OFlags::NOFOLLOW), Err(Errno::LOOP));
            assert!(!place.path(target).exists());
            assert_eq!(new(link, create), Ok(()));
            assert!(place.path(target).exists());
        }
        assert_eq!(new("new/", create), Err(Errno::IS_DIRECTORY));
        assert_eq!(new("new", create), Ok(()));
    }
}

#[test]
fn an_absolute_link_leads_to_the_innermost_mount_under_its_terms() {
    let mut place = Place::new();
    let app = place.mount("/app", "app", RO);
    place.mount("/app/nested", "elsewhere", RW);
    place.mount("/data", "data", RW);
    let (data, nested) = (place.file("data/file"), place.file("elsewhere/file"));
    fs::create_dir(place.path("app/nested")).unwrap();
    fs::create_dir(place.path("data/folder")).unwrap();
    let (hidden, inner) = (place.file("app/nested/file"), place.file("data/folder/x"));
    for (name, content) in [
        ("file", "/data/file"),
        ("crooked", "//./data/./folder/..//file"),
        ("data", "/data"),
        ("slash", "/data/"),
        ("to_nested", "/app/nested/file"),
        ("own", "/app/nested/../file"),
        ("similar", "/dataset/file"),
        ("above", "/data/../data/file"),
        ("none", "/nowhere/file"),
        ("root", "/"),
        ("missing", "/data/missing"),
    ] {
        place.link(&format!("app/{name}"), content);
    }
    place.link("data/back", "/app/nested/file");
    for (path, found) in [
        ("file", (data, RW)),
        ("crooked", (data, RW)),
        ("data/file", (data, RW)),
        ("data/folder/x", (inner, RW)),
        ("data/folder/../file", (data, RW)),
        ("slash/file", (data, RW)),
        ("to_nested", (nested, RW)),
        ("data/back", (nested, RW)),
        // No link: what another mount hides from the guest's C library.
        ("nested/file", (hidden, RO)),
    ] {
        assert_eq!(place.look(app, path), Ok(found), "{path}");
    }
    for out in [
        "own",
        "similar",
        "above",
        "none",
        "root",
        "root/data",
        "data/..",
        "data/../data/file",
    ] {
        assert_eq!(place.look(app, out), Err(Errno::NOT_PERMITTED), "{out}");
    }
    assert_eq!(place.look(app, "missing"), Err(Errno::NO_ENTRY));
    assert_eq!(place.look(app, "file/x"), Err(Errno::NOT_DIRECTORY));
}

#[test]
fn a_chain_across_mounts_has_the_terms_of_its_end() {
    let mut place = Place::new();
    let first = place.mount("/first", "first", RW);
    let second = place.mount("/second", "second", RO);
    let third = place.mount("/third", "third", RW);
    let end = place.file("third/end");
    let middle = place.file("second/middle");
    place.link("first/start", "/second/on");
    place.link("second/on", "/third/folder/../on");
    fs::create_dir(place.path("third/folder")).unwrap();
    place.link("third/on", "/third/end");
    place.link("third/middle", "/second/middle");
    for from in [first, second, third] {
        let path = if from == first { "start" } else { "on" };
        assert_eq!(place.look(from, path), Ok((end, RW)));
        let written = place.both(from, path, OFlags::WRONLY);
        assert_eq!(written, Ok((end, RW)));
    }
    assert_eq!(place.look(third, "middle"), Ok((middle, RO)));
    for flags in [OFlags::WRONLY, OFlags::RDONLY | OFlags::TRUNC] {
        let refused = place.both(third, "middle", flags);
        assert_eq!(refused, Err(Errno::NOT_PERMITTED), "{flags:?}");
    }
    assert_eq!(fs::read(place.path("second/middle")).unwrap(), b"x");
}

#[test]
fn links_and_folders_on_the_way_are_counted() {
    let mut place = Place::new();
    let root = place.mount("/root", "root", RW);
    let end = place.file("root/end");
    place.link("root/1", "/root/end");
    for link in 2..=MAX_LINKS + 1 {
        // Some relative, most absolute.
        let folder = if link % 10 == 0 { "" } else { "/root/" };
        place.link(&format!("root/{link}"), &format!("{folder}{}", link - 1));
    }
    let last = MAX_LINKS.to_string();
    assert_eq!(place.look(root, &last), Ok((end, RW)));
    let one_more = (MAX_LINKS + 1).to_string();
    assert_eq!(place.look(root, &one_more), Err(Errno::LOOP));
    place.link("root/loop", "/root/loop");
    place.link("root/here", "/root");
    for (name, other) in [("ping", "pong"), ("pong", "ping")] {
        place.link(&format!("root/{name}"), &format!("/root/{other}/x"));
    }
    for path in ["loop", "loop/x", "ping", &"here/".repeat(MAX_LINKS + 1)] {
        assert_eq!(place.look(root, path), Err(Errno::LOOP), "{path}");
    }
    // Each step up is a way from the mount's folder down again.
    let deep = "d/".repeat(100);
    fs::create_dir_all(place.path(&format!("root/{deep}"))).unwrap();
    let busy = format!("here/{deep}{}", "../d/".repeat(100));
    assert_eq!(place.look(root, &busy), Err(Errno::NAME_TOO_LONG));
    let deep = format!("here/{deep}{}../end", "../".repeat(99));
    assert_eq!(place.look(root, &deep), Err(Errno::NAME_TOO_LONG));
}

/// Resolves again and again while two folders change places, and asserts that nothing is found but `allowed`.
fn while_exchanging(place: &Place, [one, other]: [&str; 2], path: &str, allowed: &[u64]) {
    let (one, other) = (place.path(one), place.path(other));
    std::thread::scope(|scope| {
        let looking = scope.spawn(|| {
            for open in BOTH {
                look_often(place, open, path, allowed);
            }
        });
        while !looking.is_finished() {
            exchange(&one, &other);
            exchange(&one, &other);
        }
    });
    let (found, _) = place.look(3, path).unwrap();
    assert_eq!(found, allowed[0], "{path} when nobody renames");
}

fn look_often(place: &Place, open: Resolution, path: &str, allowed: &[u64]) {
    for _ in 0..3000 {
        let base = place.mounts.base(3).unwrap();
        if let Ok(found) = open_by(open, base, path.as_bytes(), OFlags::PATH, None) {
            let inode = fstat(found.host).unwrap().st_ino;
            assert!(allowed.contains(&inode), "{path}");
        }
    }
}

fn exchange(one: &Path, other: &Path) {
    renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE).unwrap();
}

#[test]
fn whoever_renames_meanwhile_leads_nobody_out() {
    let mut place = Place::new();
    place.mount("/root", "root", RW);
    place.mount("/other", "other", RO);
    fs::create_dir_all(place.path("root/a/b")).unwrap();
    fs::create_dir_all(place.path("outside/b")).unwrap();
    place.link("root/here", "/root");
    place.link("root/out", "../outside");
    place.link("root/to_other", "/other");
    let (inside, other) = (place.file("root/a/file"), place.file("other/file"));
    place.file("outside/file");
    // A folder becomes a link that leads out, or to another mount, and a folder again.
    while_exchanging(&place, ["root/a", "root/out"], "here/a/file", &[inside]);
    while_exchanging(
        &place,
        ["root/a", "root/to_other"],
        "here/a/file",
        &[inside, other],
    );
    // The folder that the way goes up from is moved out meanwhile.
    while_exchanging(
        &place,
        ["root/a/b", "outside/b"],
        "here/a/b/../file",
        &[inside],
    );
}
