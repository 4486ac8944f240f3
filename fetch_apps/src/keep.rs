//! What others put into an artifact's folder (a database, uploads), and how it comes into the folder that replaces it.

use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::{MetadataExt, chown};
use std::path::{Path, PathBuf};

use crate::error::{Error, IoContext, Result};
use crate::receipt::Receipt;

/// What an artifact's folder holds besides the artifact, sorted.
#[derive(Default)]
struct Foreign {
    /// Everything but folders.
    files: Vec<PathBuf>,
    /// Folders with nothing in them. A receipt lists no folders, so these may be the artifact's own.
    empty_folders: Vec<PathBuf>,
}

/// The files in an artifact's folder that its receipt does not list.
pub(crate) fn foreign_files(folder: &Path) -> Result<Vec<PathBuf>> {
    Ok(foreign(folder)?.files)
}

fn foreign(folder: &Path) -> Result<Foreign> {
    let receipt = Receipt::read(folder)?;
    let mut found = Foreign::default();
    list(folder, Path::new(""), &mut found).doing("list", folder)?;
    found
        .files
        .retain(|path| !receipt.as_ref().is_some_and(|receipt| receipt.knows(path)));
    found.files.sort();
    Ok(found)
}

fn list(root: &Path, below: &Path, found: &mut Foreign) -> io::Result<()> {
    let mut is_empty = true;
    for entry in fs::read_dir(root.join(below))? {
        is_empty = false;
        let entry = entry?;
        let path = below.join(entry.file_name());
        match entry.file_type()?.is_dir() {
            true => list(root, &path, found)?,
            false => found.files.push(path),
        }
    }
    if is_empty {
        found.empty_folders.push(below.to_path_buf());
    }
    Ok(())
}

/// A folder that this tool did not make is nothing to refresh.
pub(crate) fn refuse_strange_folder(folder: &Path) -> Result<()> {
    if fs::symlink_metadata(folder).is_err() || Receipt::read(folder)?.is_some() {
        return Ok(());
    }
    match foreign_files(folder)? {
        files if files.is_empty() => Ok(()),
        files => Err(foreign_error(folder, &files)),
    }
}

/// Brings what others put into `old` to the same places in `new`, where nothing may be in the way.
///
/// Files are linked, not moved: until `new` takes its place, `old` stays whole, and a program that has a file open goes
/// on with the same file.
pub(crate) fn carry_over(old: &Path, new: &Path) -> Result<()> {
    if fs::symlink_metadata(old).is_err() {
        return Ok(());
    }
    let foreign = foreign(old)?;
    let taken = |path: &&PathBuf| !is_free(new, path);
    let in_the_way: Vec<_> = foreign.files.iter().filter(taken).cloned().collect();
    if !in_the_way.is_empty() {
        return Err(foreign_error(old, &in_the_way));
    }
    for path in &foreign.files {
        let (from, to) = (old.join(path), new.join(path));
        make_folders(old, new, path.parent().unwrap_or(Path::new("")))?;
        fs::hard_link(&from, &to).doing("keep by a link", &from)?;
    }
    // One that is in the way of the new version has nothing to lose.
    for path in foreign
        .empty_folders
        .iter()
        .filter(|path| is_free(new, path))
    {
        make_folders(old, new, path)?;
    }
    Ok(())
}

/// Whether nothing stands at the path, and nothing but folders above it.
fn is_free(root: &Path, path: &Path) -> bool {
    let taken = |path: &Path| fs::symlink_metadata(root.join(path)).ok();
    let mut above = path.ancestors().skip(1);
    taken(path).is_none() && above.all(|folder| taken(folder).is_none_or(|found| found.is_dir()))
}

/// Makes the folders of this path that are missing, with the modes and owners that they have in `old`.
fn make_folders(old: &Path, new: &Path, path: &Path) -> Result<()> {
    if new.join(path).is_dir() {
        return Ok(());
    }
    make_folders(old, new, path.parent().unwrap_or(Path::new("")))?;
    let from = old.join(path);
    let found = fs::symlink_metadata(&from).doing("read", &from)?;
    make_folder(&new.join(path), &found)
}

fn make_folder(path: &Path, like: &Metadata) -> Result<()> {
    fs::create_dir(path).doing("create the folder", path)?;
    let made = fs::symlink_metadata(path).doing("read", path)?;
    if (made.uid(), made.gid()) != (like.uid(), like.gid()) {
        chown(path, Some(like.uid()), Some(like.gid())).doing("set the owner of", path)?;
    }
    fs::set_permissions(path, like.permissions()).doing("set the mode of", path)
}

fn foreign_error(folder: &Path, files: &[PathBuf]) -> Error {
    let first = files[0].display();
    let examples = match files.len() {
        1 => first.to_string(),
        count => format!("{first} and {} more", count - 1),
    };
    Error::new(format!(
        "{} holds files that this tool did not put there ({examples}); move them away, or replace the folder with --force",
        folder.display()
    ))
}
