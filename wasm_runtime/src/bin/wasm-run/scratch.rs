//! Where the scratch directories of programs lie: in a folder of this user's own, beside other temporary files. Not where the web
//! server has its own ones: these belong to another user, and are counted.

use crate::failure::Failure;
use rustix::process::geteuid;
use std::fs::{DirBuilder, Metadata, symlink_metadata};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

/// Runs of this user that may have one at a time.
pub(crate) const MOST: u32 = 10_000;

/// The folder, which is made where it is missing. What a killed run has left there, a later one removes.
pub(crate) fn folder() -> Result<PathBuf, Failure> {
    let name = format!("wasm-run-{}", geteuid().as_raw());
    let path = std::env::temp_dir().join(name);
    match make(&path) {
        Ok(()) => Ok(path),
        Err(error) => Err(Failure::own(format!("{}: {error}", path.display()))),
    }
}

fn make(path: &Path) -> io::Result<()> {
    match DirBuilder::new().mode(0o700).create(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        made => return made,
    }
    let found = symlink_metadata(path)?;
    if is_private(&found) {
        return Ok(());
    }
    Err(io::Error::other(
        "is no folder that only this user can enter",
    ))
}

fn is_private(found: &Metadata) -> bool {
    found.is_dir() && found.uid() == geteuid().as_raw() && found.mode() & 0o077 == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};

    #[test]
    fn only_a_private_folder_is_used() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("folder");
        make(&folder).unwrap();
        make(&folder).unwrap();
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
        assert!(make(&folder).is_err());
        let link = place.path().join("link");
        symlink(place.path(), &link).unwrap();
        assert!(make(&link).is_err());
    }
}
