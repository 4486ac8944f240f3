//! Mounts in one another, and what guests may have made of them.

use super::{Conflict, MountTable, Place, walk};
use rustix::io::Errno;
use std::fs;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// Directories below a temporary one, by relative names.
struct Host(TempDir);

impl Host {
    fn new(directories: &[&str]) -> Self {
        let host = Host(tempfile::tempdir().unwrap());
        for directory in directories {
            fs::create_dir_all(host.path(directory)).unwrap();
        }
        host
    }

    fn path(&self, name: &str) -> PathBuf {
        // Whatever the temporary directory is itself.
        self.0.path().canonicalize().unwrap().join(name)
    }

    /// `target` is relative to here where it does not begin with `.`.
    fn link(&self, target: &str, name: &str) {
        let absolute = self.path(target);
        let target = if target.starts_with('.') {
            Path::new(target)
        } else {
            &absolute
        };
        symlink(target, self.path(name)).unwrap();
    }

    fn rename(&self, from: &str, to: &str) {
        fs::rename(self.path(from), self.path(to)).unwrap();
    }

    fn place(&self, name: &str, read_only: bool) -> Place {
        Place {
            host: self.path(name).into_os_string().into_encoded_bytes(),
            read_only,
        }
    }

    /// What a server with these writable mounts knows.
    fn table(&self, writable: &[&str]) -> Table<'_> {
        let places = writable.iter().map(|name| self.place(name, false));
        Table {
            host: self,
            table: MountTable::new(places.collect()),
        }
    }
}

struct Table<'a> {
    host: &'a Host,
    table: MountTable,
}

impl Table<'_> {
    fn open(&self, name: &str) -> Result<OwnedFd, String> {
        let host = self.host.place(name, true).host;
        self.table.open(&host).map_err(|error| error.to_string())
    }

    /// Asserts that the mount `name` shows the directory `expected`.
    #[track_caller]
    fn shows(&self, name: &str, expected: &str) {
        let stat = rustix::fs::fstat(self.open(name).unwrap()).unwrap();
        let expected = fs::metadata(self.host.path(expected)).unwrap();
        assert_eq!(
            (stat.st_dev, stat.st_ino),
            (expected.dev(), expected.ino()),
            "{name}"
        );
    }

    #[track_caller]
    fn fails(&self, name: &str, reason: &str) {
        let error = self.open(name).unwrap_err();
        assert!(error.contains(reason), "{name}: {error}");
    }

    fn check(&self, mounts: &[(&str, bool)]) -> Option<(usize, usize)> {
        let places = mounts
            .iter()
            .map(|(name, read_only)| self.host.place(name, *read_only));
        let conflict = self.table.check(places.collect()).unwrap();
        conflict.map(
            |Conflict {
                 read_only,
                 writable,
             }| (read_only, writable),
        )
    }
}

const PLANTED: &str = "a link is on the way";
const RO: bool = true;
const RW: bool = false;

#[test]
fn links_outside_of_writable_mounts_are_followed_each_time() {
    let host = Host::new(&["release-41/public", "release-42/public", "uploads"]);
    let table = host.table(&["uploads"]);
    host.link("release-41", "current");
    table.shows("current/public", "release-41/public");
    fs::remove_file(host.path("current")).unwrap();
    host.link("./release-42", "current");
    table.shows("current/public", "release-42/public");
    table.shows("current", "release-42");
}

#[test]
fn a_link_in_a_writable_mount_is_not_followed() {
    let host = Host::new(&["app/tmp", "secret/tmp"]);
    let table = host.table(&["app"]);
    table.shows("app/tmp", "app/tmp");
    host.rename("app/tmp", "app/old");
    host.link("secret", "app/tmp");
    table.fails("app/tmp", PLANTED);
    table.fails("app/tmp/tmp", PLANTED);
    fs::remove_file(host.path("app/tmp")).unwrap();
    host.link("./old", "app/tmp");
    table.fails("app/tmp", PLANTED);
    fs::remove_file(host.path("app/tmp")).unwrap();
    host.rename("app/old", "app/tmp");
    table.shows("app/tmp", "app/tmp");
}

#[test]
fn a_writable_mount_is_known_by_any_name() {
    let host = Host::new(&["srv/app/tmp", "secret"]);
    host.link("srv/app", "current");
    host.link("current", "chain");
    host.rename("srv/app/tmp", "srv/app/old");
    host.link("secret", "srv/app/tmp");
    for (writable, reader) in [
        ("srv/app", "current/tmp"),
        ("srv/app", "chain/tmp"),
        ("current", "srv/app/tmp"),
        ("current", "chain/tmp"),
        ("current", "current/tmp"),
    ] {
        let table = host.table(&[writable]);
        table.fails(reader, PLANTED);
        table.shows("chain", "srv/app");
    }
    let table = host.table(&["current"]);
    table.shows("chain/old", "srv/app/old");
    // Nobody may write there: these links are the administrator's.
    host.table(&["secret"]).shows("chain/tmp", "secret");
}

#[test]
fn a_link_that_leads_into_a_writable_mount_may_not_lead_on_from_there() {
    let host = Host::new(&["app/folder", "app/other", "secret"]);
    host.link("app/folder", "in");
    host.link("./app/../secret", "by");
    host.link("./app/folder/../../secret", "through");
    let table = host.table(&["app"]);
    table.shows("in", "app/folder");
    table.shows("by", "secret");
    table.fails("through", PLANTED);
    host.rename("app/folder", "app/old");
    host.link("./other", "app/folder");
    table.fails("in", PLANTED);
}

#[test]
fn writable_mounts_in_one_another_are_guarded_by_the_outermost() {
    let host = Host::new(&["data/app/x/tmp", "secret/x/tmp", "secret/tmp"]);
    let table = host.table(&["data/app/x/tmp", "data/app/x", "data"]);
    table.shows("data/app/x/tmp", "data/app/x/tmp");
    // Whoever may write to `data` exchanges what the others are in.
    host.rename("data/app", "data/old");
    host.link("secret", "data/app");
    for inner in ["data/app", "data/app/x", "data/app/x/tmp"] {
        table.fails(inner, PLANTED);
    }
    table.shows("data", "data");
    fs::remove_file(host.path("data/app")).unwrap();
    fs::create_dir_all(host.path("data/app/x")).unwrap();
    table.shows("data/app/x", "data/app/x");
    table.fails("data/app/x/tmp", "No such file");
}

#[test]
fn an_inner_writable_mount_that_was_exchanged_takes_no_directory_of_others() {
    let host = Host::new(&["data/app/tmp", "www/public", "uploads/public"]);
    let table = host.table(&["data", "data/app"]);
    host.rename("data/app", "data/old");
    host.link("www", "data/app");
    host.link("./../uploads", "www/link");
    table.shows("www/link/public", "uploads/public");
}

#[test]
fn what_is_no_directory_fails_as_it_does_elsewhere() {
    let host = Host::new(&["app"]);
    let table = host.table(&["app"]);
    table.fails("app/tmp", "No such file");
    fs::write(host.path("app/tmp"), "").unwrap();
    table.fails("app/tmp", "Not a directory");
    table.fails("app/tmp/x", "Not a directory");
    host.link("app", "current");
    table.fails("current/tmp", "Not a directory");
    table.fails("current/missing", "No such file");
    host.link("./loop", "loop");
    table.fails("loop", "Too many levels");
}

#[test]
fn kernels_that_cannot_refuse_links_give_the_same_answers() {
    let host = Host::new(&["a/b"]);
    host.link("a", "link");
    host.link("./b", "a/last");
    fs::write(host.path("file"), "").unwrap();
    for (name, expected) in [
        ("a/b", Ok(())),
        ("", Ok(())),
        ("link", Err(Errno::LOOP)),
        ("link/b", Err(Errno::LOOP)),
        ("a/last", Err(Errno::LOOP)),
        ("file", Err(Errno::NOTDIR)),
        ("file/x", Err(Errno::NOTDIR)),
        ("missing", Err(Errno::NOENT)),
    ] {
        let path = host.place(name, RO).host;
        for open in [walk::in_kernel, walk::by_steps] {
            assert_eq!(open(&path).map(drop), expected, "{name}");
        }
    }
}

#[test]
fn read_only_at_or_below_writable_is_a_conflict() {
    let host = Host::new(&["data/app/code", "data/app2", "other"]);
    host.link("data/app/code", "alias");
    host.link("data", "everything");
    let table = host.table(&["data/app"]);
    for (mounts, expected) in [
        (vec![("data/app", RW), ("data/app/code", RO)], Some((1, 0))),
        (vec![("data/app/code", RO), ("data/app", RW)], Some((0, 1))),
        (vec![("data/app", RW), ("data/app", RO)], Some((1, 0))),
        (vec![("data/app", RW), ("alias", RO)], Some((1, 0))),
        (vec![("everything", RW), ("alias", RO)], Some((1, 0))),
        (
            vec![
                ("other", RO),
                ("data", RO),
                ("data/app/code", RW),
                ("alias", RO),
            ],
            Some((3, 2)),
        ),
        (vec![("data/app", RO), ("data/app/code", RW)], None),
        (vec![("data/app", RW), ("data/app2", RO)], None),
        (vec![("data/app", RW), ("data/app/code", RW)], None),
        (vec![("data/app", RO), ("data/app/code", RO)], None),
        (vec![], None),
    ] {
        assert_eq!(table.check(&mounts), expected, "{mounts:?}");
    }
}

#[test]
fn the_whole_host_is_above_everything() {
    let host = Host::new(&["data"]);
    let whole = Place {
        host: b"/".to_vec(),
        read_only: false,
    };
    let table = MountTable::new(vec![whole.clone()]);
    let conflict = table
        .check(vec![whole.clone(), host.place("data", RO)])
        .unwrap();
    assert_eq!(conflict.map(|conflict| conflict.read_only), Some(1));
    assert!(table.open(b"/").is_ok());
    host.link("data", "link");
    assert!(table.open(&host.place("link", RO).host).is_err());
}

#[test]
fn a_verdict_is_kept_and_a_failure_is_not() {
    let host = Host::new(&["data"]);
    let table = host.table(&["data"]);
    let mounts = [("data", RW), ("data/code", RO)];
    let places = || {
        mounts
            .iter()
            .map(|(name, ro)| host.place(name, *ro))
            .collect()
    };
    let error = table.table.check(places()).unwrap_err().to_string();
    assert!(error.contains("data/code: No such file"), "{error}");
    fs::create_dir(host.path("data/code")).unwrap();
    assert_eq!(table.check(&mounts), Some((1, 0)));
    fs::remove_dir(host.path("data/code")).unwrap();
    assert_eq!(table.check(&mounts), Some((1, 0)));
}

#[test]
fn clients_cannot_make_the_verdicts_many() {
    let host = Host::new(&["a", "b"]);
    let table = host.table(&["a"]);
    for count in 0..super::MAX_VERDICTS + 10 {
        let places = std::iter::repeat_n(host.place("a", RW), count % 40);
        let marks = (0..10).map(|bit| host.place("b", count >> bit & 1 == 1));
        table.table.check(places.chain(marks).collect()).unwrap();
    }
    let kept = super::lock(&table.table.verdicts).len();
    assert!((1..=super::MAX_VERDICTS).contains(&kept), "{kept}");
}
