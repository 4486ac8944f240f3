//! Links from one mount to another: what they lead to has the rights of its own mount.

use super::*;
use crate::run::budget::ENTRY;

/// The descriptor of the second mount.
const OTHER: u32 = MOUNT + 1;

/// Two mounts, and in each a link to the other.
fn place(read_only: bool, other: Terms) -> Place {
    let mut place = Place::new(read_only);
    let folder = place.directory.path().join("other");
    fs::create_dir_all(folder.join("folder/empty")).unwrap();
    fs::write(folder.join("file"), "content").unwrap();
    fs::write(folder.join("folder/inner"), "content").unwrap();
    symlink("/other", place.root().join("other")).unwrap();
    symlink("/other/file", place.root().join("other-file")).unwrap();
    symlink("/root", folder.join("root")).unwrap();
    let mount = rustix::fs::open(&folder, OFlags::PATH, Mode::empty()).unwrap();
    place
        .files
        .mount("/other", mount, other, &mut budget())
        .unwrap();
    place
}

fn written(read_only: bool) -> Terms {
    Terms {
        read_only,
        account: Limit::Written,
    }
}

#[test]
fn what_a_link_leads_to_has_the_rights_of_its_own_mount() {
    for read_only in [false, true] {
        let mut place = place(!read_only, written(read_only));
        let other = place.directory.path().join("other");
        // The path begins in one mount, and the link leads to the other.
        for (fd, at, refused, changed) in [
            (MOUNT, "other/", read_only, other),
            (OTHER, "root/", !read_only, place.root()),
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
    let mut place = place(false, written(true));
    let mut both = |from: (u32, &[u8]), to: (u32, &[u8])| {
        [
            place.files.link(from, to, &mut budget()),
            place.files.rename(from, to),
        ]
    };
    for answers in [
        both((MOUNT, b"other/file"), (MOUNT, b"taken")),
        both((OTHER, b"file"), (OTHER, b"root/taken")),
        both((MOUNT, b"file"), (MOUNT, b"other/given")),
        both((OTHER, b"root/file"), (OTHER, b"given")),
    ] {
        assert_eq!(answers, [Err(Errno::NOT_PERMITTED); 2]);
    }
    let allowed = both((OTHER, b"root/file"), (MOUNT, b"folder/file"));
    // Afterwards both names are the same file's, and renaming one to the other does nothing, as on the host.
    assert_eq!(allowed, [Ok(()); 2]);
}

#[test]
fn an_absolute_link_at_the_end_is_followed_like_any_other() {
    let mut place = place(true, written(false));
    let files = &mut place.files;
    let open = |files: &mut Files, oflags, follow| {
        let how = Open {
            follow,
            ..how(oflags, WRITE)
        };
        files
            .open(MOUNT, b"other-file", how, &mut budget())
            .map(drop)
    };
    assert_eq!(open(files, oflags::TRUNCATE, true), Ok(()));
    let cut = files.stat_path(MOUNT, b"other-file", true, &budget());
    assert_eq!(cut.unwrap().st_size, 0);
    let set = files.set_times_path(MOUNT, b"other-file", true, now());
    assert_eq!(set, Ok(()));
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
    let length = files.readlink(MOUNT, b"other-file", &mut content, &budget());
    assert_eq!(length, Ok(11));
}

#[test]
fn a_mount_that_is_closed_is_no_longer_led_to() {
    let mut place = place(false, written(false));
    let look = |files: &mut Files| {
        let stat =
            files.again(|files| files.stat_path(MOUNT, b"other/folder/inner", true, &budget()));
        stat.map(drop)
    };
    assert_eq!(look(&mut place.files), Ok(()));
    // It is kept, and yet not found any more.
    place.files.close(OTHER).unwrap();
    assert_eq!(look(&mut place.files), Err(Errno::NOT_PERMITTED));
}

#[test]
fn what_is_made_behind_a_link_counts_where_it_lies() {
    let scratch = Terms {
        read_only: false,
        account: Limit::Scratch,
    };
    let mut place = place(false, scratch);
    let files = &mut place.files;
    let mut full = Budget::new(Limits {
        written: 0,
        scratch: 4 * ENTRY,
        ..Limits::UNLIMITED
    });
    let create = |files: &mut Files, path: &[u8], oflags, budget: &mut Budget| {
        let how = how(oflags::CREATE | oflags, WRITE);
        files.open(MOUNT, path, how, budget).map(drop)
    };
    for oflags in [0, oflags::EXCLUSIVE] {
        let path = format!("new{oflags}");
        let here = create(files, path.as_bytes(), oflags, &mut full);
        assert_eq!(here, Err(Errno::NO_SPACE));
        let path = format!("other/new{oflags}");
        assert_eq!(create(files, path.as_bytes(), oflags, &mut full), Ok(()));
    }
    assert_eq!(create(files, b"other-file", 0, &mut full), Ok(()));
    let exclusive = create(files, b"other-file", oflags::EXCLUSIVE, &mut full);
    assert_eq!(exclusive, Err(Errno::EXISTS));
    let made = files.create_directory(MOUNT, b"other/made", &mut full);
    assert_eq!(made, Ok(()));
    let linked = files.symlink(b"file", MOUNT, b"other/link", &mut full);
    assert_eq!(linked, Ok(()));
    let full = create(files, b"other/one-more", 0, &mut full);
    assert_eq!(full, Err(Errno::NO_SPACE));
    assert!(!place.root().join("new0").exists());
}
