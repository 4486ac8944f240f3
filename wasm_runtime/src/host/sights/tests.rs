use super::*;
use crate::host::files::Terms;
use crate::run::{Limit, Limits};
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

/// An initialiser's view of a folder, and what it looked at.
struct View {
    files: Files,
    budget: Budget,
    observer: Observer,
}

impl View {
    fn of(directory: &Path) -> Self {
        let mut files = Files::new(false);
        let mut budget = Budget::new(Limits::UNLIMITED);
        let terms = Terms {
            read_only: true,
            account: Limit::Written,
        };
        let folder = fs::File::open(directory).unwrap().into();
        files.mount("/app", folder, terms, &mut budget).unwrap();
        View {
            files,
            budget,
            observer: Observer::default(),
        }
    }

    fn look(&mut self, fd: u32, path: &str, follow: bool) {
        let what = (fd, path.as_bytes(), follow);
        self.observer.look(&mut self.files, &self.budget, what);
    }

    fn open(&mut self, fd: u32, path: &str) -> u32 {
        self.look(fd, path, true);
        let path = path.as_bytes();
        let opened = self.files.open(fd, path, Open::TO_READ, &mut self.budget);
        let opened = opened.unwrap();
        self.observer.open(&self.files, fd, path, opened);
        opened
    }

    fn list(&mut self, fd: u32) {
        self.observer.list(&self.files, fd);
    }

    fn sights(mut self) -> Sights {
        let (files, budget) = (&mut self.files, &mut self.budget);
        self.observer.into_sights(files, budget)
    }
}

/// Whether another look at `directory` finds this.
fn holds(sights: &Sights, directory: &Path) -> bool {
    let mut again = View::of(directory);
    hold(sights, &mut again.files, &mut again.budget)
}

fn place() -> tempfile::TempDir {
    let place = tempfile::tempdir().unwrap();
    fs::create_dir_all(place.path().join("releases/one")).unwrap();
    fs::create_dir(place.path().join("releases/two")).unwrap();
    fs::write(place.path().join("releases/one/file"), "one").unwrap();
    fs::write(place.path().join("releases/two/file"), "two").unwrap();
    symlink("releases/one", place.path().join("current")).unwrap();
    place
}

/// What `look` sees is the same as long as nothing happens, and `change` is noticed or not.
#[track_caller]
fn check(look: impl Fn(&mut View), change: impl Fn(&Path), noticed: bool) {
    let place = place();
    let mut view = View::of(place.path());
    look(&mut view);
    let sights = view.sights();
    assert!(holds(&sights, place.path()), "nothing has changed");
    change(place.path());
    assert_eq!(!holds(&sights, place.path()), noticed);
}

fn rewrite(file: &'static str) -> impl Fn(&Path) {
    move |place| fs::write(place.join(file), "and something else").unwrap()
}

#[test]
fn a_file_has_to_be_the_same() {
    let look = |view: &mut View| view.look(3, "releases/one/file", true);
    check(look, rewrite("releases/one/file"), true);
    check(look, rewrite("releases/two/file"), false);
    check(look, rewrite("releases/one/other"), false);
    let touch = |place: &Path| {
        let file = fs::File::options()
            .append(true)
            .open(place.join("releases/one/file"));
        let moment = UNIX_EPOCH + Duration::from_secs(1);
        file.unwrap().set_modified(moment).unwrap();
    };
    check(look, touch, true);
    let mode = |place: &Path| {
        let file = place.join("releases/one/file");
        fs::set_permissions(file, fs::Permissions::from_mode(0o600)).unwrap();
    };
    check(look, mode, true);
}

/// Puts another file in the place of one, of the same second.
fn exchange(content: &'static str) -> impl Fn(&Path) {
    move |place| {
        let file = place.join("releases/one/file");
        let before = fs::metadata(&file).unwrap().modified().unwrap();
        let since = before.duration_since(UNIX_EPOCH).unwrap();
        fs::write(place.join("new"), content).unwrap();
        let new = fs::File::options().append(true).open(place.join("new"));
        let second = UNIX_EPOCH + Duration::from_secs(since.as_secs());
        new.unwrap().set_modified(second).unwrap();
        fs::rename(place.join("new"), file).unwrap();
    }
}

#[test]
fn a_copy_is_as_good_as_the_file_if_it_has_what_was_seen() {
    let look = |view: &mut View| view.look(3, "releases/one/file", true);
    let read = |view: &mut View| {
        view.open(3, "releases/one/file");
    };
    for (content, noticed) in [("one", false), ("ONE", true), ("one more", true)] {
        check(read, exchange(content), noticed);
    }
    check(look, exchange("ONE"), false);
    check(look, exchange("one more"), true);
    // What was changed before its fingerprint was taken has none.
    let place = place();
    let mut view = View::of(place.path());
    read(&mut view);
    exchange("ONE")(place.path());
    assert!(!holds(&view.sights(), place.path()));
}

#[test]
fn a_copy_of_a_folder_has_the_same_names() {
    let list = |view: &mut View| {
        let folder = view.open(3, "releases/one");
        view.list(folder);
    };
    let copy = |name: &'static str| {
        move |place: &Path| {
            let (folder, new) = (place.join("releases/one"), place.join("new"));
            let before = fs::metadata(&folder).unwrap().modified().unwrap();
            fs::create_dir(&new).unwrap();
            fs::write(new.join(name), "anything").unwrap();
            fs::File::open(&new).unwrap().set_modified(before).unwrap();
            fs::remove_dir_all(&folder).unwrap();
            fs::rename(new, folder).unwrap();
        }
    };
    check(list, copy("file"), false);
    check(list, copy("other"), true);
}

#[test]
fn what_was_missing_has_to_be_missing() {
    let look = |view: &mut View| view.look(3, "releases/one/other", true);
    check(look, rewrite("releases/one/other"), true);
    check(look, rewrite("releases/one/third"), false);
}

#[test]
fn links_are_seen_by_where_they_lead() {
    let lead_elsewhere = |place: &Path| {
        fs::remove_file(place.join("current")).unwrap();
        symlink("releases/two", place.join("current")).unwrap();
    };
    check(|view| view.look(3, "current", false), lead_elsewhere, true);
    let read = |view: &mut View| {
        view.open(3, "current/file");
    };
    check(read, lead_elsewhere, true);
    check(
        |view| view.look(3, "current/file", true),
        rewrite("releases/one/file"),
        true,
    );
}

#[test]
fn paths_begin_where_their_descriptor_was_opened() {
    let beneath = |view: &mut View| {
        let folder = view.open(3, "current/..");
        view.look(folder, "one/../two/file", true);
    };
    check(beneath, rewrite("releases/two/file"), true);
    check(beneath, rewrite("releases/one/file"), false);
    let out = |view: &mut View| {
        let folder = view.open(3, "releases/one");
        view.look(folder, "../two/file", true);
    };
    check(out, rewrite("releases/two/file"), false);
}

#[test]
fn descriptors_are_followed_when_they_are_closed_and_renumbered() {
    let reused = |view: &mut View| {
        let one = view.open(3, "releases/one");
        view.files.close(one).unwrap();
        view.observer.close(one);
        assert_eq!(view.open(3, "releases/two"), one);
        view.look(one, "file", true);
    };
    check(reused, rewrite("releases/two/file"), true);
    check(reused, rewrite("releases/one/file"), false);
    let renumbered = |view: &mut View| {
        let [one, two] = ["releases/one", "releases/two"].map(|path| view.open(3, path));
        view.files.renumber(two, one).unwrap();
        view.observer.renumber(two, one);
        view.look(one, "file", true);
        assert_eq!(view.observer.path_of(one), "/app/releases/two");
        assert_eq!(view.observer.path_of(two), format!("descriptor {two}"));
    };
    check(renumbered, rewrite("releases/two/file"), true);
    check(renumbered, rewrite("releases/one/file"), false);
}

#[test]
fn the_entries_of_a_folder_count_once_they_are_listed() {
    let passed = |view: &mut View| {
        view.open(3, "releases/one");
    };
    check(passed, rewrite("releases/one/other"), false);
    let listed = |view: &mut View| {
        let folder = view.open(3, "releases/one");
        view.list(folder);
    };
    check(listed, rewrite("releases/one/other"), true);
    check(listed, rewrite("releases/two/other"), false);
    let empty = |place: &Path| fs::remove_file(place.join("releases/one/file")).unwrap();
    check(listed, empty, true);
    check(|view| view.list(3), rewrite("other"), true);
    check(|view| view.list(3), rewrite("releases/other"), false);
}

#[test]
fn whoever_fails_to_make_something_learns_whether_its_folder_is_there() {
    let make = |view: &mut View| {
        let View {
            files,
            budget,
            observer,
        } = view;
        observer.look_at_parent(files, budget, 3, b"cache/new/");
    };
    let appear = |place: &Path| fs::create_dir(place.join("cache")).unwrap();
    check(make, appear, true);
}

#[test]
fn a_path_that_names_nothing_is_no_place() {
    for path in ["", "/", "/releases/one/file"] {
        check(
            |view| view.look(3, path, true),
            rewrite("releases/one/file"),
            false,
        );
    }
    assert_eq!(parent(b"a/b//"), Some(b"a".as_slice()));
    assert_eq!(parent(b"a/"), None);
    assert_eq!(parent(b"//"), None);
}
