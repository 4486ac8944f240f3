//! Opens a folder that nobody but root and this user can fill or exchange, neither itself nor on the way to it.
//!
//! Each part of the path is opened in the folder above it and judged by its descriptor, so that what was judged is what
//! is used. A symbolic link is as good as the folder that holds it.

use crate::error::{Error, Result};
use crate::openat2::MAX_LINKS;
use rustix::fs::{FileType, Mode, OFlags, Stat, fstat, mkdirat, open, openat, readlinkat};
use rustix::io::Errno;
use rustix::process::geteuid;
use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStringExt;
use std::path::{Component, Path, PathBuf};

const OTHERS_WRITE: u32 = 0o022;
const STICKY: u32 = 0o1000;
const PERMISSIONS: u32 = 0o7777;

/// Enough to pass through a folder, and to look at a link instead of following it.
const PASS: OFlags = OFlags::PATH.union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// Opens the folder at `path`, making what is missing of it.
///
/// # Errors
/// [`Error::Cache`] when somebody else could put something into it or in its place, [`Error::Io`] when it cannot be made
/// or opened.
pub(super) fn open_private(path: &Path) -> Result<OwnedFd> {
    walk(path, Missing::Make)
}

/// As [`open_private`], of a folder that is there.
pub(super) fn find_private(path: &Path) -> Result<OwnedFd> {
    walk(path, Missing::Fail)
}

fn walk(path: &Path, missing: Missing) -> Result<OwnedFd> {
    let absolute = std::path::absolute(path).map_err(|error| Error::io(path, error))?;
    let mut way = Way::from_root(missing)?;
    way.put_before(&absolute);
    while let Some(name) = way.ahead.pop_front() {
        way.enter(&name)?;
    }
    let found = fstat(&way.folder).map_err(|error| way.failed(error))?;
    if let Some(reason) = distrust(&found) {
        return Err(way.distrusted(reason));
    }
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    openat(&way.folder, ".", flags, Mode::empty()).map_err(|error| way.failed(error))
}

/// Why a file or folder could hold what somebody else wants: because of its owner or its mode.
pub(super) fn distrust(found: &Stat) -> Option<String> {
    foreign_owner(found).or_else(|| is_open_to_others(found).then(|| writable_by_others(found)))
}

/// The same of a folder on the way: in a sticky one (`/tmp`) others can neither rename nor remove what is ours.
fn distrust_on_the_way(found: &Stat) -> Option<String> {
    let sticky = found.st_mode & STICKY != 0;
    foreign_owner(found)
        .or_else(|| (is_open_to_others(found) && !sticky).then(|| writable_by_others(found)))
}

/// The same of a link in `holder`: where only we can write, only we can have put it.
fn distrust_link(link: &Stat, holder: &Stat) -> Option<String> {
    is_open_to_others(holder)
        .then(|| foreign_owner(link))
        .flatten()
}

fn foreign_owner(found: &Stat) -> Option<String> {
    let (owner, user) = (found.st_uid, geteuid().as_raw());
    (owner != 0 && owner != user).then(|| {
        format!(
            "belongs to user {owner}; compiled code is trusted, so it and all folders above it have to belong to root or \
             to user {user}, who starts the server"
        )
    })
}

fn is_open_to_others(found: &Stat) -> bool {
    found.st_mode & OTHERS_WRITE != 0
}

fn writable_by_others(found: &Stat) -> String {
    format!(
        "can be written by others (mode {:o}); compiled code is trusted, so take that right away: chmod go-w",
        found.st_mode & PERMISSIONS
    )
}

/// What becomes of a folder that is not there.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Missing {
    Make,
    Fail,
}

/// A walk along a path: where it is, and what is still ahead.
struct Way {
    missing: Missing,
    folder: OwnedFd,
    path: PathBuf,
    ahead: VecDeque<OsString>,
    links: usize,
}

impl Way {
    fn from_root(missing: Missing) -> Result<Self> {
        let root = Path::new("/");
        let folder =
            open(root, PASS, Mode::empty()).map_err(|error| Error::io(root, error.into()))?;
        let way = Way {
            missing,
            folder,
            path: root.to_owned(),
            ahead: VecDeque::new(),
            links: 0,
        };
        way.judge(&way.folder)?;
        Ok(way)
    }

    /// The parts of `path` are the next to enter.
    fn put_before(&mut self, path: &Path) {
        for part in path.components().rev() {
            if let Component::Normal(_) | Component::ParentDir = part {
                self.ahead.push_front(part.as_os_str().to_owned());
            }
        }
    }

    fn enter(&mut self, name: &OsStr) -> Result<()> {
        let next = self.open_or_make(name)?;
        let above = std::mem::replace(&mut self.folder, next);
        self.path.push(name);
        let found = fstat(&self.folder).map_err(|error| self.failed(error))?;
        match FileType::from_raw_mode(found.st_mode) {
            FileType::Directory => self.judge(&self.folder),
            FileType::Symlink => self.follow(above, &found),
            _ => Err(self.failed(Errno::NOTDIR)),
        }
    }

    fn open_or_make(&self, name: &OsStr) -> Result<OwnedFd> {
        let failed = |error: Errno| Error::io(&self.path.join(name), error.into());
        match openat(&self.folder, name, PASS, Mode::empty()) {
            Err(Errno::NOENT) if self.missing == Missing::Make => {}
            opened => return opened.map_err(failed),
        }
        // Somebody may have been faster; it is judged whoever made it.
        match mkdirat(&self.folder, name, Mode::from_raw_mode(0o755)) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(error) => return Err(failed(error)),
        }
        openat(&self.folder, name, PASS, Mode::empty()).map_err(failed)
    }

    /// Goes on where a link leads, from the folder that holds it.
    fn follow(&mut self, above: OwnedFd, link: &Stat) -> Result<()> {
        let holder = fstat(&above).map_err(|error| self.failed(error))?;
        if let Some(reason) = distrust_link(link, &holder) {
            return Err(self.distrusted(reason));
        }
        self.links += 1;
        if self.links > MAX_LINKS {
            return Err(self.failed(Errno::LOOP));
        }
        let target =
            readlinkat(&self.folder, "", Vec::new()).map_err(|error| self.failed(error))?;
        let target = PathBuf::from(OsString::from_vec(target.into_bytes()));
        if target.is_absolute() {
            let start = Way::from_root(self.missing)?;
            (self.folder, self.path) = (start.folder, start.path);
        } else {
            self.folder = above;
            self.path.pop();
        }
        self.put_before(&target);
        Ok(())
    }

    fn judge(&self, folder: &OwnedFd) -> Result<()> {
        let found = fstat(folder).map_err(|error| self.failed(error))?;
        match distrust_on_the_way(&found) {
            Some(reason) => Err(self.distrusted(reason)),
            None => Ok(()),
        }
    }

    fn failed(&self, error: Errno) -> Error {
        Error::io(&self.path, error.into())
    }

    fn distrusted(&self, reason: String) -> Error {
        Error::Cache {
            path: self.path.clone(),
            reason,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{self, Permissions};
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

    fn chmod(path: &Path, mode: u32) {
        fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    }

    /// A folder `above` with this mode, in a folder of ours.
    fn above(mode: u32) -> (tempfile::TempDir, PathBuf) {
        let ours = tempfile::tempdir().unwrap();
        let above = ours.path().join("above");
        fs::create_dir(&above).unwrap();
        chmod(&above, mode);
        (ours, above)
    }

    fn refused(path: &Path) -> (PathBuf, String) {
        match open_private(path).unwrap_err() {
            Error::Cache { path, reason } => (path, reason),
            other => panic!("{other}"),
        }
    }

    #[test]
    fn what_is_missing_is_made_for_us_alone() {
        let (_ours, above) = above(0o755);
        let made = above.join("one/../two/three");
        let folder = open_private(&made).unwrap();
        let made = fs::metadata(above.join("two/three")).unwrap();
        assert_eq!(made.mode() & OTHERS_WRITE, 0);
        assert_eq!(fstat(&folder).unwrap().st_ino, made.ino());
    }

    #[test]
    fn what_is_only_looked_for_is_not_made() {
        let (_ours, above) = above(0o755);
        let missing = above.join("one");
        let error = find_private(&missing).unwrap_err();
        assert!(matches!(error, Error::Io { .. }), "{error}");
        assert!(!missing.exists());
        assert!(find_private(&above).is_ok());
    }

    #[test]
    fn a_folder_above_that_others_can_write_to_is_refused() {
        let (_ours, above) = above(0o777);
        let (path, reason) = refused(&above.join("cache"));
        assert_eq!(path, above);
        assert!(reason.contains("written by others (mode 777)"), "{reason}");
        assert!(!above.join("cache").exists(), "nothing was made there");
        chmod(&above, 0o775);
        assert_eq!(refused(&above.join("cache")).0, above, "nor by a group");
    }

    #[test]
    fn a_sticky_folder_is_fine_above_but_not_itself() {
        let (_ours, above) = above(0o1777);
        open_private(&above.join("cache")).unwrap();
        assert_eq!(refused(&above).0, above);
    }

    #[test]
    fn a_link_is_followed_and_what_it_leads_to_is_judged() {
        let (ours, above) = above(0o777);
        let real = ours.path().join("real");
        fs::create_dir(&real).unwrap();
        let link = ours.path().join("link");
        for target in [real.as_path(), Path::new("real")] {
            symlink(target, &link).unwrap();
            let folder = open_private(&link).unwrap();
            let opened = fstat(&folder).unwrap().st_ino;
            assert_eq!(opened, fs::metadata(&real).unwrap().ino());
            fs::remove_file(&link).unwrap();
        }
        symlink("above/cache", &link).unwrap();
        assert_eq!(refused(&link).0, above);
        // In a folder that others can write to, it may be theirs.
        symlink(&real, above.join("link")).unwrap();
        assert_eq!(refused(&above.join("link")).0, above);
    }

    #[test]
    fn what_is_no_folder_and_links_in_a_circle_are_errors_of_the_disk() {
        let (ours, above) = above(0o755);
        let file = ours.path().join("file");
        fs::write(&file, "").unwrap();
        symlink("circle", above.join("circle")).unwrap();
        for path in [file.as_path(), &file.join("cache"), &above.join("circle")] {
            let error = open_private(path).unwrap_err();
            assert!(matches!(error, Error::Io { .. }), "{error}");
        }
    }

    /// What a file system of one user cannot show.
    #[test]
    fn what_belongs_to_others_is_refused() {
        let folder = open("/", PASS, Mode::empty()).unwrap();
        let mut theirs = fstat(&folder).unwrap();
        let mut holder = theirs;
        theirs.st_uid = geteuid().as_raw() + 4711;
        for sticky in [0, STICKY] {
            theirs.st_mode = 0o755 | sticky;
            let reason = distrust_on_the_way(&theirs).unwrap();
            assert!(reason.contains("belongs to user"), "{reason}");
        }
        holder.st_mode = 0o1777;
        assert!(distrust_link(&theirs, &holder).is_some());
        holder.st_mode = 0o755;
        assert_eq!(distrust_link(&theirs, &holder), None);
    }
}
