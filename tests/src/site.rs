//! A fresh folder with the files and the configuration of one httpd.

use std::fs;
use std::os::unix::fs::{PermissionsExt, lchown};
use std::path::Path;

use tempfile::TempDir;

use crate::httpd::Httpd;
use crate::paths::{make_private_dir, program};
use crate::process::copy_program;
use crate::refusal::Refusal;
use crate::server::Server;

/// Whom httpd's children run as when the suite runs as root.
pub(crate) const CHILD_USER: &str = "www-data";

const MIME_TYPES: &str = "text/html html\ntext/plain txt\ntext/css css\nimage/png png\n";

/// The folder of one httpd. Everything in it can be read by the unprivileged user of httpd's children.
pub struct Site {
    dir: TempDir,
    /// Words of a command that runs httpd's program; empty: it is run as it is.
    pub(crate) runner: Vec<String>,
}

impl Site {
    #[expect(
        clippy::new_without_default,
        reason = "a default that makes folders would surprise"
    )]
    pub fn new() -> Self {
        let dir = tempfile::Builder::new()
            .prefix("mod-wasm-test-")
            .tempdir_in("/tmp")
            .expect("/tmp is writable");
        set_mode(dir.path(), 0o755);
        let site = Self {
            dir,
            runner: Vec::new(),
        };
        for folder in ["htdocs", "logs", "run"] {
            fs::create_dir(site.dir.path().join(folder)).expect("the site's folder is writable");
        }
        site.file("mime.types", MIME_TYPES);
        site
    }

    /// Absolute path of something in the folder.
    pub fn path(&self, relative: &str) -> String {
        self.dir
            .path()
            .join(relative)
            .to_str()
            .expect("temporary paths are UTF-8")
            .to_owned()
    }

    /// Writes a file that everybody can read; returns its path.
    pub fn file(&self, relative: &str, contents: impl AsRef<[u8]>) -> String {
        let path = self.path(relative);
        self.make_parent(&path);
        fs::write(&path, contents).unwrap_or_else(|error| panic!("cannot write {path}: {error}"));
        set_mode(Path::new(&path), 0o644);
        path
    }

    /// Copies a program, executable for everybody; returns its path.
    pub fn executable(&self, relative: &str, from: &Path) -> String {
        let path = self.path(relative);
        self.make_parent(&path);
        copy_program(from, Path::new(&path));
        set_mode(Path::new(&path), 0o755);
        path
    }

    /// Makes a folder into which httpd's children may write; returns its path.
    pub fn writable_dir(&self, relative: &str) -> String {
        let path = self.path(relative);
        fs::create_dir_all(&path).unwrap_or_else(|error| panic!("cannot make {path}: {error}"));
        give_to_children(Path::new(&path));
        path
    }

    /// Writes a file into which httpd's children may write; returns its path.
    pub fn writable_file(&self, relative: &str, contents: impl AsRef<[u8]>) -> String {
        let path = self.file(relative, contents);
        give_to_children(Path::new(&path));
        path
    }

    /// Copies a tree, every file of it writable for httpd's children; returns its path.
    pub fn writable_copy(&self, relative: &str, from: &Path) -> String {
        let path = self.path(relative);
        copy_tree(from, Path::new(&path));
        path
    }

    /// A folder fit to be a `WasmCacheDir` of its own.
    pub fn private_cache(&self) -> String {
        let path = self.path("cache");
        make_private_dir(Path::new(&path));
        path
    }

    fn make_parent(&self, path: &str) {
        let parent = Path::new(path)
            .parent()
            .expect("a file of the site has a parent");
        fs::create_dir_all(parent)
            .unwrap_or_else(|error| panic!("cannot make {}: {error}", parent.display()));
    }

    /// An httpd with these lines at the end of its configuration; more can be chosen before it is started.
    pub fn httpd(self, conf: impl Into<String>) -> Httpd {
        Httpd::new(self, conf.into())
    }

    /// Starts httpd as a daemon with these lines at the end of its configuration.
    pub fn start(self, conf: impl Into<String>) -> Server {
        self.httpd(conf).start()
    }

    /// Asserts that httpd refuses these lines, when it is asked to test them and when it is started.
    #[track_caller]
    pub fn refused(self, conf: impl Into<String>) -> Refusal {
        self.httpd(conf).refused()
    }
}

pub(crate) fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
        .unwrap_or_else(|error| panic!("cannot chmod {}: {error}", path.display()));
}

/// Makes httpd's children the owner of what lies at a path; of a link, not of what it leads to.
pub(crate) fn give_to_children(path: &Path) {
    if let Some((uid, gid)) = child_ids() {
        lchown(path, Some(uid), Some(gid))
            .unwrap_or_else(|error| panic!("cannot chown {}: {error}", path.display()));
    }
}

fn copy_tree(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap_or_else(|error| panic!("cannot make {}: {error}", to.display()));
    give_to_children(to);
    let entries = fs::read_dir(from)
        .unwrap_or_else(|error| panic!("cannot read {}: {error}", from.display()));
    for entry in entries {
        let entry = entry.expect("a folder is readable");
        let target = to.join(entry.file_name());
        if entry.file_type().expect("a folder is readable").is_dir() {
            copy_tree(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), &target)
                .unwrap_or_else(|error| panic!("cannot copy {entry:?}: {error}"));
            give_to_children(&target);
        }
    }
}

/// Words before a command, with which it runs as the user of httpd's children; none when that is the user of the suite.
pub(crate) fn as_child_user() -> Vec<String> {
    if child_ids().is_none() {
        return Vec::new();
    }
    let setpriv = program("setpriv", "util-linux").display().to_string();
    let words = [
        "--reuid",
        CHILD_USER,
        "--regid",
        CHILD_USER,
        "--clear-groups",
    ];
    [setpriv]
        .into_iter()
        .chain(words.map(str::to_owned))
        .collect()
}

/// Words before a command: it then finds file systems mounted in these folders, and only it does.
pub(crate) fn within_mounts(mounts: &str, folders: impl Iterator<Item = String>) -> Vec<String> {
    assert!(
        rustix::process::geteuid().is_root(),
        "mounting file systems takes root: run this test as root"
    );
    let each: String = folders
        .map(|folder| format!("(cd {folder}\n{mounts})\n"))
        .collect();
    let unshare = program("unshare", "util-linux").display().to_string();
    let script = format!("set -e\n{each}exec \"$@\"");
    [&unshare, "--mount", "--", "/bin/sh", "-c", &script, "sh"]
        .map(str::to_owned)
        .into()
}

/// User and group of httpd's children; nothing when they run as the user of the suite.
pub(crate) fn child_ids() -> Option<(u32, u32)> {
    if !rustix::process::geteuid().is_root() {
        return None;
    }
    let passwd = fs::read_to_string("/etc/passwd").expect("/etc/passwd is readable");
    let entry = passwd
        .lines()
        .find(|line| line.starts_with(&format!("{CHILD_USER}:")))
        .unwrap_or_else(|| {
            panic!("there is no user {CHILD_USER}: install the package base-passwd")
        });
    let mut ids = entry
        .split(':')
        .skip(2)
        .map(|field| field.parse().expect("ids are numbers"));
    Some((ids.next()?, ids.next()?))
}
