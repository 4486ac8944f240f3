//! `apps.toml`: what can be fetched, from where, and how it is unpacked.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::Deserialize;

use crate::digest::Sha256;
use crate::error::{Error, IoContext, Result};
use crate::npm;
use crate::pypi;

const MIB: u64 = 1024 * 1024;

/// The most that is downloaded where the manifest gives no size.
pub(crate) const DEFAULT_MAX_DOWNLOAD: u64 = 256 * MIB;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Manifest {
    /// npm tarballs that artifacts come from, by a short name.
    #[serde(default, rename = "tarball")]
    pub(crate) tarballs: BTreeMap<String, Tarball>,
    #[serde(default, rename = "artifact")]
    pub(crate) artifacts: Vec<Artifact>,
}

/// One published version of an npm package.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Tarball {
    pub(crate) package: String,
    pub(crate) version: String,
    pub(crate) sha256: Sha256,
    /// In bytes.
    pub(crate) size: Option<u64>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Artifact {
    /// Also the name of its folder.
    pub(crate) name: String,
    pub(crate) about: String,
    pub(crate) version: String,
    /// An SPDX expression.
    pub(crate) license: String,
    /// Fetched when no name is given.
    #[serde(default)]
    pub(crate) default: bool,
    pub(crate) sha256: Sha256,
    /// In bytes, before unpacking.
    pub(crate) size: Option<u64>,
    pub(crate) unpack: Format,
    /// The file's name inside the artifact's folder; for `unpack = "none"` only.
    pub(crate) file: Option<String>,
    /// Leading path components that are dropped from every entry.
    #[serde(default)]
    pub(crate) strip: usize,
    /// Paths (after stripping) that are left out, with all below them.
    #[serde(default)]
    pub(crate) exclude: Vec<String>,
    /// The most files and folders that it may unpack to.
    #[serde(default = "default_max_entries")]
    pub(crate) max_entries: u64,
    /// The most bytes that it may unpack to.
    #[serde(default = "default_max_bytes")]
    pub(crate) max_bytes: u64,
    /// Tried in this order; all of the same bytes.
    pub(crate) sources: Vec<Source>,
    /// Parts of npm tarballs that are merged into the same folder.
    #[serde(default)]
    pub(crate) add: Vec<Addition>,
}

fn default_max_entries() -> u64 {
    20_000
}

fn default_max_bytes() -> u64 {
    256 * MIB
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(crate) enum Format {
    #[serde(rename = "none")]
    None,
    #[serde(rename = "tar.gz")]
    TarGz,
    #[serde(rename = "zip")]
    Zip,
}

#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase", deny_unknown_fields)]
pub(crate) enum Source {
    Https {
        url: String,
    },
    Npm {
        tarball: String,
        member: String,
    },
    /// A file of a project in the Python package index.
    Pypi {
        project: String,
        file: String,
    },
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Addition {
    pub(crate) tarball: String,
    /// The folder inside the tarball whose content is merged.
    pub(crate) prefix: String,
}

impl Manifest {
    pub(crate) fn read(path: &Path) -> Result<Self> {
        Self::read_with_text(path).map(|(manifest, _)| manifest)
    }

    pub(crate) fn read_with_text(path: &Path) -> Result<(Self, String)> {
        let text = std::fs::read_to_string(path).doing("read the manifest", path)?;
        let manifest = Self::parse(&text).map_err(|message| Error::Manifest {
            path: path.to_path_buf(),
            message,
        })?;
        Ok((manifest, text))
    }

    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let manifest: Self = toml::from_str(text).map_err(|error| error.to_string())?;
        manifest.check()?;
        Ok(manifest)
    }

    pub(crate) fn artifact(&self, name: &str) -> Result<&Artifact> {
        self.artifacts
            .iter()
            .find(|artifact| artifact.name == name)
            .ok_or_else(|| Error::UnknownArtifact {
                name: name.to_string(),
                known: self
                    .artifacts
                    .iter()
                    .map(|artifact| artifact.name.as_str())
                    .collect::<Vec<_>>()
                    .join(", "),
            })
    }

    /// The tarball of a source or an addition; `check` has made sure that it exists.
    pub(crate) fn tarball(&self, name: &str) -> &Tarball {
        &self.tarballs[name]
    }

    fn check(&self) -> Result<(), String> {
        for (name, tarball) in &self.tarballs {
            tarball
                .check()
                .map_err(|problem| format!("tarball '{name}': {problem}"))?;
        }
        let mut names = BTreeSet::new();
        for artifact in &self.artifacts {
            let name = &artifact.name;
            if !names.insert(name) {
                return Err(format!("artifact '{name}' is listed twice"));
            }
            artifact
                .check(&self.tarballs)
                .map_err(|problem| format!("artifact '{name}': {problem}"))?;
        }
        Ok(())
    }
}

impl Tarball {
    /// `package@version`.
    pub(crate) fn shown(&self) -> String {
        format!("{}@{}", self.package, self.version)
    }

    fn check(&self) -> Result<(), String> {
        if !npm::is_package_name(&self.package) {
            return Err(format!("'{}' is not an npm package name", self.package));
        }
        if !npm::is_version(&self.version) {
            return Err(format!("'{}' is not an exact npm version", self.version));
        }
        Ok(())
    }
}

impl Artifact {
    fn check(&self, tarballs: &BTreeMap<String, Tarball>) -> Result<(), String> {
        // The name becomes a folder beside the cache; a leading dot would let it collide with the tool's own files.
        if !is_plain_name(&self.name) {
            return Err("the name may hold letters, digits, '.', '_' and '-', and starts with a letter or digit".into());
        }
        if self.name == "pin" {
            return Err("this name is a command of the tool".into());
        }
        self.check_unpack_rules()?;
        if self.sources.is_empty() {
            return Err("it has no sources".into());
        }
        for source in &self.sources {
            source.check(tarballs)?;
        }
        for addition in &self.add {
            check_tarball(tarballs, &addition.tarball)?;
        }
        Ok(())
    }

    fn check_unpack_rules(&self) -> Result<(), String> {
        if self.unpack != Format::None {
            return match self.file {
                Some(_) => Err("'file' belongs to unpack = \"none\"".into()),
                None => Ok(()),
            };
        }
        if self.strip != 0 || !self.exclude.is_empty() || !self.add.is_empty() {
            return Err(
                "'strip', 'exclude' and 'add' need an archive: unpack = \"tar.gz\" or \"zip\""
                    .into(),
            );
        }
        match &self.file {
            Some(file) if is_plain_name(file) => Ok(()),
            Some(file) => Err(format!("'{file}' is not a plain file name")),
            None => Err("unpack = \"none\" needs 'file', the name to store it under".into()),
        }
    }
}

impl Source {
    fn check(&self, tarballs: &BTreeMap<String, Tarball>) -> Result<(), String> {
        match self {
            Self::Https { url } => check_url(url),
            Self::Npm { tarball, .. } => check_tarball(tarballs, tarball),
            Self::Pypi { project, .. } if !pypi::is_project_name(project) => {
                Err(format!("'{project}' is not the name of a Python project"))
            }
            Self::Pypi { .. } => Ok(()),
        }
    }
}

/// A source as people read it.
pub(crate) fn describe(manifest: &Manifest, source: &Source) -> String {
    match source {
        Source::Https { url } => url.clone(),
        Source::Npm { tarball, member } => {
            format!("npm {}, member {member}", manifest.tarball(tarball).shown())
        }
        Source::Pypi { project, file } => format!("pypi {project}, file {file}"),
    }
}

fn check_tarball(tarballs: &BTreeMap<String, Tarball>, name: &str) -> Result<(), String> {
    match tarballs.contains_key(name) {
        true => Ok(()),
        false => Err(format!("there is no [tarball.{name}]")),
    }
}

/// Plain http is left for this machine itself, where nobody can listen in: local mirrors and tests.
fn check_url(url: &str) -> Result<(), String> {
    let parsed =
        reqwest::Url::parse(url).map_err(|error| format!("'{url}' is not an address: {error}"))?;
    match (parsed.scheme(), parsed.host_str()) {
        ("https", Some(_)) | ("http", Some("127.0.0.1" | "localhost" | "[::1]")) => Ok(()),
        _ => Err(format!("'{url}' is not an https address")),
    }
}

fn is_plain_name(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphanumeric())
        && name
            .chars()
            .all(|char| char.is_ascii_alphanumeric() || matches!(char, '.' | '_' | '-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGEST: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    fn artifact(lines: &str) -> Result<Manifest, String> {
        Manifest::parse(&format!(
            "[tarball.t]\npackage = \"@s/p\"\nversion = \"1.0.0\"\nsha256 = \"{DIGEST}\"\n\
             [[artifact]]\nabout = \"a\"\nversion = \"1\"\nlicense = \"MIT\"\nsha256 = \"{DIGEST}\"\n{lines}"
        ))
    }

    fn refusal(lines: &str) -> String {
        artifact(lines).expect_err(lines)
    }

    #[test]
    fn the_committed_manifest_is_sound() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../apps/apps.toml");
        let manifest = Manifest::read(&path).unwrap();
        assert!(manifest.artifacts.iter().any(|artifact| artifact.default));
    }

    #[test]
    fn a_full_artifact_is_read() {
        let lines = r#"name = "a"
            unpack = "zip"
            strip = 1
            exclude = ["x"]
            sources = [{ type = "https", url = "https://example.org/a.zip" }, { type = "npm", tarball = "t", member = "m" }]
            add = [{ tarball = "t", prefix = "package/p" }]"#;
        let manifest = artifact(lines).unwrap();
        let artifact = manifest.artifact("a").unwrap();
        assert_eq!(
            (artifact.sources.len(), artifact.add.len(), artifact.strip),
            (2, 1, 1)
        );
    }

    #[test]
    fn faults_are_named() {
        let good = r#"sources = [{ type = "https", url = "https://example.org/a" }]"#;
        let cases = [
            (format!("name = '../a'\nunpack = 'zip'\n{good}"), "the name may hold"),
            (format!("name = '.cache'\nunpack = 'zip'\n{good}"), "the name may hold"),
            (format!("name = 'pin'\nunpack = 'zip'\n{good}"), "a command of the tool"),
            (format!("name = 'a'\nunpack = 'none'\n{good}"), "needs 'file'"),
            (format!("name = 'a'\nunpack = 'none'\nfile = '../b'\n{good}"), "not a plain file name"),
            (format!("name = 'a'\nunpack = 'none'\nfile = 'b'\nstrip = 1\n{good}"), "need an archive"),
            (format!("name = 'a'\nunpack = 'zip'\nfile = 'b'\n{good}"), "'file' belongs to"),
            (format!("name = 'a'\nunpack = 'rar'\n{good}"), "unknown variant"),
            (format!("name = 'a'\nunpack = 'zip'\nsize_ = 1\n{good}"), "unknown field"),
            ("name = 'a'\nunpack = 'zip'\nsources = []".into(), "no sources"),
            (
                "name = 'a'\nunpack = 'zip'\nsources = [{ type = 'npm', tarball = 'u', member = 'm' }]".into(),
                "no [tarball.u]",
            ),
            (
                "name = 'a'\nunpack = 'zip'\nsources = [{ type = 'pypi', project = '../p', file = 'f' }]".into(),
                "not the name of a Python project",
            ),
            (
                "name = 'a'\nunpack = 'zip'\nsources = [{ type = 'https', url = 'http://example.org/' }]".into(),
                "not an https address",
            ),
        ];
        for (lines, problem) in cases {
            let message = refusal(&lines);
            assert!(message.contains(problem), "{lines}\ngave: {message}");
        }
    }

    #[test]
    fn an_unknown_name_lists_the_known_ones() {
        let manifest = artifact(
            "name = 'a'\nunpack = 'zip'\nsources = [{ type = 'npm', tarball = 't', member = 'm' }]",
        );
        let message = manifest.unwrap().artifact("b").unwrap_err().to_string();
        assert_eq!(message, "'b' is not in the manifest; it lists: a");
    }
}
