//! The folder that an archive becomes: every file and folder is created here, new, counted and hashed.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::Archive;
use super::path::{Selection, link_stays_inside};
use crate::digest::{Hasher, Sha256};
use crate::error::{Error, IoContext, Result};

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
    contents: Contents,
}

/// What an entry of an archive is, whatever the archive's format.
pub(super) enum Kind<'a> {
    Folder,
    File(NewFile<'a>),
    Link {
        target: &'a [u8],
    },
    /// Anything that is never unpacked: its description.
    Other(&'a str),
}

pub(super) struct NewFile<'a> {
    pub(super) executable: bool,
    /// Since 1970; `None`: now.
    pub(super) modified: Option<Duration>,
    pub(super) content: &'a mut dyn Read,
}

/// The files of a finished tree by their paths, and its links.
#[derive(Default)]
pub(crate) struct Contents {
    pub(crate) files: BTreeMap<PathBuf, Sha256>,
    pub(crate) links: BTreeMap<PathBuf, PathBuf>,
}

/// Why an entry is not taken.
enum Problem {
    /// It is not what an archive may hold.
    Refused(String),
    /// This machine could not store it.
    Failed(Error),
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

fn refused<T>(problem: impl Into<String>) -> Result<T, Problem> {
    Err(Problem::Refused(problem.into()))
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
            contents: Contents::default(),
        }
    }

    /// Takes an entry in, or leaves it out when it is not selected.
    pub(super) fn take(
        &mut self,
        archive: Archive<'_>,
        selection: &Selection<'_>,
        name: &[u8],
        kind: Kind<'_>,
    ) -> Result<()> {
        self.take_entry(selection, name, kind)
            .map_err(|problem| match problem {
                Problem::Refused(problem) => archive.refuse(name, problem),
                Problem::Failed(error) => error,
            })
    }

    fn take_entry(
        &mut self,
        selection: &Selection<'_>,
        name: &[u8],
        kind: Kind<'_>,
    ) -> Result<(), Problem> {
        let place = selection.place(name).map_err(Problem::Refused)?;
        if let Kind::Other(what) = kind {
            return refused(format!("it is a {what}"));
        }
        let Some(path) = place else { return Ok(()) };
        self.entries += 1;
        if self.entries > self.limits.entries {
            return refused(format!(
                "there are more than {} entries",
                self.limits.entries
            ));
        }
        match kind {
            Kind::Folder => Ok(self.folder(&path)?),
            Kind::File(file) => self.file(path, file),
            Kind::Link { target } => self.link(path, target),
            Kind::Other(_) => unreachable!("refused above"),
        }
    }

    /// Takes a file that is no archive under a name of its own.
    pub(crate) fn single_file(&mut self, file: Archive<'_>, name: &str) -> Result<()> {
        let content = &mut file.open()?;
        let kind = Kind::File(NewFile {
            executable: false,
            modified: None,
            content,
        });
        self.take(file, &Selection::default(), name.as_bytes(), kind)
    }

    /// Makes the links, which is safe only now that nothing is written any more, and gives the list of all files.
    pub(crate) fn finish(self, archive_name: &str) -> Result<Contents> {
        let archive = Archive {
            path: &self.root,
            name: archive_name,
        };
        let mut made = Vec::new();
        for (link, target) in &self.contents.links {
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
        Ok(self.contents)
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

    fn file(&mut self, path: PathBuf, new: NewFile<'_>) -> Result<(), Problem> {
        let mut hasher = Hasher::default();
        // Parts that are merged may overlap, as long as they agree.
        if let Some(first) = self.contents.files.get(&path).copied() {
            self.copy(new.content, &mut hasher)?;
            return match hasher.finish() == first {
                true => Ok(()),
                false => refused("it is there twice, with different content"),
            };
        }
        self.folder(path.parent().unwrap_or(Path::new("")))?;
        let full = self.root.join(&path);
        // It also refuses to follow anything that may stand there.
        let mut file = File::create_new(&full).doing("create", &full)?;
        self.copy(
            new.content,
            &mut Tee {
                first: &mut file,
                second: &mut hasher,
            },
        )?;
        let mode = if new.executable { 0o755 } else { 0o644 };
        file.set_permissions(Permissions::from_mode(mode))
            .doing("set the mode of", &full)?;
        if let Some(time) = new
            .modified
            .and_then(|since| SystemTime::UNIX_EPOCH.checked_add(since))
        {
            file.set_modified(time).doing("set the time of", &full)?;
        }
        self.contents.files.insert(path, hasher.finish());
        Ok(())
    }

    fn copy(&mut self, content: &mut dyn Read, output: &mut dyn Write) -> Result<(), Problem> {
        let left = self.limits.bytes - self.bytes;
        match io::copy(&mut content.take(left + 1), output) {
            Err(error) => refused(format!("cannot be unpacked: {error}")),
            Ok(count) if count > left => refused(format!(
                "it unpacks to more than {} bytes",
                self.limits.bytes
            )),
            Ok(count) => {
                self.bytes += count;
                Ok(())
            }
        }
    }

    fn link(&mut self, path: PathBuf, target: &[u8]) -> Result<(), Problem> {
        let Ok(target) = std::str::from_utf8(target) else {
            return refused("the link's target is not UTF-8");
        };
        if !link_stays_inside(&path, Path::new(target)) {
            return refused(format!(
                "the link leads outside, to '{}'",
                target.escape_default()
            ));
        }
        self.folder(path.parent().unwrap_or(Path::new("")))?;
        match self.contents.links.insert(path, target.into()) {
            None => Ok(()),
            Some(_) => refused("the link is there twice"),
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
