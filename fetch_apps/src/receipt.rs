//! What an artifact's folder should hold: a list in the format of `sha256sum`, kept inside the folder.
//!
//! It appears together with the folder, by one rename, so a folder with a receipt is complete. The list finds damage,
//! not tampering: who can change the files can change the list.

use std::fmt::Write as _;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use crate::digest::{Hasher, Sha256};
use crate::error::{Error, IoContext, Result};
use crate::manifest::{Artifact, Manifest};
use crate::unpack::Contents;

/// httpd's stock configuration refuses to serve names that start with `.ht`, and such a folder may become a site.
pub(crate) const FILE_NAME: &str = ".ht-fetched.sha256";
const TITLE: &str = "# Made by fetch-apps. Check with: sha256sum --quiet -c .ht-fetched.sha256";
/// Changes when this tool unpacks the same archive differently.
const LAYOUT: u32 = 1;

pub(crate) struct Receipt {
    recipe: Sha256,
    /// Where the bytes came from.
    pub(crate) source: String,
    contents: Contents,
}

impl Receipt {
    pub(crate) fn new(
        manifest: &Manifest,
        artifact: &Artifact,
        source: String,
        contents: Contents,
    ) -> Self {
        Self {
            recipe: recipe(manifest, artifact),
            source,
            contents,
        }
    }

    /// The receipt of a folder, if it has one.
    pub(crate) fn read(folder: &Path) -> Result<Option<Self>> {
        let path = folder.join(FILE_NAME);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
                ) =>
            {
                return Ok(None);
            }
            Err(error) => return Err(error).doing("read", &path),
        };
        let damaged = || {
            Error::new(format!(
                "{} is damaged; use --force to fetch again",
                path.display()
            ))
        };
        Self::parse(&text).ok_or_else(damaged).map(Some)
    }

    pub(crate) fn write(&self, folder: &Path) -> Result<()> {
        let path = folder.join(FILE_NAME);
        fs::write(&path, self.to_text()).doing("write", &path)
    }

    /// Whether the manifest still wants exactly this.
    pub(crate) fn fits(&self, manifest: &Manifest, artifact: &Artifact) -> bool {
        self.recipe == recipe(manifest, artifact)
    }

    /// The first file that is no longer there; contents are not looked at.
    pub(crate) fn missing(&self, folder: &Path) -> Option<&Path> {
        let mut paths = self.contents.files.keys().chain(self.contents.links.keys());
        paths
            .find(|path| fs::symlink_metadata(folder.join(path)).is_err())
            .map(PathBuf::as_path)
    }

    /// Reads every file and link again; one line for each that is not as it was.
    pub(crate) fn damage(&self, folder: &Path) -> Vec<String> {
        let files = self.contents.files.iter().filter_map(|(path, expected)| {
            let shown = path.display();
            // A link in the place of a file could lead anywhere, even to the right bytes.
            match fs::symlink_metadata(folder.join(path)).and_then(|found| match found.is_file() {
                true => Sha256::of_file(&folder.join(path)),
                false => Err(io::Error::other("not a regular file")),
            }) {
                Ok(calculated) if calculated == *expected => None,
                Ok(calculated) => Some(format!(
                    "{shown}: expected sha256 {expected}, calculated {calculated}"
                )),
                Err(error) => Some(format!("{shown}: {error}")),
            }
        });
        let links = self.contents.links.iter().filter_map(|(path, expected)| {
            match fs::read_link(folder.join(path)) {
                Ok(found) if found == *expected => None,
                Ok(found) => Some(format!(
                    "{}: leads to {}, not {}",
                    path.display(),
                    found.display(),
                    expected.display()
                )),
                Err(error) => Some(format!("{}: {error}", path.display())),
            }
        });
        files.chain(links).collect()
    }

    pub(crate) fn files(&self) -> usize {
        self.contents.files.len() + self.contents.links.len()
    }

    pub(crate) fn knows(&self, path: &Path) -> bool {
        path == Path::new(FILE_NAME)
            || self.contents.files.contains_key(path)
            || self.contents.links.contains_key(path)
    }

    fn to_text(&self) -> String {
        let mut text = format!(
            "{TITLE}\n# recipe {}\n# source {}\n",
            self.recipe, self.source
        );
        for (path, target) in &self.contents.links {
            let _ = writeln!(text, "# link {}\t{}", path.display(), target.display());
        }
        for (path, digest) in &self.contents.files {
            let _ = writeln!(text, "{digest}  {}", path.display());
        }
        text
    }

    fn parse(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        if lines.next()? != TITLE {
            return None;
        }
        let recipe = Sha256::parse(lines.next()?.strip_prefix("# recipe ")?)?;
        let source = lines.next()?.strip_prefix("# source ")?.to_string();
        let mut receipt = Self {
            recipe,
            source,
            contents: Contents::default(),
        };
        for line in lines {
            if let Some(link) = line.strip_prefix("# link ") {
                let (path, target) = link.split_once('\t')?;
                receipt.contents.links.insert(path.into(), target.into());
                continue;
            }
            let (digest, path) = line.split_once("  ")?;
            receipt
                .contents
                .files
                .insert(path.into(), Sha256::parse(digest)?);
        }
        Some(receipt)
    }
}

/// The digest of everything that decides what the folder holds.
fn recipe(manifest: &Manifest, artifact: &Artifact) -> Sha256 {
    let Artifact {
        unpack,
        file,
        strip,
        exclude,
        ..
    } = artifact;
    let digests: Vec<_> = artifact.digests().iter().map(Sha256::to_string).collect();
    let digests = digests.join(" ");
    let mut text = format!("{LAYOUT}\n{digests}\n{unpack:?}\n{file:?}\n{strip}\n{exclude:?}\n");
    for addition in &artifact.add {
        let _ = writeln!(
            text,
            "{} {:?}",
            manifest.tarball(&addition.tarball).sha256,
            addition.prefix
        );
    }
    let mut hasher = Hasher::default();
    hasher
        .write_all(text.as_bytes())
        .expect("a hasher takes everything");
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn sample() -> Receipt {
        let digest = |text: &str| Sha256::of_reader(text.as_bytes()).unwrap();
        Receipt {
            recipe: digest("recipe"),
            source: "npm package@1".into(),
            contents: Contents {
                files: BTreeMap::from([
                    ("a".into(), digest("a")),
                    ("dir/b  c".into(), digest("b")),
                ]),
                links: BTreeMap::from([("l".into(), "dir/b  c".into())]),
            },
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        let text = sample().to_text();
        assert_eq!(Receipt::parse(&text).unwrap().to_text(), text);
    }

    #[test]
    fn a_cut_receipt_is_not_believed() {
        let text = sample().to_text();
        assert!(Receipt::parse(&text[..text.len() - "b  c\n".len() - 40]).is_none());
        assert!(Receipt::parse("").is_none());
    }

    #[test]
    fn damage_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        fs::create_dir(root.join("dir")).unwrap();
        fs::write(root.join("a"), "a").unwrap();
        fs::write(root.join("dir/b  c"), "b").unwrap();
        std::os::unix::fs::symlink("dir/b  c", root.join("l")).unwrap();
        let receipt = sample();
        assert_eq!(receipt.damage(root), Vec::<String>::new());
        assert_eq!(receipt.missing(root), None);

        fs::write(root.join("a"), "changed").unwrap();
        fs::remove_file(root.join("l")).unwrap();
        let damage = receipt.damage(root);
        assert_eq!(damage.len(), 2, "{damage:?}");
        assert!(damage[0].starts_with("a: expected sha256 "), "{damage:?}");
        assert_eq!(receipt.missing(root), Some(Path::new("l")));
    }
}
