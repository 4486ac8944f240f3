//! Where the sandbox of files is closed: every operation, tried on a read-only mount and on every way out.

mod reading;
mod two_mounts;

use super::{Files, Open, Terms, Times};
use crate::host::abi::{Errno, fstflags, oflags, rights};
use crate::run::budget::Budget;
use crate::run::{Limit, Limits};
use rustix::fs::{Mode, OFlags};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::SystemTime;

/// The descriptor of the first mount.
const MOUNT: u32 = 3;

/// That of a run which may have 64 descriptors.
fn budget() -> Budget {
    Budget::new(Limits {
        descriptors: 64,
        ..Limits::UNLIMITED
    })
}

/// `root` is mounted; `secret` and `folder` lie beside it.
struct Place {
    directory: tempfile::TempDir,
    files: Files,
}

impl Place {
    fn new(read_only: bool) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().join("root");
        fs::create_dir_all(root.join("folder/empty")).unwrap();
        fs::create_dir(directory.path().join("folder")).unwrap();
        fs::write(root.join("file"), "content").unwrap();
        fs::write(root.join("folder/inner"), "content").unwrap();
        fs::write(directory.path().join("secret"), "secret").unwrap();
        symlink("../folder", root.join("out")).unwrap();
        symlink("../secret", root.join("leak")).unwrap();
        symlink("/etc/passwd", root.join("absolute")).unwrap();
        let mut files = Files::new(true);
        let mount = rustix::fs::open(&root, OFlags::PATH, Mode::empty()).unwrap();
        let terms = Terms {
            read_only,
            account: Limit::Written,
        };
        files.mount("/root", mount, terms, &mut budget()).unwrap();
        Place { directory, files }
    }

    fn root(&self) -> std::path::PathBuf {
        self.directory.path().join("root")
    }
}

fn how(oflags: u16, rights: u64) -> Open {
    Open {
        follow: true,
        oflags,
        rights,
        fdflags: 0,
    }
}

const READ: u64 = rights::FD_READ;
const WRITE: u64 = rights::FD_WRITE;

fn now() -> Times {
    Times {
        access: 0,
        modification: 0,
        which: fstflags::ACCESS | fstflags::MODIFICATION,
    }
}

/// Names, sizes and times of everything below.
fn picture(of: &Path) -> Vec<(String, u64, SystemTime)> {
    let mut seen = Vec::new();
    for entry in fs::read_dir(of).unwrap() {
        let entry = entry.unwrap();
        let metadata = entry.path().symlink_metadata().unwrap();
        let name = entry.path().display().to_string();
        seen.push((name, metadata.len(), metadata.modified().unwrap()));
        if metadata.is_dir() {
            seen.extend(picture(&entry.path()));
        }
    }
    seen.sort();
    seen
}

/// Every operation that changes something, each on a path behind `at` on which it would succeed in a writable mount.
fn changes(files: &mut Files, fd: u32, at: &str) -> Vec<(&'static str, Result<(), Errno>)> {
    let names = ["file", "new", "new2", "made", "link", "hard", "renamed"];
    let paths = names.map(|name| format!("{at}{name}"));
    let [file, new, new2, made, link, hard, renamed] = paths.each_ref().map(|path| path.as_bytes());
    let paths = ["folder/inner", "folder/empty", "."].map(|name| format!("{at}{name}"));
    let [inner, empty, here] = paths.each_ref().map(|path| path.as_bytes());
    let mut open = |path, oflags, rights| files.open(fd, path, how(oflags, rights), &mut budget());
    let [opened, folder] = [file, here].map(|path| open(path, 0, READ).unwrap());
    let exclusive = oflags::CREATE | oflags::EXCLUSIVE;
    let opening = [
        ("open to write", open(file, 0, WRITE)),
        ("open to read and write", open(file, 0, READ | WRITE)),
        ("open to truncate", open(file, oflags::TRUNCATE, READ)),
        ("open to create", open(new, oflags::CREATE, READ)),
        ("open to create exclusively", open(new2, exclusive, READ)),
    ];
    let mut answers = Vec::from(opening.map(|(what, answer)| (what, answer.map(drop))));
    answers.extend([
        ("set times of a file", files.set_times(opened, now())),
        ("set times of a folder", files.set_times(folder, now())),
        (
            "set times by path",
            files.set_times_path(fd, file, true, now()),
        ),
        (
            "make a directory",
            files.create_directory(fd, made, &mut budget()),
        ),
        (
            "make a directory below an open one",
            files.create_directory(folder, b"below", &mut budget()),
        ),
        (
            "make a link",
            files.symlink(b"file", fd, link, &mut budget()),
        ),
        (
            "make a hard link",
            files.link((fd, file), (fd, hard), &mut budget()),
        ),
        ("rename", files.rename((fd, file), (fd, renamed))),
        ("unlink", files.unlink(fd, inner)),
        ("remove a directory", files.remove_directory(fd, empty)),
    ]);
    answers
}

#[test]
fn nothing_changes_in_a_read_only_mount() {
    let mut place = Place::new(true);
    let before = picture(&place.root());
    for (what, answer) in changes(&mut place.files, MOUNT, "") {
        assert_eq!(answer, Err(Errno::NOT_PERMITTED), "{what}");
    }
    assert_eq!(picture(&place.root()), before);
    let mut writable = Place::new(false);
    for (what, answer) in changes(&mut writable.files, MOUNT, "") {
        assert_eq!(answer, Ok(()), "{what}");
    }
}

#[test]
fn a_file_that_is_there_can_be_opened_in_a_read_only_mount() {
    let mut place = Place::new(true);
    let mut open = |path: &[u8], oflags| {
        place
            .files
            .open(MOUNT, path, how(oflags, READ), &mut budget())
            .map(drop)
    };
    assert_eq!(open(b"file", oflags::CREATE), Ok(()));
    for there in [&b"file"[..], b"leak", b"folder"] {
        let exclusive = open(there, oflags::CREATE | oflags::EXCLUSIVE);
        assert_eq!(exclusive, Err(Errno::EXISTS));
    }
    assert_eq!(open(b"folder", oflags::CREATE), Err(Errno::IS_DIRECTORY));
}

#[test]
fn no_operation_leads_out_of_a_mount() {
    let ways_out: [&[u8]; 7] = [
        b"../folder/x",
        b"folder/../../folder/x",
        b"out/x",
        b"out/../secret",
        b"/etc/x",
        b"absolute/x",
        b"./out/./x",
    ];
    let mut place = Place::new(false);
    let outside = picture(&place.directory.path().join("folder"));
    let files = &mut place.files;
    for path in ways_out {
        let shown = String::from_utf8_lossy(path).into_owned();
        let answers = [
            files
                .open(MOUNT, path, how(oflags::CREATE, WRITE), &mut budget())
                .map(drop),
            files
                .open(MOUNT, path, how(0, READ), &mut budget())
                .map(drop),
            files.stat_path(MOUNT, path, true, &budget()).map(drop),
            files.stat_path(MOUNT, path, false, &budget()).map(drop),
            files.set_times_path(MOUNT, path, true, now()),
            files.create_directory(MOUNT, path, &mut budget()),
            files.remove_directory(MOUNT, path),
            files.unlink(MOUNT, path),
            files.rename((MOUNT, path), (MOUNT, b"stolen")),
            files.rename((MOUNT, b"file"), (MOUNT, path)),
            files.link((MOUNT, path), (MOUNT, b"stolen"), &mut budget()),
            files.link((MOUNT, b"file"), (MOUNT, path), &mut budget()),
            files.symlink(b"file", MOUNT, path, &mut budget()),
            files
                .readlink(MOUNT, path, &mut [0; 10], &budget())
                .map(drop),
        ];
        for (number, answer) in answers.into_iter().enumerate() {
            assert_eq!(
                answer,
                Err(Errno::NOT_PERMITTED),
                "operation {number} on {shown}"
            );
        }
    }
    assert_eq!(picture(&place.directory.path().join("folder")), outside);
}

#[test]
fn a_link_that_leads_out_is_seen_and_not_followed() {
    let mut place = Place::new(false);
    let files = &mut place.files;
    for link in [&b"leak"[..], b"absolute", b"out/", b"out/.", b"leak/"] {
        let shown = String::from_utf8_lossy(link).into_owned();
        for answer in [
            files
                .open(MOUNT, link, how(0, READ), &mut budget())
                .map(drop),
            files
                .open(MOUNT, link, how(0, WRITE), &mut budget())
                .map(drop),
            files
                .open(
                    MOUNT,
                    link,
                    how(oflags::CREATE | oflags::TRUNCATE, WRITE),
                    &mut budget(),
                )
                .map(drop),
            files.stat_path(MOUNT, link, true, &budget()).map(drop),
            files.set_times_path(MOUNT, link, true, now()),
        ] {
            assert!(
                matches!(answer, Err(Errno::NOT_PERMITTED | Errno::IS_DIRECTORY)),
                "{shown}: {answer:?}"
            );
        }
    }
    assert!(files.stat_path(MOUNT, b"leak", false, &budget()).is_ok());
    let mut target = [0; 20];
    assert_eq!(
        files.readlink(MOUNT, b"leak", &mut target, &budget()),
        Ok(9)
    );
    // The link itself is the guest's to remove.
    assert_eq!(files.unlink(MOUNT, b"leak"), Ok(()));
    let secret = fs::read(place.directory.path().join("secret")).unwrap();
    assert_eq!(secret, b"secret");
}

#[test]
fn a_folder_that_became_a_link_is_not_followed_out() {
    let mut place = Place::new(false);
    let files = &mut place.files;
    assert!(
        files
            .stat_path(MOUNT, b"folder/inner", true, &budget())
            .is_ok()
    );
    files.rename((MOUNT, b"folder"), (MOUNT, b"was")).unwrap();
    files
        .symlink(b"..", MOUNT, b"folder", &mut budget())
        .unwrap();
    assert_eq!(
        files
            .stat_path(MOUNT, b"folder/secret", true, &budget())
            .err(),
        Some(Errno::NOT_PERMITTED)
    );
}

#[test]
fn links_are_made_only_where_that_is_allowed() {
    let mut place = Place::new(false);
    place.files.allow_symlinks = false;
    let answer = place.files.symlink(b"file", MOUNT, b"link", &mut budget());
    assert_eq!(answer, Err(Errno::NOT_PERMITTED));
    place.files.allow_symlinks = true;
    assert_eq!(
        place.files.symlink(b"file", MOUNT, b"link", &mut budget()),
        Ok(())
    );
    let absolute = place
        .files
        .symlink(b"/etc/passwd", MOUNT, b"absolute2", &mut budget());
    assert_eq!(absolute, Err(Errno::NOT_PERMITTED));
}

#[test]
fn links_that_are_there_stay_where_they_are_unless_links_may_be_made() {
    let mut place = Place::new(false);
    place.files.allow_symlinks = false;
    for answer in [
        place.files.rename((MOUNT, b"out"), (MOUNT, b"folder/out")),
        place
            .files
            .link((MOUNT, b"out"), (MOUNT, b"folder/out"), &mut budget()),
    ] {
        assert_eq!(answer, Err(Errno::NOT_PERMITTED));
    }
    assert_eq!(place.files.unlink(MOUNT, b"out"), Ok(()));
    assert_eq!(
        place.files.rename((MOUNT, b"file"), (MOUNT, b"moved")),
        Ok(())
    );
}

#[test]
fn a_file_that_cannot_be_opened_is_not_cut_or_made() {
    let mut place = Place::new(false);
    while place
        .files
        .open(MOUNT, b"file", how(0, READ), &mut budget())
        .is_ok()
    {}
    for (path, oflags) in [(&b"file"[..], oflags::TRUNCATE), (b"new", oflags::CREATE)] {
        let opened = place
            .files
            .open(MOUNT, path, how(oflags, WRITE), &mut budget());
        assert_eq!(opened, Err(Errno::TOO_MANY_FILES));
    }
    assert_eq!(fs::read(place.root().join("file")).unwrap(), b"content");
    assert!(!place.root().join("new").exists());
}

#[test]
fn folders_are_kept_only_where_there_is_room() {
    let mut place = Place::new(false);
    for number in 0..100 {
        let folder = format!("f{number}");
        fs::create_dir(place.root().join(&folder)).unwrap();
        let path = format!("{folder}/x");
        let _ = place
            .files
            .stat_path(MOUNT, path.as_bytes(), true, &budget());
    }
    assert!(place.files.used() <= 64);
    // They make room for what the guest opens.
    for _ in 4..64 {
        place
            .files
            .open(MOUNT, b"file", how(0, READ), &mut budget())
            .unwrap();
    }
    assert_eq!(
        place
            .files
            .open(MOUNT, b"file", how(0, READ), &mut budget()),
        Err(Errno::TOO_MANY_FILES)
    );
}

#[test]
fn what_is_no_file_is_not_opened_and_nobody_waits() {
    let mut place = Place::new(false);
    let fifo = place.root().join("fifo");
    let made = std::process::Command::new("mkfifo").arg(&fifo).status();
    assert!(made.expect("mkfifo is there").success());
    for rights in [READ, READ | WRITE] {
        let opened = place
            .files
            .open(MOUNT, b"fifo", how(0, rights), &mut budget());
        assert_eq!(opened, Err(Errno::NOT_SUPPORTED));
    }
    // Nobody reads at the other end.
    assert_eq!(
        place
            .files
            .open(MOUNT, b"fifo", how(0, WRITE), &mut budget()),
        Err(Errno::NO_SUCH_DEVICE)
    );
}

#[test]
fn descriptors_have_an_end() {
    let mut place = Place::new(true);
    let mut open = || {
        place
            .files
            .open(MOUNT, b"file", how(0, READ), &mut budget())
    };
    assert_eq!(
        (4..64).map(|_| open().unwrap()).collect::<Vec<_>>(),
        (4..64).collect::<Vec<_>>()
    );
    assert_eq!(open(), Err(Errno::TOO_MANY_FILES));
}
