//! Where the sandbox of files is closed: every operation, tried on a read-only mount and on every way out.

use super::{Files, Open, Times};
use crate::host::abi::{Errno, fstflags, oflags, rights};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::SystemTime;

/// The descriptor of the only mount.
const MOUNT: u32 = 3;

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
        let mut files = Files::new(64, true);
        let host = root.as_os_str().as_encoded_bytes();
        files.mount("/root", host, read_only).unwrap();
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

/// Every operation that changes something, each on paths below `at` on which it would succeed in a writable mount.
fn changes(files: &mut Files, fd: u32, at: &str) -> Vec<(&'static str, Result<(), Errno>)> {
    let paths = ["file", "new", "new2", "made", "link", "hard", "renamed"];
    let [file, new, new2, made, link, hard, renamed] = paths.map(|name| format!("{at}{name}"));
    let [inner, empty, here] = ["folder/inner", "folder/empty", "."].map(|x| format!("{at}{x}"));
    let mut open =
        |path: &str, oflags, rights| files.open(fd, path.as_bytes(), how(oflags, rights));
    let [opened, folder] = [&file, &here].map(|path| open(path, 0, READ).unwrap());
    let mut answers = vec![
        ("open to write", open(&file, 0, WRITE)),
        ("open to read and write", open(&file, 0, READ | WRITE)),
        ("open to truncate", open(&file, oflags::TRUNCATE, READ)),
        ("open to create", open(&new, oflags::CREATE, READ)),
        (
            "open to create exclusively",
            open(&new2, oflags::CREATE | oflags::EXCLUSIVE, READ),
        ),
    ]
    .into_iter()
    .map(|(what, answer)| (what, answer.map(drop)))
    .collect::<Vec<_>>();
    let [file, made, link, hard] = [&file, &made, &link, &hard].map(String::as_bytes);
    answers.extend([
        ("set times of a file", files.set_times(opened, now())),
        ("set times of a folder", files.set_times(folder, now())),
        (
            "set times by path",
            files.set_times_path(fd, file, true, now()),
        ),
        ("make a directory", files.create_directory(fd, made)),
        ("make a link", files.symlink(b"file", fd, link)),
        ("make a hard link", files.link((fd, file), (fd, hard))),
        ("rename", files.rename((fd, file), (fd, renamed.as_bytes()))),
        ("unlink", files.unlink(fd, inner.as_bytes())),
        (
            "remove a directory",
            files.remove_directory(fd, empty.as_bytes()),
        ),
        (
            "make a directory below an open one",
            files.create_directory(folder, b"below"),
        ),
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

/// A second mount, and in each a link to the other. Returns its descriptor.
fn second_mount(place: &mut Place, read_only: bool) -> u32 {
    let other = place.directory.path().join("other");
    fs::create_dir_all(other.join("folder/empty")).unwrap();
    fs::write(other.join("file"), "content").unwrap();
    fs::write(other.join("folder/inner"), "content").unwrap();
    symlink("/other", place.root().join("other")).unwrap();
    symlink("/other/file", place.root().join("other-file")).unwrap();
    symlink("/root", other.join("root")).unwrap();
    let host = other.as_os_str().as_encoded_bytes();
    place.files.mount("/other", host, read_only).unwrap();
    MOUNT + 1
}

#[test]
fn what_a_link_leads_to_has_the_rights_of_its_own_mount() {
    for read_only in [false, true] {
        let mut place = Place::new(!read_only);
        let other = second_mount(&mut place, read_only);
        let below = place.directory.path().join("other");
        // The mount of the path is the one, that of the link the other.
        for (fd, at, refused, changed) in [
            (MOUNT, "other/", read_only, below),
            (other, "root/", !read_only, place.root()),
        ] {
            let before = picture(&changed);
            for (what, answer) in changes(&mut place.files, fd, at) {
                let expected = if refused {
                    Err(Errno::NOT_PERMITTED)
                } else {
                    Ok(())
                };
                assert_eq!(answer, expected, "{what} in {at}");
            }
            assert_eq!(picture(&changed) == before, refused, "{at}");
        }
    }
}

#[test]
fn a_file_goes_from_mount_to_mount_only_where_both_may_be_changed() {
    let mut place = Place::new(false);
    let other = second_mount(&mut place, true);
    let mut both = |from: (u32, &[u8]), to: (u32, &[u8])| {
        [place.files.link(from, to), place.files.rename(from, to)]
    };
    for answers in [
        both((MOUNT, b"other/file"), (MOUNT, b"taken")),
        both((other, b"file"), (other, b"root/taken")),
        both((MOUNT, b"file"), (MOUNT, b"other/given")),
        both((other, b"root/file"), (other, b"given")),
    ] {
        assert_eq!(answers, [Err(Errno::NOT_PERMITTED); 2]);
    }
    assert_eq!(
        both((other, b"root/file"), (MOUNT, b"folder/file")),
        [Ok(()); 2]
    );
}

#[test]
fn an_absolute_link_at_the_end_is_followed_like_any_other() {
    let mut place = Place::new(true);
    second_mount(&mut place, false);
    let files = &mut place.files;
    let open = |files: &mut Files, oflags, follow| {
        let how = Open {
            follow,
            ..how(oflags, WRITE)
        };
        files.open(MOUNT, b"other-file", how).map(drop)
    };
    assert_eq!(open(files, oflags::TRUNCATE, true), Ok(()));
    assert_eq!(
        files.stat_path(MOUNT, b"other-file", true).unwrap().st_size,
        0
    );
    assert_eq!(
        files.set_times_path(MOUNT, b"other-file", true, now()),
        Ok(())
    );
    // The link itself lies in the read-only mount.
    for answer in [
        open(files, 0, false),
        files.set_times_path(MOUNT, b"other-file", false, now()),
        files.unlink(MOUNT, b"other-file"),
    ] {
        assert_eq!(answer, Err(Errno::NOT_PERMITTED));
    }
    let exclusive = open(files, oflags::CREATE | oflags::EXCLUSIVE, true);
    assert_eq!(exclusive, Err(Errno::EXISTS));
    let mut content = [0; 20];
    assert_eq!(files.readlink(MOUNT, b"other-file", &mut content), Ok(11));
}

#[test]
fn a_mount_that_is_closed_is_no_longer_led_to() {
    let mut place = Place::new(false);
    let other = second_mount(&mut place, false);
    let look = |files: &mut Files| {
        files
            .again(|files| files.stat_path(MOUNT, b"other/folder/inner", true))
            .map(drop)
    };
    assert_eq!(look(&mut place.files), Ok(()));
    place.files.close(other).unwrap();
    assert_eq!(look(&mut place.files), Err(Errno::NOT_PERMITTED));
}

#[test]
fn a_file_that_is_there_can_be_opened_in_a_read_only_mount() {
    let mut place = Place::new(true);
    let mut open = |path: &[u8], oflags| place.files.open(MOUNT, path, how(oflags, READ)).map(drop);
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
                .open(MOUNT, path, how(oflags::CREATE, WRITE))
                .map(drop),
            files.open(MOUNT, path, how(0, READ)).map(drop),
            files.stat_path(MOUNT, path, true).map(drop),
            files.stat_path(MOUNT, path, false).map(drop),
            files.set_times_path(MOUNT, path, true, now()),
            files.create_directory(MOUNT, path),
            files.remove_directory(MOUNT, path),
            files.unlink(MOUNT, path),
            files.rename((MOUNT, path), (MOUNT, b"stolen")),
            files.rename((MOUNT, b"file"), (MOUNT, path)),
            files.link((MOUNT, path), (MOUNT, b"stolen")),
            files.link((MOUNT, b"file"), (MOUNT, path)),
            files.symlink(b"file", MOUNT, path),
            files.readlink(MOUNT, path, &mut [0; 10]).map(drop),
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
            files.open(MOUNT, link, how(0, READ)).map(drop),
            files.open(MOUNT, link, how(0, WRITE)).map(drop),
            files
                .open(MOUNT, link, how(oflags::CREATE | oflags::TRUNCATE, WRITE))
                .map(drop),
            files.stat_path(MOUNT, link, true).map(drop),
            files.set_times_path(MOUNT, link, true, now()),
        ] {
            assert!(
                matches!(answer, Err(Errno::NOT_PERMITTED | Errno::IS_DIRECTORY)),
                "{shown}: {answer:?}"
            );
        }
    }
    assert!(files.stat_path(MOUNT, b"leak", false).is_ok());
    let mut target = [0; 20];
    assert_eq!(files.readlink(MOUNT, b"leak", &mut target), Ok(9));
    // The link itself is the guest's to remove.
    assert_eq!(files.unlink(MOUNT, b"leak"), Ok(()));
    let secret = fs::read(place.directory.path().join("secret")).unwrap();
    assert_eq!(secret, b"secret");
}

#[test]
fn a_folder_that_became_a_link_is_not_followed_out() {
    let mut place = Place::new(false);
    let files = &mut place.files;
    assert!(files.stat_path(MOUNT, b"folder/inner", true).is_ok());
    files.rename((MOUNT, b"folder"), (MOUNT, b"was")).unwrap();
    files.symlink(b"..", MOUNT, b"folder").unwrap();
    assert_eq!(
        files.stat_path(MOUNT, b"folder/secret", true).err(),
        Some(Errno::NOT_PERMITTED)
    );
}

#[test]
fn links_are_made_only_where_that_is_allowed() {
    let mut place = Place::new(false);
    place.files.allow_symlinks = false;
    let answer = place.files.symlink(b"file", MOUNT, b"link");
    assert_eq!(answer, Err(Errno::NOT_PERMITTED));
    place.files.allow_symlinks = true;
    assert_eq!(place.files.symlink(b"file", MOUNT, b"link"), Ok(()));
    let absolute = place.files.symlink(b"/etc/passwd", MOUNT, b"absolute2");
    assert_eq!(absolute, Err(Errno::NOT_PERMITTED));
}

#[test]
fn links_that_are_there_stay_where_they_are_unless_links_may_be_made() {
    let mut place = Place::new(false);
    place.files.allow_symlinks = false;
    for answer in [
        place.files.rename((MOUNT, b"out"), (MOUNT, b"folder/out")),
        place.files.link((MOUNT, b"out"), (MOUNT, b"folder/out")),
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
    while place.files.open(MOUNT, b"file", how(0, READ)).is_ok() {}
    for (path, oflags) in [(&b"file"[..], oflags::TRUNCATE), (b"new", oflags::CREATE)] {
        let opened = place.files.open(MOUNT, path, how(oflags, WRITE));
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
        let _ = place.files.stat_path(MOUNT, path.as_bytes(), true);
    }
    assert!(place.files.used() <= 64);
    // They make room for what the guest opens.
    for _ in 4..64 {
        place.files.open(MOUNT, b"file", how(0, READ)).unwrap();
    }
    assert_eq!(
        place.files.open(MOUNT, b"file", how(0, READ)),
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
        let opened = place.files.open(MOUNT, b"fifo", how(0, rights));
        assert_eq!(opened, Err(Errno::NOT_SUPPORTED));
    }
    // Nobody reads at the other end.
    assert_eq!(
        place.files.open(MOUNT, b"fifo", how(0, WRITE)),
        Err(Errno::NO_SUCH_DEVICE)
    );
}

#[test]
fn descriptors_have_an_end() {
    let mut place = Place::new(true);
    let mut open = || place.files.open(MOUNT, b"file", how(0, READ));
    assert_eq!(
        (4..64).map(|_| open().unwrap()).collect::<Vec<_>>(),
        (4..64).collect::<Vec<_>>()
    );
    assert_eq!(open(), Err(Errno::TOO_MANY_FILES));
}
