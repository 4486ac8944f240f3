//! The folder that an archive becomes: every file and folder is created here, new, counted and hashed.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, OpenOptions, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::Archive;
use super::path::{Selection, link_stays_inside};
use crate::digest::{Hasher, Sha256};
use crate::error::{IoContext, Result};

/// How much an artifact may become.
#[derive(Clone, Copy)]
pub(crate) struct Limits {
    /// Files, folders and links.
    pub(crate) entries: u64,
    pub(crate) bytes: u64,
}

pub(crate) struct Tree {
    root: PathBuf,
    limits: Limits,
    entries: u64,
    bytes: u64,
    folders: BTreeSet<PathBuf>,
    files: BTreeMap<PathBuf, Sha256>,
    links: BTreeMap<PathBuf, PathBuf>,
}

/// One entry of an archive, whatever the archive's format.
pub(super) struct Entry<'a> {
    pub(super) name: &'a [u8],
    pub(super) kind: Kind<'a>,
}

pub(super) enum Kind<'a> {
    Folder,
    File {
        executable: bool,
        /// Since 1970; `None`: now.
        modified: Option<Duration>,
        content: &'a mut dyn Read,
    },
    Link {
        target: &'a [u8],
    },
    /// Anything that is never unpacked: its description.
    Other(&'a str),
}

/// The files of a finished tree by their paths, and its links.
pub(crate) struct Contents {
    pub(crate) files: BTreeMap<PathBuf, Sha256>,
    pub(crate) links: BTreeMap<PathBuf, PathBuf>,
}

impl Tree {
    /// `root` is an empty folder of ours.
    pub(crate) fn new(root: &Path, limits: Limits) -> Self {
        Self {
            root: root.to_path_buf(),
            limits,
            entries: 0,
            bytes: 0,
            folders: BTreeSet::new(),
            files: BTreeMap::new(),
            links: BTreeMap::new(),
        }
    }

    /// Takes an entry in, or leaves it out when it is not selected.
    pub(super) fn take(
        &mut self,
        archive: Archive<'_>,
        selection: &Selection<'_>,
        entry: Entry<'_>,
    ) -> Result<()> {
        let refuse = |problem: String| archive.refuse(entry.name, problem);
        let place = selection.place(entry.name).map_err(refuse)?;
        if let Kind::Other(what) = entry.kind {
            return Err(archive.refuse(entry.name, format!("it is a {what}")));
        }
        let Some(path) = place else { return Ok(()) };
        self.entries += 1;
        if self.entries > self.limits.entries {
            return Err(archive.refuse(
                entry.name,
                format!("there are more than {} entries", self.limits.entries),
            ));
        }
        match entry.kind {
            Kind::Folder => self.folder(&path),
            Kind::File {
                executable,
                modified,
                content,
            } => self.file(archive, entry.name, path, executable, modified, content),
            Kind::Link { target } => self.link(archive, entry.name, path, target),
            Kind::Other(_) => unreachable!("refused above"),
        }
    }

    /// Takes a file that is no archive under a name of its own.
    pub(crate) fn single_file(&mut self, file: Archive<'_>, name: &str) -> Result<()> {
        let kind = Kind::File {
            executable: false,
            modified: None,
            content: &mut file.open()?,
        };
        self.take(
            file,
            &Selection::default(),
            Entry {
                name: name.as_bytes(),
                kind,
            },
        )
    }

    /// Makes the links, which is safe only now that nothing is written any more, and gives the list of all files.
    pub(crate) fn finish(self, archive_name: &str) -> Result<Contents> {
        let archive = Archive {
            path: &self.root,
            name: archive_name,
        };
        let mut made = Vec::new();
        for (link, target) in &self.links {
            let path = self.root.join(link);
            symlink(target, &path).doing("create the link", &path)?;
            made.push((link, path));
        }
        let root = self.root.canonicalize().doing("resolve", &self.root)?;
        for (link, path) in made {
            // Links that lead through other links are judged by where they really end.
            let inside = path.canonicalize().is_ok_and(|end| end.starts_with(&root));
            if !inside {
                return Err(archive.refuse(
                    link.as_os_str().as_encoded_bytes(),
                    "the link leads nowhere or outside",
                ));
            }
        }
        Ok(Contents {
            files: self.files,
            links: self.links,
        })
    }

    /// Creates a folder and those above it. Modes are set by hand, so that the umask of whoever fetches does not matter.
    fn folder(&mut self, path: &Path) -> Result<()> {
        if path.as_os_str().is_empty() || self.folders.contains(path) {
            return Ok(());
        }
        if let Some(parent) = path.parent() {
            self.folder(parent)?;
        }
        let full = self.root.join(path);
        fs::create_dir(&full).doing("create the folder", &full)?;
        fs::set_permissions(&full, Permissions::from_mode(0o755))
            .doing("set the mode of", &full)?;
        self.folders.insert(path.to_path_buf());
        Ok(())
    }

    fn file(
        &mut self,
        archive: Archive<'_>,
        name: &[u8],
        path: PathBuf,
        executable: bool,
        modified: Option<Duration>,
        content: &mut dyn Read,
    ) -> Result<()> {
        if let Some(first) = self.files.get(&path) {
            return self.same_again(archive, name, *first, content);
        }
        self.folder(path.parent().unwrap_or(Path::new("")))?;
        let full = self.root.join(&path);
        // `create_new` also refuses to follow anything that may stand there.
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&full)
            .doing("create", &full)?;
        let mut hasher = Hasher::default();
        let mut output = Tee {
            first: &mut file,
            second: &mut hasher,
        };
        self.copy(archive, name, content, &mut output)?;
        let mode = if executable { 0o755 } else { 0o644 };
        file.set_permissions(Permissions::from_mode(mode))
            .doing("set the mode of", &full)?;
        if let Some(time) = modified.and_then(|since| SystemTime::UNIX_EPOCH.checked_add(since)) {
            file.set_modified(time).doing("set the time of", &full)?;
        }
        self.files.insert(path, hasher.finish());
        Ok(())
    }

    /// Parts that are merged may overlap, as long as they agree.
    fn same_again(
        &mut self,
        archive: Archive<'_>,
        name: &[u8],
        first: Sha256,
        content: &mut dyn Read,
    ) -> Result<()> {
        let mut hasher = Hasher::default();
        self.copy(archive, name, content, &mut hasher)?;
        match hasher.finish() == first {
            true => Ok(()),
            false => Err(archive.refuse(name, "it is there twice, with different content")),
        }
    }

    fn copy(
        &mut self,
        archive: Archive<'_>,
        name: &[u8],
        content: &mut dyn Read,
        output: &mut dyn Write,
    ) -> Result<()> {
        let left = self.limits.bytes - self.bytes;
        let count = io::copy(&mut content.take(left + 1), output)
            .map_err(|error| archive.refuse(name, format!("cannot be unpacked: {error}")))?;
        if count > left {
            return Err(archive.refuse(
                name,
                format!("it unpacks to more than {} bytes", self.limits.bytes),
            ));
        }
        self.bytes += count;
        Ok(())
    }

    fn link(
        &mut self,
        archive: Archive<'_>,
        name: &[u8],
        path: PathBuf,
        target: &[u8],
    ) -> Result<()> {
        let target = std::str::from_utf8(target)
            .map_err(|_| archive.refuse(name, "the link's target is not UTF-8"))?;
        if !link_stays_inside(&path, Path::new(target)) {
            return Err(archive.refuse(
                name,
                format!("the link leads outside, to '{}'", target.escape_default()),
            ));
        }
        self.folder(path.parent().unwrap_or(Path::new("")))?;
        match self.links.insert(path, target.into()) {
            None => Ok(()),
            Some(_) => Err(archive.refuse(name, "the link is there twice")),
        }
    }
}

struct Tee<'a> {
    first: &'a mut dyn Write,
    second: &'a mut dyn Write,
}

impl Write for Tee<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.first.write(bytes)?;
        self.second.write_all(&bytes[..count])?;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.first.flush()
    }
}
