//! From a verified file to the artifact's folder, which changes by a rename or not at all.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::error::{IoContext, Result};
use crate::fetcher::{Fetched, Fetcher};
use crate::keep::{carry_over, refuse_strange_folder};
use crate::manifest::{Artifact, Format, Manifest};
use crate::receipt::Receipt;
use crate::unpack::{self, Archive, Contents, Limits, Selection, Tree};

/// How an artifact's folder compares with the manifest.
pub(crate) enum State {
    Missing,
    Current,
    /// The reason why it has to be made anew.
    Stale(String),
}

pub(crate) fn state(manifest: &Manifest, artifact: &Artifact, folder: &Path) -> Result<State> {
    let Some(receipt) = Receipt::read(folder)? else {
        return Ok(if folder.exists() {
            State::Stale("not made by this tool".into())
        } else {
            State::Missing
        });
    };
    if !receipt.fits(manifest, artifact) {
        return Ok(State::Stale("made for an older manifest".into()));
    }
    Ok(match receipt.missing(folder) {
        Some(path) => State::Stale(format!("{} is missing", path.display())),
        None => State::Current,
    })
}

/// Fetches the artifact and puts it into its folder below `into`; tells where the bytes came from.
///
/// What others put into the folder stays there, unless `force` says that the whole folder is to be replaced.
pub(crate) fn install(
    fetcher: &Fetcher<'_>,
    artifact: &Artifact,
    into: &Path,
    force: bool,
) -> Result<String> {
    let folder = into.join(&artifact.name);
    if !force {
        refuse_strange_folder(&folder)?;
    }
    let fetched = fetcher.artifact(artifact)?;
    let staging = Staging::create(into, &artifact.name)?;
    let contents = unpack_all(fetcher, artifact, &fetched, &staging.path)?;
    Receipt::new(fetcher.manifest, artifact, fetched.source.clone(), contents)
        .write(&staging.path)?;
    if !force {
        carry_over(&folder, &staging.path)?;
    }
    staging.replace(&folder)?;
    Ok(fetched.source)
}

fn unpack_all(
    fetcher: &Fetcher<'_>,
    artifact: &Artifact,
    fetched: &Fetched,
    root: &Path,
) -> Result<Contents> {
    let limits = Limits {
        entries: artifact.max_entries,
        bytes: artifact.max_bytes,
    };
    let mut tree = Tree::new(root, limits);
    let archive = Archive {
        path: &fetched.path,
        name: &artifact.name,
    };
    let exclude = &artifact.exclude;
    let selection = Selection {
        prefix: None,
        strip: artifact.strip,
        exclude,
    };
    match artifact.unpack {
        Format::None => {
            tree.single_file(archive, artifact.file.as_deref().unwrap_or(&artifact.name))?
        }
        Format::TarGz => unpack::unpack_tar_gz(archive, &selection, &mut tree)?,
        Format::TarXz => unpack::unpack_tar_xz(archive, &selection, &mut tree)?,
        Format::Zip => unpack::unpack_zip(archive, &selection, &mut tree)?,
    }
    for addition in &artifact.add {
        let tarball = fetcher.manifest.tarball(&addition.tarball);
        let (path, name) = (&fetcher.tarball(tarball)?, &tarball.shown());
        let selection = Selection {
            prefix: Some(&addition.prefix),
            strip: 0,
            exclude,
        };
        unpack::unpack_tar_gz(Archive { path, name }, &selection, &mut tree)?;
    }
    tree.finish(&artifact.name)
}

/// A folder beside the artifact's, on the same file system, where it is built.
struct Staging {
    path: PathBuf,
    /// Where the previous folder waits to be deleted.
    old: PathBuf,
}

impl Staging {
    /// What an interrupted run left under these names is removed first; the cache's lock keeps other runs away.
    fn create(into: &Path, name: &str) -> Result<Self> {
        let staging = Self {
            path: into.join(format!(".{name}.new")),
            old: into.join(format!(".{name}.old")),
        };
        remove(&staging.path)?;
        remove(&staging.old)?;
        fs::create_dir(&staging.path).doing("create the folder", &staging.path)?;
        fs::set_permissions(&staging.path, Permissions::from_mode(0o755))
            .doing("set the mode of", &staging.path)?;
        Ok(staging)
    }

    fn replace(self, folder: &Path) -> Result<()> {
        if fs::symlink_metadata(folder).is_ok() {
            fs::rename(folder, &self.old).doing("rename", folder)?;
        }
        fs::rename(&self.path, folder).doing("rename", &self.path)?;
        remove(&self.old)
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        // After success it is gone already; after a failure the next run would remove it as well.
        let _ = remove(&self.path);
    }
}

/// Removes a file, a link (never what it leads to) or a folder with its content; nothing to do is fine.
fn remove(path: &Path) -> Result<()> {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Ok(found) if found.is_dir() => fs::remove_dir_all(path).doing("remove", path),
        _ => fs::remove_file(path).doing("remove", path),
    }
}
