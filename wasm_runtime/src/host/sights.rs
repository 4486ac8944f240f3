//! What an initialiser sees of the files around it. A snapshot is good as long as another look finds the same.

use super::abi::Errno;
use super::files::Files;
use crate::run::budget::Budget;
use rustix::fs::{FileType, Stat};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};

/// A path that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Place {
    /// Guest path of the mount.
    mount: String,
    /// Bytes of the path beneath it; empty for the mount itself.
    path: Vec<u8>,
    /// A link at the end was followed.
    follow: bool,
}

/// What was there.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Sight {
    Nothing,
    /// A folder that was passed or asked about: what is in it makes no difference.
    Folder(Identity),
    /// A folder whose entries were read.
    Listing(Identity, Moment),
    /// Anything else, with its size.
    Content(Identity, Moment, i64),
}

/// Which file it is, and who may use it. The number of the device is no part of it: it changes with a new start of the machine.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Identity {
    inode: u64,
    mode: u32,
    user: u32,
    group: u32,
}

/// When the content was changed last.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Moment {
    seconds: i64,
    nanoseconds: u64,
}

/// All that was seen, each place once.
pub(crate) type Sights = Vec<(Place, Sight)>;

impl Sight {
    fn of(found: &Result<Stat, Errno>, listed: bool) -> Self {
        let Ok(stat) = found else {
            return Sight::Nothing;
        };
        let identity = Identity {
            inode: stat.st_ino,
            mode: stat.st_mode,
            user: stat.st_uid,
            group: stat.st_gid,
        };
        let moment = Moment {
            seconds: stat.st_mtime,
            nanoseconds: stat.st_mtime_nsec,
        };
        match (is_folder(stat), listed) {
            (false, _) => Sight::Content(identity, moment, stat.st_size),
            (true, true) => Sight::Listing(identity, moment),
            (true, false) => Sight::Folder(identity),
        }
    }
}

fn is_folder(stat: &Stat) -> bool {
    FileType::from_raw_mode(stat.st_mode) == FileType::Directory
}

/// The folder that a path names something in; `None`: the one that it begins at.
fn parent(path: &[u8]) -> Option<&[u8]> {
    let end = path.iter().rposition(|byte| *byte != b'/')?;
    let slash = path[..end].iter().rposition(|byte| *byte == b'/')?;
    Some(&path[..slash])
}

/// Takes note of what a guest looks at, before it sees it: what changes meanwhile makes the snapshot old. Descriptors are followed to
/// the paths that they were opened by.
#[derive(Default)]
pub(crate) struct Observer {
    sights: BTreeMap<Place, Sight>,
    /// Mounts have their own paths.
    opened: HashMap<u32, Place>,
}

impl Observer {
    /// The guest asks about `path` beneath the descriptor `fd`.
    pub(crate) fn look(
        &mut self,
        files: &mut Files,
        budget: &Budget,
        (fd, path, follow): (u32, &[u8], bool),
    ) {
        let Some(place) = self.place(files, fd, path, follow) else {
            return;
        };
        let found = files.again(|files| files.stat_path(fd, path, follow, budget));
        match found {
            // Root, who looks again, may pass everywhere: what stands in the way has to be the same.
            Err(Errno::ACCESS) => self.look_at_parent(files, budget, fd, path),
            // The path leads out of the folder that it begins in, and that is all that is seen.
            Err(Errno::NOT_PERMITTED) if files.mount_path(fd).is_err() => {}
            found => {
                let place = self.sights.entry(place);
                place.or_insert_with(|| Sight::of(&found, false));
            }
        }
    }

    /// The guest tries to change what `path` names, and learns whether there is a folder for it.
    pub(crate) fn look_at_parent(
        &mut self,
        files: &mut Files,
        budget: &Budget,
        fd: u32,
        path: &[u8],
    ) {
        match parent(path) {
            Some(parent) => self.look(files, budget, (fd, parent, true)),
            None => self.look_at_open(files, fd),
        }
    }

    /// The guest asks about what it has open.
    pub(crate) fn look_at_open(&mut self, files: &Files, fd: u32) {
        self.note_open(files, fd, false);
    }

    /// The guest reads the entries of the folder `fd`.
    pub(crate) fn list(&mut self, files: &Files, fd: u32) {
        self.note_open(files, fd, true);
    }

    fn note_open(&mut self, files: &Files, fd: u32, listed: bool) {
        let (Some(place), Ok(Some(stat))) = (self.base(files, fd), files.stat(fd)) else {
            return;
        };
        let seen = self.sights.get(&place);
        if seen.is_none() || listed && matches!(seen, Some(Sight::Folder(_))) {
            self.sights.insert(place, Sight::of(&Ok(stat), listed));
        }
    }

    /// The guest opened `path` as the descriptor `opened`.
    pub(crate) fn open(&mut self, files: &Files, fd: u32, path: &[u8], opened: u32) {
        if let Some(place) = self.place(files, fd, path, true) {
            self.opened.insert(opened, place);
        }
    }

    pub(crate) fn close(&mut self, fd: u32) {
        self.opened.remove(&fd);
    }

    pub(crate) fn renumber(&mut self, from: u32, to: u32) {
        if from == to {
            return;
        }
        match self.opened.remove(&from) {
            Some(place) => self.opened.insert(to, place),
            None => self.opened.remove(&to),
        };
    }

    /// The path of an open file, as the guest named it.
    pub(crate) fn path_of(&self, fd: u32) -> String {
        self.opened.get(&fd).map_or_else(
            || format!("descriptor {fd}"),
            |place| {
                let path = String::from_utf8_lossy(&place.path);
                format!("{}/{path}", place.mount.trim_end_matches('/'))
            },
        )
    }

    pub(crate) fn into_sights(self) -> Sights {
        self.sights.into_iter().collect()
    }

    /// `None`: nothing can be found by such a path.
    fn place(&self, files: &Files, fd: u32, path: &[u8], follow: bool) -> Option<Place> {
        if path.is_empty() || path.starts_with(b"/") {
            return None;
        }
        let base = self.base(files, fd)?;
        let slash: &[u8] = if base.path.is_empty() { b"" } else { b"/" };
        Some(Place {
            path: [&base.path, slash, path].concat(),
            follow,
            ..base
        })
    }

    fn base(&self, files: &Files, fd: u32) -> Option<Place> {
        match files.mount_path(fd) {
            Ok(mount) => Some(Place {
                mount: mount.to_owned(),
                path: Vec::new(),
                follow: true,
            }),
            Err(_) => self.opened.get(&fd).cloned(),
        }
    }
}

/// Whether another look finds what was seen. `files` has the mounts, and nothing else open.
pub(crate) fn hold(sights: &Sights, files: &mut Files, budget: &Budget) -> bool {
    sights.iter().all(|(place, sight)| {
        let Some(fd) = files.mount_of(&place.mount) else {
            return *sight == Sight::Nothing;
        };
        let path: &[u8] = match place.path.as_slice() {
            b"" => b".",
            path => path,
        };
        let found = files.stat_path(fd, path, place.follow, budget);
        let listed = matches!(sight, Sight::Listing(..));
        Sight::of(&found, listed) == *sight
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::files::{Open, Terms};
    use crate::run::{Limit, Limits};
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::path::Path;

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
            let how = Open {
                follow: true,
                oflags: 0,
                rights: 2,
                fdflags: 0,
            };
            let path = path.as_bytes();
            let opened = self.files.open(fd, path, how, &mut self.budget).unwrap();
            self.observer.open(&self.files, fd, path, opened);
            opened
        }

        fn list(&mut self, fd: u32) {
            self.observer.list(&self.files, fd);
        }

        /// Whether another look at `directory` finds what was seen here.
        fn holds(self, directory: &Path) -> bool {
            let mut again = View::of(directory);
            hold(
                &self.observer.into_sights(),
                &mut again.files,
                &again.budget,
            )
        }
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
        let (mut before, mut after) = (View::of(place.path()), View::of(place.path()));
        look(&mut before);
        look(&mut after);
        assert!(before.holds(place.path()), "nothing has changed");
        change(place.path());
        assert_eq!(!after.holds(place.path()), noticed);
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
            let moment = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1);
            file.unwrap().set_modified(moment).unwrap();
        };
        check(look, touch, true);
        let exchange = |place: &Path| {
            let file = place.join("releases/one/file");
            let before = fs::metadata(&file).unwrap().modified().unwrap();
            fs::write(place.join("new"), "one").unwrap();
            let new = fs::File::options().append(true).open(place.join("new"));
            new.unwrap().set_modified(before).unwrap();
            fs::rename(place.join("new"), file).unwrap();
        };
        check(look, exchange, true);
        let mode = |place: &Path| {
            let file = place.join("releases/one/file");
            fs::set_permissions(file, fs::Permissions::from_mode(0o600)).unwrap();
        };
        check(look, mode, true);
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
        check(
            |view| view.look(3, "current/file", true),
            lead_elsewhere,
            true,
        );
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
}
